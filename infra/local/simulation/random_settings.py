"""Random settings as YAML has them, from a seed."""

import random
from typing import Any

from local.simulation.calendars import CALENDARS

# Scheduled actions; some at boundaries of the hours.
ACTIONS = ("*/30 9-17 * * 1-5", "0 22 * * *", "15 6,14 * * *", "0 8 * * 1-5", "30 3 * * 0,6", "50 7-20/3 * * *")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata")
HOURS = (
    *("Mon-Fri 08:00-20:00", "Sun-Thu 22:00-06:00", "daily 07:00-24:00", "Sat,Sun 10:00-16:00", "Wed 00:00-24:00"),
    *("daily 00:00-24:00", "daily 02:15-11:00", "Sat-Mon 00:30-08:00"),  # unite at midnight; may begin in a gap
)
UNITE = ["Mon-Fri 08:00-20:00", "daily 20:00-08:00"]


def random_settings(rng: random.Random) -> dict[str, Any]:
    """Random settings as YAML has them."""
    entries: dict[str, Any] = {}
    for number in range(rng.randint(3, 6)):
        entry: dict[str, Any] = {"rest": rng.choice(["paused", "paused", "scaledToZero"])}
        if rng.random() < 0.8:
            entry["hours"] = rng.choice([*HOURS, rng.sample(HOURS, 2), UNITE])
            entry["lead"] = rng.choice(["0m", "10m", "30m"])
        if rng.random() < 0.4 or "hours" not in entry:
            entry["platform"] = rng.choice(["main", "batch"])
        if rng.random() < 0.2:
            entry["name"] = f"many-{number}-*"
        if rng.random() < 0.3:
            entry["scaling"] = {"min_replicas": 1, "max_replicas": 2}
        if rng.random() < 0.1:
            entry["start"] = False
        if rng.random() < 0.1:
            entry["time_zone"] = rng.choice(ZONES)
        if rng.random() < 0.1:
            entry["holidays"] = []
        if rng.random() < 0.15:
            entry["enforce"] = False
        entries[f"entry-{number}"] = entry
    return {
        "namespace": "acme",
        "time_zone": rng.choice(ZONES),
        "reconcile_every": rng.choice(["10m", "15m", "20m", "30m"]),
        "holidays": ["2026-10-26", "2026-12-24..2026-12-26"],
        "platforms": {"main": {"max_started": "24h"}, "batch": {}},
        "endpoints": entries,
    }


def add_rarer(rng: random.Random, document: dict[str, Any]) -> None:
    """What few settings have."""
    entries = document["endpoints"]
    if rng.random() < 0.3:
        document["holidays"] = [rng.choice([*CALENDARS]), *document["holidays"]]
    for entry in entries.values():
        _add_hours(rng, entry)
        for key, value in (("protected", True), ("warm", False), ("holidays", rng.sample([*CALENDARS], 2))):
            if rng.random() < 0.15:
                entry[key] = value
    budgets = rng.choice([[], [], [], [document], rng.sample([*entries.values()], 2)])
    for one in budgets:
        one["budget"] = {"dollars": rng.choice([2, 10, 40])}
    for _ in range(rng.choice([0, 0, 1, 2])):
        some = rng.sample([*entries], 2)
        names = rng.choice([some, some, some[:1], ["*"]])
        action = {"at": rng.choice(ACTIONS), "do": rng.choice(["pause", "resume", "warm"]), "endpoints": names}
        document.setdefault("cron", []).append(action)


def _add_hours(rng: random.Random, entry: dict[str, Any]) -> None:
    kind = rng.choices(["", "always", "idle", "auto"], [6, 1, 2, 1])[0]
    if kind == "always":
        entry.pop("lead", None)
        entry["hours"] = "always"
    if kind == "idle" and "name" not in entry:
        for key in ("hours", "lead", "platform"):
            entry.pop(key, None)
        entry["idle_after"] = rng.choice(["20m", "45m", "3h"])
    if kind == "auto" and "hours" in entry:
        entry["lead"] = rng.choice(["auto", {"auto": {"at_least": "5m", "at_most": "20m"}}])


def features(document: dict[str, Any]) -> frozenset[str]:
    """What of it is rare in these settings."""
    entries = document["endpoints"].values()
    rare = {
        key for entry in entries for key in ("budget", "enforce", "idle_after", "protected", "warm") if key in entry
    }
    rare |= {"always"} if any(entry.get("hours") == "always" for entry in entries) else set()
    calendars = [day for one in [document, *entries] for day in one.get("holidays", ()) if day in CALENDARS]
    leads = [entry["lead"] for entry in entries if "lead" in entry]
    rare |= {"lead: auto"} if any("auto" in lead for lead in leads) else set()
    rare |= {"budget"} if "budget" in document else set()
    rare |= {"cron"} if "cron" in document else set()
    return frozenset(rare | ({"calendars"} if calendars else set()))
