"""The chart of the week: positions in percent of seven days, and the summary in words."""

from datetime import timedelta
from typing import Any

import pytest

from lifecycle.core.forecast import forecast
from lifecycle.web.week_chart import Bar, Week, week
from support.building import at, override, situation

HOUR = 100 / (7 * 24)


def drawn(text: str, when: str = "Tue 12:00", **more: Any) -> Week:
    seen = situation(text, now=at(when), **more)
    return week(seen, forecast(seen, seen.now + timedelta(days=30), {}))


def bars(found: Week, kind: str) -> list[Bar]:
    return [bar for bar in found.bars if bar.kind == kind]


def hours(text: str) -> str:
    return f'hours: "{text}"'


def test_it_begins_at_todays_midnight() -> None:
    found = drawn(hours("daily 08:00-20:00"))
    assert [label for _, label in found.days] == ["Tue 24", "Wed 25", "Thu 26", "Fri 27", "Sat 28", "Sun 29", "Mon 30"]
    assert found.now == pytest.approx(12 * HOUR, abs=0.01)


def test_wanted_time_is_a_bar_from_now_on() -> None:
    first, second = bars(drawn(hours("daily 08:00-20:00")), "running")[:2]
    assert (first.x, first.width) == pytest.approx((12 * HOUR, 8 * HOUR), abs=0.01)
    assert (second.x, second.width) == pytest.approx((32 * HOUR, 12 * HOUR), abs=0.01)


def test_nothing_lies_beyond_the_week() -> None:
    found = drawn(hours("daily 22:00-06:00"))
    assert all(0 <= bar.x <= bar.x + bar.width <= 100.01 for bar in found.bars)


def test_time_that_no_rule_decides_is_another_bar() -> None:
    (left,) = bars(drawn("idle_after: 45m", last_used_at=at("Tue 12:00")), "any")
    assert left.width == pytest.approx(0.75 * HOUR, abs=0.01)


@pytest.mark.parametrize(("state", "kind"), [("running", "hand-running"), ("paused", "hand-rest")])
def test_an_override_has_a_bar_of_its_own(state: Any, kind: str) -> None:
    (hand,) = bars(drawn(hours("daily 08:00-20:00"), override=override(state, until="Tue 22:00")), kind)
    assert hand.width == pytest.approx(10 * HOUR, abs=0.01)


def test_an_override_until_released_goes_on_to_the_end() -> None:
    (hand,) = bars(drawn(hours("daily 08:00-20:00"), override=override("paused", until=None)), "hand-rest")
    assert hand.x + hand.width == pytest.approx(100, abs=0.01)


def test_a_holiday_is_a_whole_day() -> None:
    found = drawn("hours: daily 08:00-20:00, holidays: [2026-11-26]")
    (holiday,) = bars(found, "holiday")
    assert (holiday.x, holiday.width) == pytest.approx((48 * HOUR, 24 * HOUR), abs=0.01)
    assert found.notes == ("holiday Thu 26",)


@pytest.mark.parametrize(
    ("now", "length", "note"),
    [
        ("2026-10-23 12:00", 169, "clocks go back to 02:00 on Sun 25"),
        ("2026-03-27 12:00", 167, "clocks go forward to 03:00 on Sun 29"),
    ],
)
def test_a_clock_change_makes_its_day_longer_or_shorter(now: str, length: int, note: str) -> None:
    found = drawn(hours("daily 08:00-20:00"), now)
    sunday, monday = (x for x, label in found.days if label[:3] in ("Sun", "Mon"))
    assert monday - sunday == pytest.approx(100 * (24 + length - 168) / length, abs=0.02)
    assert len(found.changes) == 1
    assert found.notes == (note,)


def test_in_words_it_says_every_time_to_run() -> None:
    assert drawn(hours("Tue,Wed 22:00-06:00")).summary == "wanted to run Tue 22:00 to Wed 06:00, Wed 22:00 to Thu 06:00"
