"""New settings, made from those of a week: other hours, an entry removed, one added, other scheduled actions."""

import copy
import random
from typing import Any

from local.simulation.random_settings import ACTIONS, HOURS

ADDED = "added"  # the key of the entry that is added, and the name of its endpoint


def new_settings(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Where a budget spans all entries, these stay the same: what was billed before is not known by entry."""
    found = copy.deepcopy(document)
    entries = found["endpoints"]
    if timed := [entry for entry in entries.values() if entry.get("hours", "always") != "always"]:
        rng.choice(timed)["hours"] = rng.choice(HOURS)
    spare = [key for key, entry in entries.items() if "budget" not in entry and key != "crowd"]
    if "budget" not in document and len(spare) > 1 and rng.random() < 0.7:
        _remove(found, rng.choice(spare))
    if "budget" not in document and rng.random() < 0.7:
        entries[ADDED] = {"hours": rng.choice(HOURS), "lead": rng.choice(["0m", "10m"])}
    if rng.random() < 0.5:
        action = {"at": rng.choice(ACTIONS), "do": rng.choice(["pause", "resume", "warm"])}
        found["cron"] = [*found.get("cron", [])[1:], action | {"endpoints": [rng.choice([*entries])]}]
    return found


def _remove(document: dict[str, Any], key: str) -> None:
    del document["endpoints"][key]
    for action in document.get("cron", ()):
        action["endpoints"] = [name for name in action["endpoints"] if name != key]
    if "cron" in document:
        document["cron"] = [action for action in document["cron"] if action["endpoints"]]
