"""Short plans of the simulation, with few settings: what a defect needs to show, and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml

from local.servers.huggingface import Quirks
from local.simulation.outages import EventKind, ExternalEvent, Kind, Window
from local.simulation.scenarios import Plan
from support.months import berlin

MONDAY = berlin("2026-11-23T00:00")
BASE = "namespace: acme\ntime_zone: Europe/Berlin\nreconcile_every: 10m\n"


@dataclass(frozen=True)
class Day:
    """Settings of namespace acme in Berlin, and endpoints by their names. `events` and `trouble`: by the hour, what is
    done and what is wrong for an hour."""

    settings: str
    endpoints: dict[str, dict[str, Any]]
    events: dict[float, tuple[EventKind, dict[str, Any]]] = field(default_factory=dict)
    trouble: dict[float, Kind] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)
    begin: datetime = MONDAY
    days: int = 1
    races: float = 0.0
    hanging: tuple[str, ...] = ()

    def plan(self) -> Plan:
        named = [{"name": name, "min_replica": 1, **more} for name, more in self.endpoints.items()]
        events = [ExternalEvent(self._at(hour), kind, one) for hour, (kind, one) in self.events.items()]
        windows = [Window(kind, self._at(hour), self._at(hour + 1)) for hour, kind in self.trouble.items()]
        document = yaml.safe_load(BASE + self.settings)
        return Plan(1, self.begin, self.days, document, named, windows, events, self.quirks, self.hanging, self.races)

    def _at(self, hour: float) -> datetime:
        return self.begin + timedelta(hours=hour)


def ask(function: str, **body: Any) -> tuple[EventKind, dict[str, Any]]:
    """A manual request, for the entry gpu if it names none."""
    return "ask", {"function": function, "body": {"endpoints": ["gpu"], **body}}


def says(event: str, late: int = 1) -> tuple[EventKind, dict[str, Any]]:
    """A message of the platform main."""
    return "platform", {"platform": "main", "event": event, "late": late, "times": 1}


def deploys(settings: str) -> tuple[EventKind, dict[str, Any]]:
    """New settings are deployed, and `sync` runs."""
    return "sync", {"document": yaml.safe_load(BASE + settings)}


# Days on which a defect shows.
CHRISTMAS = berlin("2026-12-24T00:00")
HOURS = "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, lead: 10m}}"
PLATFORM = "platforms: {main: {}}\nendpoints: {gpu: {platform: main}}"
SEVERAL = 'endpoints: {gpu: {name: "gpu-*", hours: Mon-Fri 08:00-12:00}}'
PLAIN = Day(HOURS, {"gpu": {}})
RUN = Day(HOURS, {"gpu": {}}, {15.0: ask("resume", **{"for": "1h30m"})})
MESSAGES = Day(PLATFORM, {"gpu": {}}, {8.0: says("started"), 9.0: says("started", 3600), 9.5: says("stopped")})
FORBIDDEN = Day(HOURS, {"gpu": {}}, trouble={7.5: "hub forbids"})
ASLEEP = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, rest: scaledToZero}}", {"gpu": {}})
DOWN = Day(HOURS, {"gpu": {}}, trouble={7.5: "hub down"})
ONE_FAILS = Day(SEVERAL, {"gpu-a": {}, "gpu-b": {"start": "fails"}})
TWO_HOLDERS = Day(
    HOURS,
    {"gpu": {}},
    {
        14.0: ask("resume", holder="anna", **{"for": "5h"}),
        15.0: ask("resume", holder="ci-1", **{"for": "5h"}),
        16.0: ask("reconcile", holder="ci-1", clear_override=True),
    },
)
ALWAYS_ON = Day("endpoints: {gpu: {hours: always}}", {"gpu": {}}, days=2)
OFFICE = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, holidays: [GB]}}", {"gpu": {}}, begin=CHRISTMAS, days=2)
DATES = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, holidays: ['2026-12-25']}}", {"gpu": {}}, begin=CHRISTMAS, days=2
)
PROTECTED = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, protected: true}}",
    {"gpu": {"state": "running"}},
    {9.0: ask("pause", until="released"), 15.0: ask("pause", endpoints=["*"], **{"for": "1h30m"})},
)
RESETS = Quirks(pause_resets_replicas=True)
BOUNDS = Day(HOURS, {"gpu": {"state": "running", "min_replica": 2, "max_replica": 3}}, quirks=RESETS)
RUNNING_IS_ENOUGH = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, warm: false}}", {"gpu": {}})
PRIVATE = Day(HOURS, {"gpu": {"type": "private", "reachable": False}})
CRON = 'cron: [{at: "0 14 * * *", do: pause, endpoints: [gpu]}, {at: "0 16 * * *", do: resume, endpoints: [gpu]}]'
SCHEDULED = Day(f"endpoints: {{gpu: {{}}}}\n{CRON}", {"gpu": {"state": "running"}})
STALE = Day(
    f"endpoints: {{gpu: {{}}}}\n{CRON}",
    {"gpu": {"state": "running"}},
    {14.001: ("touch", {"endpoint": "gpu", "state": "running"})},
    {13.5: "ticks late"},
)
AT_REST = Day(f"{HOURS}\n{CRON}", {"gpu": {}})
IDLE = Day(
    "endpoints: {gpu: {idle_after: 45m}}", {"gpu": {}}, {10.0: ("touch", {"endpoint": "gpu", "state": "running"})}
)
MONEY = Day("endpoints: {gpu: {hours: always, budget: {dollars: 4}}}", {"gpu": {}})
LEARNED = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, lead: auto}}", {"gpu": {}})
HELD = Day(
    HOURS,
    {"gpu": {}},
    {
        13.0: ask("resume", holder="anna", **{"for": "5h"}),
        14.0: deploys("endpoints: {gpu: {hours: Mon-Fri 20:00-22:00}}"),
    },
)
FOLLOWED = Day(PLATFORM, {"gpu": {}}, {8.0: says("started"), 14.0: deploys(f"{PLATFORM}\ncron: []")})
REMOVED = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00}, cpu: {hours: Mon-Fri 10:00-16:00}}",
    {"gpu": {}, "cpu": {}},
    {14.0: deploys(HOURS)},
)
