"""Scheduled actions: which schedules are valid, when they fire, and their decision beside the rules."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.cron import check, scheduled, shortest_gap, ticks
from lifecycle.core.entries import Cron
from lifecycle.core.planner import plan_step
from support.building import BERLIN, DAY, HOUR, MINUTE, NIGHTS, OFFICE, at, override, sampled, situation, stopped


@pytest.mark.parametrize(
    "text",
    [
        "*/60 */24 */31 */12 */7",  # a step may be as great as its field
        "5-59/10 * * * *",
        "0 8 * jan-mar mon,wed",
        "0 0 * * 7",
    ],
)
def test_a_schedule_is_read(text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("*/90 * * * *", "*/90: the step is greater than the field; the minute has 60 values"),
        ("0 */25 * * *", "*/25: the step is greater than the field; the hour has 24 values"),
        ("0 0 */32 * *", "greater than the field"),
        ("0 0 * */13 *", "greater than the field"),
        ("0 0 * * 1-5/8", "greater than the field"),
        ("0,*/100 * * * *", "*/100: the step is greater than the field"),
        ("5/10 * * * *", "5/10: a step goes with * or a range, such as 5-59/10"),
        ("0 8 * * mon/2", "mon/2: a step goes with * or a range"),
        ("*/0 * * * *", "*/0: a step is at least 1"),
        ("60 * * * *", "minutes are 0 to 59"),
        ("0 24 * * *", "hours are 0 to 23"),
        ("0 8 0 * *", "days are 1 to 31"),
        ("0 8 30 2 *", "one of the months must have the day"),
        ("0 8 * foo *", "months are 1 to 12, or JAN to DEC"),
        ("0 8 * * 8", "weekdays are 0 to 7, or SUN to SAT"),
        ("0 8 * * fri-mon", "a range begins with its smaller value"),
        ("@daily", "not a cron schedule"),
        ("", "not a cron schedule"),
        ("0 8 * *", "not a cron schedule"),
        ("0 0 8 * * 1", "not a cron schedule"),  # with seconds
        ("0 8 L * *", "not a cron schedule"),  # Cloud Scheduler does not know the letters of other schedulers
        ("0 8 15W * *", "not a cron schedule"),
        ("0 8 * * 1,fri#2", "not a cron schedule"),
    ],
)
def test_a_schedule_is_refused_with_what_is_allowed(text: str, reported: str) -> None:
    with pytest.raises(ValueError, match=r".+") as error:
        check(text)
    assert reported in str(error.value)


def fired(schedule: str, since: str, until: str, zone: ZoneInfo = BERLIN) -> list[str]:
    action = Cron(schedule, "pause", ("*",), zone)
    return [f"{tick.astimezone(zone):%a %d %H:%M}" for tick in ticks(action, at(since), at(until))]


def test_it_fires_from_the_first_instant_until_before_the_last() -> None:
    assert fired("0 8,20 * * *", "Mon 08:00", "Tue 20:00") == ["Mon 23 08:00", "Mon 23 20:00", "Tue 24 08:00"]


def test_day_of_month_beside_weekday_fires_on_either() -> None:
    days = fired("0 8 1-2 * 1", "2026-12-01 00:00", "2026-12-15 00:00")
    assert days == ["Tue 01 08:00", "Wed 02 08:00", "Mon 07 08:00", "Mon 14 08:00"]


def test_it_fires_on_the_clock_of_its_zone() -> None:
    zone = ZoneInfo("America/New_York")
    assert fired("0 8 * * *", "2026-11-24 00:00", "2026-11-25 00:00", zone) == ["Tue 24 08:00"]


def test_ticks_of_a_year_are_those_of_its_parts() -> None:
    halves = fired("0 8 * * 1-5", "2026-01-01", "2026-06-01") + fired("0 8 * * 1-5", "2026-06-01", "2027-01-01")
    assert fired("0 8 * * 1-5", "2026-01-01", "2027-01-01") == halves


@pytest.mark.parametrize(("schedule", "first"), [("0 0 * * *", "00:00"), ("59 23 * * *", "23:59")])
def test_a_years_ticks_around_midnight_are_each_found_once(schedule: str, first: str) -> None:
    """Ticks are cached in parts that begin at midnight."""
    daily = Cron(schedule, "pause", ("*",), ZoneInfo("UTC"))
    expected = sampled(at(f"2026-01-01T{first}Z"), at(f"2027-01-01T{first}Z"), DAY)
    assert list(ticks(daily, at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z"))) == expected


def test_the_time_between_ticks_is_elapsed_time() -> None:
    first, second = ticks(Cron("0 8 * * *", "pause", ("*",), BERLIN), at("2026-10-24"), at("2026-10-26"))
    assert second - first == 25 * HOUR


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("*/10 8-19 * * 1-5", 10 * MINUTE),
        ("* * * * *", MINUTE),
        ("0 8,20 * * *", 12 * HOUR),
        ("0 22 * * 1-5", DAY),
        ("*/7 * * * *", 4 * MINUTE),
        ("0 8 29 2 *", timedelta(days=1461)),
    ],
)
def test_the_shortest_gap_between_two_ticks(schedule: str, gap: timedelta) -> None:
    assert shortest_gap(schedule) == gap


@pytest.mark.parametrize(
    ("text", "action", "wanted"),
    [
        ("", "pause", "paused"),
        ("", "resume", "running"),
        ("", "warm", "running"),
        (NIGHTS, "pause", "paused"),  # the rules want it at rest, too
        (OFFICE, "resume", "running"),
        ("idle_after: 45m", "resume", "running"),  # rule 5 gives way
        ("protected: true", "resume", "running"),
    ],
)
def test_it_acts_where_the_rules_let_it(text: str, action: str, wanted: str) -> None:
    found = scheduled(action, situation(text, last_used_at=at("Tue 08:00"), updated_at=at("Tue 08:00")))
    assert (found.wanted, found.rule, found.left) == (wanted, "cron", None)


@pytest.mark.parametrize(
    ("text", "action", "more"),
    [
        (OFFICE, "pause", {}),
        (NIGHTS, "resume", {}),
        (NIGHTS, "warm", {}),
        ("hours: always", "pause", {}),
        ("", "resume", {"override": override("paused")}),
        ("platform: main", "resume", {"platform_state": stopped("Tue 08:00")}),
        ("protected: true", "pause", {}),
        (f"{NIGHTS}, protected: true", "pause", {}),
    ],
)
def test_it_is_skipped_where_rules_1_to_4_or_protection_want_otherwise(
    text: str, action: str, more: dict[str, Any]
) -> None:
    seen = situation(text, "running" if action == "pause" else "paused", **more)
    step = plan_step(scheduled(action, seen), seen)
    assert (step.action, step.outcome, step.level) == ("none", "skipped", "INFO")
    assert step.reason.startswith(f"scheduled {action} skipped")


def test_a_skipped_pause_is_no_failed_start_of_the_hours() -> None:
    assert scheduled("pause", situation(OFFICE)).begin is None


@pytest.mark.parametrize("action", ["resume", "warm"])
def test_start_false_does_not_hold_back_a_scheduled_start(action: str) -> None:
    """The rules never start it; a scheduled action is not one of them."""
    seen = situation(f"{OFFICE}, start: false", "paused")
    assert plan_step(scheduled(action, seen), seen, only_running=action == "warm").action == "resume"


@pytest.mark.parametrize(
    ("action", "state", "updated", "acts"),
    [
        ("pause", "running", "Tue 11:59", True),
        ("pause", "running", "Tue 12:00", True),
        ("pause", "running", "Tue 12:01", False),
        ("pause", "running", None, True),
        ("resume", "paused", "Tue 11:59", True),
        ("resume", "paused", "Tue 12:01", False),  # somebody stopped it since
        ("warm", "scaledToZero", "Tue 12:01", False),
        ("warm", "running", "Tue 12:01", True),  # it runs already: this starts nothing
    ],
)
def test_a_late_call_neither_stops_nor_starts_what_was_updated_since_its_tick(
    action: str, state: str, updated: str | None, acts: bool
) -> None:
    seen = situation("", state, at("Tue 12:10"), updated_at=at(updated) if updated else None)
    step = plan_step(scheduled(action, seen, at("Tue 12:00")), seen, only_running=action == "warm")
    assert (step.outcome != "skipped") == acts
    assert (
        acts or step.reason == f"scheduled {action} skipped: updated at 12:01 Europe/Berlin, after the scheduled time"
    )


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_it_is_decided_also_where_no_endpoint_was_observed(action: str) -> None:
    unseen = replace(situation(), endpoint=None)
    assert scheduled(action, unseen, at("Tue 11:50")).reason == f"scheduled {action}"
