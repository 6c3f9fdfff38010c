"""The override that a manual request makes: the table in docs/http.md, cell by cell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lifecycle.core.manual import ManualRequest, plan_request
from lifecycle.core.model import Override, StoredState
from lifecycle.core.rules import Situation, decide
from support.building import (
    DAY,
    HOUR,
    MINUTE,
    NIGHTS,
    NOON,
    OFFICE,
    STARTED,
    STOPPED,
    at,
    override,
    properties,
    sampled,
    situation,
)
from support.situations import ALWAYS, ruled

RESUME, PAUSE = ManualRequest("running"), ManualRequest("paused")
TWO_HOURS = ("Tue 14:00", None)
NONE = None
Ends = tuple[str | None, str | None] | None  # until, or when this platform starts; None: no override


def override_for(asked: ManualRequest, situations: Sequence[Situation]) -> Override | None:
    return plan_request(asked, situations).override


def ends(asked: ManualRequest, *situations: Situation) -> Ends | tuple[Any, str | None]:
    """When the override ends, as the clock and as a platform may have it."""
    found = override_for(asked, situations)
    return (found.until, found.or_started) if found else None


def meant(expected: Ends) -> Any:
    return (at(expected[0]) if expected[0] else None, expected[1]) if expected else None


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        # the rules want it running …
        (OFFICE, {}, NONE),
        (OFFICE, {"now": at("Tue 17:59")}, NONE),
        (OFFICE, {"now": at("Tue 18:01")}, ("Tue 20:01", None)),  # … and would stop it within two hours
        (f"{OFFICE}, lead: 10m", {"now": at("Tue 07:55")}, NONE),
        ("hours: Tue 08:00-09:00, lead: 30m", {"now": at("Tue 07:55")}, ("Tue 09:55", None)),
        ("hours: [Tue 08:00-13:00, Tue 13:00-20:00]", {}, NONE),
        ("hours: [Tue 08:00-13:00, Tue 13:30-20:00]", {}, TWO_HOURS),
        ("hours: [Tue 08:00-13:00, Tue 13:30-20:00], lead: 30m", {}, NONE),
        (ALWAYS, {}, NONE),
        ("platform: main", {"platform_state": STARTED}, NONE),
        ("platform: main", {"platform_state": STARTED, "platform": "{max_started: 7h}"}, TWO_HOURS),
        ("platform: main", {"platform_state": STARTED, "platform": "{max_started: 9h}"}, NONE),
        (f"{OFFICE}, platform: main", {"platform_state": STARTED, "platform": "{max_started: 7h}"}, TWO_HOURS),
        # … at rest …
        (NIGHTS, {}, TWO_HOURS),
        (f"{NIGHTS}, rest: scaledToZero", {}, TWO_HOURS),
        ("platform: main", {"platform_state": STOPPED}, TWO_HOURS),
        (f"{OFFICE}, platform: main", {"platform_state": STOPPED}, TWO_HOURS),
        ("platform: main", {"platform_state": STARTED, "platform": "{max_started: 1h}"}, TWO_HOURS),
        ("idle_after: 45m", {"last_used_at": at("Tue 06:00")}, TWO_HOURS),
        (NIGHTS, {"now": at("Tue 21:30")}, ("Tue 23:30", None)),
        # … or do not care
        ("", {}, NONE),
        ("platform: main", {}, NONE),
        ("idle_after: 45m", {"last_used_at": NOON}, NONE),
    ],
)
def test_resume_by_hand(text: str, more: dict[str, Any], expected: Ends) -> None:
    assert ends(RESUME, situation(text, **more)) == meant(expected)


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        # the rules want it running: until the next hours begin …
        (OFFICE, {}, ("Wed 08:00", None)),
        (f"{OFFICE}, lead: 10m", {}, ("Wed 07:50", None)),
        (OFFICE, {"now": at("Fri 12:00")}, ("2026-11-30 08:00", None)),
        (f"{OFFICE}, holidays: [2026-11-25]", {}, ("Thu 08:00", None)),
        ("hours: [Mon-Fri 08:00-12:00, Mon-Fri 13:00-20:00]", {"now": at("Tue 11:00")}, ("Tue 13:00", None)),
        ("hours: [Mon-Fri 08:00-12:00, Mon-Fri 12:00-20:00]", {"now": at("Tue 11:00")}, ("Wed 08:00", None)),
        # … or its platform next starts, whichever is first …
        (f"{OFFICE}, platform: main", {"platform_state": STARTED}, ("Wed 08:00", "main")),
        (f"{OFFICE}, platform: main", {}, ("Wed 08:00", "main")),
        ("platform: main", {"platform_state": STARTED}, (None, "main")),
        (f"{ALWAYS}, platform: main", {"platform_state": STARTED}, (None, "main")),
        # … with neither, until released
        (ALWAYS, {}, (None, None)),
        # … at rest …
        (NIGHTS, {}, NONE),
        (f"{NIGHTS}, rest: scaledToZero", {}, NONE),
        ("platform: main", {"platform_state": STOPPED}, NONE),
        (f"{OFFICE}, platform: main", {"platform_state": STOPPED}, NONE),
        ("platform: main", {"platform_state": STARTED, "platform": "{max_started: 1h}"}, NONE),
        ("idle_after: 45m", {"last_used_at": at("Tue 06:00")}, NONE),
        # … or do not care
        ("", {}, NONE),
        ("platform: main", {}, NONE),
        ("idle_after: 45m", {"last_used_at": NOON}, NONE),
    ],
)
def test_pause_by_hand(text: str, more: dict[str, Any], expected: Ends) -> None:
    assert ends(PAUSE, situation(text, **more)) == meant(expected)


@pytest.mark.parametrize(
    "text", [OFFICE, NIGHTS, ALWAYS, "", "platform: main", f"{OFFICE}, platform: main", "idle_after: 45m"]
)
@pytest.mark.parametrize("state", ["running", "paused"])
def test_with_an_end_it_lasts_to_that_end_whatever_the_rules_say(
    text: str, state: Literal["running", "paused"]
) -> None:
    asked = ManualRequest(state, until=at("Tue 22:30"))
    assert ends(asked, situation(text, platform_state=STARTED)) == meant(("Tue 22:30", None))


@pytest.mark.parametrize("text", [OFFICE, NIGHTS, "", "platform: main"])
def test_a_pause_until_released_has_no_end(text: str) -> None:
    assert ends(ManualRequest("paused", released=True), situation(text, platform_state=STARTED)) == (None, None)


def test_an_override_that_was_there_before_does_not_count() -> None:
    assert ends(RESUME, situation(OFFICE, override=override("paused"))) is None


def test_a_pause_over_an_earlier_resume_outside_the_hours_leaves_it_to_the_rules() -> None:
    assert ends(PAUSE, situation(NIGHTS, override=override("running"))) is None


def test_the_override_says_what_was_asked_when_by_whom_and_why() -> None:
    asked = ManualRequest("running", at("Tue 22:00"), by="anna@example.com", note="load test")
    expected = Override("running", NOON, at("Tue 22:00"), None, "anna@example.com", "load test")
    assert override_for(asked, [situation()]) == expected


def test_of_several_endpoints_one_at_rest_is_enough_for_a_resume_to_last() -> None:
    used = [situation("idle_after: 45m", last_used_at=when) for when in (NOON, at("Tue 06:00"))]
    assert ends(RESUME, *used) == meant(TWO_HOURS)


# What the table is for.


def after(found: Situation, kept: Override | None) -> Situation:
    return replace(found, memory=StoredState({"embeddings": (kept,)} if kept else {}, found.memory.platforms))


@given(found=ruled())
@properties(100)
def test_for_two_hours_the_rules_do_not_stop_what_was_resumed_by_hand(found: Situation) -> None:
    then = after(found, override_for(RESUME, [found]))
    for now in sampled(found.now, found.now + 2 * HOUR, 5 * MINUTE):
        assert decide(replace(then, now=now)).wanted in ("running", "any")


@given(found=ruled())
@properties(100)
def test_until_new_hours_begin_the_rules_do_not_start_what_was_paused_by_hand(found: Situation) -> None:
    then = after(found, override_for(PAUSE, [found]))
    hours = found.entry.hours
    following = hours.next(found.now) if hours else None
    until = min(following.lead if following else found.now + 3 * DAY, found.now + 3 * DAY)
    for now in sampled(found.now, until, 17 * MINUTE):
        assert decide(replace(then, now=now)).wanted != "running"


@given(found=ruled(), pause=st.booleans())
@properties(100)
def test_an_override_without_an_end_of_its_own_is_needed(found: Situation, pause: bool) -> None:
    """None is set where the rules alone would leave what was asked as it is."""
    kept = override_for(PAUSE if pause else RESUME, [found])
    assume(kept)
    against = "running" if pause else found.entry.rest
    ahead = sampled(found.now, found.now + 2 * HOUR + timedelta(minutes=1))
    assert any(decide(replace(found, now=now)).wanted == against for now in ahead)
