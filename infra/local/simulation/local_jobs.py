"""The functions' stored state in one process: Cloud Scheduler's jobs without sockets, for the simulation."""

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal, TypeVar

from lifecycle.cli.desired_jobs import Target
from lifecycle.errors import Failure
from lifecycle.gcp.jobs import Job, Retries
from lifecycle.retry import retry
from local.servers.scheduler import Refused, Scheduler

PARENT = "projects/p/locations/l"
INVOKER = "invoker@p.iam.gserviceaccount.com"
TARGET = Target("http://functions/{name}", INVOKER, "lifecycle")
T = TypeVar("T")
Down = Literal["", "before", "after"]
Write = Literal["put", "set_body", "delete"]


class LocalJobs:
    """`lifecycle.jobs.Jobs` straight on a local Scheduler. `down` says whether it answers an error now, before it did
    what it was asked or after; `delay` how many seconds a write takes. It raises `Failure` where it is refused."""

    def __init__(
        self,
        scheduler: Scheduler,
        parent: str,
        down: Callable[[], Down],
        deadline: float,
        rng: random.Random,
        delay: Callable[[Write, str], float],
    ) -> None:
        self.scheduler = scheduler
        self.parent = parent
        self.down = down
        self.deadline = deadline
        self.rng = rng
        self.delay = delay

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def list(self) -> list[Job]:
        return await self._call(lambda: [_read(job) for job in self.scheduler.jobs.values()])

    async def get(self, id: str) -> Job | None:
        return await self._call(lambda: _read(self.scheduler.jobs[self._name(id)]) if self._has(id) else None)

    async def put(self, job: Job, *, there: bool, keeps_body: bool = False) -> None:  # noqa: ARG002 - `write` looks itself
        name, made = self._name(job.id), _written(job, self._name(job.id))

        def write() -> None:
            if name in self.scheduler.jobs:
                if keeps_body:
                    made["httpTarget"]["body"] = self.scheduler.jobs[name]["httpTarget"].get("body", "")
                self.scheduler.update(name, made, "")
            else:
                self.scheduler.create(self.parent, made)
            state = self.scheduler.jobs[name]["state"]
            if state != job.state:
                turn = self.scheduler.pause if job.state == "PAUSED" else self.scheduler.resume
                turn(name)

        await self._call(write, self.delay("put", job.id))

    async def set_body(self, id: str, body: bytes) -> bool:
        made = {"httpTarget": {"body": base64.b64encode(body).decode()}}

        def write() -> bool:
            if self._has(id):
                self.scheduler.update(self._name(id), made, "httpTarget.body")
            return self._has(id)

        return await self._call(write, self.delay("set_body", id))

    async def delete(self, id: str) -> None:
        delay = self.delay("delete", id)
        await self._call(lambda: self.scheduler.delete(self._name(id)) if self._has(id) else {}, delay)

    async def run(self, id: str) -> None:
        await self._call(lambda: self.scheduler.run_job(self._name(id)))

    def _name(self, id: str) -> str:
        return f"{self.parent}/jobs/{id}"

    def _has(self, id: str) -> bool:
        return self._name(id) in self.scheduler.jobs

    async def _call(self, call: Callable[[], T], delay: float = 0.0) -> T:
        await asyncio.sleep(0.05 + delay)
        down = Failure("Cloud Scheduler: 503", code="memory_unavailable", retryable=True, ambiguous=True)
        when = self.down()
        if when == "before":
            raise down
        try:
            done = call()
        except Refused as refused:
            raise Failure(f"Cloud Scheduler: {refused}", code="memory_unavailable", retryable=False) from None
        if when == "after":
            raise down
        return done


def _read(job: dict[str, Any]) -> Job:
    target, retries = job["httpTarget"], job["retryConfig"]
    token = target.get("oidcToken", {})
    return Job(
        id=job["name"].rpartition("/")[2],
        schedule=job["schedule"],
        time_zone=job["timeZone"],
        url=target["uri"],
        body=base64.b64decode(target.get("body", "")),
        headers=target["headers"],
        account=token.get("serviceAccountEmail", ""),
        audience=token.get("audience", ""),
        deadline=timedelta(seconds=float(job["attemptDeadline"].rstrip("s"))),
        retries=Retries(
            int(retries.get("retryCount", 0)),
            timedelta(seconds=float(retries["maxRetryDuration"][:-1])),
            timedelta(seconds=float(retries["minBackoffDuration"][:-1])),
        ),
        description=job.get("description", ""),
        state=job["state"],
    )


def _written(job: Job, name: str) -> dict[str, Any]:
    least = job.retries.least_wait or timedelta(seconds=5)
    longest = job.retries.longest or timedelta()
    deadline = job.deadline or timedelta(minutes=3)
    return {
        "name": name,
        "schedule": job.schedule,
        "timeZone": job.time_zone,
        "description": job.description,
        "attemptDeadline": f"{deadline.total_seconds():.0f}s",
        "retryConfig": {
            "retryCount": job.retries.count,
            "maxRetryDuration": f"{longest.total_seconds():.0f}s",
            "minBackoffDuration": f"{least.total_seconds():.0f}s",
        },
        "httpTarget": {
            "uri": job.url,
            "httpMethod": job.method,
            "headers": dict(job.headers),
            "body": base64.b64encode(job.body).decode(),
            "oidcToken": {"serviceAccountEmail": job.account, "audience": job.audience},
        },
    }


def made(job: Job) -> dict[str, Any]:
    """A job as the API takes it."""
    return _written(job, f"{PARENT}/jobs/{job.id}")
