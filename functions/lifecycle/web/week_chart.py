"""The chart of a week: its shapes, and a summary in words. Pure; `endpoint.html` draws it.

Every position is a percentage of the seven days from today's midnight, so that text keeps its size on a small screen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lifecycle.core.forecast import Forecast, Stretch, clock_changes
from lifecycle.core.overrides import deciding
from lifecycle.core.rules import Situation
from lifecycle.core.times import DAYS


@dataclass(frozen=True)
class Bar:
    """From `x` on, `width` wide, in percent. `kind`: holiday, running, any, hand-running, hand-rest."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Week:
    """`days`: where each begins, and its label. `changes`: where clocks change. `notes`: lines below the chart.
    `summary`: the chart in words."""

    days: tuple[tuple[float, str], ...]
    now: float
    bars: tuple[Bar, ...]
    changes: tuple[float, ...]
    notes: tuple[str, ...]
    summary: str


def week(situation: Situation, forecast: Forecast) -> Week:
    """The week from today's midnight. `forecast` must go beyond its end."""
    zone = situation.entry.zone
    today = situation.now.astimezone(zone).date()
    days = [today + timedelta(days=number) for number in range(8)]
    scale = _Scale(_midnight(days[0], zone), _midnight(days[-1], zone))
    changes = tuple(clock_changes(zone, scale.begin, scale.end))
    holidays = [day for day in forecast.holidays if day < days[-1]]
    stretches = [stretch for stretch in forecast.stretches if stretch.begin < scale.end]
    runs = [_words(stretch, zone) for stretch in stretches if stretch.wanted == "running"]
    notes = [f"holiday {_day(day)}" for day in holidays]
    notes += [_change(at.astimezone(zone)) for at in changes]
    runs_at = f"wanted to run {', '.join(runs)}" if runs else "not wanted to run at a set time"
    return Week(
        days=tuple((scale.x(_midnight(day, zone)), _day(day)) for day in days[:-1]),
        now=scale.x(situation.now),
        bars=(
            *(scale.bar("holiday", _midnight(day, zone), _midnight(day + timedelta(days=1), zone)) for day in holidays),
            *(scale.bar(s.wanted, s.begin, s.end) for s in stretches if s.wanted in ("running", "any")),
            *_override(situation, scale),
        ),
        changes=tuple(map(scale.x, changes)),
        notes=tuple(notes),
        summary="; ".join([runs_at, *notes]),
    )


@dataclass(frozen=True)
class _Scale:
    """The week in UTC, so that clock changes count."""

    begin: datetime
    end: datetime

    def x(self, when: datetime) -> float:
        return round(100 * ((when.astimezone(UTC) - self.begin) / (self.end - self.begin)), 2)

    def bar(self, kind: str, since: datetime, until: datetime) -> Bar:
        x = self.x(since)
        return Bar(kind, x, round(self.x(min(until, self.end)) - x, 2))


def _override(situation: Situation, scale: _Scale) -> Iterator[Bar]:
    override = deciding(situation.in_force)
    if override:
        kind = "hand-running" if override.state == "running" else "hand-rest"
        yield scale.bar(kind, situation.now, override.until or scale.end)


def _words(stretch: Stretch, zone: ZoneInfo) -> str:
    since, until = stretch.begin.astimezone(zone), stretch.end.astimezone(zone)
    day = "" if until.date() == since.date() else f"{DAYS[until.weekday()]} "
    return f"{DAYS[since.weekday()]} {since:%H:%M} to {day}{until:%H:%M}"


def _change(at: datetime) -> str:
    """`at`: the first instant on the new clock."""
    before = (at.astimezone(UTC) - timedelta(minutes=1)).astimezone(at.tzinfo).utcoffset()
    way = "back" if (at.utcoffset() or timedelta()) < (before or timedelta()) else "forward"
    return f"clocks go {way} to {at:%H:%M} on {_day(at)}"


def _day(day: date) -> str:
    return f"{DAYS[day.weekday()]} {day.day}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
