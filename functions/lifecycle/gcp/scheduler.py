"""Cloud Scheduler over its REST API, with Google's client. Implements `jobs.Jobs`.

Source: Cloud Scheduler API v1. It has no conditional writes, so callers read again what must not be lost.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import httpx

from lifecycle.errors import Failure
from lifecycle.gcp.client import as_failure, client
from lifecycle.gcp.jobs import Job, Retries, foreign, same_url
from lifecycle.gcp.transport import PER_CALL, in_thread
from lifecycle.retry import retry, time_limit

T = TypeVar("T")

MOST_AT_ONCE = 16  # calls under way
MOST_JOBS = 10_000  # Google allows 5,000 in a region
PAGE = 500
ABSENT = MappingProxyType({404: "not_found"})
MADE = MappingProxyType({409: "exists"})  # of a creation; another call that gets a 409 has met one beside it
WRITTEN = ("schedule", "time_zone", "description", "attempt_deadline", "retry_config")
TARGET = tuple(f"http_target.{field}" for field in ("uri", "http_method", "headers", "oidc_token"))


class Client:
    """Google's client, created at its first use and kept: importing it takes longer than a call."""

    def __init__(self, url: str | None, http: httpx.AsyncClient) -> None:
        self._url = url
        self._made: Any = None
        self.http = http
        self.threads = ThreadPoolExecutor(MOST_AT_ONCE, "scheduler")

    def __call__(self) -> Any:
        if self._made is None:
            self._made = client("google.cloud.scheduler_v1", "CloudSchedulerClient", self._url)
        return self._made


@dataclass(frozen=True)
class Scheduler:
    """The jobs below `parent`, `projects/P/locations/L`. `deadline` is on the event loop's clock, in seconds."""

    parent: str
    client: Client
    deadline: float
    rng: random.Random = field(repr=False)

    async def list(self) -> list[Job]:
        def call() -> list[Job]:
            request = {"parent": self.parent, "page_size": PAGE}
            pages = self.client().list_jobs(request=request, timeout=PER_CALL, retry=None)
            found = [_read(job) for job in islice(pages, MOST_JOBS + 1)]
            if len(found) > MOST_JOBS:
                raise Failure(f"more than {MOST_JOBS} jobs", code="memory_unavailable", retryable=False)
            return found

        return await self.retry(lambda: self._try("listing jobs", call, {}))

    async def get(self, id: str) -> Job | None:
        def call() -> Job:
            return _read(_about(id, self.client().get_job(name=self._name(id), timeout=PER_CALL, retry=None)))

        return await self._unless_absent(f"reading job {id}", call, None)

    async def put(self, job: Job, *, there: bool, keeps_body: bool = False) -> None:
        fields = (*WRITTEN, *(TARGET if keeps_body else ("http_target",)))
        create = partial(self._try, f"creating job {job.id}", lambda: self._create(job), MADE)
        update = partial(self._try, f"updating job {job.id}", lambda: self._update(job, fields))
        try:
            state = await (update() if there else create())
        except Failure as failure:
            # Another instance, or an earlier attempt of this one, created or deleted it meanwhile.
            if failure.code != ("not_found" if there else "exists"):
                raise
            await self._ours(job)
            with _conflicts_are_retryable():
                state = await (create() if there else update())
        if state == "DISABLED" and not keeps_body:  # by Google, and no update lifts that
            await self.delete(job.id)
            state = await create()
        if state in ("UPDATE_FAILED", "DISABLED"):
            raise Failure(f"job {job.id} is {state} after writing it", code="memory_unavailable", retryable=True)
        if state != job.state:
            with _conflicts_are_retryable():
                await self._try(f"making job {job.id} {job.state}", lambda: self._turn(job))

    async def _ours(self, job: Job) -> None:
        """Raises `Failure` if a job of this name calls another URL."""
        seen = await self.get(job.id)
        if seen and not same_url(seen.url, job.url):
            raise foreign([seen])

    async def set_body(self, id: str, body: bytes) -> bool:
        job = Job(id, "", "", "", body)

        def call() -> bool:
            self._update(job, ("http_target.body",))
            return True

        return bool(await self._unless_absent(f"writing the body of job {id}", call, False))

    async def delete(self, id: str) -> None:
        def call() -> None:
            self.client().delete_job(name=self._name(id), timeout=PER_CALL, retry=None)

        await self._unless_absent(f"deleting job {id}", call, None)

    async def run(self, id: str) -> None:
        def call() -> None:
            self.client().run_job(name=self._name(id), timeout=PER_CALL, retry=None)

        await self._try(f"running job {id}", call)

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    def _name(self, id: str) -> str:
        return f"{self.parent}/jobs/{id}"

    def _create(self, job: Job) -> str:
        request = {"parent": self.parent, "job": _written(job, self._name(job.id))}
        return _state(_about(job.id, self.client().create_job(request=request, timeout=PER_CALL, retry=None)))

    def _update(self, job: Job, fields: tuple[str, ...]) -> str:
        request = {"job": _written(job, self._name(job.id)), "update_mask": {"paths": list(fields)}}
        return _state(_about(job.id, self.client().update_job(request=request, timeout=PER_CALL, retry=None)))

    def _turn(self, job: Job) -> None:
        turn = self.client().pause_job if job.state == "PAUSED" else self.client().resume_job
        _about(job.id, turn(name=self._name(job.id), timeout=PER_CALL, retry=None))

    async def _try(self, what: str, call: Callable[[], T], codes: Mapping[int, str] = ABSENT) -> T:
        def with_failures() -> T:
            with as_failure(what, code="memory_unavailable", codes=codes):
                return call()

        async with time_limit(what, self.deadline, code="memory_unavailable"):
            return await in_thread(self.client.threads, self.client.http, self.deadline, with_failures)

    async def _unless_absent(self, what: str, call: Callable[[], T], absent: T | None) -> T | None:
        try:
            return await self._try(what, call)
        except Failure as failure:
            if failure.code != "not_found":
                raise
            return absent


@contextmanager
def _conflicts_are_retryable() -> Iterator[None]:
    """A job that is not there any more is deleted by another instance: a repeat makes it again."""
    try:
        yield
    except Failure as failure:
        if failure.code != "not_found":
            raise
        raise Failure(str(failure), code="memory_unavailable", retryable=True, ambiguous=True) from None


def _about(id: str, answer: Any) -> Any:
    """The job in an answer. Raises `Failure` if it is another one, or none: nobody knows then what was done."""
    if answer.name.rpartition("/")[2] != id:
        message = f"the answer is not about job {id}"
        raise Failure(message, code="memory_unavailable", retryable=True, ambiguous=True)
    return answer


def _state(job: Any) -> str:
    """A job's state by name; ENABLED if it has none."""
    return _named(job.state) if job.state else "ENABLED"


def _named(value: Any) -> str:
    """The name of an enum's value; of one that is newer than the client its number."""
    return str(getattr(value, "name", value))


def _read(job: Any) -> Job:
    """A job of the client as a value; one without an HTTP target has no URL."""
    target, retries = job.http_target, job.retry_config
    return Job(
        id=job.name.rpartition("/")[2],
        schedule=job.schedule,
        time_zone=job.time_zone,
        url=target.uri,
        body=bytes(target.body),
        method=_named(target.http_method),
        headers=dict(target.headers),
        account=target.oidc_token.service_account_email,
        audience=target.oidc_token.audience,
        deadline=job.attempt_deadline if "attempt_deadline" in job else None,
        retries=Retries(
            retries.retry_count,
            retries.max_retry_duration if "max_retry_duration" in retries else None,
            retries.min_backoff_duration if "min_backoff_duration" in retries else None,
            retries.max_backoff_duration if "max_backoff_duration" in retries else None,
            retries.max_doublings,
        ),
        description=job.description,
        state=_state(job),
        attempted_at=job.last_attempt_time if "last_attempt_time" in job else None,
        last_code=job.status.code,
    )


def _written(job: Job, name: str) -> dict[str, Any]:
    """A job for the client, from a value."""
    retries = {
        "retry_count": job.retries.count,
        "max_retry_duration": job.retries.longest,
        "min_backoff_duration": job.retries.least_wait,
        "max_backoff_duration": job.retries.most_wait,
        "max_doublings": job.retries.doublings,
    }
    token = {"service_account_email": job.account, "audience": job.audience}
    target = {"uri": job.url, "http_method": job.method, "headers": dict(job.headers), "body": job.body}
    return {
        "name": name,
        "schedule": job.schedule,
        "time_zone": job.time_zone,
        "description": job.description,
        "http_target": {**target, **({"oidc_token": token} if job.account else {})},
        "retry_config": {name: value for name, value in retries.items() if value is not None},
        **({"attempt_deadline": job.deadline} if job.deadline else {}),
    }
