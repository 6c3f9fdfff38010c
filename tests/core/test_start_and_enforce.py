"""What `start: false` and `enforce: false` leave to people."""

from typing import Any

import pytest

from lifecycle.core.model import PlatformState
from support.building import (
    NIGHTS,
    OFFICE,
    STARTED,
    at,
    by_hand,
    override,
    situation,
    started,
    stopped,
    taken,
)

# `start: false`, `enforce: false`.


@pytest.mark.parametrize(
    ("text", "state", "action", "outcome"),
    [
        (OFFICE, "paused", "none", "skipped"),
        (OFFICE, "scaledToZero", "none", "skipped"),
        (OFFICE, "running", "none", "unchanged"),
        (OFFICE, "initializing", "none", "pending"),
        (NIGHTS, "running", "pause", "done"),
        (f"{NIGHTS}, rest: scaledToZero", "running", "scale-to-zero", "done"),
    ],
)
def test_with_start_false_the_rules_only_ever_stop_it(text: str, state: str, action: str, outcome: str) -> None:
    found = taken(situation(f"{text}, start: false", state))
    assert (found.action, found.outcome) == (action, outcome)


@pytest.mark.parametrize("platform_state", [STARTED, None])
def test_with_start_false_a_started_platform_starts_nothing(platform_state: PlatformState | None) -> None:
    assert taken(situation("platform: main, start: false", "paused", platform_state=platform_state)).action == "none"


def test_with_start_false_a_person_may_start_it() -> None:
    assert by_hand(situation(f"{OFFICE}, start: false", "paused")).action == "resume"


@pytest.mark.parametrize(
    ("text", "now", "more", "acts"),
    [
        # a boundary of the hours
        (OFFICE, "Tue 20:00", {}, True),
        (OFFICE, "Tue 20:59", {}, True),
        (OFFICE, "Tue 21:01", {}, False),
        (OFFICE, "Sat 12:00", {}, False),
        (f"{OFFICE}, holidays: [2026-11-01..2026-11-30]", "Tue 12:00", {}, False),
        # an override's end
        (NIGHTS, "Tue 12:00", {"override": override("running", until="Tue 11:30")}, True),
        (NIGHTS, "Tue 12:00", {"override": override("running", "Tue 09:00", "Tue 10:30")}, False),
        # a platform message
        ("platform: main", "Tue 12:00", {"platform_state": stopped("Tue 11:30")}, True),
        ("platform: main", "Tue 12:00", {"platform_state": stopped("Tue 10:30")}, False),
        (
            "platform: main",
            "Tue 12:00",
            {"platform_state": stopped("Tue 10:30"), "platform": "{max_started: 1h}"},
            False,
        ),
        (
            "platform: main",
            "Tue 12:00",
            {"platform_state": started("Tue 06:00"), "platform": "{max_started: 330m}"},
            True,
        ),
        (
            "platform: main",
            "Tue 12:00",
            {"platform_state": started("Tue 06:00"), "platform": "{max_started: 4h}"},
            False,
        ),
    ],
)
def test_with_enforce_false_the_rules_act_in_the_hour_after_a_change(
    text: str, now: str, more: dict[str, Any], acts: bool
) -> None:
    found = taken(situation(f"{text}, enforce: false", now=at(now), **more))
    assert (found.action, found.outcome) == (("pause", "done") if acts else ("none", "skipped"))


def test_with_enforce_false_a_start_is_left_out_too() -> None:
    assert taken(situation(f"{OFFICE}, enforce: false", "paused")).action == "none"


def test_with_enforce_false_the_lead_is_a_boundary() -> None:
    assert taken(situation(f"{OFFICE}, lead: 2h, enforce: false", "paused", at("Tue 06:30"))).action == "resume"


def test_with_enforce_false_a_later_difference_is_reported() -> None:
    assert taken(situation(f"{NIGHTS}, enforce: false")).level != "INFO"


def test_with_enforce_false_a_person_is_obeyed() -> None:
    assert by_hand(situation(f"{OFFICE}, enforce: false", "paused")).action == "resume"
