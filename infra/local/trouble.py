"""What goes wrong in a week, and what people and platforms do in it; all of it follows from the seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

Kind = Literal[
    "hub down", "hub throttled", "hub slow", "hub hangs", "hub resets", "hub drops", "hub html", "hub forbids",
    "scheduler down", "secrets down", "ticks lost", "ticks late", "ticks doubled", "ticks overlap", "instances die",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
# What meets only actions, so that it comes more often.
OF_ACTIONS: frozenset[Kind] = frozenset({"hub resets", "hub forbids"})
# What must not make any difference, so that it excuses nothing.
HARMLESS: frozenset[Kind] = frozenset({"hub slow", "ticks doubled", "ticks overlap"})


@dataclass(frozen=True)
class Window:
    """Something that is wrong for a while."""

    kind: Kind
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Deed:
    """Something that is done from outside: by hand over HTTP, at Hugging Face, to the token, by a platform."""

    at: datetime
    kind: Literal["ask", "touch", "rescale", "delete", "rotate", "revoke", "platform"]
    detail: dict[str, Any]


def windows(
    chance: random.Random, begin: datetime, days: int, how_many: int, moments: Sequence[datetime] = ()
) -> list[Window]:
    """Windows of trouble, minutes to hours long, with calm between them more often than not. Half of them come when
    something happens: `moments`."""
    found = []
    weights = [4 if kind in OF_ACTIONS else 1 for kind in KINDS]
    for _ in range(how_many):
        at = begin + timedelta(seconds=chance.uniform(0, days * 86_400))
        if moments and chance.random() < 0.5:
            at = max(begin, chance.choice(moments) - timedelta(seconds=chance.uniform(0, 300)))
        length = timedelta(minutes=chance.choice([2, 5, 10, 30, 60, 150]))
        found.append(Window(chance.choices(KINDS, weights)[0], at, at + length))
    return sorted(found, key=lambda window: window.begin)


def boundaries(begin: datetime, days: int, zone: str) -> list[datetime]:
    """When the hours of `HOURS` begin and end, more or less."""
    local = [
        datetime.combine(begin.date() + timedelta(days=day), time(hour), ZoneInfo(zone))
        for day in range(1, days)
        for hour in (0, 6, 7, 8, 10, 16, 20, 22)
    ]
    return [at.astimezone(UTC) for at in local]


def deeds(
    chance: random.Random, begin: datetime, days: int, entries: list[str], endpoints: list[str], platforms: list[str]
) -> list[Deed]:
    """What people and platforms do."""
    found = []

    def some(count: int) -> list[datetime]:
        return [begin + timedelta(seconds=chance.uniform(600, days * 86_400 - 600)) for _ in range(count)]

    for at in some(chance.randint(2, 10)):
        found.append(Deed(at, "ask", _wish(chance, at, entries)))
    for at in some(chance.randint(0, 5)):
        state = chance.choice(["paused", "running", "scaledToZero"])
        found.append(Deed(at, "touch", {"endpoint": chance.choice(endpoints), "state": state}))
    for at in some(chance.randint(0, 1)):
        found.append(Deed(at, "rescale", {"endpoint": chance.choice(endpoints), "min": chance.choice([0, 1])}))
    for at in some(chance.randint(0, 1)):
        found.append(Deed(at, chance.choice(["rotate", "revoke"]), {}))
    for platform in platforms:
        event = chance.choice(["started", "stopped"])
        for at in sorted(some(chance.randint(4, 14))):
            late = chance.choice([1, 1, 1, 1, 20, 300, 4000, 20_000])
            detail = {"platform": platform, "event": event, "late": late, "times": chance.choice([1, 1, 1, 2])}
            found.append(Deed(at, "platform", detail))
            event = chance.choice(["started", "stopped", "stopped" if event == "started" else "started"])
    return sorted(found, key=lambda deed: deed.at)


def _wish(chance: random.Random, at: datetime, entries: list[str]) -> dict[str, Any]:
    verb = chance.choice(["pause", "resume", "warm", "release"])
    body: dict[str, Any] = {"endpoints": [chance.choice(entries)]}
    if verb == "release":
        return {"function": "reconcile", "body": {**body, "clear_override": True}}
    how = chance.choice(["", "", "for", "until", "released"])
    if how == "for":
        body["for"] = chance.choice(["20m", "1h30m", "5h", "1d"])
    if how == "until":
        body["until"] = (at + timedelta(minutes=chance.randint(30, 3000))).isoformat()
    if how == "released" and verb == "pause":
        body["until"] = "released"
    return {"function": verb, "body": body}
