"""What an endpoint costs now, and what was billed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lifecycle.core.model import Endpoint
from lifecycle.core.money import (
    Bill,
    Change,
    Window,
    bill,
    dollars_per_hour,
    exact_bill,
    slept_at,
    slot_of,
    together,
)  # fmt: skip

L4 = ("aws", "us-east-1", "nvidia-l4", "x1")
PRICES = {L4: 0.8}


@pytest.mark.parametrize(
    ("state", "dollars"),
    [
        ("paused", 0.0), ("scaledToZero", 0.0), ("failed", 0.0), ("pending", 0.0),
        ("initializing", 1.6), ("running", 1.6), ("updating", 1.6), ("updateFailed", 1.6),
        ("dreaming", None), ("unknown", None),
    ],
)  # fmt: skip
def test_it_costs_while_it_initializes_and_runs(state: str, dollars: float | None) -> None:
    assert dollars_per_hour(Endpoint("e", state, target_replicas=2, hardware=L4), PRICES) == dollars


@pytest.mark.parametrize(
    "unknown",
    [
        {"target_replicas": None},
        {"target_replicas": -1},
        {"target_replicas": 10**400},
        {"hardware": None},
        {"hardware": (*L4[:3], "x4")},
    ],
)
def test_what_is_not_known_is_not_0(unknown: dict[str, Any]) -> None:
    running: dict[str, Any] = {"target_replicas": 1, "hardware": L4} | unknown
    assert dollars_per_hour(Endpoint("e", "running", **running), PRICES) is None


def test_at_rest_it_costs_nothing_whatever_the_price() -> None:
    assert dollars_per_hour(Endpoint("e", "paused"), {}) == 0.0


def about(dollars: float) -> Any:
    return pytest.approx(dollars)


TEN = timedelta(minutes=10)
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)


def seen(*means: float | None, length: timedelta = TEN, full: int = 1) -> list[Window]:
    """Windows in a row; None: nothing was seen."""
    return [
        Window(MIDNIGHT + (index + 1) * length, length, 0 if mean is None else full, mean or 0.0)
        for index, mean in enumerate(means)
    ]


def test_billed_is_the_mean_times_the_length() -> None:
    assert bill(seen(0.0, 0.6, 0.6, 1.2), TEN) == Bill(about(0.4), MIDNIGHT, timedelta(), 3 * TEN)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_gap_of_up_to_three_runs_is_filled_with_what_is_around_it(missing: int) -> None:
    found = bill(seen(0.6, *[None] * missing, 1.2), TEN)
    assert found.dollars == about((0.6 + missing * 0.9 + 1.2) / 6)
    assert found.unknown == timedelta()


def test_a_longer_gap_is_unknown() -> None:
    found = bill(seen(0.6, *[None] * 4, 0.6), TEN)
    assert (found.dollars, found.unknown) == (about(0.2), 4 * TEN)


@pytest.mark.parametrize(("missing", "unknown"), [(3, timedelta()), (4, 4 * TEN)])
def test_the_same_holds_for_a_gap_at_the_end(missing: int, unknown: timedelta) -> None:
    assert bill(seen(0.6, *[None] * missing), TEN).unknown == unknown


def test_what_was_billed_before_history_began_counts_as_0() -> None:
    assert bill(seen(*[None] * 30, 0.6), TEN) == Bill(about(0.1), MIDNIGHT + 30 * TEN, timedelta(), TEN)


def test_nothing_seen_is_no_history() -> None:
    assert bill(seen(None, None), TEN) == bill([], TEN) == Bill()


DAY = timedelta(days=1)


def test_a_day_is_as_good_as_its_slots() -> None:
    assert bill(seen(0.5, 0.5, length=DAY, full=144), TEN).dollars == about(24)


def test_a_few_slots_that_a_day_lacks_are_filled() -> None:
    days = [*seen(0.5, length=DAY, full=144), Window(MIDNIGHT + 2 * DAY, DAY, 141, 0.5)]
    assert bill(days, TEN) == Bill(about(24), MIDNIGHT, timedelta(), 2 * DAY)


def test_more_of_them_are_unknown() -> None:
    days = [*seen(0.5, length=DAY, full=144), Window(MIDNIGHT + 2 * DAY, DAY, 138, 0.5)]
    found = bill(days, TEN)
    assert (found.dollars, found.unknown) == (about(23.5), timedelta(hours=1))


def test_what_the_first_day_lacks_was_before_history() -> None:
    found = bill([Window(MIDNIGHT + DAY, DAY, 72, 1.0)], TEN)
    assert (found.dollars, found.since, found.unknown) == (about(12), MIDNIGHT + DAY / 2, timedelta())


@pytest.mark.parametrize(
    ("minutes", "slot"), [(1, 10), (3, 12), (4, 12), (5, 10), (6, 12), (10, 10), (20, 20), (60, 60)]
)
def test_slots_are_whole_intervals_and_not_shorter_than_what_is_kept(minutes: int, slot: int) -> None:
    assert slot_of(timedelta(minutes=minutes)) == timedelta(minutes=slot)


def test_bills_of_several_endpoints_add_up() -> None:
    two = [Bill(1.0, MIDNIGHT + DAY, TEN, TEN), Bill(2.0, MIDNIGHT, TEN), Bill()]
    assert together(two) == Bill(3.0, MIDNIGHT, 2 * TEN, TEN)
    assert together([]) == Bill()


def test_what_is_not_known_of_an_endpoint_that_is_gone_was_nothing() -> None:
    found = bill(seen(0.6, *[None] * 5, 0.6, *[None] * 9), TEN)
    assert (found.unknown, found.silent) == (14 * TEN, 9 * TEN)
    assert found.of_gone.unknown == 5 * TEN


# Changes between two runs: runs are three minutes after the round ones.

MINUTE = timedelta(minutes=1)
HOUR_SEEN = seen(0.0, *[0.6] * 6, 0.0)  # 00:10 to 01:10


def test_a_change_counts_from_its_known_instant() -> None:
    changes = [Change(MIDNIGHT + 8 * MINUTE, billed=True), Change(MIDNIGHT + 72 * MINUTE, billed=False)]
    found = exact_bill(HOUR_SEEN, TEN, changes)
    assert (found.dollars, found.running) == (about(0.64), 64 * MINUTE)


def test_a_change_that_is_not_known_is_in_the_middle_of_two_runs() -> None:
    found = exact_bill(HOUR_SEEN, TEN, [Change(MIDNIGHT + 72 * MINUTE, billed=False)])
    assert (found.dollars, found.running) == (about(0.64), 64 * MINUTE)
    assert exact_bill(HOUR_SEEN, TEN, []).dollars == about(0.6)


@pytest.mark.parametrize(
    "other",
    [
        Change(MIDNIGHT + 69 * MINUTE, billed=True),  # the other way round
        Change(MIDNIGHT + 50 * MINUTE, billed=False),  # before the last run that saw it running
        Change(MIDNIGHT + 81 * MINUTE, billed=False),  # after the first that saw it at rest
    ],
)
def test_only_a_change_between_the_two_runs_explains_what_they_saw(other: Change) -> None:
    assert exact_bill(HOUR_SEEN, TEN, [other]) == exact_bill(HOUR_SEEN, TEN, [])


def test_a_change_in_a_gap_counts_from_its_known_instant() -> None:
    windows = seen(0.6, None, None, 0.0)
    found = exact_bill(windows, TEN, [Change(MIDNIGHT + 12 * MINUTE, billed=False)])
    assert (found.dollars, found.running) == (about(0.12), 12 * MINUTE)


def test_a_change_in_a_gap_that_is_not_known_moves_nothing() -> None:
    windows = seen(0.6, *[None] * 4, 0.0)
    assert exact_bill(windows, TEN, [Change(MIDNIGHT + 12 * MINUTE, billed=False)]) == bill(windows, TEN)


def test_more_replicas_than_before_are_a_step_too() -> None:
    assert exact_bill(seen(0.6, 1.2), TEN, [Change(MIDNIGHT + 15 * MINUTE, billed=True)]).dollars == about(0.25)


USED = MIDNIGHT + timedelta(hours=5)


@pytest.mark.parametrize(
    ("state", "after", "used", "updated", "slept"),
    [
        ("scaledToZero", TEN, USED, None, USED + TEN),
        ("scaledToZero", TEN, USED, USED, USED + TEN),
        ("scaledToZero", TEN, USED, USED + TEN, None),  # somebody did it
        ("scaledToZero", 2 * TEN, USED, None, None),  # it would only do it later
        ("scaledToZero", None, USED, None, None),
        ("scaledToZero", TEN, None, None, None),
        ("paused", TEN, USED, None, None),
    ],
)
def test_it_scales_itself_to_zero_some_time_after_its_last_use(
    state: str, after: timedelta | None, used: datetime | None, updated: datetime | None, slept: datetime | None
) -> None:
    endpoint = Endpoint("e", state, scale_to_zero_after=after, last_used_at=used, updated_at=updated)
    assert slept_at(endpoint, USED + 15 * MINUTE) == slept
