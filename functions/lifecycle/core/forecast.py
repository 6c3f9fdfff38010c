"""The forecast: what will happen when and why, hours and money. Pure: the wishes are those that the functions act on.

What the clock does not bring, the forecast does not know: it takes platforms and overrides as they are remembered now.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lifecycle.core.entries import Entry
from lifecycle.core.model import Prices, Wanted
from lifecycle.core.rules import Situation, decide, timeline
from lifecycle.core.times import format_rfc3339

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Stretch:
    """From when to when one state is wanted, and why."""

    begin: datetime
    end: datetime
    wanted: Wanted
    reason: str


@dataclass(frozen=True)
class Forecast:
    """One endpoint's. `running`: the time that it will run, where no rule applies as before; with `start: false` it
    runs only until it first rests.

    Money is in dollars; without a known price there is none.
    """

    entry: Entry
    name: str
    stretches: tuple[Stretch, ...]
    running: timedelta
    replicas: int
    price: float | None
    holidays: tuple[date, ...]
    clock_changes: tuple[datetime, ...]

    @property
    def length(self) -> timedelta:
        return self.stretches[-1].end - self.stretches[0].begin

    @property
    def cost(self) -> Decimal | None:
        return None if self.price is None else dollars(self.running, self.replicas, self.price)

    @property
    def cost_always_on(self) -> Decimal | None:
        return None if self.price is None else dollars(self.length, self.replicas, self.price)

    def as_json(self) -> dict[str, Any]:
        """Times in UTC and on the entry's clock, hours and dollars as numbers."""
        return {
            "endpoint": self.entry.key,
            "name": self.name,
            "time_zone": self.entry.zone.key,
            "changes": [
                {
                    "at": format_rfc3339(stretch.begin),
                    "local": stretch.begin.astimezone(self.entry.zone).isoformat(),
                    "wanted": stretch.wanted,
                    "reason": stretch.reason,
                }
                for stretch in self.stretches
            ],
            "hours_running": self.running / timedelta(hours=1),
            "hours_always_on": self.length / timedelta(hours=1),
            "replicas": self.replicas,
            "price_per_hour": self.price,
            "cost": None if self.cost is None else float(self.cost),
            "cost_always_on": None if self.cost_always_on is None else float(self.cost_always_on),
            "holidays": [day.isoformat() for day in self.holidays],
            "clock_changes": [change.astimezone(self.entry.zone).isoformat() for change in self.clock_changes],
        }


def forecast(
    situation: Situation, until: datetime, prices: Prices, *, like: Sequence[Stretch] | None = None
) -> Forecast:
    """From the situation's time until then, for one endpoint (or for an entry of which none was seen).

    `like`: the stretches of another endpoint of the same entry, where the endpoint itself decides nothing.
    """
    entry, endpoint, now = situation.entry, situation.endpoint, situation.now
    stretches = tuple(_stretches(situation, until) if like is None or entry.idle_after else like)
    least = entry.scaling.min_replicas if entry.scaling.min_replicas is not None else endpoint and endpoint.min_replicas
    return Forecast(
        entry=entry,
        name=endpoint.name if endpoint else entry.name or entry.key,
        stretches=stretches,
        running=_running(entry, stretches, runs=_runs(situation)),
        replicas=max(1, least or 1),
        price=prices.get(endpoint.hardware) if endpoint and endpoint.hardware else None,
        holidays=tuple(_holidays(entry, now, until)),
        clock_changes=tuple(clock_changes(entry.zone, now, until)),
    )


def _stretches(situation: Situation, until: datetime) -> Iterator[Stretch]:
    begun: tuple[datetime, Wanted, str] | None = None
    for at, found in timeline(situation, until):
        if begun and begun[1] == found.wanted:
            continue
        if begun:
            yield Stretch(begun[0], at, begun[1], begun[2])
        begun = at, found.wanted, found.reason
    if begun:
        yield Stretch(begun[0], until, begun[1], begun[2])


def _runs(situation: Situation) -> bool:
    """Whether it runs now, or is started by hand, which `start: false` does not hinder."""
    now = decide(situation)
    by_hand = now.rule == "override" and now.wanted == "running"
    return by_hand or (situation.endpoint is not None and situation.endpoint.may_bill)


def _running(entry: Entry, stretches: Iterable[Stretch], *, runs: bool) -> timedelta:
    total = timedelta()
    for stretch in stretches:
        if stretch.wanted != "any":
            runs = stretch.wanted == "running" and (runs or entry.start)
        total += stretch.end - stretch.begin if runs else timedelta()
    return total


def _holidays(entry: Entry, since: datetime, until: datetime) -> Iterator[date]:
    """The holidays on which hours would have begun."""
    if entry.hours is None:
        return
    first, last = (when.astimezone(entry.zone).date() for when in (since, until - timedelta(seconds=1)))
    for day in sorted(entry.hours.holidays):
        if first <= day <= last and any(day.weekday() in period.days for period in entry.hours.periods):
            yield day


def clock_changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants in [since, until) at which the zone's clock is put forward or back, to the minute, in UTC."""
    early = since.astimezone(UTC).replace(second=0, microsecond=0) - MINUTE
    while early < until:
        late = early + timedelta(days=1)
        before = _offset(zone, early)
        if before != _offset(zone, late):
            begin, end = early, late
            while end - begin > MINUTE:
                middle = begin + (end - begin) // (2 * MINUTE) * MINUTE
                begin, end = (middle, end) if _offset(zone, middle) == before else (begin, middle)
            if since <= end < until:
                yield end
        early = late


def _offset(zone: ZoneInfo, when: datetime) -> timedelta | None:
    return when.astimezone(zone).utcoffset()


CENT = Decimal("0.01")


def dollars(running: timedelta, replicas: int, price_per_hour: float) -> Decimal:
    """Hours × replicas × price, to the cent."""
    hours = Decimal(int(running.total_seconds())) / 3600
    return (hours * replicas * Decimal(str(price_per_hour))).quantize(CENT, ROUND_HALF_UP)
