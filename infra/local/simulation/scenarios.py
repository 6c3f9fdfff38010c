"""A random week from its seed: the settings, the endpoints, trouble and events."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local.servers.endpoints import Durations
from local.servers.huggingface import Quirks
from local.simulation import outages as trouble
from local.simulation.new_settings import ADDED, new_settings
from local.simulation.outages import ExternalEvent, Window
from local.simulation.random_settings import HOURS, add_rarer, random_settings

# Mondays to Fridays before the clocks change: Lord Howe by half an hour, Berlin, New York and Havana, and Christmas.
DAYS = (
    *(date(2026, 3, 2), date(2026, 3, 26), date(2026, 4, 1), date(2026, 9, 30)),
    *(date(2026, 10, 19), date(2026, 10, 28), date(2026, 12, 21)),
)
CROWDS, MANY = 0.04, 36  # how many weeks have an entry of many endpoints, and how many
DEPLOYMENTS = 0.3  # how many weeks have new settings in the middle


def at_least_one(text: str) -> int:
    """How many weeks, from the command line: none would keep every invariant. Raises ValueError."""
    if int(text) < 1:
        raise ValueError
    return int(text)


@dataclass
class Plan:
    """What a run is made of: settings as YAML has them, the endpoints, trouble and events."""

    seed: int
    begin: datetime
    days: int
    document: dict[str, Any]
    endpoints: list[dict[str, Any]]
    windows: list[Window]
    events: list[ExternalEvent]
    quirks: Quirks = field(default_factory=Quirks)
    hanging: tuple[str, ...] = ()  # the endpoints that hang in the windows "some hang"
    races: float = 0.0  # how often somebody changes what a call decided on, while it waits; 1: as in random weeks
    lost: float = 0.0  # the share of the metrics' values that never arrive

    def names(self) -> dict[str, str]:
        """The names, or patterns of names, of every entry that there is at some time."""
        documents = [self.document, *(event.detail["document"] for event in self.events if event.kind == "sync")]
        return {key: entry.get("name", key) for one in documents for key, entry in one["endpoints"].items()}


def random_plan(seed: int, *, days: int = 7) -> Plan:
    """A week from its seed: most of the weeks have a change of clocks in them somewhere."""
    rng = random.Random(seed)
    begin = datetime.combine(rng.choice(DAYS), time(), UTC)
    document = random_settings(rng)
    add_rarer(random.Random(f"{seed} settings"), document)
    endpoints = []
    for key, entry in document["endpoints"].items():
        letters = rng.choice(["ab", "ab", "abc", "abcdefgh"])
        names = [entry["name"].replace("*", letter) for letter in letters] if "name" in entry else [key]
        endpoints += [_endpoint(rng, name) for name in names]
    rarer = random.Random(f"{seed} endpoints")
    endpoints = [endpoint | _rarer_endpoint(rarer, endpoint) for endpoint in endpoints]
    managed = [endpoint["name"] for endpoint in endpoints]
    events = trouble.events(rng, begin, days, list(document["endpoints"]), managed, ["main", "batch"])
    if rng.random() < 0.1:
        events.append(
            ExternalEvent(begin + timedelta(days=rng.uniform(1, days)), "delete", {"endpoint": rng.choice(managed)})
        )
    events += trouble.rarer_events(random.Random(f"{seed} deeds"), begin, days, managed)
    moments = [event.at for event in events] + trouble.boundaries(begin, days, document["time_zone"])
    plan = Plan(
        seed=seed,
        begin=begin,
        days=days,
        document=document,
        endpoints=[*endpoints, {"name": "nobodys", "state": "running"}],
        windows=trouble.windows(rng, begin, days, rng.randint(0, 10), moments),
        events=sorted(events, key=lambda event: event.at),
        quirks=_quirks(rng),
        races=1.0,
        lost=rarer.choice([0.0, 0.0, 0.02]),
    )
    budgets = [one for one in (document, *document["endpoints"].values()) if "budget" in one]
    if rng.random() < CROWDS and not budgets:  # the costs of a crowd take minutes to check
        _with_crowd(plan, rng)
    deployments = random.Random(f"{seed} deployments")
    if deployments.random() < DEPLOYMENTS:
        _with_new_settings(plan, deployments)
    return plan


def _with_crowd(plan: Plan, rng: random.Random) -> None:
    """Adds an entry of many endpoints. Two thirds of them hang now and then, and just then all are asked to change."""
    plan.document["endpoints"]["crowd"] = {"name": "crowd-*", "hours": rng.choice(HOURS)}
    names = [f"crowd-{number:02}" for number in range(MANY)]
    plan.hanging = tuple(names[: MANY * 2 // 3])
    plan.endpoints += [_endpoint(rng, name) for name in names]
    for _ in range(plan.days * 2):
        at = plan.begin + timedelta(hours=rng.uniform(1, plan.days * 24 - 1))
        plan.windows.append(Window("some hang", at, at + timedelta(minutes=20)))
        asked = {"entry": "crowd", "holder": rng.choice(["", "anna"])}
        plan.events.append(ExternalEvent(at + timedelta(seconds=rng.uniform(1, 600)), "oppose", asked))
    plan.windows.sort(key=lambda window: window.begin)
    plan.events.sort(key=lambda event: event.at)


def _with_new_settings(plan: Plan, rng: random.Random) -> None:
    """Adds a deployment of new settings, with manual requests before it, meanwhile and after it."""
    document = new_settings(rng, plan.document)
    at = plan.begin + timedelta(days=rng.uniform(1, plan.days - 2))
    plan.events.append(ExternalEvent(at, "sync", {"document": document}))
    if ADDED in document["endpoints"]:
        plan.endpoints.append({**_endpoint(rng, ADDED), "state": "paused", "min_replica": 1})
    for seconds in (rng.uniform(-3600, 0), *(rng.uniform(0, 90) for _ in range(4)), rng.uniform(90, 3600)):
        asked = {"entry": rng.choice([*document["endpoints"]]), "holder": rng.choice(["", "anna", "ci-1"])}
        plan.events.append(ExternalEvent(at + timedelta(seconds=seconds), "oppose", asked))
    plan.events.sort(key=lambda event: event.at)


def _quirks(rng: random.Random) -> Quirks:
    return Quirks(
        pause_on_paused=rng.choice(["ok", "400", "409"]),
        resume_on_starting=rng.choice(["ok", "400", "409"]),
        resume_on_scaled_to_zero=rng.choice(["ok", "400"]),
        resume_on_failed=rng.choice(["ok", "400"]),
        scale_to_zero_on_paused=rng.choice(["ok", "400"]),
        pause_resets_replicas=rng.random() < 0.3,
    )


def _endpoint(rng: random.Random, name: str) -> dict[str, Any]:
    resume, wake = rng.choice([30, 90, 240, 540, 1200]), rng.choice([36, 120, 360])
    durations = Durations(resume=resume, wake=wake, load=rng.choice([0, 0, 20]))
    start = rng.choices(["comes up", "never", "fails", "no capacity"], [27, 1, 1, 1])[0]
    least = rng.choice([0, 1])
    return {
        "name": name,
        "state": rng.choice(["paused", "running", "scaledToZero"]),
        "durations": durations,
        "start": start,
        "min_replica": least,
        "scale_to_zero_minutes": rng.choice([None, 15, 60]) if least == 0 else None,
    }


def _rarer_endpoint(rng: random.Random, endpoint: dict[str, Any]) -> dict[str, Any]:
    """What few endpoints have: more replicas, and a URL that nobody outside can reach."""
    most = rng.choice([1, 1, 2, 3])
    found: dict[str, Any] = {"max_replica": most}
    if rng.random() < 0.2 and endpoint["min_replica"]:
        found["min_replica"] = most
    if rng.random() < 0.15:
        found |= {"reachable": False, "type": rng.choice(["private", "authenticated"])}
    return found
