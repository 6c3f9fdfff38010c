"""Events inside a wait: while a call waits for an answer or a write, somebody changes what it decided on.

What waits is chosen by the seed, and so is what is done meanwhile; a week with races has some of each kind.
"""

import asyncio
import base64
import json
import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.errors import Failure
from local.servers.faults import Fault
from local.simulation import actors
from local.simulation.in_process import CALL
from local.simulation.local_jobs import Write
from local.simulation.outages import ExternalEvent

if TYPE_CHECKING:
    from local.simulation.runner import Simulation

LIST_WAITS, ACTION_WAITS, DELETION_WAITS, MESSAGE_WAITS = 0.02, 0.05, 0.5, 0.2  # how often
DEPLOYED_FOR = timedelta(minutes=1)  # how long two revisions run at once
OVERRIDE, PLATFORM = "lifecycle-override-", "lifecycle-platform-"


class Races:
    """`deployed_until`: until when an old and a new revision run. `tasks`: those of what is done from outside."""

    def __init__(self, simulation: "Simulation") -> None:
        self.s = simulation
        self.rng = random.Random(simulation.plan.seed + 2)
        self.deployed_until = simulation.plan.begin
        self.tasks: asyncio.TaskGroup
        self.overtaking: Counter[str] = Counter()  # messages of each platform that overtake another
        self.waited: set[int] = set()  # the calls whose requests were throttled

    def throttled(self, call: int, request: str) -> int:
        """For how many seconds Hugging Face does not answer a request of a call: then the opposite is asked for."""
        functions = self.s.functions
        if not self.s.plan.races or functions.called[call] not in ("reconcile", "platform_event"):
            return 0
        often = LIST_WAITS if request.endswith("/endpoint/acme") else 0.0
        often = ACTION_WAITS if request.startswith(("POST /v2", "PUT /v2")) else often
        if not self._strikes(often):
            return 0
        name = request.split("/")[4] if often == ACTION_WAITS else ""
        key = self.s.entry_of(name) if name else self.rng.choice(functions.about[call] or ("",))
        if not key:
            return 0
        seconds = self.rng.choice([20, 40])
        self.s.disturb(*functions.about[call], seconds=seconds + 60)
        self.waited.add(call)
        self._race("request waits", self._opposite(key, self.rng.choice(["", "anna", "ci-1"])))
        return seconds

    def delay(self, write: Write, job: str) -> float:
        """How many seconds a write takes. Raises `Failure` where it is throttled."""
        if not self.s.plan.races:
            return 0.0
        function = self.s.functions.called[CALL.get()]
        if write == "delete" and function == "reconcile" and job.startswith(OVERRIDE):
            return self._deletion(job)
        if write != "delete" and function == "platform_event" and job.startswith(PLATFORM):
            return self._message(job)
        return 0.0

    def _deletion(self, job: str) -> float:
        """An override that has ended is deleted late, or is refused at first: its holder asks again meanwhile."""
        body = self._body(job)
        override = body.get("memory", {}).get("override")
        ended = override and override["until"] and datetime.fromisoformat(override["until"]) <= self.s.now()
        if not ended or not self._strikes(DELETION_WAITS):
            return 0.0
        self._race("deletion waits", self._opposite(body["endpoints"][0], override.get("holder") or ""))
        if self.rng.random() < 0.3 and not self._runs_meet():
            return self.rng.uniform(3, 9)
        waits = self.rng.choice([20.0, 30.0])
        message = f"deleting job {job}: 429"
        raise Failure(message, code="memory_unavailable", retryable=True, retry_after=waits)

    def _runs_meet(self) -> bool:
        """Whether two instances may delete an override at once: that edge remains (docs/design.md)."""
        now, kinds = self.s.now(), ("ticks doubled", "ticks overlap", "ticks late", "two revisions")
        meeting = [w for w in self.s.plan.windows if w.kind in kinds]
        ends = [self.deployed_until, *(w.end for w in meeting if w.begin <= now)]
        return now < max(ends) + timedelta(minutes=20)

    def _message(self, job: str) -> float:
        """A message is slow to be stored; a new revision receives the next one, which is not slow."""
        platform = job.removeprefix(PLATFORM).partition("_")[0]
        if self.overtaking[platform] or not self._strikes(MESSAGE_WAITS):
            return 0.0
        event = "stopped" if self._newest_under_way(platform) == "started" else "started"
        self.deployed_until = self.s.now() + DEPLOYED_FOR
        self._race("message waits", self._says(platform, event))
        return self.rng.uniform(6, 9)

    def _newest_under_way(self, platform: str) -> str:
        known = [(at, event) for event, at in self.s.oracle.under_way.get(platform, ())]
        return max(known, default=(self.s.now(), "stopped"))[1]

    async def _says(self, platform: str, event: str) -> None:
        self.overtaking[platform] += 1
        await asyncio.sleep(self.rng.uniform(0.5, 2))
        detail = {"platform": platform, "event": event, "late": 0, "times": 1}
        await actors.done(self.s, ExternalEvent(self.s.now(), "platform", detail))
        self.overtaking[platform] -= 1

    async def _opposite(self, key: str, holder: str) -> None:
        await asyncio.sleep(self.rng.uniform(0.5, 3))
        await actors.done(self.s, ExternalEvent(self.s.now(), "oppose", {"entry": key, "holder": holder}))

    def accepted(self, key: str, asked: Mapping[str, Any]) -> None:
        """A manual request was accepted: later it is released while Hugging Face refuses to act, and again."""
        if self.s.plan.races and not self.s.oracle.entries[key].enforce and "clear_override" not in asked:
            self.tasks.create_task(self._released_twice(key, asked.get("holder", "")))

    async def _released_twice(self, key: str, holder: str) -> None:
        await asyncio.sleep(self.rng.uniform(70, 150) * 60)
        if key not in self.s.oracle.entries or holder not in self.s.oracle.entries[key].overrides:
            return
        self.s.met["release fails"] += 1
        body = {"endpoints": [key], "clear_override": True, **({"holder": holder} if holder else {})}
        names = "|".join(name for name in self.s.hub.endpoints if self.s.entry_of(name) == key)
        length = timedelta(minutes=self.rng.choice([4, 4, 90]))
        now = self.s.now()
        refuses = Fault("status", f"(POST|PUT) /v2/endpoint/acme/({names})(/|$)", status=503, since=now)
        self.s.hub.faults.faults.insert(0, replace(refuses, until=now + length))
        with self.s.trouble(key):
            await actors.done(self.s, ExternalEvent(now, "ask", {"function": "reconcile", "body": body}))
            await asyncio.sleep(max(0.0, (now + length - self.s.now()).total_seconds()))
        await asyncio.sleep(self.rng.uniform(0, 3600))
        await actors.done(self.s, ExternalEvent(self.s.now(), "ask", {"function": "reconcile", "body": body}))

    def _strikes(self, often: float) -> bool:
        return self.rng.random() < often * self.s.plan.races

    def _race(self, kind: str, work: Coroutine[Any, Any, None]) -> None:
        self.s.met[kind] += 1
        self.tasks.create_task(work)

    def _body(self, job: str) -> dict[str, Any]:
        found = self.s.scheduler.jobs.get(f"projects/p/locations/l/jobs/{job}")
        body: dict[str, Any] = json.loads(base64.b64decode(found["httpTarget"]["body"])) if found else {}
        return body
