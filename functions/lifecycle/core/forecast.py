"""The forecast: what will happen when and why, hours and money, from the same timeline as the status. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lifecycle.core.entries import Entry
from lifecycle.core.model import Prices, Wanted
from lifecycle.core.rules import Situation
from lifecycle.core.timeline import Phase, phases
from lifecycle.core.times import format_rfc3339

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Stretch:
    """A time with one desired state, and why; `runs`: whether the endpoint will be running, as far as is known."""

    begin: datetime
    end: datetime
    wanted: Wanted
    reason: str
    runs: bool


@dataclass(frozen=True)
class Forecast:
    """The forecast of one endpoint. `running`: how long it will run; while no rule applies, it stays as it is.
    `at_most`: the same if it is used all the time, which matters for `idle_after`. Costs are None without a price.
    """

    entry: Entry
    name: str
    stretches: tuple[Stretch, ...]
    running: timedelta
    at_most: timedelta
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
    def cost_at_most(self) -> Decimal | None:
        return None if self.price is None else dollars(self.at_most, self.replicas, self.price)

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
            "hours_at_most": self.at_most / timedelta(hours=1),
            "hours_always_on": self.length / timedelta(hours=1),
            "replicas": self.replicas,
            "price_per_hour": self.price,
            "cost": None if self.cost is None else float(self.cost),
            "cost_at_most": None if self.cost_at_most is None else float(self.cost_at_most),
            "cost_always_on": None if self.cost_always_on is None else float(self.cost_always_on),
            "holidays": [day.isoformat() for day in self.holidays],
            "clock_changes": [change.astimezone(self.entry.zone).isoformat() for change in self.clock_changes],
        }


def forecast(
    situation: Situation, until: datetime, prices: Prices, *, like: Sequence[Stretch] | None = None
) -> Forecast:
    """From the situation's time until then, for one endpoint (or for an entry of which none was seen).

    `like`: the stretches of another endpoint of the same entry; taken where what it is now decides nothing.
    """
    entry, endpoint, now = situation.entry, situation.endpoint, situation.now
    alike = like is not None and entry.start and not any(stretch.wanted == "any" for stretch in like)
    stretches = tuple(like if like and alike else _stretches(situation, until))
    least = entry.scaling.min_replicas if entry.scaling.min_replicas is not None else endpoint and endpoint.min_replicas
    running = sum((stretch.end - stretch.begin for stretch in stretches if stretch.runs), timedelta())
    used = entry.idle_after is not None and (running > timedelta() or endpoint is None)
    return Forecast(
        entry=entry,
        name=endpoint.name if endpoint else entry.name or entry.key,
        stretches=stretches,
        running=running,
        at_most=until - now if used else running,
        replicas=max(1, least or 1),
        price=prices.get(endpoint.hardware) if endpoint and endpoint.hardware else None,
        holidays=tuple(_holidays(entry, now, until)),
        clock_changes=tuple(clock_changes(entry.zone, now, until)),
    )


def _stretches(situation: Situation, until: datetime) -> Iterator[Stretch]:
    begun: list[Phase] = []
    for phase in phases(situation, until):
        if begun and begun[-1].at == phase.at:
            begun.pop()  # it was over at once
        if not begun or (begun[-1].wanted, begun[-1].runs) != (phase.wanted, phase.runs):
            begun.append(phase)
    ends = [*(phase.at for phase in begun[1:]), until]
    for phase, end in zip(begun, ends, strict=True):
        yield Stretch(phase.at, end, phase.wanted, phase.reason, phase.runs)


def _holidays(entry: Entry, since: datetime, until: datetime) -> Iterator[date]:
    """The holidays on which hours would otherwise begin."""
    if entry.hours is None:
        return
    first, last = (when.astimezone(entry.zone).date() for when in (since, until - timedelta(seconds=1)))
    for day in entry.hours.holidays.between(first, last):
        if any(day.weekday() in period.days for period in entry.hours.periods):
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
