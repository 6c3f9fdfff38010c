"""The forecast: which time counts as running, what it costs, and the days that differ."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.forecast import clock_changes, dollars, forecast
from lifecycle.core.model import Endpoint
from support.building import BERLIN, DAY, HOUR, MINUTE, OFFICE, at, override, situation


@pytest.mark.parametrize(
    ("text", "state", "now", "hours"),
    [
        (OFFICE, "paused", "Tue 00:00", 12),
        (OFFICE, "running", "Tue 12:00", 8 + 4),  # until 20:00, and from 08:00 to noon
        (f"{OFFICE}, start: false", "running", "Tue 12:00", 8),
        (f"{OFFICE}, start: false", "paused", "Tue 12:00", 0),
        ("", "running", "Tue 12:00", 24),
        ("", "paused", "Tue 12:00", 0),
    ],
)
def test_what_counts_is_the_time_that_it_will_run(text: str, state: str, now: str, hours: int) -> None:
    found = situation(text, state, at(now))
    assert forecast(found, found.now + 24 * HOUR, {}).running == hours * HOUR


def test_what_is_unused_runs_until_it_rests() -> None:
    found = situation("idle_after: 3h", now=at("Tue 12:00"), last_used_at=at("Tue 11:00"))
    assert forecast(found, found.now + 24 * HOUR, {}).running == 2 * HOUR


def test_what_is_started_manually_runs_though_the_rules_never_start_it() -> None:
    by_hand = override("running", until="Tue 14:00")
    found = situation(f"{OFFICE}, start: false", "paused", at("Tue 12:00"), override=by_hand)
    assert forecast(found, found.now + 24 * HOUR, {}).running == 8 * HOUR


# What it costs.


@pytest.mark.parametrize(
    ("running", "replicas", "price", "cost"),
    [(HOUR, 1, 0.8, "0.80"), (90 * MINUTE, 3, 0.8, "3.60"), (HOUR, 1, 0.125, "0.13"), (MINUTE / 2, 1, 0.5, "0.00")],
)
def test_dollars_are_hours_times_replicas_times_price_rounded_half_up(
    running: timedelta, replicas: int, price: float, cost: str
) -> None:
    assert str(dollars(running, replicas, price)) == cost


@pytest.mark.parametrize(
    ("declared", "reported", "replicas"),
    [("", None, 1), ("", 0, 1), ("", 2, 2), ("scaling: {min_replicas: 3}", 2, 3), ("scaling: {min_replicas: 0}", 2, 1)],
)
def test_the_least_replicas_are_billed_and_at_least_one(declared: str, reported: int | None, replicas: int) -> None:
    found = situation(declared, min_replicas=reported)
    assert forecast(found, found.now + HOUR, {}).replicas == replicas


def test_costs_are_those_of_its_hardware() -> None:
    small, large = ("aws", "us-east-1", "nvidia-l4", "x1"), ("aws", "us-east-1", "nvidia-l4", "x4")
    found = situation(OFFICE, "paused", at("Tue 00:00"), hardware=small)
    made = forecast(found, found.now + DAY, {small: 0.8, large: 3.8})
    assert (made.cost, made.cost_at_most, made.cost_always_on) == (Decimal("9.60"), Decimal("9.60"), Decimal("19.20"))


@pytest.mark.parametrize(
    ("text", "state", "most"),
    [
        ("idle_after: 3h", "running", 24),
        ("idle_after: 3h", "paused", 0),  # nobody can use it
        ("", "paused", 0),
        (OFFICE, "running", 12),
    ],
)
def test_what_rests_when_unused_runs_all_the_time_at_most(text: str, state: str, most: int) -> None:
    found = situation(text, state, last_used_at=at("Tue 11:00"))
    assert forecast(found, found.now + DAY, {}).at_most == most * HOUR


def test_what_rests_when_unused_and_was_not_observed_may_run_all_the_time() -> None:
    unseen = replace(situation("idle_after: 3h"), endpoint=None)
    made = forecast(unseen, unseen.now + DAY, {})
    assert (made.name, made.running, made.at_most, made.price) == ("embeddings", 0 * HOUR, DAY, None)


def test_it_is_json_too_with_times_in_utc_and_on_the_entrys_clock() -> None:
    hardware = ("aws", "us-east-1", "nvidia-l4", "x1")
    text = f"{OFFICE}, holidays: [2026-10-26], scaling: {{min_replicas: 2}}"
    found = situation(text, "paused", at("2026-10-24T10:00Z"), hardware=hardware)
    made = forecast(found, at("2026-10-27T11:00Z"), {hardware: 0.8}).as_json()
    assert [(change["at"], change["local"], change["wanted"]) for change in made.pop("changes")] == [
        ("2026-10-24T10:00:00Z", "2026-10-24T12:00:00+02:00", "paused"),
        ("2026-10-27T07:00:00Z", "2026-10-27T08:00:00+01:00", "running"),
    ]
    assert made == {
        "endpoint": "embeddings",
        "name": "embeddings",
        "time_zone": "Europe/Berlin",
        "hours_running": 4.0,
        "hours_at_most": 4.0,
        "hours_always_on": 73.0,
        "replicas": 2,
        "price_per_hour": 0.8,
        "cost": 6.4,
        "cost_at_most": 6.4,
        "cost_always_on": 116.8,
        "holidays": ["2026-10-26"],
        "clock_changes": ["2026-10-25T02:00:00+01:00"],
    }


def test_without_a_price_hours_are_known_and_costs_are_not() -> None:
    found = situation(OFFICE, "paused", at("Tue 00:00"))
    made = forecast(found, found.now + DAY, {}).as_json()
    assert (made["hours_running"], made["cost"], made["cost_at_most"], made["cost_always_on"]) == (12, None, None, None)


# The days that differ.


@pytest.mark.parametrize(
    ("since", "until", "holidays"),
    [
        ("2026-12-24", "2026-12-26", ["2026-12-25"]),
        ("2026-12-24", "2026-12-25", []),  # until its midnight
        ("2026-12-24", "2026-12-25 00:00:30", ["2026-12-25"]),
        ("2026-12-24", "2026-12-24T23:30Z", ["2026-12-25"]),  # half an hour after midnight in Berlin
        ("2026-12-25T23:30Z", "2026-12-27", []),
        ("2026-12-25 23:59", "2026-12-28", ["2026-12-25"]),  # nobody would have begun hours on Saturday
        ("2026-12-28", "2026-12-30", []),
    ],
)
def test_holidays_are_those_on_which_hours_would_begin(since: str, until: str, holidays: list[str]) -> None:
    text = "hours: [Mon-Fri 08:00-12:00, Mon-Thu 13:00-20:00], holidays: [2026-12-25, 2026-12-26]"
    found = situation(text, now=at(since))
    assert forecast(found, at(until), {}).holidays == tuple(map(date.fromisoformat, holidays))


@pytest.mark.parametrize("text", ["holidays: [2026-12-25]", "hours: always, holidays: [2026-12-25]"])
def test_without_periods_there_are_no_holidays(text: str) -> None:
    found = situation(text, now=at("2026-12-24"))
    assert forecast(found, at("2026-12-27"), {}).holidays == ()


@pytest.mark.parametrize(
    ("since", "until", "changes"),
    [
        ("2026-01-01", "2027-01-01", ["2026-03-29T01:00Z", "2026-10-25T01:00Z"]),
        ("2026-10-25T01:00Z", "2026-10-25T01:01Z", ["2026-10-25T01:00Z"]),
        ("2026-10-25T00:59:59Z", "2026-10-25T01:00:01Z", ["2026-10-25T01:00Z"]),
        ("2026-10-24T01:00Z", "2026-10-25T01:00Z", []),  # not at its end
        ("2026-10-25T01:00:01Z", "2026-10-26T01:00Z", []),
    ],
)
def test_clock_changes_are_found_to_the_minute(since: str, until: str, changes: list[str]) -> None:
    assert list(clock_changes(BERLIN, at(since), at(until))) == [at(change) for change in changes]


def test_the_clock_of_india_never_changes() -> None:
    assert list(clock_changes(ZoneInfo("Asia/Kolkata"), at("2026-01-01"), at("2027-01-01"))) == []


# Taken from another endpoint of the same rules.


def test_where_its_own_state_decides_nothing_it_is_like_another() -> None:
    one, other = (situation(OFFICE, state) for state in ("paused", "running"))
    shared = forecast(one, one.now + DAY, {}).stretches
    made = forecast(other, other.now + DAY, {}, like=shared)
    assert made.stretches is shared
    assert made.running == 12 * HOUR


@pytest.mark.parametrize("text", ["", f"{OFFICE}, start: false", f"{OFFICE}, protected: true"])
def test_where_its_own_state_decides_it_is_not(text: str) -> None:
    one, other = (situation(text, state, at("Tue 21:00")) for state in ("paused", "running"))
    alone = forecast(other, other.now + DAY, {})
    assert forecast(other, other.now + DAY, {}, like=forecast(one, one.now + DAY, {}).stretches) == alone


def test_what_the_rules_never_start_is_not_like_another_that_runs() -> None:
    one, other = (situation(f"{OFFICE}, start: false", state) for state in ("running", "paused"))
    shared = forecast(one, one.now + HOUR, {})
    assert shared.running == HOUR
    assert forecast(other, other.now + HOUR, {}, like=shared.stretches).running == 0 * HOUR


@pytest.mark.parametrize(
    ("text", "observed", "name"),
    [
        ("name: dev-*", "dev-a", "dev-a"),
        ("name: embeddings-prod", None, "embeddings-prod"),
        ("tags: [dev]", None, "embeddings"),
    ],
)
def test_its_name_is_that_of_the_endpoint_or_else_of_the_entry(text: str, observed: str | None, name: str) -> None:
    found = situation(text)
    found = replace(found, endpoint=Endpoint(observed, "running") if observed else None)
    assert forecast(found, found.now + HOUR, {}).name == name
