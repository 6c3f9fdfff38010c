"""The learned lead."""

from datetime import UTC, datetime, timedelta

import pytest

from lifecycle.core.lead import Lead, LeadBounds, Starts, learned, run_before

MINUTE = timedelta(minutes=1)
BOUNDS = LeadBounds()
TENS = range(0, 1810, 10)


def starts(*seconds: int) -> Starts:
    counts = [0] * (len(TENS) + 1)
    for one in seconds:
        counts[min(one // 10 + 1, len(TENS))] += 1
    return Starts(TENS, counts)


def test_it_is_the_95th_percentile_and_a_minute() -> None:
    assert learned(starts(*range(100, 300, 10)), BOUNDS) == Lead(timedelta(seconds=290 + 60), 20)


def test_of_few_starts_the_longest_counts() -> None:
    assert learned(starts(95, 95, 95, 95, 345), BOUNDS) == Lead(timedelta(seconds=350 + 60), 5)


@pytest.mark.parametrize("count", [0, 4])
def test_fewer_than_five_starts_teach_nothing(count: int) -> None:
    assert learned(starts(*[95] * count), BOUNDS) == Lead(10 * MINUTE, count, f"{count} starts known")


def test_neither_do_starts_that_cannot_be_read() -> None:
    assert learned(None, BOUNDS) == Lead(10 * MINUTE, 0, "starts are unknown")


@pytest.mark.parametrize(("least", "most", "lead"), [(12, 30, 12), (2, 8, 8), (2, 30, 10)])
def test_ten_minutes_keep_within_the_bounds(least: int, most: int, lead: int) -> None:
    assert learned(None, LeadBounds(least * MINUTE, most * MINUTE)).length == lead * MINUTE


@pytest.mark.parametrize(("seconds", "lead"), [(15, 120), (1790, 1800), (5000, 1800)])
def test_what_is_learned_keeps_within_the_bounds(seconds: int, lead: int) -> None:
    assert learned(starts(*[seconds] * 9), BOUNDS).length == timedelta(seconds=lead)


@pytest.mark.parametrize(
    ("every", "when", "run"),
    [
        (10, "07:53:10", "07:53"), (10, "07:53:00", "07:53"), (10, "07:52:59", "07:43"), (10, "08:02", "07:53"),
        (5, "08:01", "07:57"), (1, "08:00:30", "08:00"), (60, "08:02:59", "07:03"), (60, "08:03", "08:03"),
    ],
)  # fmt: skip
def test_runs_are_when_their_job_fires(every: int, when: str, run: str) -> None:
    at = datetime.fromisoformat(f"2026-11-24T{when}+00:00")
    assert run_before(at, every * MINUTE) == datetime.fromisoformat(f"2026-11-24T{run}+00:00").astimezone(UTC)
