"""A random week from its seed: the settings, the endpoints, trouble and deeds."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local import trouble
from local.endpoints import Durations
from local.huggingface import Quirks
from local.trouble import Deed, Window

# Mondays to Fridays before the clocks change: Lord Howe by half an hour, Berlin, New York and Havana, and Christmas.
DAYS = (
    *(date(2026, 3, 2), date(2026, 3, 26), date(2026, 4, 1), date(2026, 9, 30)),
    *(date(2026, 10, 19), date(2026, 10, 28), date(2026, 12, 21)),
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata")
HOURS = ("Mon-Fri 08:00-20:00", "Sun-Thu 22:00-06:00", "daily 07:00-24:00", "Sat,Sun 10:00-16:00", "Wed 00:00-24:00")


def at_least_one(text: str) -> int:
    """How many weeks, from the command line: none would keep every promise. Raises ValueError."""
    if int(text) < 1:
        raise ValueError
    return int(text)


@dataclass
class Plan:
    """What a run is made of: settings as YAML has them, the endpoints, trouble and deeds."""

    seed: int
    begin: datetime
    days: int
    document: dict[str, Any]
    endpoints: list[dict[str, Any]]
    windows: list[Window]
    deeds: list[Deed]
    quirks: Quirks = field(default_factory=Quirks)


def random_plan(seed: int, *, days: int = 7) -> Plan:
    """A week from its seed: most of the weeks have a change of clocks in them somewhere."""
    chance = random.Random(seed)
    begin = datetime.combine(chance.choice(DAYS), time(), UTC)
    document = _settings(chance)
    endpoints = []
    for key, entry in document["endpoints"].items():
        letters = chance.choice(["ab", "ab", "abc", "abcdefgh"])
        names = [entry["name"].replace("*", letter) for letter in letters] if "name" in entry else [key]
        endpoints += [_endpoint(chance, name) for name in names]
    managed = [endpoint["name"] for endpoint in endpoints]
    deeds = trouble.deeds(chance, begin, days, list(document["endpoints"]), managed, ["main", "batch"])
    if chance.random() < 0.1:
        deeds.append(
            Deed(begin + timedelta(days=chance.uniform(1, days)), "delete", {"endpoint": chance.choice(managed)})
        )
    moments = [deed.at for deed in deeds] + trouble.boundaries(begin, days, document["time_zone"])
    return Plan(
        seed=seed,
        begin=begin,
        days=days,
        document=document,
        endpoints=[*endpoints, {"name": "nobodys", "state": "running"}],
        windows=trouble.windows(chance, begin, days, chance.randint(0, 10), moments),
        deeds=sorted(deeds, key=lambda deed: deed.at),
        quirks=_quirks(chance),
    )


def _quirks(chance: random.Random) -> Quirks:
    return Quirks(
        pause_on_paused=chance.choice(["ok", "400", "409"]),
        resume_on_starting=chance.choice(["ok", "400", "409"]),
        resume_on_scaled_to_zero=chance.choice(["ok", "400"]),
        resume_on_failed=chance.choice(["ok", "400"]),
        scale_to_zero_on_paused=chance.choice(["ok", "400"]),
        pause_resets_replicas=chance.random() < 0.3,
    )


def _endpoint(chance: random.Random, name: str) -> dict[str, Any]:
    resume, wake = chance.choice([30, 90, 240, 540, 1200]), chance.choice([36, 120, 360])
    durations = Durations(resume=resume, wake=wake, load=chance.choice([0, 0, 20]))
    start = chance.choices(["comes up", "never", "fails", "no capacity"], [27, 1, 1, 1])[0]
    least = chance.choice([0, 1])
    return {
        "name": name,
        "state": chance.choice(["paused", "running", "scaledToZero"]),
        "durations": durations,
        "start": start,
        "min_replica": least,
        "scale_to_zero_minutes": chance.choice([None, 15, 60]) if least == 0 else None,
    }


def _settings(chance: random.Random) -> dict[str, Any]:
    """Random settings as YAML has them."""
    entries: dict[str, Any] = {}
    for number in range(chance.randint(3, 6)):
        entry: dict[str, Any] = {"rest": chance.choice(["paused", "paused", "scaledToZero"])}
        if chance.random() < 0.8:
            entry["hours"] = chance.choice([*HOURS, chance.sample(HOURS, 2)])
            entry["lead"] = chance.choice(["0m", "10m", "30m"])
        if chance.random() < 0.4 or "hours" not in entry:
            entry["platform"] = chance.choice(["main", "batch"])
        if chance.random() < 0.2:
            entry["name"] = f"many-{number}-*"
        if chance.random() < 0.3:
            entry["scaling"] = {"min_replicas": 1, "max_replicas": 2}
        if chance.random() < 0.1:
            entry["start"] = False
        if chance.random() < 0.1:
            entry["time_zone"] = chance.choice(ZONES)
        if chance.random() < 0.1:
            entry["holidays"] = []
        entries[f"entry-{number}"] = entry
    return {
        "namespace": "acme",
        "time_zone": chance.choice(ZONES),
        "reconcile_every": chance.choice(["10m", "15m", "20m", "30m"]),
        "holidays": ["2026-10-26", "2026-12-24..2026-12-26"],
        "platforms": {"main": {"max_started": "24h"}, "batch": {}},
        "endpoints": entries,
    }
