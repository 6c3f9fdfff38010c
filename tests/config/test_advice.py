"""The warnings of `check`: valid settings that may do something else than was meant."""

from datetime import UTC, datetime

import pytest

from lifecycle.config import advice
from support.building import read

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WHOLE = "daily 00:00-24:00"


def warned(text: str, now: datetime = NOW) -> list[str]:
    return advice.warnings(read(text), now)


@pytest.mark.parametrize(
    "hours",
    [
        WHOLE,
        "[daily 08:00-20:00, daily 20:00-08:00]",
        "[daily 06:00-14:00, daily 14:00-22:00, daily 22:00-06:00]",
        "'Sat,Sun 00:00-24:00'",
        "[Sun 22:00-06:00, Mon 06:00-24:00, Mon 00:00-01:00]",
    ],
)
def test_whole_days_under_holidays_are_warned_of(hours: str) -> None:
    (reported,) = warned(f"holidays: [DE]\nendpoints: {{a: {{hours: {hours}}}}}")
    assert reported.startswith("endpoints.a.hours: whole days, but it is stopped on holidays, first on 2026-12-25")
    assert "hours: always" in reported


@pytest.mark.parametrize(
    "entry",
    [
        "hours: daily 00:00-23:59",
        "hours: always",
        f"hours: {WHOLE}, holidays: []",
        f"hours: {WHOLE}, protected: true",
        "hours: [daily 08:00-20:00, daily 20:01-08:00]",
        "holidays: [DE]",
    ],
)
def test_other_hours_under_holidays_are_not(entry: str) -> None:
    assert warned(f"holidays: [DE]\nendpoints: {{a: {{{entry}}}}}") == []


@pytest.mark.parametrize(
    ("dates", "reported"),
    [
        ("2026-12-25, 2027-01-01", "the dates end on 2027-01-01, within 60 days"),
        ("2026-11-27", "the dates end on 2026-11-27, within 60 days"),
        ("2027-01-26", "the dates end on 2027-01-26, within 60 days"),
        ("2025-12-25, 2026-11-26", "all dates are in the past; the last is 2026-11-26"),
        ("DE, 2025-12-24", "all dates are in the past; the last is 2025-12-24"),
    ],
)
def test_dates_that_end_soon_or_are_over_are_warned_of(dates: str, reported: str) -> None:
    office = "hours: Mon-Fri 08:00-20:00"
    assert [
        one for one in warned(f"holidays: [{dates}]\nendpoints: {{a: {{{office}}}}}") if f"holidays: {reported}" in one
    ]
    own = warned(f"endpoints: {{a: {{{office}, holidays: [{dates}]}}}}")
    assert [one for one in own if one.startswith(f"endpoints.a.holidays: {reported}")]


@pytest.mark.parametrize("dates", ["2027-01-27", "2025-01-01, 2027-06-01", "DE, 2026-12-24", "DE-BY", ""])
def test_dates_that_go_on_are_not(dates: str) -> None:
    assert warned(f"holidays: [{dates}]\nendpoints: {{a: {{hours: Mon-Fri 08:00-20:00}}}}") == []


@pytest.mark.parametrize("same", ["name: dev-*", "tags: [gpu, dev]", "name: a*, tags: [dev]"])
def test_two_entries_that_cover_the_same_are_warned_of(same: str) -> None:
    other = same.replace("[gpu, dev]", "[dev, gpu]")
    (reported,) = warned(f"endpoints: {{first: {{{same}}}, second: {{{other}}}, third: {{name: other-*}}}}")
    assert reported == "endpoints.second: covers the same as endpoints.first, which comes first, so it has no effect"


@pytest.mark.parametrize(
    ("at", "reported"),
    [
        ("*/7 * * * *", "*/7 does not divide the minute's 60 values"),
        ("0 */5 * * *", "*/5 does not divide the hour's 24 values"),
        ("0 8 */2 * *", "*/2 does not divide the day's 31 values"),
        ("0-59/7 * * * *", "0-59/7 does not divide the minute's 60 values"),
        ("0 0-23/5 * * *", "0-23/5 does not divide the hour's 24 values"),
        ("0 8 1-31/2 * *", "1-31/2 does not divide the day's 31 values"),
        ("0 8 1 1-12/5 *", "1-12/5 does not divide the month's 12 values"),
        ("0 8 * * 0-6/2", "0-6/2 does not divide the weekday's 7 values"),
        ("0 8 * * 1-7/2", "1-7/2 does not divide the weekday's 7 values"),
        ("0 8 1-7 * 1", "fires on days that fit 1-7 or 1"),
        ("0 8 */31 * 1", "fires on days that fit both */31 and 1"),
        ("0 8 1 * */7", "fires on days that fit both 1 and */7"),
        ("0 8 13 * fri", "fires on days that fit 13 or fri"),
    ],
)
def test_schedules_that_surprise_are_warned_of(at: str, reported: str) -> None:
    (warning,) = warned(f"endpoints: {{a: }}\ncron: [{{at: '{at}', do: pause, endpoints: [a]}}]")
    assert warning.startswith(f'cron[0].at: "{at}": {reported}')


@pytest.mark.parametrize(
    "at", ["*/10 8-19 * * 1-5", "3-59/10 * * * *", "0 8-19/5 * * *", "0 8 1 * *", "*/60 * * * *", "0-29/7 * * * *"]
)
def test_other_schedules_are_not(at: str) -> None:
    assert warned(f"endpoints: {{a: }}\ncron: [{{at: '{at}', do: pause, endpoints: [a]}}]") == []


def test_a_scheduled_pause_of_what_is_protected_is_warned_of() -> None:
    cron = "cron: [{at: 0 20 * * *, do: pause, endpoints: [a, b]}, {at: 0 8 * * *, do: resume, endpoints: [a]}]"
    assert warned(f"endpoints: {{a: {{protected: true}}, b: }}\n{cron}") == ["cron[0].do: never pauses a: protected"]


def test_many_jobs_are_warned_of_because_of_older_quotas() -> None:
    cron = ", ".join(f"{{at: {n % 60} {n // 60} * * *, do: pause, endpoints: [a]}}" for n in range(1000))
    assert "ask for 1001 Cloud Scheduler jobs" in warned(f"endpoints: {{a: }}\ncron: [{cron}]")[0]


def test_platforms_are_found_where_none_are_named() -> None:
    endpoints = "endpoints: {a: {platform: main}, b: {platform: other}, c: {platform: main}}"
    assert advice.found_platforms(read(endpoints)) == {"main": ("a", "c"), "other": ("b",)}
    assert advice.found_platforms(read(f"platforms: {{main: , other: }}\n{endpoints}")) == {}
