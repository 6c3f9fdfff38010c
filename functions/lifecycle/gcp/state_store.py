"""What Cloud Scheduler's jobs store: read by one list, and written so that nothing newer is lost.

Cloud Scheduler has no preconditions. So a holder has a job of its own, and so has each message of a platform; what is
deleted is read again before, and a repeated write is repeated together with its read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord, Override, PlatformState, StoredState
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp import jobs as job
from lifecycle.gcp.jobs import Job, Jobs


@dataclass
class StateStore:
    """The state within one call. `read` comes first; what it saw is used by the others. All raise `Failure`."""

    jobs: Jobs
    settings: Settings
    prefix: str
    now: Callable[[], datetime]
    seen: dict[str, Job] = field(default_factory=dict)

    async def read(self) -> StoredState:
        self.seen = {found.id: found for found in await self.jobs.list()}
        return job.stored_state(self.seen.values(), self.settings, self.prefix)

    async def put_override(self, entry: str, override: Override) -> None:
        """Stores an override in place of its holder's own one before it, unless that one is newer by now."""
        made = job.override_job(self._like(), self.prefix, entry, override, self.now())
        seen = self.seen.get(made.id)
        if seen and not (job.override_in(seen) or job.same_url(seen.url, made.url)):
            raise job.foreign([seen])
        repeated = False

        async def attempt() -> None:
            nonlocal repeated
            if repeated:
                stored = job.override_in(await self.jobs.get(made.id))
                if stored and stored.since > override.since:
                    raise Failure("a newer request of the same holder is stored", code="held", retryable=False)
            repeated = True
            await self.jobs.put(made, there=seen is not None)

        await self.jobs.retry(attempt)

    async def has(self, entry: str, override: Override) -> bool:
        """Whether there is a job for the override's holder: another instance may delete an ended one with it."""
        return await self.jobs.retry(lambda: self.jobs.get(self._id(entry, override))) is not None

    async def end_override(self, entry: str, override: Override, at: datetime) -> None:
        """Has an override end, and keeps it, unless it has been replaced since it was read."""
        ended = job.override_job(self._like(), self.prefix, entry, replace(override, until=at), at)

        async def attempt() -> None:
            if job.override_in(await self.jobs.get(ended.id)) == override:
                await self.jobs.put(ended, there=True)

        await self.jobs.retry(attempt)

    async def delete_override(self, entry: str, override: Override) -> None:
        """Deletes an override, unless it has been replaced since it was read."""
        id = self._id(entry, override)

        async def attempt() -> None:
            if job.override_in(await self.jobs.get(id)) == override:
                await self.jobs.delete(id)

        await self.jobs.retry(attempt)

    async def put_budget(self, key: str, record: BudgetRecord) -> None:
        """Stores what is known of a budget in its job."""
        id = job.budget_id(self.prefix, key)
        if not await self.jobs.retry(lambda: self.jobs.set_body(id, job.budget_body(key, record))):
            message = f"there is no job {id}; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)

    async def put_platform_state(self, platform: str, new: PlatformState) -> StoredState:
        """Stores a message of a platform; the state after that, in which a newer one may have come meanwhile.

        Each message has a job of its own, so an instance that is slow to write cannot overwrite a newer message. The
        platform's daily job shows the newest, too.
        """
        daily = job.platform_id(self.prefix, platform)
        like = self.seen.get(daily)
        if like is None:
            message = f"there is no job for the platform {platform}; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)
        record = job.record_job(like, self.prefix, self.settings, platform, replace(new, received=self.now()))
        await self.jobs.retry(lambda: self.jobs.put(record, there=record.id in self.seen))
        await self.jobs.retry(lambda: self._show(daily, platform, new))
        state = await self.read()
        await catch_failure(self._delete_older(platform, state.platforms.get(platform, new)))
        return state

    async def _show(self, daily: str, platform: str, new: PlatformState) -> None:
        shown = job.platform_state_in(await self.jobs.get(daily))
        if shown and shown.since > new.since:
            return
        if not await self.jobs.set_body(daily, job.platform_body(self.settings, platform, new)):
            message = f"the state of {platform} could not be stored in job {daily}"
            raise Failure(message, code="memory_unavailable", retryable=True)

    async def _delete_older(self, platform: str, newest: PlatformState) -> None:
        """Older messages decide nothing any more; one that stays is deleted with the next message."""
        for found in [*self.seen.values()]:
            new = job.platform_state_in(found)
            if job.is_record_of(self.prefix, platform, found.id) and (new is None or new.since < newest.since):
                await self.jobs.delete(found.id)

    def _id(self, entry: str, override: Override) -> str:
        return job.override_id(self.prefix, entry, override.holder, override.endpoint)

    def _like(self) -> Job:
        """The job whose target, account, deadline and retries overrides copy."""
        id = job.reconcile_id(self.prefix)
        if id not in self.seen:
            message = f"there is no job {id} to copy; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)
        return self.seen[id]
