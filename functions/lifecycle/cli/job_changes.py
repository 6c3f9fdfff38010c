"""What `lifecycle sync` changes: the difference between the jobs and the settings (pure), and applying it."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from lifecycle.cli import desired_jobs
from lifecycle.cli.desired_jobs import NO_RETRIES, Target
from lifecycle.core.entries import Settings
from lifecycle.engine.service import FUNCTIONS
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp.job_state import stores
from lifecycle.gcp.jobs import Job, Jobs, Retries, same_url

AT_ONCE = 8  # writes under way
QUOTA = 450  # writes a minute; Cloud Scheduler allows 500
_KINDS = r"(?:reconcile|budget|budget_.+|(?:hours|cron|platform|override)-.+)"
_COMPARED = ("schedule", "time_zone", "url", "method", "headers", "account", "audience", "deadline", "retries")


@dataclass(frozen=True)
class Change:
    """One job to create, update or delete. `differs`: the fields that differ, with "is -> will be"."""

    verb: Literal["create", "update", "delete"]
    job: Job
    differs: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"do": self.verb, "job": self.job.id, "differs": dict(self.differs)}

    def __str__(self) -> str:
        sign = {"create": "+", "update": "~", "delete": "-"}[self.verb]
        lines = [f"{sign} {self.job.id}"]
        if self.verb == "create":
            lines.append(f"    {self.job.schedule} ({self.job.time_zone}) {self.job.body.decode()}")
        return "\n".join([*lines, *(f"    {name}: {change}" for name, change in self.differs)])


@dataclass(frozen=True)
class Difference:
    """The changes, in the order in which they are made. `foreign`: jobs of others whose names are needed."""

    changes: tuple[Change, ...]
    foreign: tuple[Job, ...] = ()


def difference(settings: Settings, target: Target, seen: Iterable[Job]) -> Difference:
    """The changes from the jobs that exist to those that the settings ask for."""
    by_id = {job.id: job for job in seen}
    wanted = {job.id: job for job in desired_jobs.jobs(settings, target)}
    foreign = {id: by_id[id] for id in wanted if id in by_id and not is_own(by_id[id], target)}
    gone = [
        Change("delete", job) for job in by_id.values()
        if job.id not in wanted and not stores(job, settings, target.prefix) and is_own(job, target)
    ]  # fmt: skip
    made = [
        change for job in wanted.values()
        if job.id not in foreign and (change := _change(job, by_id.get(job.id), target))
    ]  # fmt: skip
    # The reconcile job comes last: its description says that all the others are made.
    return Difference((*gone, *made), tuple(foreign.values()))


def is_own(job: Job, target: Target) -> bool:
    """Whether a job has a name with the prefix and calls one of the functions."""
    named = re.fullmatch(re.escape(target.prefix) + "-" + _KINDS, job.id) is not None
    return named and any(same_url(job.url, target.url(name)) for name in FUNCTIONS)


def stores_state(job: Job, target: Target) -> bool:
    """Whether the body of a job stores the state of a platform or a budget, which `sync` must not overwrite."""
    return job.id.startswith((f"{target.prefix}-platform-", f"{target.prefix}-budget"))


def _change(wanted: Job, seen: Job | None, target: Target) -> Change | None:
    if seen is None:
        return Change("create", wanted)
    keeps_body = stores_state(wanted, target)
    is_, will_be = _compared(seen, keeps_body), _compared(wanted, keeps_body)
    differs = tuple((name, f"{is_[name]} -> {will_be[name]}") for name in will_be if is_[name] != will_be[name])
    return Change("update", wanted, differs) if differs else None


def _compared(job: Job, keeps_body: bool) -> dict[str, str]:
    """A job's fields as comparable text: without what Google fills in, and with Google's defaults."""
    filled = replace(
        job,
        url=job.url.removesuffix("/"),
        headers=dict(
            sorted((name.lower(), value) for name, value in job.headers.items() if name.lower() != "user-agent")
        ),
        deadline=job.deadline or timedelta(minutes=3),
        retries=_filled(job.retries),
    )
    fields = {name: _word(getattr(filled, name)) for name in (*_COMPARED, "description", "state")}
    return fields if keeps_body else {**fields, "body": filled.body.decode(errors="replace")}


def _filled(retries: Retries) -> Retries:
    given = {name: value for name, value in vars(retries).items() if value is not None}
    return replace(NO_RETRIES, **given)


def _word(value: object) -> str:
    return (
        " ".join(f"{name} {word}" for name, word in vars(value).items()) if isinstance(value, Retries) else str(value)
    )


async def apply(changes: Iterable[Change], jobs: Jobs, target: Target) -> None:
    """Makes the changes, the last one after all others. Raises `Failure` with everything that failed, after trying
    all."""
    *first, last = changes
    slots = asyncio.Semaphore(AT_ONCE)
    pause = 60 / QUOTA if len(first) > QUOTA - 50 else 0.0

    async def one(number: int, change: Change) -> None:
        await asyncio.sleep(number * pause)
        async with slots:
            await jobs.retry(lambda: _make(change, jobs, target))

    done = await asyncio.gather(*map(catch_failure, (one(*item) for item in enumerate(first))))
    if failures := [failure for failure in done if failure]:
        message, retryable = "\n".join(map(str, failures)), all(failure.retryable for failure in failures)
        raise Failure(message, code=failures[0].code, retryable=retryable)
    await one(0, last)


async def _make(change: Change, jobs: Jobs, target: Target) -> None:
    if change.verb == "delete":
        await jobs.delete(change.job.id)
    else:
        await jobs.put(change.job, there=change.verb == "update", keeps_body=stores_state(change.job, target))
