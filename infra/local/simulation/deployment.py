"""New settings in the middle of a week: the functions are deployed with them, and then `sync` changes the jobs.

Until `sync` is done, jobs may ask for entries that are gone; so all entries are disturbed until then. Calls that were
begun before the deployment end with the old settings.
"""

import asyncio
import base64
import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from lifecycle.cli import desired_jobs, job_changes
from lifecycle.cli.sync import SYNC_TIME
from lifecycle.config import settings
from lifecycle.errors import Failure
from local.simulation.local_jobs import TARGET, made
from local.simulation.oracle import Decision, oracle
from local.simulation.stored_budgets import StoredBudgets

if TYPE_CHECKING:
    from local.simulation.runner import Simulation

Json = dict[str, Any]
OVERRIDE, PLATFORM, BUDGET = "lifecycle-override-", "lifecycle-platform-", "lifecycle-budget"


async def deployed(s: "Simulation", document: Json) -> None:
    """Deploys the functions with new settings, and runs `sync` until it succeeds."""
    s.show(s.now(), "new settings are deployed")
    with s.trouble(""):
        _switch(s, document)
        await asyncio.sleep(s.rng.uniform(5, 60))
        done = False
        while not done:
            done = await _synced(s)
            await asyncio.sleep(0 if done else 60)
    s.show(s.now(), "lifecycle sync is done")


def _switch(s: "Simulation", document: Json) -> None:
    """From now on calls, and the oracle, go by the new settings; the history stays."""
    s.settings = settings.parse(yaml.safe_dump(document, sort_keys=False).encode())
    s.plan = replace(s.plan, document=document)
    s.entry_of.cache_clear()
    s.functions.instances.clear()
    s.deployed = s.now()
    found, known = oracle(document, s.plan.begin, s.end), s.oracle.entries
    for key in found.entries.keys() & known.keys():
        for name in ("overrides", "changed_at", "released_at", "release_failed"):
            setattr(found.entries[key], name, getattr(known[key], name))
    s.oracle.entries, s.oracle.actions = found.entries, found.actions
    s.budgets = StoredBudgets(document, s.scheduler.jobs)
    s.oracle.spent = s.budgets.spent_at
    for key in found.entries:
        s.disturbed.setdefault(key, s.now())


async def _synced(s: "Simulation") -> bool:
    """Runs `sync` once, slowly, and looks at what it left; false if it failed."""
    deadline = asyncio.get_running_loop().time() + SYNC_TIME
    jobs = s.jobs(deadline, lambda *_: s.rng.uniform(0, 2))
    before = _Before(s)
    s.met["sync"] += 1
    try:
        found = job_changes.difference(s.settings, TARGET, await jobs.retry(jobs.list))
        await asyncio.sleep(s.rng.uniform(0, 30))
        s.met["asked during sync"] += before.asked != s.asked
        if found.changes:
            await job_changes.apply(found.changes, jobs, TARGET)
        succeeded = True
    except Failure:
        succeeded = False
    before.is_kept()
    if succeeded:
        before.is_as_the_settings_say()
    return succeeded


class _Before:
    """What the jobs stored before `sync`, to be held against what they store after it."""

    def __init__(self, simulation: "Simulation") -> None:
        self.s = simulation
        self.jobs = self._jobs()
        self.asked = simulation.asked.copy()
        self.asking = {key for key, count in simulation.asking.items() if count}
        self.overrides = {key: simulation.kept(key) for key in simulation.oracle.entries}

    def is_kept(self) -> None:
        """Jobs of others are as they were; nothing stored is lost."""
        after = self._jobs()
        for id in [id for id in self.jobs if not id.startswith("lifecycle-")]:
            self._look("g", after.get(id) == self.jobs[id], f"sync changed {id}, which is not its own")
        owners = [("b", PLATFORM + name) for name in self._followed()]
        budgets = [f"{BUDGET}_{key}" for key, entry in self._given().items() if "budget" in entry]
        for invariant, id in [*owners, *(("l", id) for id in [BUDGET, *budgets])]:
            if id in self.jobs and "memory" in _body(self.jobs[id]):
                self._look(invariant, "memory" in _body(after.get(id)), f"sync lost what {id} stored")
        for key, overrides in self.overrides.items():
            if not self._asked_meanwhile(key):
                now = self._lasting(self.s.kept(key))
                self._look("c", self._lasting(overrides).items() <= now.items(), f"sync changed overrides of {key}")

    def is_as_the_settings_say(self) -> None:
        """Every job that the settings ask for is there, and no other but those that store something."""
        after, wanted = self._jobs(), desired_jobs.jobs(self.s.settings, TARGET)
        for job in wanted:
            is_, should_be = _compared(after.get(job.id)), _compared(made(job))
            if job.id.startswith((PLATFORM, BUDGET)):
                is_.pop("body", None), should_be.pop("body")
            self._look("k", is_ == should_be, f"after sync {job.id} is {is_}, should be {should_be}")
        left = {id for id in after if id.startswith("lifecycle-")} - {job.id for job in wanted}
        self._look("k", all(map(self._may_stay, left)), f"sync left {sorted(left)}")

    def _may_stay(self, id: str) -> bool:
        """What an old revision stored meanwhile goes with the next `sync`."""
        if id.startswith(OVERRIDE):
            key = id.removeprefix(OVERRIDE).partition("_")[0]
            return key in self._given() or self._asked_meanwhile(key)
        platform = id.removeprefix(PLATFORM).partition("_")[0]
        return platform in self._followed() or bool(self.s.oracle.under_way.get(platform))

    def _asked_meanwhile(self, key: str) -> bool:
        return key in self.asking or self.s.asked[key] != self.asked[key]

    def _lasting(self, overrides: Mapping[str, Decision]) -> dict[str, Decision]:
        """Those that nothing but `sync` could have ended meanwhile."""
        now = self.s.now()
        return {who: one for who, one in overrides.items() if not one.or_started and not self.s.oracle.over(one, now)}

    def _given(self) -> Mapping[str, Json]:
        given: Mapping[str, Json] = self.s.plan.document["endpoints"]
        return given

    def _followed(self) -> Iterable[str]:
        return {entry["platform"] for entry in self._given().values() if "platform" in entry}

    def _jobs(self) -> dict[str, Json]:
        return {name.rpartition("/")[2]: copy.deepcopy(job) for name, job in self.s.scheduler.jobs.items()}

    def _look(self, invariant: str, holds: bool, what: str) -> None:
        self.s.checked[invariant] += 1
        if not holds:
            self.s.broke(invariant, what)


def _body(job: Json | None) -> Json:
    body: Json = json.loads(base64.b64decode(job["httpTarget"].get("body", "")) or b"{}") if job else {}
    return body


def _compared(job: Json | None) -> Json:
    """What a job does and when."""
    if job is None:
        return {}
    names = ("schedule", "timeZone", "description", "attemptDeadline")
    return {**{name: job[name] for name in names}, "uri": job["httpTarget"]["uri"], "body": _body(job)}
