"""The step from the observed to the desired state: the table in docs/design.md, row by row."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lifecycle.core.planner import Step, plan_step
from lifecycle.core.rules import Situation, decide
from support.building import (
    NIGHTS,
    NOON,
    OFFICE,
    at,
    by_hand,
    situation,
    taken,
)

LONG_AGO = at("Tue 06:00")


# The table: wanted, satisfied by, otherwise.


def timed_warm(found: Situation) -> Step:
    return plan_step(replace(decide(found), wanted="running", rule="cron", left=None), found, only_running=True)


STARTING = ("pending", "initializing", "updating")


NOBODY_KNOWS = ("unknown", "migrating", "")


EVERY_STATE = (*STARTING, *NOBODY_KNOWS, "running", "paused", "scaledToZero", "failed", "updateFailed")


@pytest.mark.parametrize(
    ("state", "endpoint", "action", "outcome"),
    [
        ("running", {}, "none", "unchanged"),
        ("paused", {}, "resume", "done"),
        ("scaledToZero", {"min_replicas": 0}, "none", "unchanged"),
        ("scaledToZero", {"min_replicas": 1}, "wake", "done"),
        ("scaledToZero", {}, "wake", "done"),
        *((state, {}, "none", "pending") for state in STARTING),
        ("updateFailed", {"ready_replicas": 1}, "none", "unchanged"),
        ("updateFailed", {"ready_replicas": 0}, "none", "skipped"),
        ("updateFailed", {}, "none", "skipped"),
        ("failed", {}, "none", "skipped"),
        ("failed", {"ready_replicas": 1}, "none", "skipped"),
        *((state, {}, "none", "skipped") for state in NOBODY_KNOWS),
    ],
)
def test_wanted_running(state: str, endpoint: dict[str, Any], action: str, outcome: str) -> None:
    found = taken(situation(OFFICE, state, **endpoint))
    assert (found.action, found.outcome) == (action, outcome)


@pytest.mark.parametrize("state", ["failed", *NOBODY_KNOWS])
def test_what_cannot_be_started_is_an_error_in_the_log(state: str) -> None:
    assert taken(situation(OFFICE, state)).level == "ERROR"


def test_a_failed_update_that_still_serves_is_reported() -> None:
    assert taken(situation(OFFICE, "updateFailed", ready_replicas=1)).level != "INFO"


def test_what_hugging_face_says_of_a_failure_is_in_the_reason() -> None:
    assert "out of memory" in taken(situation(OFFICE, "failed", message="out of memory")).reason


@pytest.mark.parametrize(
    ("state", "endpoint", "action", "outcome"),
    [
        ("running", {}, "none", "unchanged"),
        ("paused", {}, "resume", "done"),
        ("scaledToZero", {"min_replicas": 0}, "wake", "done"),
        ("scaledToZero", {"min_replicas": 1}, "wake", "done"),
        *((state, {}, "none", "pending") for state in STARTING),
        ("failed", {}, "resume", "done"),
        *((state, {}, "none", "skipped") for state in NOBODY_KNOWS),
    ],
)
def test_wanted_running_by_hand(state: str, endpoint: dict[str, Any], action: str, outcome: str) -> None:
    found = by_hand(situation(OFFICE, state, **endpoint))
    assert (found.action, found.outcome) == (action, outcome)


@pytest.mark.parametrize(
    ("state", "action", "outcome"),
    [
        *[("running", "none", "unchanged"), ("scaledToZero", "wake", "done"), ("paused", "resume", "done")],
        *[("initializing", "none", "pending"), ("failed", "none", "skipped")],
    ],
)
def test_wanted_running_for_a_timed_warm(state: str, action: str, outcome: str) -> None:
    found = timed_warm(situation(OFFICE, state, min_replicas=0))
    assert (found.action, found.outcome) == (action, outcome)


def test_for_a_manual_request_a_failed_update_does_not_count_as_running() -> None:
    assert by_hand(situation(OFFICE, "updateFailed", ready_replicas=1)).outcome != "unchanged"


@pytest.mark.parametrize("state", EVERY_STATE)
def test_wanted_paused(state: str) -> None:
    found = taken(situation(NIGHTS, state, ready_replicas=1, min_replicas=0))
    assert (found.action, found.outcome) == (("none", "unchanged") if state == "paused" else ("pause", "done"))


@pytest.mark.parametrize(
    ("state", "action", "outcome"),
    [
        ("scaledToZero", "none", "unchanged"),
        ("paused", "none", "unchanged"),
        ("running", "scale-to-zero", "done"),
        ("updateFailed", "scale-to-zero", "done"),
        ("migrating", "scale-to-zero", "done"),
        *((state, "none", "skipped") for state in STARTING),
    ],
)
def test_wanted_scaled_to_zero(state: str, action: str, outcome: str) -> None:
    found = taken(situation(f"{NIGHTS}, rest: scaledToZero", state))
    assert (found.action, found.outcome) == (action, outcome)


@pytest.mark.parametrize(
    ("scaling", "used", "action"),
    [
        ("{}", "Tue 11:46", "none"),
        ("{}", "Tue 11:45", "scale-to-zero"),
        ("{min_replicas: 0, scale_to_zero_after: 1h}", "Tue 11:01", "none"),
        ("{min_replicas: 0, scale_to_zero_after: 1h}", "Tue 11:00", "scale-to-zero"),
    ],
)
def test_what_was_just_used_is_not_scaled_to_zero(scaling: str, used: str, action: str) -> None:
    found = situation(f"{NIGHTS}, rest: scaledToZero, scaling: {scaling}", last_used_at=at(used))
    assert taken(found).action == action


@pytest.mark.parametrize(("state", "used"), [("initializing", None), ("running", NOON)])
def test_what_is_left_rather_than_scaled_to_zero_is_reported(state: str, used: datetime | None) -> None:
    found = taken(situation(f"{NIGHTS}, rest: scaledToZero", state, last_used_at=used))
    assert found.outcome == "skipped"
    assert found.level != "INFO"


@pytest.mark.parametrize("state", EVERY_STATE)
def test_what_no_rule_wants_otherwise_is_left_alone(state: str) -> None:
    assert taken(situation("", state)).action == "none"


def test_what_was_paused_and_is_unused_stays_as_it_is() -> None:
    assert taken(situation("idle_after: 45m", "paused", updated_at=LONG_AGO)).outcome == "unchanged"


# Asleep when the hours begin.


@pytest.mark.parametrize(
    ("lead", "now", "boundary", "action"),
    [
        ("10m", "Tue 07:50", None, "wake"),
        ("10m", "Tue 07:59", None, "wake"),
        ("10m", "Tue 08:00", None, "none"),
        ("10m", "Tue 08:00", "0800", "none"),  # with lead it has been woken before
        ("0s", "Tue 08:00", "0800", "wake"),
        ("0s", "Tue 08:02", "0800", "wake"),
        ("0s", "Tue 08:00", "", "wake"),
        ("0s", "Tue 10:00", "1000", "none"),  # a boundary inside the hours is not their beginning
        ("0s", "Tue 08:00", None, "none"),
        ("0s", "Tue 08:10", None, "none"),
    ],
)
def test_what_sleeps_by_itself_is_woken_for_the_hours(lead: str, now: str, boundary: str | None, action: str) -> None:
    found = situation(f"{OFFICE}, lead: {lead}", "scaledToZero", at(now), min_replicas=0)
    assert taken(found, boundary=boundary).action == action


def test_between_two_hours_the_lead_of_the_second_wakes_it() -> None:
    text = "hours: [Tue 08:00-12:00, Tue 12:05-16:00], lead: 10m"
    assert taken(situation(text, "scaledToZero", at("Tue 12:02"), min_replicas=0)).action == "wake"


WHOLE_DAYS = [
    "daily 00:00-24:00",
    "[daily 08:00-20:00, daily 20:00-08:00]",
    "always",
    "[Mon-Sun 00:00-12:00, daily 12:00-24:00]",
]


@pytest.mark.parametrize("text", WHOLE_DAYS)
@pytest.mark.parametrize("clock", ["00:00", "08:00", "12:00", "20:00"])
def test_hours_that_only_go_on_wake_nothing(text: str, clock: str) -> None:
    found = situation(f"hours: {text}", "scaledToZero", at(f"Wed {clock}"), min_replicas=0)
    assert taken(found, boundary=clock.replace(":", "")).action == "none"


def test_the_same_time_a_day_later_is_no_beginning() -> None:
    found = situation(
        "hours: [Tue 08:00-20:00, Tue 20:00-08:00, Wed 08:00-10:00]", "scaledToZero", at("Wed 08:00"), min_replicas=0
    )
    assert taken(found, boundary="0800").action == "none"


def test_hours_begin_after_a_holiday_though_they_unite() -> None:
    text = "hours: daily 00:00-24:00, holidays: [2026-11-24]"
    found = situation(text, "scaledToZero", at("Wed 00:00"), min_replicas=0)
    assert taken(found, boundary="0000").action == "wake"


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("Europe/Berlin", "2027-03-28T03:00:00+02:00"),  # where Scheduler fires at the first minute that exists
        ("Europe/Berlin", "2027-03-28T03:30:00+02:00"),  # or later
        ("Australia/Lord_Howe", "2026-10-04T02:30:00+11:00"),
    ],
)
def test_a_beginning_that_a_clock_change_skipped_wakes(zone: str, now: str) -> None:
    text = f"hours: daily 02:15-20:00, time_zone: {zone}"
    assert taken(situation(text, "scaledToZero", at(now), min_replicas=0), boundary="0215").action == "wake"


def test_of_a_repeated_beginning_the_first_wakes() -> None:
    text = "hours: daily 02:30-20:00"
    calls = [at("2026-10-25T02:30:00+02:00"), at("2026-10-24T02:30:00+02:00")]
    found = [taken(situation(text, "scaledToZero", now, min_replicas=0), boundary="0230") for now in calls]
    assert [step.action for step in found] == ["wake", "wake"]


def test_a_call_after_midnight_wakes_for_a_beginning_before_it() -> None:
    text = "hours: daily 23:59-06:00"
    assert taken(situation(text, "scaledToZero", at("Wed 00:01"), min_replicas=0), boundary="2359").action == "wake"
