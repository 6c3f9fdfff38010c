"""The past: what is reported as billed was billed, budgets follow that, and learned leads follow how starts went."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from lifecycle.core import report
from lifecycle.core.money import exact_bill
from local.servers.endpoints import BILLED, Endpoint
from local.servers.huggingface import PRICES
from local.simulation.oracle import Entry
from local.simulation.runner import Simulation

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SLOT = timedelta(minutes=10)  # the shortest time for which money is added up
UNSEEN = timedelta(minutes=30)  # at the end of the week: what is reported comes late
UNLEARNED, FEWEST = timedelta(minutes=10), 5
TOLD_ONCE = timedelta(hours=6)
ROUNDED = timedelta(minutes=2)  # a minute to spare, and how coarsely starts are counted


class PastChecks:
    """`billed`: what the local Hugging Face billed each endpoint; `before`: what of it in earlier months of a zone."""

    def __init__(self, simulation: Simulation, names: dict[str, list[str]]) -> None:
        self.s = simulation
        self.names = names
        self.every = simulation.settings.reconcile_every
        self.billed: dict[str, float] = {}
        self.before: dict[tuple[str, str], dict[str, float]] = {}  # by zone and month
        self.over: dict[str, datetime] = {}  # since when a budget must be known as spent
        self.at_end: dict[str, float] = {}
        trouble = [w.end - w.begin + 3 * self.every for w in simulation.harmful]
        self.unsure = sum(trouble, timedelta())

    def look(self, now: datetime) -> None:
        named = [name for key in self.s.oracle.entries for name in self.names[key]]
        every = [name for name in named if name in self.s.hub.endpoints]
        for endpoint in map(self.s.hub.__getitem__, every):
            self.billed[endpoint.name] = endpoint.billed_seconds / 3600 * PRICES[endpoint.instance]
        document = self.s.plan.document
        for key, given in document["endpoints"].items():
            if "budget" in given:
                self._budget(key, [key], given, now)
        if "budget" in document:
            self._budget("", [*document["endpoints"]], document, now)
        if now <= self.s.end - UNSEEN:
            self.at_end = dict(self.billed)

    # Budgets.

    def _budget(self, key: str, entries: list[str], given: dict[str, Any], now: datetime) -> None:
        """It is spent when as much was billed, to within one run a change, and a missing run for what nobody saw."""
        zone = given.get("time_zone") or self.s.plan.document.get("time_zone", "UTC")
        month = self.s.budgets.month(key, now)
        before = self.before.setdefault((zone, month), dict(self.billed) if self.before else {})
        names = [name for entry in entries for name in self.names[entry]]
        billed = sum(self.billed.get(name, 0.0) - before.get(name, 0.0) for name in names)
        error, dollars = sum(map(self._error, names)), given["budget"]["dollars"]
        spent = self.s.budgets.of(key, now) is not None
        known = f"${billed:.2f} (± {error:.2f}) of the ${dollars} of {key or 'all'} were billed"
        self.s.checked["l"] += 1
        if spent and billed < dollars - error:
            self._broke(f"{known}, and it is spent", entries)
        if spent or billed < dollars + error:
            self.over.pop(key, None)
            return
        since = max([self.over.setdefault(key, now), *(self.s.calm_since(entry) for entry in entries)])
        if now - since > 2 * self.every + 5 * MINUTE:
            self._broke(f"{known}, and it is not spent", entries)

    def _error(self, name: str) -> float:
        """Dollars: one run for each change."""
        endpoint = self.s.hub.endpoints.get(name)
        if endpoint is None:
            return self.billed.get(name, 0.0)  # deleted: nobody knows when
        runs = 4 if self.s.plan.lost else 1
        billed = [state in BILLED for _, state in endpoint.history]
        changes = 2 + sum(before != after for before, after in pairwise(billed))
        entry = self.s.oracle.entries.get(self.s.entry_of(name))
        given = next(one for one in self.s.plan.endpoints if one["name"] == name)
        declared = entry.scaling.get("min_replicas", 0) if entry else 0
        most: int = max(1, given.get("min_replica", 0), endpoint.min_replica, declared)
        return most * PRICES[endpoint.instance] * ((runs * max(self.every, SLOT) * changes + self.unsure) / HOUR)

    # Learned leads.

    def begins(self, endpoint: Endpoint, entry: Entry, now: datetime, calm: datetime) -> None:
        """When hours begin with a learned lead, it was started as its starts ask for, and is ready."""
        held = entry.overrides or entry.platform or any(entry.key in one.entries for one in self.s.oracle.actions)
        able = endpoint.start == "comes up" and entry.start and entry.rest == "paused" and endpoint.min_replica > 0
        earliest = now - entry.lead - 2 * self.every
        if not entry.may_start or held or not able or calm > earliest or self.s.oracle.is_spent(entry, now):
            return
        needs = timedelta(seconds=endpoint.durations.resume + endpoint.durations.load + 40)
        begun = [at for at, state in endpoint.history if state == "pending" and at > self.s.plan.begin]
        known = [1 for line in self.s.logs if line.get("start_seconds") and line["name"] == endpoint.name]
        learned = len(known) >= FEWEST  # a start counts that a call began and waited for
        self.s.checked["l"] += 1
        if needs < (entry.lead - 2 * MINUTE if learned else UNLEARNED) and not endpoint.ready:
            self._broke(
                f"{endpoint.name} is {endpoint.state} when its hours begin, and its lead is learned", [entry.key]
            )
        longest = max(UNLEARNED, needs + ROUNDED) if learned else UNLEARNED
        if begun and earliest < begun[-1] < now - longest - self.every - MINUTE:
            self._broke(f"{endpoint.name} was started {now - begun[-1]} before its hours, needed {needs}", [entry.key])

    # What is reported.

    def conclude(self) -> None:
        """At the end of the week: the sums of the report."""
        begin, end = self.s.plan.begin, self.s.end - UNSEEN
        source, logs = self.s.world().monitoring, self.s.log_reader()
        assert source is not None
        found = asyncio.run(source.costs(begin, end + 5 * MINUTE, self.every, 1e9, fine=True))
        known = report.changes(asyncio.run(logs.lines(report.CONDITION, begin, end)))
        for (_, name), windows in found.items():
            reported, true = exact_bill(windows, self.every, known.get(name, ())), self.at_end.get(name, 0.0)
            self.s.checked["l"] += 1
            error = self._error(name) + reported.unknown / HOUR * 3 * max(PRICES.values())
            if abs(reported.dollars - true) > error:
                self.s.broke("l", f"{name} cost ${true:.2f}, reported are ${reported.dollars:.2f} (± {error:.2f})")

    def _broke(self, what: str, entries: list[str]) -> None:
        self.s.broke("l", what)
        for key in entries:
            self.s.disturbed[key] = self.s.now() + TOLD_ONCE
