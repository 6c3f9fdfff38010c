"""The memory that Cloud Scheduler keeps: read by one list, and written so that nothing newer is lost.

Cloud Scheduler has no preconditions. So what is written is read back, and what is deleted is read again before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord, Override, PlatformState, StoredState
from lifecycle.errors import Failure
from lifecycle.gcp import jobs as job
from lifecycle.gcp.jobs import Job, Jobs

READ_BACKS = 5


@dataclass
class StateStore:
    """The memory within one call. `read` comes first; what it saw is used by the others. All raise `Failure`."""

    jobs: Jobs
    settings: Settings
    prefix: str
    now: Callable[[], datetime]
    seen: dict[str, Job] = field(default_factory=dict)

    async def read(self) -> StoredState:
        self.seen = {found.id: found for found in await self.jobs.list()}
        return job.remembered(self.seen.values(), self.settings, self.prefix)

    async def keep(self, entry: str, override: Override | None) -> None:
        """Replaces the entry's override; None: takes it away."""
        id = job.override_id(self.prefix, entry)
        seen, like = self.seen.get(id), self.seen.get(job.reconcile_id(self.prefix))
        ours = seen and (job.override_in(seen) or (like and job.same_url(seen.url, like.url)))
        if override is None:
            if ours:
                await self.jobs.retry(lambda: self.jobs.delete(id))
            return
        if like is None:
            message = f"there is no job {job.reconcile_id(self.prefix)} to copy; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)
        if seen and not ours:
            raise job.foreign([seen])
        made = job.override_job(like, self.prefix, entry, override, self.now())
        await self.jobs.retry(lambda: self.jobs.put(made, there=seen is not None))

    async def confirm(self, entry: str, override: Override) -> None:
        """Writes the override again where another instance, clearing away an ended one, took it with it."""
        id = job.override_id(self.prefix, entry)
        if await self.jobs.retry(lambda: self.jobs.get(id)) is None:
            await self.keep(entry, override)

    async def forget(self, entry: str, ended: Override) -> None:
        """Deletes an ended override, unless it has been replaced since it was read."""
        id = job.override_id(self.prefix, entry)

        async def attempt() -> None:
            if job.override_in(await self.jobs.get(id)) == ended:
                await self.jobs.delete(id)

        await self.jobs.retry(attempt)

    async def put_budget(self, key: str, record: BudgetRecord) -> None:
        """Stores what is known of a budget in its job."""
        id = job.budget_id(self.prefix, key)
        if not await self.jobs.retry(lambda: self.jobs.set_body(id, job.budget_body(key, record))):
            message = f"there is no job {id}; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)

    async def remember(self, platform: str, news: PlatformState) -> PlatformState:
        """Writes what a platform said; what is remembered then: this, or newer news that came meanwhile."""
        id = job.platform_id(self.prefix, platform)
        body = job.platform_body(self.settings, platform, news)

        async def attempt() -> PlatformState:
            for _ in range(READ_BACKS):
                found = await self.jobs.get(id)
                kept = job.news_in(found)
                if kept and kept.since > news.since:
                    return kept
                if found and found.body == body:
                    return news
                if not await self.jobs.set_body(id, body):
                    break
            message = f"the news of {platform} could not be remembered in job {id}"
            raise Failure(message, code="memory_unavailable", retryable=True)

        return await self.jobs.retry(attempt)
