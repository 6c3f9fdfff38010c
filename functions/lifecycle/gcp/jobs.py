"""Cloud Scheduler's jobs as values, and the state in their bodies: overrides, platform messages, budgets. Pure.

A job's body is the request that it sends to `reconcile`. The key `memory` in it stores the state.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord, Override, PlatformState, StoredState
from lifecycle.core.times import format_rfc3339, parse_rfc3339
from lifecycle.errors import Failure

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
MOST_DOLLARS = 1e12  # of what is stored
LONGEST_TEXT = 500  # characters of a text in an override; jobs of earlier versions, or made by hand, may have more


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


def stored_state(jobs: Iterable[Job], settings: Settings, prefix: str) -> StoredState:
    """The state that the jobs store for the entries and platforms of the settings."""
    jobs = list(jobs)
    by_id = {job.id: job for job in jobs}
    overrides: dict[str, tuple[Override, ...]] = {}
    for job in jobs:
        found = override_in(job) if is_override_id(prefix, job.id) else None
        entry = _entry(job)
        if found and entry in settings.entries:
            overrides[entry] = (*overrides.get(entry, ()), found)
    platforms = {name: newest_of(jobs, prefix, name) for name in settings.platforms_followed}
    return StoredState(
        {entry: tuple(_one_a_slot(found)) for entry, found in overrides.items()},
        {name: state for name, state in platforms.items() if state},
        budgets={
            key: record for key in ("", *settings.entries) if (record := budget_in(by_id.get(budget_id(prefix, key))))
        },
    )


def newest_of(jobs: Iterable[Job], prefix: str, platform: str) -> PlatformState | None:
    """The newest message of a platform; of equally new ones, the one that was received last."""
    ours = (job for job in jobs if job.id == platform_id(prefix, platform) or is_record_of(prefix, platform, job.id))
    found = [state for job in ours if (state := platform_state_in(job))]
    return max(found, key=lambda state: (state.since, state.received or state.since), default=None)


def _one_a_slot(overrides: Iterable[Override]) -> Iterable[Override]:
    """One override for each holder and endpoint: the newest, if two jobs have the same."""
    found: dict[tuple[str | None, str | None], Override] = {}
    for override in sorted(overrides, key=lambda override: override.since):
        found[override.slot] = override
    return found.values()


def stores(job: Job, settings: Settings, prefix: str) -> bool:
    """Whether a job stores an override of an entry that exists, or a message of a platform that is followed."""
    kinds = {f"{prefix}-override-": settings.entries, f"{prefix}-platform-": settings.platforms_followed}
    for begin, names in kinds.items():
        if job.id.startswith(begin):
            return job.id.removeprefix(begin).partition("_")[0] in names or (
                override_in(job) is not None and _entry(job) in settings.entries
            )
    return False


def override_in(job: Job | None) -> Override | None:
    body = _memory(job).get("override")
    if not isinstance(body, dict):
        return None
    state, since = body.get("state"), _time(body, "since")
    if state not in ("running", "paused", "scaledToZero") or since is None:
        return None
    until = _time(body, "until")
    if until is None and body.get("until") is not None:
        return None
    names = body.get("found_at_rest")
    return Override(
        state,
        since,
        until,
        _text(body, "or_started"),
        _text(body, "by"),
        _text(body, "note"),
        holder=_text(body, "holder") or None,
        endpoint=_text(body, "endpoint") or None,
        force=body.get("force") is True,
        found_at_rest=_found_at_rest(names) if body.get("rests") is True else frozenset(),
    )


def _found_at_rest(names: Any) -> frozenset[str]:
    return frozenset(filter(lambda name: isinstance(name, str), names)) if isinstance(names, list) else frozenset({"*"})


def platform_state_in(job: Job | None) -> PlatformState | None:
    stored = _memory(job)
    state, since = stored.get("state"), _time(stored, "since")
    if state not in ("started", "stopped") or since is None:
        return None
    return PlatformState(state, since, *(_time(stored, name) for name in ("first", "received", "sent", "started")))


def budget_in(job: Job | None) -> BudgetRecord | None:
    stored = _memory(job).get("budget")
    if not isinstance(stored, dict):
        return None
    month, amount = _text(stored, "month"), _dollars(stored, "dollars")
    if month is None or amount is None:
        return None
    return BudgetRecord(month, amount, _time(stored, "spent_at"), _dollars(stored, "billed"), _text(stored, "warned"))


def budget_body(key: str, record: BudgetRecord | None = None) -> bytes:
    if record is None:
        return body([key or "*"])
    spent_at = format_rfc3339(record.spent_at) if record.spent_at else None
    return body([key or "*"], {"budget": {**vars(record), "spent_at": spent_at}})


def override_job(like: Job, prefix: str, entry: str, override: Override, now: datetime) -> Job:
    """The job of an override, which fires once. `like`: the reconcile job, whose target, account, deadline and retries
    it copies."""
    due = override.until or override.since
    fires = _minute(max(due, now + MINUTE)) if override.until else _minute(due)
    until = format_rfc3339(override.until) if override.until else "released"
    whose = f" for {override.holder}" if override.holder else ""
    return replace(
        like,
        id=override_id(prefix, entry, override.holder, override.endpoint),
        schedule=f"{fires.minute} {fires.hour} {fires.day} {fires.month} *",
        time_zone="UTC",
        body=body([entry], {"override": _stored(override)}),
        description=f"manual request{whose}: {override.endpoint or entry} {override.state} until {until}",
        state="ENABLED" if override.until else "PAUSED",
    )


def _stored(override: Override) -> dict[str, Any]:
    """An override in its job's body; null fields that came later are left out."""
    always = ("state", "since", "until", "or_started", "by", "note")
    stored = {key: value for key, value in override.as_json().items() if key in always or value}
    if override.found_at_rest:
        stored["rests"] = True
    if override.found_at_rest - {"*"}:
        stored["found_at_rest"] = sorted(override.found_at_rest)
    return stored


def settings_sha256_of(job: Job | None) -> str | None:
    """The SHA-256 of the settings that the jobs were made from; it is in the reconcile job's description."""
    found = re.search(r"\b[0-9a-f]{64}\b", job.description) if job else None
    return found[0] if found else None


def platform_body(settings: Settings, platform: str, state: PlatformState) -> bytes:
    memory = {"platform": platform, "state": state.state, "since": format_rfc3339(state.since)}
    names = ("first", "received", "sent", "started")
    times = {name: getattr(state, name) for name in names}
    return body(
        settings.followers(platform), memory | {name: format_rfc3339(when) for name, when in times.items() if when}
    )


def record_job(like: Job, prefix: str, settings: Settings, platform: str, state: PlatformState) -> Job:
    """The job that stores one message of a platform; it fires once a year, as the platform's daily job does."""
    at = _minute(state.since)
    return replace(
        like,
        id=record_id(prefix, platform, state),
        schedule=f"{at.minute} {at.hour} {at.day} {at.month} *",
        time_zone="UTC",
        body=platform_body(settings, platform, state),
        description=f"platform {platform} {state.state} at {format_rfc3339(state.since)}",
        state="ENABLED",
    )


def body(endpoints: Iterable[str], memory: Mapping[str, Any] | None = None) -> bytes:
    request: dict[str, Any] = {"endpoints": list(endpoints)}
    return json.dumps(request | ({"memory": memory} if memory else {})).encode()


def _minute(when: datetime) -> datetime:
    """Rounded up to a whole minute, in UTC."""
    whole = when.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == when else whole + MINUTE


def _memory(job: Job | None) -> dict[str, Any]:
    try:
        content = json.loads(job.body) if job else {}
    except (ValueError, RecursionError):
        return {}
    memory = content.get("memory") if isinstance(content, dict) else None
    return memory if isinstance(memory, dict) else {}


def _entry(job: Job) -> str:
    """The entry that a job's request names first."""
    try:
        content = json.loads(job.body)
        return str(content["endpoints"][0])
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        return ""


def _time(body: Mapping[str, Any], key: str) -> datetime | None:
    value = body.get(key)
    return parse_rfc3339(value) if isinstance(value, str) else None


def _dollars(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    return float(value) if isinstance(value, int | float) and 0 <= value < MOST_DOLLARS else None


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value[:LONGEST_TEXT] if isinstance(value, str) else None
