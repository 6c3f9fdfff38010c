"""Which rules apply: in order, with why one does not, and with the same decision as `decide`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.explain import verdicts
from lifecycle.core.rules import decide
from support.building import NIGHTS, OFFICE, override, properties, situation, started, stopped


def decider(text: str = "", **more: Any) -> tuple[str, str]:
    (found,) = [verdict for verdict in verdicts(situation(text, **more)) if verdict.decides]
    return found.rule, found.reason


@pytest.mark.parametrize(
    ("text", "more", "rule"),
    [
        (OFFICE, {"override": override("paused")}, "pause or forced request"),
        (NIGHTS, {"override": override("running")}, "request to run"),
        (f"{OFFICE}, platform: main", {"platform_state": stopped("Tue 10:00")}, "platform stopped"),
        (OFFICE, {}, "hours"),
        ("platform: main", {"platform_state": started("Tue 10:00")}, "platform started"),
        ("", {}, "no rule"),
    ],
)
def test_the_first_rule_that_applies_decides(text: str, more: dict[str, Any], rule: str) -> None:
    assert decider(text, **more)[0] == rule


def test_later_rules_say_what_they_would_want() -> None:
    found = {v.rule: v for v in verdicts(situation(OFFICE, override=override("paused")))}
    assert found["hours"].decision is not None
    assert (found["hours"].decision.wanted, found["hours"].decides) == ("running", False)


def test_what_does_not_apply_says_why() -> None:
    reasons = {verdict.rule: verdict.reason for verdict in verdicts(situation(OFFICE))}
    assert reasons["request to run"] == "none is in force"
    assert reasons["platform stopped"] == "it follows no platform"
    assert reasons["idle_after"] == "it has no idle_after"
    assert reasons["budget"] == "it has no budget"


def test_a_platform_without_a_message_is_named() -> None:
    reasons = {verdict.rule: verdict.reason for verdict in verdicts(situation("platform: main"))}
    assert reasons["platform started"] == "platform main has sent no message yet"


def test_a_platform_with_a_message_is_not_said_to_have_sent_none() -> None:
    reasons = {v.rule: v.reason for v in verdicts(situation("platform: main", platform_state=stopped("Tue 10:00")))}
    assert reasons["no rule"] == "no rule applies"


def test_of_a_protected_entry_the_verdict_is_what_is_wanted() -> None:
    rule, reason = decider(f"{NIGHTS}, protected: true")
    assert rule == "hours"
    assert reason.startswith("protected: outside hours")


@given(
    text=st.sampled_from(["", OFFICE, NIGHTS, "platform: main", "idle_after: 45m", f"{NIGHTS}, protected: true"]),
    held=st.sampled_from([None, "running", "paused"]),
    platform_state=st.sampled_from([None, started("Tue 10:00"), stopped("Tue 10:00")]),
)
@properties(60)
def test_exactly_one_verdict_decides_and_it_is_the_decision(text: str, held: Any, platform_state: Any) -> None:
    seen = situation(text, override=override(held) if held else None, platform_state=platform_state)
    (found,) = [verdict for verdict in verdicts(seen) if verdict.decides]
    assert found.decision == decide(seen)
