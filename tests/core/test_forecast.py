"""The forecast: which time counts as running."""

import pytest

from lifecycle.core.forecast import forecast
from support.building import HOUR, OFFICE, at, override, situation


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
