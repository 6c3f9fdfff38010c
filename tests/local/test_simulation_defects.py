"""Days of the simulation with rarer settings: the invariants hold, and each defect breaks one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from lifecycle.core import rules
from lifecycle.core.model import Result
from lifecycle.core.schedule import ALWAYS, Holidays, Hours, Span
from lifecycle.engine import manual
from lifecycle.engine.run import Run, Target
from local.simulation.outages import ExternalEvent
from local.simulation.scenarios import Plan
from local.simulation.soak import played
from support.months import berlin

MONDAY = berlin("2026-11-23T00:00")
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Day:
    """A short plan: settings of namespace acme in Berlin, endpoints with their names, what is done at which hour."""

    settings: str
    endpoints: dict[str, dict[str, Any]]
    deeds: dict[float, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    begin: datetime = MONDAY
    days: int = 1

    def plan(self) -> Plan:
        text = f"namespace: acme\ntime_zone: Europe/Berlin\nreconcile_every: 10m\n{self.settings}"
        deeds = [ExternalEvent(self.begin + timedelta(hours=h), kind, one) for h, (kind, one) in self.deeds.items()]  # type: ignore[arg-type]
        named = [{"name": name, "min_replica": 1, **more} for name, more in self.endpoints.items()]
        return Plan(1, self.begin, self.days, yaml.safe_load(text), named, [], deeds)


# What few settings have, and when that is played.
CHRISTMAS = berlin("2026-12-24T00:00")
ALWAYS_ON = Day("endpoints: {gpu: {hours: always}}", {"gpu": {}}, days=2)
OFFICE = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, holidays: [GB]}}", {"gpu": {}}, begin=CHRISTMAS, days=2)
PAUSE: dict[str, Any] = {"function": "pause", "body": {"endpoints": ["gpu"], "until": "released"}}
PROTECTED = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, protected: true}}",
    {"gpu": {"state": "running"}},
    {9.0: ("ask", PAUSE), 15.0: ("ask", {"function": "pause", "body": {"endpoints": ["*"], "for": "1h30m"}})},
)


@pytest.mark.parametrize("day", [ALWAYS_ON, OFFICE, PROTECTED])
def test_a_day_without_a_defect_breaks_no_promise(day: Day) -> None:
    assert played(day.plan()).broken == ()


def ends_always_at_midnight(patch: Patch) -> None:
    at = Hours.at

    def ending(self: Hours, now: datetime) -> Span | None:
        found = at(self, now)
        return None if found is ALWAYS and now.astimezone(self.zone).hour == 0 else found

    patch.setattr(Hours, "at", ending)


def ignores_calendars(patch: Patch) -> None:
    patch.setattr(Holidays, "__contains__", lambda self, day: day in self.dates)


def stops_what_is_protected(patch: Patch) -> None:
    patch.setattr(rules, "_spared", lambda found: found)


def pauses_what_is_protected_by_name(patch: Patch) -> None:
    act = manual.act

    async def obeying(run: Run, target: Target, *args: Any, **kwargs: Any) -> list[Result]:
        return await act(run, replace(target, entry=replace(target.entry, protected=False)), *args, **kwargs)

    patch.setattr(manual, "act", obeying)


DEFECTS: list[tuple[Callable[[Patch], None], str, Day]] = [
    (ends_always_at_midnight, "a", ALWAYS_ON),
    (ignores_calendars, "e", OFFICE),
    (stops_what_is_protected, "a", PROTECTED),
    (pauses_what_is_protected_by_name, "c", PROTECTED),
]


@pytest.mark.parametrize(("defect", "promise", "day"), DEFECTS, ids=[defect.__name__ for defect, _, _ in DEFECTS])
def test_a_defect_breaks_a_promise(defect: Callable[[Patch], None], promise: str, day: Day, monkeypatch: Patch) -> None:
    defect(monkeypatch)
    assert promise in {line[0] for line in played(day.plan()).broken}
