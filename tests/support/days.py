"""Short plans of the simulation, with few settings: what a defect needs to show, and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml

from local.servers.huggingface import Quirks
from local.simulation.outages import ExternalEvent, Kind, Window
from local.simulation.scenarios import Plan
from support.months import berlin

MONDAY = berlin("2026-11-23T00:00")


@dataclass(frozen=True)
class Day:
    """Settings of namespace acme in Berlin, and endpoints by their names. `deeds` and `trouble`: by the hour, what is
    done and what is wrong for an hour."""

    settings: str
    endpoints: dict[str, dict[str, Any]]
    deeds: dict[float, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    trouble: dict[float, Kind] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)
    begin: datetime = MONDAY
    days: int = 1
    races: float = 0.0
    hanging: tuple[str, ...] = ()

    def plan(self) -> Plan:
        text = f"namespace: acme\ntime_zone: Europe/Berlin\nreconcile_every: 10m\n{self.settings}"
        named = [{"name": name, "min_replica": 1, **more} for name, more in self.endpoints.items()]
        deeds = [ExternalEvent(self._at(hour), kind, one) for hour, (kind, one) in self.deeds.items()]  # type: ignore[arg-type]
        windows = [Window(kind, self._at(hour), self._at(hour + 1)) for hour, kind in self.trouble.items()]
        return Plan(
            1, self.begin, self.days, yaml.safe_load(text), named, windows, deeds, self.quirks, self.hanging, self.races
        )

    def _at(self, hour: float) -> datetime:
        return self.begin + timedelta(hours=hour)


def ask(function: str, **body: Any) -> tuple[str, dict[str, Any]]:
    """A manual request, for the entry gpu if it names none."""
    return "ask", {"function": function, "body": {"endpoints": ["gpu"], **body}}


def says(event: str, late: int = 1) -> tuple[str, dict[str, Any]]:
    """A message of the platform main."""
    return "platform", {"platform": "main", "event": event, "late": late, "times": 1}
