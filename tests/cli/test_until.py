"""`--until`: the instant of a time of day, a weekday or a date in a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lifecycle.cli.until import instant, is_local

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)  # Tuesday, 12:00 in Berlin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18:00", "2026-11-24T18:00:00+01:00"),
        ("12:00", "2026-11-25T12:00:00+01:00"),
        ("09:00", "2026-11-25T09:00:00+01:00"),
        ("Fri 09:00", "2026-11-27T09:00:00+01:00"),
        ("fri 09:00", "2026-11-27T09:00:00+01:00"),
        ("Tue 18:00", "2026-11-24T18:00:00+01:00"),
        ("Tue 09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-11-26 09:00", "2026-11-26T09:00:00+01:00"),
        ("2026-11-26T09:00", "2026-11-26T09:00:00+01:00"),
        ("2026-11-23 09:00", "2026-11-23T09:00:00+01:00"),  # past: the function refuses it
    ],
)
def test_it_is_on_the_clock_of_the_zone(text: str, expected: str) -> None:
    assert is_local(text)
    assert instant(text, BERLIN, NOW) == datetime.fromisoformat(expected)


def test_of_a_repeated_hour_it_is_the_next_one_to_come() -> None:
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45 for the first time; it comes again
    assert instant("02:30", BERLIN, between) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert instant("2026-10-25 02:30", BERLIN, between) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_of_a_skipped_hour_it_is_the_first_minute_after_it() -> None:
    before = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert instant("02:30", BERLIN, before) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-26T09:00:00+01:00", "2026-11-26T09:00Z", "2026-11-26t09:00z"])
def test_with_an_offset_no_zone_is_needed(text: str) -> None:
    assert not is_local(text)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "9:00", "24:00", "25:00", "Fry 09:00", "2026-13-01 09:00", "2026-11-26", "18:00 ", "", "18:00\n"],
)
def test_what_is_none_of_these_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        is_local(text)
