"""Cloud Scheduler's jobs as values, the names of ours, and what can be done with them. Pure."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from lifecycle.core.model import PlatformState
from lifecycle.core.times import format_rfc3339
from lifecycle.errors import Failure

T = TypeVar("T")


@dataclass(frozen=True)
class Retries:
    """How Cloud Scheduler retries; None: its own default."""

    count: int = 0
    longest: timedelta | None = None
    least_wait: timedelta | None = None
    most_wait: timedelta | None = None
    doublings: int | None = None


@dataclass(frozen=True)
class Job:
    """A job of Cloud Scheduler with an HTTP target; `id` is the last part of its name; `attempted_at`: when it last
    fired; `last_code`: what became of that, a google.rpc.Code.

    Source: Cloud Scheduler API v1, `projects.locations.jobs`.
    """

    id: str
    schedule: str
    time_zone: str
    url: str
    body: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    audience: str = ""
    deadline: timedelta | None = None
    retries: Retries = Retries()
    description: str = ""
    state: str = "ENABLED"
    attempted_at: datetime | None = field(default=None, compare=False)
    last_code: int = field(default=0, compare=False)


class Jobs(Protocol):
    """Cloud Scheduler, within one call's time. Every method raises `Failure`.

    `list` is retried after retryable failures. The others are single attempts: what is read before a write may be out
    of date when the write is repeated, so `retry` repeats the read and the write together.
    """

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of `attempt`, tried again after retryable failures."""

    async def list(self) -> list[Job]: ...
    async def get(self, id: str) -> Job | None: ...
    async def put(self, job: Job, *, there: bool, keeps_body: bool = False) -> None:
        """Creates or updates the job, enabled or paused as its `state` says. `there`: it exists, so it is updated.
        `keeps_body`: an update does not change the body."""

    async def set_body(self, id: str, body: bytes) -> bool:
        """Writes only the body; false if there is no such job."""

    async def delete(self, id: str) -> None: ...
    async def run(self, id: str) -> None: ...


def reconcile_id(prefix: str) -> str:
    return f"{prefix}-reconcile"


def same_url(one: str, other: str) -> bool:
    """Whether two jobs call the same URL. Google adds a slash to a URL without a path."""
    return one.removesuffix("/") == other.removesuffix("/")


def foreign(jobs: Iterable[Job]) -> Failure:
    listed = "; ".join(f"{job.id} calls {job.url or 'no URL'}" for job in jobs)
    message = f"jobs that have our names and are not ours: {listed}. Delete them, or set another JOB_PREFIX"
    return Failure(message, code="memory_unavailable", retryable=False)


def hours_id(prefix: str, minute: int, days: str, zone: str) -> str:
    """The job of a boundary of the hours at that minute of the day."""
    return f"{prefix}-hours-{minute // 60:02}{minute % 60:02}-{days}-{zone}"


def boundary_of(id: str, prefix: str) -> str | None:
    """The time of day of a boundary's job, such as "0800"; "" if its name has none; None: it is another job."""
    found = re.fullmatch(re.escape(prefix) + r"-hours-(?:((?:[01][0-9]|2[0-3])[0-5][0-9])-)?.*", id)
    return None if found is None else found[1] or ""


def platform_id(prefix: str, platform: str) -> str:
    return f"{prefix}-platform-{platform}"


def budget_id(prefix: str, key: str) -> str:
    """The job of an entry's budget, or of the top-level one (key "")."""
    return f"{prefix}-budget_{key}" if key else f"{prefix}-budget"


def override_id(prefix: str, entry: str, holder: str | None = None, endpoint: str | None = None) -> str:
    """The id of an override's job. Its only purpose is that holders have different jobs; the state is in the body."""
    whole = f"{prefix}-override-{entry}"
    if holder is None and endpoint is None:
        return whole
    slug = re.sub(r"[^A-Za-z0-9]+", "-", holder or endpoint or "").strip("-")[:40]
    mark = hashlib.sha256(f"{holder or ''}\0{endpoint or ''}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{whole}_{slug}-{mark}"


def is_override_id(prefix: str, id: str) -> bool:
    return id.startswith(f"{prefix}-override-")


def record_id(prefix: str, platform: str, state: PlatformState) -> str:
    """The id of the job that stores one platform message. The job is never updated, so no older message can overwrite
    a newer one."""
    mark = hashlib.sha256(f"{state.state}\0{format_rfc3339(state.since)}".encode()).hexdigest()[:8]
    return f"{platform_id(prefix, platform)}_{mark}"


def is_record_of(prefix: str, platform: str, id: str) -> bool:
    return id.startswith(f"{platform_id(prefix, platform)}_")


def settings_sha256_of(job: Job | None) -> str | None:
    """The SHA-256 of the settings that the jobs were made from; it is in the reconcile job's description."""
    found = re.search(r"\b[0-9a-f]{64}\b", job.description) if job else None
    return found[0] if found else None
