"""Hours where clocks change: a skipped or a repeated hour."""

from datetime import date, datetime

import pytest

from lifecycle.core.times import DAYS
from support.building import DAY, at, hours

# Clock changes. Expected are beginning and end with the offset that holds there; None: dropped.

CHANGES = [
    # Berlin skips 02:00-03:00 on 29 March 2026 …
    ("Europe/Berlin", "2026-03-29", "02:00-05:00", ("2026-03-29T03:00+02:00", "2026-03-29T05:00+02:00")),
    ("Europe/Berlin", "2026-03-29", "02:30-05:00", ("2026-03-29T03:00+02:00", "2026-03-29T05:00+02:00")),
    ("Europe/Berlin", "2026-03-29", "01:00-02:30", ("2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00")),
    ("Europe/Berlin", "2026-03-29", "01:00-04:00", ("2026-03-29T01:00+01:00", "2026-03-29T04:00+02:00")),
    ("Europe/Berlin", "2026-03-29", "02:00-03:00", None),
    ("Europe/Berlin", "2026-03-29", "02:10-02:50", None),
    ("Europe/Berlin", "2026-03-29", "02:59-03:01", ("2026-03-29T03:00+02:00", "2026-03-29T03:01+02:00")),
    # … and has it twice on 25 October.
    ("Europe/Berlin", "2026-10-25", "02:00-02:30", ("2026-10-25T02:00+02:00", "2026-10-25T02:30+01:00")),
    ("Europe/Berlin", "2026-10-25", "02:30-04:00", ("2026-10-25T02:30+02:00", "2026-10-25T04:00+01:00")),
    ("Europe/Berlin", "2026-10-25", "01:00-02:00", ("2026-10-25T01:00+02:00", "2026-10-25T02:00+01:00")),
    ("Europe/Berlin", "2026-10-25", "01:00-02:59", ("2026-10-25T01:00+02:00", "2026-10-25T02:59+01:00")),
    ("Europe/Berlin", "2026-10-25", "03:00-04:00", ("2026-10-25T03:00+01:00", "2026-10-25T04:00+01:00")),
    # New York: 8 March and 1 November 2026.
    ("America/New_York", "2026-03-08", "02:30-06:00", ("2026-03-08T03:00-04:00", "2026-03-08T06:00-04:00")),
    ("America/New_York", "2026-03-08", "02:00-02:59", None),
    ("America/New_York", "2026-11-01", "01:30-01:45", ("2026-11-01T01:30-04:00", "2026-11-01T01:45-05:00")),
    ("America/New_York", "2026-11-01", "00:00-01:30", ("2026-11-01T00:00-04:00", "2026-11-01T01:30-05:00")),
    # Lord Howe changes by half an hour: 02:00-02:30 skipped, 01:30-02:00 twice.
    ("Australia/Lord_Howe", "2026-10-04", "02:00-03:00", ("2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00")),
    ("Australia/Lord_Howe", "2026-10-04", "02:05-02:30", None),
    ("Australia/Lord_Howe", "2026-10-04", "01:00-02:15", ("2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00")),
    ("Australia/Lord_Howe", "2026-04-05", "01:30-01:45", ("2026-04-05T01:30+11:00", "2026-04-05T01:45+10:30")),
    ("Australia/Lord_Howe", "2026-04-05", "01:00-02:00", ("2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30")),
    # Zones where the day has no midnight: it begins at 01:00.
    ("America/Asuncion", "2024-10-06", "00:00-06:00", ("2024-10-06T01:00-03:00", "2024-10-06T06:00-03:00")),
    ("America/Asuncion", "2024-10-05", "20:00-24:00", ("2024-10-05T20:00-04:00", "2024-10-06T01:00-03:00")),
    ("Africa/Cairo", "2026-04-24", "00:30-06:00", ("2026-04-24T01:00+03:00", "2026-04-24T06:00+03:00")),
    ("Africa/Cairo", "2026-04-23", "22:00-00:30", ("2026-04-23T22:00+02:00", "2026-04-24T01:00+03:00")),
    ("Asia/Beirut", "2026-03-29", "00:00-01:00", None),
    ("Asia/Beirut", "2026-03-28", "22:00-06:00", ("2026-03-28T22:00+02:00", "2026-03-29T06:00+03:00")),
    ("America/Havana", "2026-03-08", "00:15-02:00", ("2026-03-08T01:00-04:00", "2026-03-08T02:00-04:00")),
    # Zones where the last hour of a day comes twice …
    ("America/Asuncion", "2024-03-23", "23:00-24:00", ("2024-03-23T23:00-03:00", "2024-03-24T00:00-04:00")),
    ("Africa/Cairo", "2026-10-29", "22:00-23:30", ("2026-10-29T22:00+03:00", "2026-10-29T23:30+02:00")),
    ("Africa/Cairo", "2026-10-30", "00:00-01:00", ("2026-10-30T00:00+02:00", "2026-10-30T01:00+02:00")),
    ("Asia/Beirut", "2026-10-24", "23:30-01:00", ("2026-10-24T23:30+03:00", "2026-10-25T01:00+02:00")),
    # … or the first one, with midnight itself.
    ("America/Havana", "2026-11-01", "00:00-00:30", ("2026-11-01T00:00-04:00", "2026-11-01T00:30-05:00")),
    ("America/Havana", "2026-10-31", "20:00-24:00", ("2026-10-31T20:00-04:00", "2026-11-01T00:00-05:00")),
]


@pytest.mark.parametrize(("zone", "day", "times", "expected"), CHANGES)
def test_at_a_clock_change(zone: str, day: str, times: str, expected: tuple[str, str] | None) -> None:
    name = DAYS[date.fromisoformat(day).weekday()]
    noon = datetime.fromisoformat(f"{day}T12:00Z")
    spans = hours(f"{name} {times}", zone=zone).spans(noon - DAY, noon + DAY)
    assert [(span.begin, span.end) for span in spans] == ([(at(expected[0]), at(expected[1]))] if expected else [])


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut", "America/Havana"],
)
def test_hours_round_the_clock_have_no_seam_at_a_clock_change(zone: str) -> None:
    assert hours("daily 00:00-24:00", zone=zone).boundaries(at("2026-01-01"), at("2027-01-01")) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Havana"])
def test_the_two_halves_of_a_day_have_no_seam_at_a_clock_change(zone: str) -> None:
    made = hours("daily 02:15-00:30", "daily 00:30-02:15", zone=zone)
    assert made.boundaries(at("2026-01-01"), at("2027-01-01")) == []
