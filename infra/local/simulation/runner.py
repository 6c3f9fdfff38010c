"""A week of the whole system on a simulated clock: the product's own code between the local services, and trouble."""

import asyncio
import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Protocol

import httpx
import yaml

from lifecycle.cli import desired_jobs as timetable
from lifecycle.config import settings
from lifecycle.engine.dependencies import Dependencies
from lifecycle.errors import Failure
from lifecycle.gcp.log_reader import LogReader
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.gcp.rest import Rest
from lifecycle.huggingface.credentials import Token
from local.servers.faults import Fault
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.logging import Logging
from local.servers.monitoring import METRICS
from local.servers.monitoring import Monitoring as LocalMonitoring
from local.servers.scheduler import Scheduler
from local.simulation.actors import done
from local.simulation.in_process import Call, Delayed, Functions, Hub, Sent
from local.simulation.local_jobs import INVOKER, PARENT, TARGET, Down, LocalJobs, Write, made
from local.simulation.oracle import Decision, Oracle, oracle
from local.simulation.outages import HARMLESS, Kind
from local.simulation.races import Races
from local.simulation.scenarios import Plan
from local.simulation.simulated_time import SimulatedLoop
from local.simulation.stored_budgets import StoredBudgets
from local.simulation.stored_overrides import stored_overrides

TOKEN = "hf_SimulatedTokenThatNobodySees"
LATE = timedelta(minutes=4)  # until a line's value can be read
SOMEBODY_ELSES = "somebody-elses"  # a job that is not the system's


class Onlooker(Protocol):
    """Who looks on: all the time, at each request to Hugging Face, and at each answer."""

    async def look(self) -> None: ...
    def sent(self, request: Sent) -> None: ...
    def answered(self, call: Call) -> None: ...


class Simulation:
    """One run. `show` is called with each line for people; `logs` keeps the product's own lines. `until`: the invariant
    with which it ends as soon as that is broken."""

    def __init__(
        self, plan: Plan, show: Callable[[datetime, str], None] = lambda _at, _text: None, *, until: str = ""
    ) -> None:
        self.plan = plan
        self.loop = SimulatedLoop(plan.begin)
        self.now = self.loop.now
        self.show = show
        self.rng = random.Random(plan.seed + 1)
        self.end = plan.begin + timedelta(days=plan.days)
        self.text = yaml.safe_dump(plan.document, sort_keys=False).encode()
        self.settings = settings.parse(self.text)
        self.oracle: Oracle = oracle(plan.document, plan.begin, self.end)
        self.entry_of = cache(self._entry_of)
        self.tokens = [TOKEN]
        self.logs: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.replies: list[str] = []
        self.harmful = [window for window in plan.windows if window.kind not in HARMLESS]
        self.deployed = plan.begin  # when the functions were last deployed, with new settings
        self._harmed = plan.begin, plan.begin  # now, and when a harmful window was open last
        # When an entry was disturbed last; "" stands for all of them.
        self.disturbed = dict.fromkeys(["", *self.oracle.entries], plan.begin)
        self.disturbing: Counter[str] = Counter()  # and by how many things it is now
        self.asked: Counter[str] = Counter()  # how many manual requests there were about an entry
        self.asking: Counter[str] = Counter()  # and how many are being answered
        self.faults: list[tuple[Kind, Fault]] = []
        self.met: Counter[str] = Counter()  # how often trouble was met, by its kind
        self.checked: Counter[str] = Counter()  # how often an invariant was looked at when it had to hold
        self.broken: list[str] = []
        self.until = until
        self.enough = asyncio.Event()
        self.races = Races(self)

    def running(self, kind: Kind) -> bool:
        found = any(w.kind == kind and w.begin <= self.now() < w.end for w in self.plan.windows)
        self.met[kind] += found
        return found

    def broke(self, invariant: str, what: str) -> None:
        self.broken.append(f"{invariant}: {self.now():%a %Y-%m-%d %H:%M:%S} {what}")
        if invariant == self.until:
            self.enough.set()

    async def play(self, onlooker: Onlooker) -> None:
        """Plays the run while `onlooker` looks on."""
        self._build(onlooker)
        async with httpx.AsyncClient(transport=Delayed(self.functions, self.rng)) as self.people:
            self.scheduler.client = self.people
            work = [self.scheduler.run(), self._outside(), onlooker.look()]
            tasks = [asyncio.create_task(coroutine) for coroutine in work]
            with suppress(TimeoutError):
                async with asyncio.timeout((self.end - self.now()).total_seconds()):
                    await self.enough.wait()
            for task in tasks:
                if task.done():
                    task.result()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _build(self, onlooker: Onlooker) -> None:
        plan = self.plan
        self.hub = HuggingFace(self.now, tokens={TOKEN: ALL_SCOPES}, quirks=plan.quirks, quota=1000)
        for endpoint in plan.endpoints:
            self.hub.add(**{**endpoint, "last_used": self.now()})
        self.monitoring = LocalMonitoring(self.now, METRICS, late=LATE)
        lost = random.Random(f"{plan.seed} metrics")
        self.monitoring.loses = lambda: lost.random() < plan.lost
        self.logging = Logging(self.now, routes=[self.monitoring.count])
        self.scheduler = Scheduler(self.now, tick=self._tick)
        self.budgets = StoredBudgets(plan.document, self.scheduler.jobs)
        jobs = timetable.jobs(self.settings, TARGET)
        for job in [*jobs, replace(jobs[0], id=SOMEBODY_ELSES, schedule="0 0 1 1 *")]:
            self.scheduler.create(PARENT, made(job))
        for window in plan.windows:
            self._fault(window.kind, window.begin, window.end)
        self.functions = Functions(self.world, INVOKER, self._kill, self._log, onlooker.answered, self.two_revisions)
        self.oracle.used, self.oracle.spent = self._used, self.budgets.spent_at
        self.sent = onlooker.sent

    def world(self) -> Dependencies:
        async def read(_deadline: float) -> str:
            await asyncio.sleep(0.05)
            if self.running("secrets down"):
                raise Failure("Secret Manager: 503", code="token_unreadable", retryable=True)
            return self.tokens[-1]

        return Dependencies(
            settings=self.settings,
            http=httpx.AsyncClient(
                transport=Delayed(Hub(self.hub, self.functions, self.races.throttled, self.sent), self.rng)
            ),
            token=Token(read, self.now, ages=True),
            base="http://127.0.0.1/v2",
            jobs=lambda deadline: self.jobs(deadline, self._write_delay),
            prefix="lifecycle",
            now=self.now,
            rng=self.rng,
            monitoring=Monitoring("projects/local", self._api("Cloud Monitoring", self.monitoring), "lifecycle"),
        )

    def jobs(self, deadline: float, delay: Callable[[Write, str], float]) -> LocalJobs:
        return LocalJobs(self.scheduler, PARENT, self._scheduler_down, deadline, self.rng, delay)

    def log_reader(self) -> LogReader:
        return LogReader("projects/local", self._api("Cloud Logging", self.logging), "lifecycle")

    def _api(self, name: str, app: Any) -> Rest:
        return Rest(name, "http://127.0.0.1", httpx.AsyncClient(transport=httpx.ASGITransport(app=app)), None)

    # What goes wrong.

    def _fault(self, kind: Kind, begin: datetime, end: datetime) -> None:
        faults: dict[Kind, Fault] = {
            "hub down": Fault("status", status=503),
            "hub throttled": Fault("status", status=429, headers={"Retry-After": "20"}),
            "hub slow": Fault("slow", seconds=4),
            "hub hangs": Fault("hang", seconds=300),
            "hub resets": Fault("reset-after", "(POST|PUT)"),
            "hub drops": Fault("reset-before"),
            "hub html": Fault("html", "/v2", status=self.rng.choice([200, 502])),
            "hub forbids": Fault("status", "(POST|PUT) /v2", status=403),
            "some hang": Fault("hang", f"/endpoint/acme/({'|'.join(self.plan.hanging)})(/|$)", seconds=300),
            "lists wait": Fault("status", "GET /v2/endpoint/acme$", status=429, headers={"Retry-After": "20"}),
        }
        if kind in faults:
            self.faults.append((kind, self.hub.faults.add(replace(faults[kind], since=begin, until=end))))

    def _scheduler_down(self) -> Down:
        return self.rng.choice(["before", "after"]) if self.running("scheduler down") else ""

    def _write_delay(self, write: Write, job: str) -> float:
        delay = self.rng.choice([0.0, 0.0, 3.0, 9.0]) if self.running("writes delayed") else 0.0
        return delay or self.races.delay(write, job)

    def two_revisions(self) -> bool:
        return self.running("two revisions") or self.now() < self.races.deployed_until

    def _tick(self, job: str) -> tuple[float, ...]:
        if self.running("ticks lost"):
            return ()
        if self.running("ticks late"):
            return (self.rng.uniform(30, 600),)
        if self.running("ticks overlap"):
            self.scheduler.run_job(f"{PARENT}/jobs/{job}")
        return (0.0, self.rng.uniform(0, 20)) if self.running("ticks doubled") else (0.0,)

    def _kill(self) -> float | None:
        if not self.running("instances die") or self.rng.random() < 0.5:
            return None
        return self.rng.uniform(0, self.rng.choice([1, 5, 300]))

    def _log(self, line: str) -> None:
        self.raw.append(line)
        entry = json.loads(line)
        self.logging.line(entry["function"], line)
        self.logs.append({**entry, "at": self.now()})
        if entry["event"] == "crash":
            self.broke("f", f"a crash: {entry['message']}")
        if entry["event"] == "endpoint" and entry["action"] != "none":
            self.show(self.now(), f"{entry['function']:<14} {entry['message']}")

    async def _outside(self) -> None:
        async with asyncio.TaskGroup() as self.races.tasks:
            for event in self.plan.events:
                await asyncio.sleep(max(0.0, (event.at - self.now()).total_seconds()))
                self.races.tasks.create_task(done(self, event))
            await asyncio.sleep((self.end - self.now()).total_seconds() + 1)

    # What is known of it all.

    @contextmanager
    def trouble(self, *keys: str) -> Iterator[None]:
        """These entries are disturbed as long as it lasts."""
        self.disturbing.update(keys)
        try:
            yield
        finally:
            self.disturbing.subtract(keys)
            self.disturb(*keys)

    def disturb(self, *keys: str, seconds: float = 0.0) -> None:
        """These entries are disturbed now, and for so long."""
        until = self.now() + timedelta(seconds=seconds)
        self.disturbed |= {key: max(self.disturbed[key], until) for key in keys}

    def calm_since(self, key: str) -> datetime:
        """Since when nothing disturbed an entry."""
        now = self.now()
        if self.disturbing[key] > 0 or self.disturbing[""] > 0:
            return now
        if self._harmed[0] != now:
            ends = [min(window.end, now) for window in self.harmful if window.begin <= now]
            self._harmed = now, max([self.plan.begin, *ends])
        return max(self._harmed[1], self.disturbed[""], self.disturbed[key])

    def kept(self, key: str) -> dict[str, Decision]:
        """The overrides that jobs hold for an entry, by holder, read without the product."""
        return stored_overrides(self.scheduler.jobs, key)

    def newest(self, platform: str) -> dict[str, str]:
        """The newest message of a platform that jobs store."""
        bodies = [json.loads(base64.b64decode(j["httpTarget"]["body"])) for j in self.scheduler.jobs.values()]
        found = [body["memory"] for body in bodies if body.get("memory", {}).get("platform") == platform]
        return max(found, key=lambda one: (one["since"], one.get("received", "")), default={})

    def _used(self, name: str) -> datetime | None:
        """When an endpoint was last used or updated."""
        endpoint = self.hub.endpoints.get(name)
        return max(filter(None, (endpoint.last_used, endpoint.updated)), default=None) if endpoint else None

    def _entry_of(self, name: str) -> str:
        entries = self.plan.document["endpoints"].items()
        return next((key for key, entry in entries if fnmatchcase(name, entry.get("name", key))), "")
