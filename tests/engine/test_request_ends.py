"""Requests: how long a manual request lasts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.building import DAY, MINUTE, NOON, at, properties
from support.requests import VERBS, asked, refused


def test_for_counts_from_now() -> None:
    assert asked("resume", **{"for": "1h30m"}).until == NOON + 90 * MINUTE


def test_without_for_and_until_no_end_is_asked() -> None:
    found = asked("pause")
    assert (found.until, found.released) == (None, False)


@pytest.mark.parametrize("function", VERBS)
def test_for_and_until_do_not_go_together(function: str) -> None:
    (line,) = refused(function, **{"for": "2h", "until": "2026-11-24T22:00:00+01:00"})
    assert line.startswith("until: ")
    assert "for" in line


@pytest.mark.parametrize("length", ["0s", "-2h", "2", "2 hours", "1.5h", "", 120, None, "8d", "7d1s", "999999h"])
def test_for_is_a_duration_of_at_most_seven_days(length: Any) -> None:
    (line,) = refused("resume", **{"for": length})
    assert line.startswith("for: ")


def test_for_may_be_seven_days() -> None:
    assert asked("resume", **{"for": "7d"}).until == NOON + 7 * DAY


@pytest.mark.parametrize(
    "text",
    [
        *["2026-11-24T22:00:00+01:00", "2026-11-24T21:00:00Z", "2026-11-24T21:00Z", "2026-11-24 22:00:00+01:00"],
        *["2026-11-24T21:00:00.000000Z", "2026-11-24T21:00:00.000000000Z", "2026-11-24t21:00:00z"],
    ],
)
def test_until_is_a_time_with_an_offset(text: str) -> None:
    assert asked("warm", until=text).until == at("Tue 22:00")


@pytest.mark.parametrize(
    "until",
    [
        *["2026-11-24T22:00:00", "2026-11-24", "22:00", "tomorrow", "", "2026-11-31T22:00:00Z", 1795554000, None],
        *["2026-11-24T12:00:00+01:00", "2026-11-24T11:59:59+01:00", "2020-01-01T00:00:00Z"],  # now and before
        *["2026-12-01T12:00:01+01:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"],
    ],
)
@pytest.mark.parametrize("function", VERBS)
def test_until_is_in_the_future_and_at_most_seven_days_away(function: str, until: Any) -> None:
    (line,) = refused(function, until=until)
    assert line.startswith("until: ")


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_year_that_is_none_of_ours_is_refused_as_too_far_away(until: str) -> None:
    assert refused("pause", until=until) == [f'until: "{until}": must be in the future, at most 7 days from now']


def test_until_may_be_seven_days_away() -> None:
    assert asked("pause", until="2026-12-01T12:00:00+01:00").until == NOON + 7 * DAY


def test_a_pause_may_last_until_released() -> None:
    found = asked("pause", until="released")
    assert (found.until, found.released) == (None, True)


@pytest.mark.parametrize("function", ["resume", "warm"])
def test_nothing_but_a_pause_lasts_until_released(function: str) -> None:
    (line,) = refused(function, until="released")
    assert "pause" in line


@given(length=st.integers(1, 7 * 24 * 60))
@properties(50)
def test_for_and_until_say_the_same(length: int) -> None:
    until: datetime = NOON + timedelta(minutes=length)
    assert asked("pause", **{"for": f"{length}m"}) == asked("pause", until=until.isoformat())
