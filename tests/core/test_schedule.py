"""Weekly hours as instants: on the clock of their zone, with holidays, lead and both clock changes."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.schedule import Holidays, Span
from support.building import DAY, HOUR, MINUTE, at, hours, sampled

WEEK = (at("Mon 00:00"), at("2026-11-30 00:00"))


TEN = 10 * MINUTE


def reported(spans: list[Span], zone: ZoneInfo, form: str = "%a %H:%M") -> list[tuple[str, str]]:
    return [(span.begin.astimezone(zone).strftime(form), span.end.astimezone(zone).strftime(form)) for span in spans]


def in_week(*texts: str, off: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Beginnings and ends in the week of 23 November 2026."""
    made = hours(*texts, off=off)
    return reported(made.spans(*WEEK), made.zone)


# An ordinary week.


@pytest.mark.parametrize(
    ("texts", "spans"),
    [
        (["Mon,Wed 08:00-20:00"], [("Mon 08:00", "Mon 20:00"), ("Wed 08:00", "Wed 20:00")]),
        (["Sun 08:00-20:00"], [("Sun 08:00", "Sun 20:00")]),
        (["Tue 22:00-06:00"], [("Tue 22:00", "Wed 06:00")]),
        (["Tue 22:00-24:00"], [("Tue 22:00", "Wed 00:00")]),
        (["Sun 22:00-06:00"], [("Sun 22:00", "Mon 06:00"), ("Sun 22:00", "Mon 06:00")]),  # last week's and this one's
        (["Tue 08:00-12:00", "Wed 09:00-10:00"], [("Tue 08:00", "Tue 12:00"), ("Wed 09:00", "Wed 10:00")]),
    ],
)
def test_hours_lie_on_their_days(texts: list[str], spans: list[tuple[str, str]]) -> None:
    assert in_week(*texts) == spans


@pytest.mark.parametrize(
    ("texts", "span"),
    [
        (["Tue 08:00-12:00", "Tue 10:00-16:00"], ("Tue 08:00", "Tue 16:00")),
        (["Tue 08:00-12:00", "Tue 12:00-16:00"], ("Tue 08:00", "Tue 16:00")),
        (["Tue 08:00-16:00", "Tue 10:00-12:00"], ("Tue 08:00", "Tue 16:00")),
        (["Tue 12:00-24:00", "Wed 00:00-08:00"], ("Tue 12:00", "Wed 08:00")),
        (["Tue 22:00-06:00", "Wed 06:00-08:00"], ("Tue 22:00", "Wed 08:00")),
        (["Tue-Wed 00:00-24:00"], ("Tue 00:00", "Thu 00:00")),
        (["Tue 20:00-08:00", "Tue 08:00-20:00"], ("Tue 08:00", "Wed 08:00")),
    ],
)
def test_periods_unite(texts: list[str], span: tuple[str, str]) -> None:
    assert in_week(*texts) == [span]


def test_an_end_is_no_longer_inside() -> None:
    made = hours("Tue 08:00-20:00")
    assert [made.at(at(f"Tue {clock}")) is not None for clock in ("07:59", "08:00", "19:59", "20:00")] == [
        *(False, True, True, False)
    ]


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        ("Tue 20:00", "Wed 00:00", 0),
        ("Tue 19:59", "Wed 00:00", 1),
        ("Tue 00:00", "Tue 07:50", 0),
        ("Tue 00:00", "Tue 07:51", 1),
    ],
)
def test_spans_are_those_that_overlap_with_their_lead(since: str, until: str, count: int) -> None:
    assert len(hours("Tue 08:00-20:00", lead=TEN).spans(at(since), at(until))) == count


def test_hours_that_began_the_day_before_are_among_the_spans_also_on_a_day_of_25_hours() -> None:
    (span,) = hours("Sat 23:30-23:29").spans(at("2026-10-25T22:15Z"), at("2026-10-25T22:16Z"))
    assert span.begin == at("2026-10-24 23:30")


def test_hours_that_go_on_are_cut_a_day_or_more_outside_of_what_was_asked() -> None:
    (span,) = hours("daily 00:00-24:00").spans(*WEEK)
    assert span.begin <= WEEK[0] - DAY
    assert span.end >= WEEK[1] + DAY


def test_an_end_within_a_week_is_known_on_every_day() -> None:
    made = hours("Mon-Sat 00:00-24:00")
    for monday in sampled(at("2026-06-01"), at("2026-09-01"), 7 * DAY):
        found = [made.at(monday + number * DAY) for number in range(6)]
        assert [span and span.end for span in found] == [monday + 6 * DAY] * 6


def test_each_zone_has_its_own_clock() -> None:
    assert hours("Tue 08:00-09:00", zone="America/New_York").spans(*WEEK)[0].begin == at("2026-11-24T08:00-05:00")


@pytest.mark.parametrize(
    ("text", "clock", "near", "begins"),
    [
        ("Tue 08:00-24:00", "08:00", "Tue 08:00", True),
        ("Tue 08:00-24:00", "08:00", "Tue 20:00", True),
        ("Tue 08:00-24:00", "08:00", "Tue 20:01", False),  # half a day is over
        ("Tue 08:00-24:00", "08:00", "Tue 07:59", False),
        ("Tue 08:00-24:00", "07:00", "Tue 08:00", False),
        ("Tue 23:50-06:00", "23:50", "Wed 00:10", True),  # yesterday
        ("Sun 02:30-06:00", "02:30", "2026-10-25T04:00+01:00", True),  # that day the time comes twice
    ],
)
def test_hours_began_at_a_time_of_the_day_within_half_a_day(text: str, clock: str, near: str, begins: bool) -> None:
    assert hours(text).begins_at(time.fromisoformat(clock), at(near)) == begins


# Holidays.


def test_on_a_holiday_no_hours_begin() -> None:
    assert in_week("Tue-Wed 08:00-20:00", off=("2026-11-24",)) == [("Wed 08:00", "Wed 20:00")]


def test_hours_that_began_the_day_before_run_on_into_a_holiday() -> None:
    assert in_week("Mon 22:00-06:00", off=("2026-11-24",)) == [("Mon 22:00", "Tue 06:00")]


def test_overnight_hours_that_would_begin_on_a_holiday_leave_out_the_next_morning() -> None:
    assert hours("Mon,Tue 22:00-06:00", off=["2026-11-24"]).at(at("Wed 05:00")) is None


def test_a_holiday_is_a_day_of_the_hours_zone() -> None:
    made = hours("daily 22:00-24:00", zone="America/New_York", off=["2026-11-24"])
    assert made.at(at("2026-11-25T03:30Z")) is None  # 22:30 on the 24th in New York


def test_a_midnight_a_day_after_a_holiday_is_no_beginning_of_hours_round_the_clock() -> None:
    made = hours("daily 00:00-24:00", off=["2026-11-23"])
    begins = [made.begins_at(time(), at(day)) for day in ("Tue 00:00", "Wed 00:00")]
    assert begins == [True, False]


def test_a_holiday_interrupts_hours_round_the_clock() -> None:
    assert in_week("Mon-Wed 00:00-24:00", off=("2026-11-24",)) == [
        ("Mon 00:00", "Tue 00:00"),
        ("Wed 00:00", "Thu 00:00"),
    ]


def new_year(year: int) -> frozenset[date]:
    return frozenset({date(year, 1, 1)})


def test_a_calendars_holidays_are_those_of_each_year() -> None:
    off = Holidays(frozenset({date(2026, 12, 25)}), (new_year,))
    days = [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2027, 12, 25), date(2028, 1, 1)]
    assert [day in off for day in days] == [True, False, True, False, True]


def test_holidays_between_two_days_include_both_in_order() -> None:
    listed = frozenset({date(2027, 2, 1), date(2026, 12, 25), date(2027, 1, 6), date(2026, 1, 2), date(2025, 12, 31)})
    found = Holidays(listed, (new_year,)).between(date(2026, 1, 1), date(2027, 1, 6))
    assert [str(day) for day in found] == ["2026-01-01", "2026-01-02", "2026-12-25", "2027-01-01", "2027-01-06"]


# Lead.


@pytest.mark.parametrize(
    ("text", "off", "now", "inside"),
    [
        ("Tue 08:00-20:00", (), "Tue 07:49", False),
        ("Tue 08:00-20:00", (), "Tue 07:50", True),
        ("Tue 00:00-08:00", (), "Mon 23:49", False),
        ("Tue 00:00-08:00", (), "Mon 23:50", True),
        ("Tue 00:00-08:00", ("2026-11-23",), "Mon 23:50", True),  # belongs to Tuesday's hours, holiday or not
        ("Tue 00:00-08:00", ("2026-11-24",), "Mon 23:50", False),  # goes with its hours
    ],
)
def test_lead_comes_before_its_hours(text: str, off: tuple[str, ...], now: str, inside: bool) -> None:
    assert (hours(text, lead=TEN, off=off).at(at(now)) is not None) == inside


def test_lead_is_distinguished_from_the_hours_themselves() -> None:
    span = hours("Tue 08:00-20:00", lead=TEN).at(at("Tue 07:55"))
    assert span is not None
    assert (span.lead, span.begin) == (at("Tue 07:50"), at("Tue 08:00"))


def test_lead_is_elapsed_time_over_a_skipped_hour() -> None:
    span = hours("Sun 04:00-05:00", lead=2 * HOUR).next(at("2026-03-28 12:00"))
    assert span is not None
    assert span.lead == at("2026-03-29T01:00+01:00")


def test_lead_is_elapsed_time_over_a_repeated_hour() -> None:
    span = hours("Sun 04:00-05:00", lead=2 * HOUR).next(at("2026-10-24 12:00"))
    assert span is not None
    assert span.lead == at("2026-10-25T02:00+01:00")


def test_the_lead_of_adjacent_periods_counts_once() -> None:
    made = hours("Tue 08:00-12:00", "Tue 12:00-16:00", lead=TEN)
    assert made.boundaries(*WEEK) == [at("Tue 07:50"), at("Tue 08:00"), at("Tue 16:00")]


def test_hours_still_run_while_the_lead_of_the_next_has_begun() -> None:
    span = hours("Tue 08:00-12:00", "Tue 12:05-16:00", lead=TEN).at(at("Tue 11:57"))
    assert span is not None
    assert span.end == at("Tue 12:00")


def test_between_hours_nearer_than_their_lead_it_goes_on() -> None:
    span = hours("Tue 08:00-12:00", "Tue 12:05-16:00", lead=TEN).at(at("Tue 12:02"))
    assert span is not None
    assert span.begin == at("Tue 12:05")


def test_a_lead_longer_than_a_day_reaches_back_over_other_days() -> None:
    assert hours("Thu 08:00-09:00", lead=2 * DAY).at(at("Tue 08:00")) is not None


# Round the clock, and what comes next.


def test_hours_round_the_clock_have_no_next_beginning() -> None:
    assert hours("daily 00:00-24:00").next(at("Tue 12:00")) is None


def test_hours_that_are_always_have_neither_beginning_nor_end() -> None:
    always = hours(lead=TEN)
    assert None is not always.at(at("Tue 00:00")) is always.at(at("2026-12-24 12:00"))
    assert always.next(at("Tue 00:00")) is None
    assert always.boundaries(at("2026-01-01"), at("2027-01-01")) == []
    assert not always.begins_at(time(), at("Tue 00:00"))
    assert always.week() == {}
    (span,) = always.spans(*WEEK)
    assert span.begin < WEEK[0] < WEEK[1] < span.end


def test_hours_round_the_clock_have_no_boundaries() -> None:
    assert hours("daily 00:00-24:00", lead=TEN).boundaries(at("2026-01-01"), at("2027-01-01")) == []


def test_after_a_holiday_hours_round_the_clock_begin_again() -> None:
    span = hours("daily 00:00-24:00", lead=TEN, off=["2026-11-25"]).next(at("Tue 12:00"))
    assert span is not None
    assert span.lead == at("Wed 23:50")


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        ("Tue 07:49", "Tue 08:00"),
        ("Tue 07:50", "2026-12-01 08:00"),  # begun already, lead included
        ("Tue 12:00", "2026-12-01 08:00"),
        ("Tue 20:00", "2026-12-01 08:00"),
    ],
)
def test_the_next_hours_are_those_whose_lead_is_still_to_come(now: str, begin: str) -> None:
    span = hours("Tue 08:00-20:00", lead=TEN).next(at(now))
    assert span is not None
    assert span.begin == at(begin)


def test_the_next_hours_are_found_behind_long_holidays() -> None:
    off = [str(date(2026, 11, 24) + timedelta(days=day)) for day in range(60)]
    span = hours("daily 08:00-20:00", off=off).next(at("Tue 12:00"))
    assert span is not None
    assert span.begin == at("2027-01-23 08:00")


def test_boundaries_are_every_lead_beginning_and_end() -> None:
    found = hours("Mon,Tue 08:00-20:00", lead=TEN).boundaries(at("Mon 19:00"), at("Tue 19:00"))
    assert found == [at("Mon 20:00"), at("Tue 07:50"), at("Tue 08:00")]


def test_boundaries_include_their_last_instant_and_not_their_first() -> None:
    assert hours("Tue 08:00-20:00").boundaries(at("Tue 08:00"), at("Tue 20:00")) == [at("Tue 20:00")]


def test_hours_that_were_asked_are_equal_to_those_that_were_not() -> None:
    """What they found is kept, but is no part of them."""
    asked, other = hours("Tue 08:00-20:00"), hours("Tue 08:00-20:00")
    asked.at(at("Tue 12:00"))
    assert (asked, hash(asked)) == (other, hash(other))
