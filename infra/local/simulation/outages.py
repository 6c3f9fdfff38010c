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
    "lists wait", "two revisions", "writes delayed", "some hang",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)[:-1]  # some of many hang only where there are many
# What meets only actions, so that it comes more often.
OF_ACTIONS: frozenset[Kind] = frozenset({"hub resets", "hub forbids"})
# What must not make any difference, so that it excuses nothing.
HARMLESS: frozenset[Kind] = frozenset({"hub slow", "ticks doubled", "ticks overlap", "two revisions"})


@dataclass(frozen=True)
class Window:
    """Something that is wrong for a while."""

    kind: Kind
    begin: datetime
    end: datetime


EventKind = Literal["ask", "oppose", "touch", "rescale", "delete", "use", "rotate", "revoke", "platform", "sync"]


@dataclass(frozen=True)
class ExternalEvent:
    """Something that is done from outside: by people, at Hugging Face, to the token, by a platform, by a deployment."""

    at: datetime
    kind: EventKind
    detail: dict[str, Any]


def windows(
    rng: random.Random, begin: datetime, days: int, how_many: int, moments: Sequence[datetime] = ()
) -> list[Window]:
    """Windows of trouble, minutes to hours long, with calm between them more often than not. Half of them come when
    something happens: `moments`."""
    found = []
    weights = [4 if kind in OF_ACTIONS else 1 for kind in KINDS]
    for _ in range(how_many):
        at = begin + timedelta(seconds=rng.uniform(0, days * 86_400))
        if moments and rng.random() < 0.5:
            at = max(begin, rng.choice(moments) - timedelta(seconds=rng.uniform(0, 300)))
        length = timedelta(minutes=rng.choice([2, 5, 10, 30, 60, 150]))
        found.append(Window(rng.choices(KINDS, weights)[0], at, at + length))
    return sorted(found, key=lambda window: window.begin)


def boundaries(begin: datetime, days: int, zone: str) -> list[datetime]:
    """When the hours of `HOURS` begin and end, more or less."""
    local = [
        datetime.combine(begin.date() + timedelta(days=day), time(hour), ZoneInfo(zone))
        for day in range(1, days)
        for hour in (0, 6, 7, 8, 10, 16, 20, 22)
    ]
    return [at.astimezone(UTC) for at in local]


def events(
    rng: random.Random, begin: datetime, days: int, entries: list[str], endpoints: list[str], platforms: list[str]
) -> list[ExternalEvent]:
    """What people and platforms do."""
    found = []

    def some(count: int) -> list[datetime]:
        return [begin + timedelta(seconds=rng.uniform(600, days * 86_400 - 600)) for _ in range(count)]

    for moment in some(rng.randint(4, 16)):
        at = _under_way(rng, moment) if rng.random() < 0.4 else moment
        found.append(ExternalEvent(at, "ask", _request(rng, at, entries)))
    for at in some(rng.randint(0, 5)):
        state = rng.choice(["paused", "running", "scaledToZero"])
        found.append(ExternalEvent(at, "touch", {"endpoint": rng.choice(endpoints), "state": state}))
    for at in some(rng.randint(0, 1)):
        found.append(ExternalEvent(at, "rescale", {"endpoint": rng.choice(endpoints), "min": rng.choice([0, 1])}))
    for at in some(rng.randint(0, 1)):
        found.append(ExternalEvent(at, rng.choice(["rotate", "revoke"]), {}))
    for platform in platforms:
        event = rng.choice(["started", "stopped"])
        for at in sorted(some(rng.randint(4, 14))):
            late = rng.choice([1, 1, 1, 1, 20, 300, 4000, 20_000])
            detail = {"platform": platform, "event": event, "late": late, "times": rng.choice([1, 1, 1, 2])}
            found.append(ExternalEvent(at, "platform", detail))
            event = rng.choice(["started", "stopped", "stopped" if event == "started" else "started"])
    return sorted(found, key=lambda event: event.at)


def rarer_events(rng: random.Random, begin: datetime, days: int, endpoints: list[str]) -> list[ExternalEvent]:
    """What people do seldom."""
    found = []
    for _ in range(rng.randint(0, 20)):
        at = begin + timedelta(days=rng.uniform(0, days))
        found.append(ExternalEvent(at, "use", {"endpoint": rng.choice(endpoints)}))
    if rng.random() < 0.3:
        body = {"endpoints": ["*"], "for": rng.choice(["20m", "5h"]), **rng.choice([{}, {}, {"force": True}])}
        found.append(
            ExternalEvent(begin + timedelta(days=rng.uniform(0.1, days)), "ask", {"function": "pause", "body": body})
        )
    return found


def _under_way(rng: random.Random, moment: datetime) -> datetime:
    """A moment at which a reconcile run may be under way."""
    begun = moment.replace(minute=moment.minute // 10 * 10 + 3, second=0, microsecond=0)
    return begun + timedelta(seconds=rng.uniform(0, 20))


def _request(rng: random.Random, at: datetime, entries: list[str]) -> dict[str, Any]:
    verb = rng.choice(["pause", "resume", "warm", "release"])
    body: dict[str, Any] = {"endpoints": [rng.choice(entries[:2] if rng.random() < 0.5 else entries)]}
    if holder := rng.choice(["", "anna", "ci-1"]):
        body["holder"] = holder
    if verb == "release":
        everybody = {"holders": "all"} if rng.random() < 0.2 else {}
        return {"function": "reconcile", "body": {**body, "clear_override": True, **everybody}}
    if rng.random() < 0.2:
        body["force"] = True
    how = rng.choice(["", "", "for", "until", "released"])
    if how == "for":
        body["for"] = rng.choice(["20m", "1h30m", "5h", "1d"])
    if how == "until":
        body["until"] = (at + timedelta(minutes=rng.randint(30, 3000))).isoformat()
    if how == "released" and verb == "pause":
        body["until"] = "released"
    return {"function": verb, "body": body}
