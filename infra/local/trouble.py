"""What goes wrong in a week, and what people and platforms do in it; all of it follows from the seed."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal[
    "hub down", "hub throttled", "hub slow", "hub hangs", "hub resets", "hub html", "hub forbids", "scheduler down",
    "secrets down", "ticks lost", "ticks late", "ticks doubled", "instances die",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "hub down", "hub throttled", "hub slow", "hub hangs", "hub resets", "hub html", "hub forbids", "scheduler down",
    "secrets down", "ticks lost", "ticks late", "ticks doubled", "instances die",
)  # fmt: skip


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
    kind: Literal["ask", "touch", "rotate", "revoke", "platform"]
    detail: dict[str, Any]


def windows(chance: random.Random, begin: datetime, days: int, how_many: int) -> list[Window]:
    """Windows of trouble, minutes to hours long, with calm between them more often than not."""
    found = []
    for _ in range(how_many):
        at = begin + timedelta(seconds=chance.uniform(0, days * 86_400))
        length = timedelta(minutes=chance.choice([2, 5, 10, 30, 60, 150]))
        found.append(Window(chance.choice(KINDS), at, at + length))
    return sorted(found, key=lambda window: window.begin)


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


def settings(chance: random.Random) -> dict[str, Any]:
    """Random settings as YAML has them."""
    zone = chance.choice(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata"])
    entries: dict[str, Any] = {}
    for number in range(chance.randint(3, 6)):
        entry: dict[str, Any] = {"rest": chance.choice(["paused", "paused", "scaledToZero"])}
        if chance.random() < 0.8:
            entry["hours"] = _hours(chance)
            entry["lead"] = chance.choice(["0m", "10m", "30m"])
        if chance.random() < 0.4 or "hours" not in entry:
            entry["platform"] = chance.choice(["main", "batch"])
        if chance.random() < 0.2:
            entry["name"] = f"many-{number}-*"
        if chance.random() < 0.3:
            entry["scaling"] = {"min_replicas": 1, "max_replicas": 2}
        entries[f"entry-{number}"] = entry
    return {
        "namespace": "acme",
        "time_zone": zone,
        "reconcile_every": chance.choice(["10m", "15m"]),
        "holidays": ["2026-10-26", "2026-12-24..2026-12-26"],
        "platforms": {"main": {"max_started": "24h"}, "batch": {}},
        "endpoints": entries,
    }


def _hours(chance: random.Random) -> Any:
    texts = [
        "Mon-Fri 08:00-20:00",
        "Sun-Thu 22:00-06:00",
        "daily 07:00-24:00",
        "Sat,Sun 10:00-16:00",
        "Wed 00:00-24:00",
    ]
    return chance.choice([*texts, chance.sample(texts, 2)])
