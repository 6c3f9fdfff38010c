"""The invariants, checked while a simulation plays: from the settings and the history alone.

This module looks on minute by minute; `answers` looks at each answer and at each request to Hugging Face, and `outside`
at each message and manual request.
"""

import asyncio
import json
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from local.servers.endpoints import BILLED, Endpoint
from local.simulation.bounds import Bounds
from local.simulation.cron_checks import CronChecks
from local.simulation.in_process import Call, Sent
from local.simulation.local_jobs import PARENT
from local.simulation.oracle import Entry
from local.simulation.past_checks import PastChecks
from local.simulation.response_checks import Answers
from local.simulation.runner import SOMEBODY_ELSES, TOKEN, Simulation

INVARIANTS = {
    "a": "what has been wanted for two reconcile runs of calm is reached, on its way, or reported as failed",
    "b": "the newest platform message decides",
    "c": "an override holds to its end, and is gone one reconcile run later",
    "d": "with a start shorter than lead, the endpoint answers when the hours begin",
    "e": "what is billed outside the wanted time stays within one reconcile run a change plus the outage",
    "f": "every failure is logged and answered as such, and no success that did not happen",
    "g": "nothing outside the settings is touched, and the token appears nowhere",
    "h": "what is done rests on what was read seconds before",
    "i": "endpoints that hang hold up no others",
    "j": "changed replica bounds are reported, and no endpoint is reported to answer without proof",
    "k": "a scheduled action is done at its time, and yields to the rules and to what changed since",
    "l": "budgets, learned leads and what is reported as billed follow what happened",
}
MINUTE = timedelta(minutes=1)
USED = timedelta(minutes=15)  # what was used within that time is not scaled to zero
STARTING = frozenset({"pending", "initializing", "updating"})
WAKES_WITHIN = timedelta(minutes=3)
TOLD_ONCE = timedelta(hours=6)
ENFORCED = timedelta(hours=1)


class InvariantChecker:
    """Looks on. `outside`: seconds billed while rest was wanted, in trouble or not."""

    def __init__(self, simulation: Simulation) -> None:
        self.s = simulation
        self.one_run = simulation.settings.reconcile_every + 2 * MINUTE
        self.two_runs = self.one_run + simulation.settings.reconcile_every
        self.since: dict[str, tuple[str, datetime]] = {}  # by endpoint: what is wanted, and since when
        self.settled: dict[str, datetime] = {}  # by entry: since when all is as wanted
        self.outside = 0.0
        named = [str(endpoint["name"]) for endpoint in simulation.plan.endpoints]
        self.names = {key: [n for n in named if fnmatchcase(n, name)] for key, name in simulation.plan.names().items()}
        self.answers = Answers(simulation, self.names, self._steady)
        self.bounds = Bounds(simulation)
        self.past = PastChecks(simulation, self.names)
        self.cron = CronChecks(simulation, self._steady)

    def sent(self, request: Sent) -> None:
        if request.begun >= self.s.deployed:  # else it goes by settings that are gone
            self.answers.sent(request)
        self.bounds.sent(request)
        self.cron.sent(request)

    def answered(self, call: Call) -> None:
        if call.begun >= self.s.deployed:
            self.answers.answered(call)
            self.cron.answered(call)
        self.bounds.answered(call)

    async def look(self) -> None:
        while True:
            await asyncio.sleep(60)
            now = self.s.now()
            self.cron.look(now)
            self.past.look(now)
            for key in self.s.oracle.entries:
                self._entry(key, self.names[key], now)

    def _entry(self, key: str, names: list[str], now: datetime) -> None:
        entry = self.s.oracle.entries[key]
        wanted, calm = {name: self.s.oracle.wanted(key, now, name) for name in names}, self.s.calm_since(key)
        begins = now.replace(second=0, microsecond=0) in entry.begins
        there = [self.s.hub[name] for name in names if name in self.s.hub.endpoints]
        for name in names:
            if self.since.get(name, ("", now))[0] != (own := self._without_start(key, wanted[name])):
                self.since[name] = own, now
        for endpoint in there:
            self._endpoint(endpoint, key, now, calm)
            if begins:
                self._answers_at_the_beginning(endpoint, entry, now, calm)
                self.past.begins(endpoint, entry, now, calm)
            if now.replace(second=0, microsecond=0) - WAKES_WITHIN in entry.begins:
                self._is_woken_at_the_beginning(endpoint, entry, now, calm)
        if not there and key in names and now - calm > self.two_runs and not self._reported(key, "has no endpoint"):
            self._broke("a", key, f"{key} was deleted, and nobody reports it")
        if not all(self._as_wanted(endpoint, wanted[endpoint.name]) for endpoint in there):
            self.settled.pop(key, None)
        self._override(key, max(calm, self.settled.setdefault(key, now) if there else now), now)

    def _endpoint(self, endpoint: Endpoint, key: str, now: datetime, calm: datetime) -> None:
        wanted, since = self.since[endpoint.name]
        stands = now - max(calm, since)
        rests = wanted in ("paused", "scaledToZero")
        self.outside += 60 * (rests and endpoint.state in BILLED)
        # A start can fail on its own; the next reconcile run sees it.
        failed_for = now - endpoint.history[-1][0] if endpoint.state == "failed" else stands
        acts = self._rules_act(endpoint, key, now, max(calm, since))
        if min(stands, failed_for) > self.two_runs and acts:
            self.s.checked["a"] += 1
            # Only what cannot come up may be reported instead.
            can_not = endpoint.start != "comes up" or not (endpoint.reachable or endpoint.state != "scaledToZero")
            enforced = self.s.oracle.entries[key].enforce  # else it may have been reported hours ago
            excused = can_not and (self._reported(endpoint.name, "") or not enforced)
            if not self._fits(endpoint, wanted) and not excused:
                self._broke("a", key, f"{endpoint.name} is {endpoint.state}, wanted {wanted} since {since:%a %H:%M}")
            self._scaling(endpoint, key)
        if rests and stands > self.one_run and acts:
            self.s.checked["e"] += 1
            if endpoint.state in BILLED and not self._may_still_bill(endpoint, wanted, now):
                self._broke("e", key, f"{endpoint.name} is {endpoint.state}, rest is wanted since {since:%a %H:%M}")

    def _rules_act(self, endpoint: Endpoint, key: str, now: datetime, steady: datetime) -> bool:
        """With `enforce: false`: whether two runs found it steady in the hour after a change, and both are over."""
        oracle = self.s.oracle
        if oracle.entries[key].enforce or oracle.held(key, now) or oracle.by_rules(key, now) == "any":
            return True
        changed = oracle.changed(key, now, released=False)
        used = endpoint.last_used + USED if endpoint.last_used else steady
        begun = max(steady, used, endpoint.history[-1][0], changed or steady) + self.two_runs
        return changed is not None and begun <= changed + ENFORCED and begun < now

    def _fits(self, endpoint: Endpoint, wanted: str) -> bool:
        """In it, on its way, or left as the design says."""
        state = endpoint.state
        if wanted == "running":
            return state in STARTING or self._matches(endpoint, wanted)
        if wanted == "scaledToZero":
            return state in ("scaledToZero", "paused") or self._may_still_bill(endpoint, wanted, self.s.now())
        return wanted in ("any", state)

    def _may_be_started(self, key: str) -> bool:
        return self.s.oracle.entries[key].start or bool(self.s.oracle.held(key, self.s.now()))

    def _may_still_bill(self, endpoint: Endpoint, wanted: str, now: datetime) -> bool:
        """To zero is scaled only what has come up and has not been used for a while, by the next run."""
        used = endpoint.last_used and now - endpoint.last_used < USED + self.one_run
        changed = now - endpoint.history[-1][0] < self.one_run
        return wanted == "scaledToZero" and (endpoint.state in STARTING or bool(used) or changed)

    def _without_start(self, key: str, wanted: str) -> str:
        """With `start: false` the rules want nothing to run, only requests do."""
        return "any" if wanted == "running" and not self._may_be_started(key) else wanted

    def _reported(self, name: str, text: str) -> bool:
        """Whether the last runs reported that it failed."""
        oldest = self.s.now() - self.two_runs
        for line in reversed(self.s.logs):
            if line["at"] < oldest:
                return False
            if line.get("name") == name and line["severity"] == "ERROR" and text in line["message"]:
                return True
        return False

    def _scaling(self, endpoint: Endpoint, key: str) -> None:
        """What is declared of the scaling holds for what runs; where somebody changed it since, that is reported."""
        declared = self.s.oracle.entries[key].scaling
        bounds = endpoint.min_replica, endpoint.max_replica
        wanted = declared.get("min_replicas", bounds[0]), declared.get("max_replicas", bounds[1])
        if bounds == wanted or endpoint.state != "running":
            return
        lines = (line for line in reversed(self.s.logs) if line["event"] == "endpoint")
        last = next((line["message"] for line in lines if line["name"] == endpoint.name), "")
        if "scaling differs" not in last:
            self._broke("a", key, f"{endpoint.name} has {bounds} replicas, declared are {wanted}")

    def _answers_at_the_beginning(self, endpoint: Endpoint, entry: Entry, now: datetime, calm: datetime) -> None:
        lead = entry.lead
        slowest = max(endpoint.durations.resume, endpoint.durations.wake)
        needs = timedelta(seconds=slowest + endpoint.durations.load + 40)
        steady = self.since[endpoint.name][0] == "running" and self.since[endpoint.name][1] <= now - lead + MINUTE
        # Its idle clock is its own: one that fell asleep less than a pass ago could not be woken in time.
        falls = [at for at, state in endpoint.history if state == "scaledToZero" and endpoint.min_replica == 0]
        fell = falls[-1] if falls else None
        sleeps = fell is not None and now - fell < self.s.settings.reconcile_every + needs
        wakes = endpoint.reachable or endpoint.state != "scaledToZero"
        able = endpoint.start == "comes up" and entry.start and not sleeps and wakes
        able = able and not self._clock_changes(entry, now)
        if lead > needs and steady and calm < now - lead - MINUTE and able:
            self.s.checked["d"] += 1
            if not endpoint.ready:
                self._broke("d", entry.key, f"{endpoint.name} is {endpoint.state} when its hours begin")

    def _clock_changes(self, entry: Entry, begin: datetime) -> bool:
        """Whether a clock changes within the lead, for which there is no job (docs/design.md)."""
        document = self.s.plan.document
        own = document["endpoints"][entry.key].get("time_zone")
        zone = ZoneInfo(own or document.get("time_zone", "UTC"))
        return begin.astimezone(zone).utcoffset() != (begin - entry.lead).astimezone(zone).utcoffset()

    def _is_woken_at_the_beginning(self, endpoint: Endpoint, entry: Entry, now: datetime, calm: datetime) -> None:
        """Without lead the call of the boundary wakes what sleeps by itself."""
        begin = now.replace(second=0, microsecond=0) - WAKES_WITHIN
        wanted, since = self.since[endpoint.name]
        able = entry.start and endpoint.reachable
        if entry.lead or not able or wanted != "running" or max(since, calm) > begin:
            return
        self.s.checked["d"] += 1
        if endpoint.state == "scaledToZero" and endpoint.history[-1][0] < begin:
            self._broke("d", entry.key, f"{endpoint.name} sleeps on when its hours begin at {begin:%a %H:%M}")

    def _override(self, key: str, calm: datetime, now: datetime) -> None:
        """It is there to its end. When it has ended, and all is as the rules want it, it is gone one run later."""
        overrides = self.s.oracle.entries[key].overrides
        kept = self.s.kept(key) if overrides else {}
        for holder, override in [*overrides.items()]:
            over = self.s.oracle.over(override, now)
            if not over and self.s.calm_since(key) < now:
                self.s.checked["c"] += 1
                if holder not in kept:
                    self._broke("c", key, f"the override of {key} by {holder!r} until {override.until} is gone")
            ended = max(calm, override.until) if override.until and over else calm
            if over and now - ended > self.one_run:
                self.s.checked["c"] += 1
                if holder in kept:
                    self._broke("c", key, f"the override of {key} by {holder!r} until {override.until} is still there")
            if over and holder not in kept:
                del overrides[holder]

    def _as_wanted(self, endpoint: Endpoint, wanted: str) -> bool:
        """As a pass must find it, so that an ended override goes."""
        return endpoint.state in ("running", "paused", "scaledToZero") and self._matches(endpoint, wanted)

    @staticmethod
    def _matches(endpoint: Endpoint, wanted: str) -> bool:
        if wanted == "running":
            return endpoint.state == "running" or (endpoint.state == "scaledToZero" and not endpoint.min_replica)
        return wanted in ("any", endpoint.state) or (wanted, endpoint.state) == ("scaledToZero", "paused")

    def _steady(self, name: str) -> tuple[str, datetime]:
        """What is wanted of an endpoint, and since when that stands undisturbed."""
        key, now = self.s.entry_of(name), self.s.now()
        wanted, since = self.since.get(name, ("", now))
        if wanted != self._without_start(key, self.s.oracle.wanted(key, now, name)):
            since = now
        return wanted, max(since, self.s.calm_since(key))

    def _broke(self, invariant: str, key: str, what: str) -> None:
        self.s.broke(invariant, what)
        self.s.disturbed[key] = self.s.now() + TOLD_ONCE

    def conclude(self) -> None:
        """What can only be seen at the end."""
        self.past.conclude()
        for kind, fault in self.s.faults:
            self.s.met[kind] += fault.met
        jobs = self.s.scheduler.jobs
        for where, texts in {"log": self.s.raw, "answer": self.s.replies, "job": [json.dumps(jobs)]}.items():
            self.s.checked["g"] += len(texts)
            if any(TOKEN in text for text in texts):
                self.s.broke("g", f"the token is in a {where}")
        if f"{PARENT}/jobs/{SOMEBODY_ELSES}" not in jobs:
            self.s.broke("g", f"the job {SOMEBODY_ELSES} is gone")
        managed = {name for names in self.names.values() for name in names}
        for endpoint in self.s.hub.endpoints.values():
            if endpoint.name not in managed and len(endpoint.history) > 1:
                self.s.broke("g", f"{endpoint.name} is unmanaged, and became {endpoint.state}")
