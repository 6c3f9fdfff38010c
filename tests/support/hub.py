"""A scripted Hugging Face and Cloud Scheduler for tests of one call: states change at once, requests are recorded.

What takes time, and every protocol detail, is the business of the local servers.
"""

import asyncio
import json
import math
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from lifecycle.config import settings
from lifecycle.core.model import Override, PlatformState
from lifecycle.engine.dependencies import Dependencies
from lifecycle.engine.service import Service
from lifecycle.errors import Failure, timed_out
from lifecycle.gcp.job_state import override_job, platform_body
from lifecycle.gcp.jobs import Job, platform_id, reconcile_id
from lifecycle.gcp.log_reader import LogReader
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.gcp.rest import Rest
from lifecycle.huggingface.credentials import Token
from lifecycle.retry import time_limit
from local.simulation.simulated_time import SimulatedLoop, play
from support.secret import TOKEN

T = TypeVar("T")
TUESDAY_NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Hub:
    """Hugging Face. `answers` scripts a reply for "POST embeddings-prod/pause" and the like, used up one by one."""

    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def add(self, name: str, state: str, *, tags: tuple[str, ...] = (), min_replica: int = 1, **status: Any) -> None:
        self.endpoints[name] = {
            "name": name,
            "tags": list(tags),
            "healthRoute": "/health",
            "provider": {"vendor": "aws", "region": "us-east-1"},
            "compute": {
                "instanceType": "nvidia-l4",
                "instanceSize": "x1",
                "scaling": {"minReplica": min_replica, "maxReplica": 2, "scaleToZeroTimeout": 15},
            },
            "status": {"state": state, "url": f"https://{name}.aws.endpoints.huggingface.cloud", **status},
        }

    def state(self, name: str) -> str:
        return str(self.endpoints[name]["status"]["state"])

    def script(self, request: str, *answers: Answer | int) -> None:
        made = [answer if callable(answer) else status(answer) for answer in answers]
        self.answers.setdefault(request, []).extend(made)

    def actions(self) -> list[str]:
        """The requests that changed something, or touched an endpoint's own URL."""
        return [request for request in self.requests if not request.startswith("GET /")]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        own = request.url.host != "api.endpoints.huggingface.cloud"
        path = request.url.path.removeprefix("/v2/endpoint/acme")
        line = (
            f"OWN {request.method} {request.url.host.split('.')[0]}{path}" if own else f"{request.method} {path or '/'}"
        )
        line = line if own or line.startswith("GET") else line.replace(" /", " ", 1)
        self.requests.append(line)
        if self.answers.get(line):
            return self.answers[line].pop(0)(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return status(401)(request)
        if own:
            name = request.url.host.split(".")[0]
            if self.state(name) == "scaledToZero":
                self.endpoints[name]["status"]["state"] = "running"
            return status(200 if self.state(name) == "running" else 503)(request)
        if path == "":
            return httpx.Response(200, json={"items": list(self.endpoints.values()), "nextCursor": None})
        name, _, verb = path.strip("/").partition("/")
        if name not in self.endpoints:
            return status(404)(request)
        if request.method == "PUT":
            scaling = json.loads(request.content)["compute"]["scaling"]
            self.endpoints[name]["compute"]["scaling"].update(scaling)
        after = {"pause": "paused", "resume": "running", "scale-to-zero": "scaledToZero"}
        if request.method == "POST":
            self.endpoints[name]["status"]["state"] = after[verb]
        return httpx.Response(200, json=self.endpoints[name])


def status(code: int, **headers: str) -> Answer:
    return lambda _: httpx.Response(code, json={"error": f"scripted {code}"}, headers=headers)


CATALOG = "GET /v2/provider/acme"


def prices(_: httpx.Request) -> httpx.Response:
    """The price catalog with the one instance type that `Hub.add` uses, for 0.8 dollars an hour."""
    computes = [{"instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": 0.8}]
    return httpx.Response(
        200, json={"vendors": [{"name": "aws", "regions": [{"name": "us-east-1", "computes": computes}]}]}
    )


def hangs(_: httpx.Request) -> Any:
    return asyncio.sleep(1e6)


def breaks(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("scripted")


@dataclass
class FakeJobs:
    """Cloud Scheduler's jobs in a dict. `refuse`: the methods that fail; `hang`: those that do not answer."""

    jobs: dict[str, Job] = field(default_factory=dict)
    refuse: frozenset[str] = frozenset()
    hang: frozenset[str] = frozenset()
    deadline: float = math.inf
    calls: list[str] = field(default_factory=list)

    async def _call(self, method: str, id: str = "") -> None:
        self.calls.append(f"{method} {id}".strip())
        if asyncio.get_running_loop().time() >= self.deadline:
            raise timed_out(f"scripted: {method}", "memory_unavailable")
        if method in self.hang:
            async with time_limit(f"scripted: {method}", self.deadline, code="memory_unavailable"):
                await asyncio.sleep(1e6)
        if method in self.refuse:
            raise Failure(f"scripted: {method}", code="memory_unavailable", retryable=True)

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await attempt()

    async def list(self) -> list[Job]:
        await self._call("list")
        return [*self.jobs.values()]

    async def get(self, id: str) -> Job | None:
        await self._call("get", id)
        return self.jobs.get(id)

    async def put(self, job: Job, *, there: bool, keeps_body: bool = False) -> None:
        await self._call("put", job.id)
        kept = self.jobs.get(job.id) if keeps_body else None
        self.jobs[job.id] = replace(job, body=kept.body) if kept else job

    async def set_body(self, id: str, body: bytes) -> bool:
        await self._call("set_body", id)
        if id in self.jobs:
            self.jobs[id] = replace(self.jobs[id], body=body)
        return id in self.jobs

    async def delete(self, id: str) -> None:
        await self._call("delete", id)
        self.jobs.pop(id, None)

    async def run(self, id: str) -> None:
        await self._call("run", id)


@dataclass
class Harness:
    """A service between a scripted Hugging Face and a shelf of jobs, at a time that stands still; waiting is free."""

    text: str
    now: datetime = TUESDAY_NOON
    hub: Hub = field(default_factory=Hub)
    shelf: FakeJobs | None = field(default_factory=FakeJobs)
    seconds: float = 0.0
    monitoring: Any = None  # an ASGI app: a local Cloud Monitoring
    logging: Any = None  # and a local Cloud Logging

    def __post_init__(self) -> None:
        self.settings = settings.parse(f"namespace: acme\ntime_zone: Europe/Berlin\n{self.text}".encode())
        if self.shelf is not None:
            ids = [reconcile_id("lifecycle"), *(platform_id("lifecycle", name) for name in self.settings.platforms)]
            self.shelf.jobs = {id: Job(id, "3-59/10 * * * *", "UTC", "https://reconcile", b"{}") for id in ids}

    def override(self, entry: str, override: Override) -> None:
        assert self.shelf is not None
        job = override_job(self.shelf.jobs[reconcile_id("lifecycle")], "lifecycle", entry, override, self.now)
        self.shelf.jobs[job.id] = job

    def platform_state(self, platform: str, platform_state: PlatformState) -> None:
        assert self.shelf is not None
        id = platform_id("lifecycle", platform)
        self.shelf.jobs[id] = replace(self.shelf.jobs[id], body=platform_body(self.settings, platform, platform_state))

    def _jobs(self, deadline: float) -> FakeJobs:
        assert self.shelf is not None
        self.shelf.deadline = deadline
        return self.shelf

    def run(self, work: Callable[[Service], Coroutine[Any, Any, T]]) -> T:
        """The result of a call of the service, on an event loop of its own; how long it took is `seconds`."""

        async def once() -> T:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self.hub)) as http:
                return await work(Service(self.world(http)))

        loop = SimulatedLoop(self.now)
        try:
            return play(loop, once())
        finally:
            self.seconds = loop.elapsed

    def world(self, http: httpx.AsyncClient) -> Dependencies:
        async def read(_deadline: float) -> str:
            return TOKEN

        return Dependencies(
            settings=self.settings,
            http=http,
            token=Token(read, lambda: self.now, ages=False),
            base="https://api.endpoints.huggingface.cloud/v2",
            jobs=self._jobs if self.shelf is not None else None,
            prefix="lifecycle",
            now=lambda: self.now,
            rng=random.Random(1),
            monitoring=self._monitoring(),
            logs=self._logs(),
        )

    def _logs(self) -> LogReader | None:
        if self.logging is None:
            return None
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.logging))
        return LogReader("projects/local", Rest("Cloud Logging", "http://127.0.0.1", http, None), "lifecycle")

    def _monitoring(self) -> Monitoring | None:
        if self.monitoring is None:
            return None
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.monitoring))
        return Monitoring("projects/local", Rest("Cloud Monitoring", "http://127.0.0.1", http, None), "lifecycle")
