"""Scheduled actions, for the oracle: when they fire, by what the clock shows. Nothing of the product is used here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from local.simulation.wall_clock import minutes

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Action:
    """One line under `cron:`. `retried`: how long after its time it may still be tried."""

    do: str
    entries: frozenset[str]
    ticks: frozenset[datetime]
    retried: timedelta


def scheduled_actions(document: Mapping[str, Any], begin: datetime, end: datetime) -> list[Action]:
    """From the settings as YAML has them, for a stretch of time."""
    zone, every = ZoneInfo(document.get("time_zone", "UTC")), frozenset(document["endpoints"])
    found = []
    for line in document.get("cron", ()):
        entries = every if line["endpoints"] == ["*"] else frozenset(line["endpoints"])
        times = _ticks(line["at"], zone, begin, end + DAY)
        gap = min((later - tick for tick, later in pairwise(times)), default=DAY)
        found.append(Action(line["do"], entries, frozenset(times), min(HOUR, gap / 2)))
    return found


def _ticks(at: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """When a cron schedule without names fires, but for some hours around a change of the clock."""
    fields = at.split()
    if fields[2:4] != ["*", "*"]:
        raise ValueError(f"{at}: days of a month are not played")
    allowed = [_values(fields[0], 60), _values(fields[1], 24), _values(fields[4], 7)]
    found = []
    for when in minutes(begin, end):
        wall = when.astimezone(zone)
        shown = (wall.minute, wall.hour, (wall.weekday() + 1) % 7)
        near = {(when + hours).astimezone(zone).utcoffset() for hours in (timedelta(hours=-3), timedelta(hours=3))}
        if all(one in some for one, some in zip(shown, allowed, strict=True)) and len(near) == 1:
            found.append(when)
    return found


def _values(text: str, size: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        a, _, b = span.partition("-")
        first, last = (0, size - 1) if span == "*" else (int(a), int(b or a))
        found.update(range(first, last + 1, int(step or 1)))
    return found
