"""Reads and writes the state that Cloud Scheduler's jobs store.

Cloud Scheduler has no conditional writes. So that nothing newer is lost, each holder and each platform message has its
own job, a job is read again before it is deleted, and a retry repeats the read together with the write. In one process
only one attempt at a time writes an override's job: a deletion that is slow does not hit what is written meanwhile.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord, Override, PlatformState, StoredState
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp import job_state
from lifecycle.gcp.job_state import budget_in, override_in, platform_state_in
from lifecycle.gcp.jobs import (
    Job,
    Jobs,
    budget_id,
    foreign,
    is_record_of,
    override_id,
    platform_id,
    reconcile_id,
    same_url,
)


@dataclass
class StateStore:
    """The stored state within one call. `read` comes first; the other methods use what it saw. All raise `Failure`."""

    jobs: Jobs
    settings: Settings
    prefix: str
    now: Callable[[], datetime]
    turn: Callable[[str], AbstractAsyncContextManager[None]] = lambda _id: nullcontext()  # for a job, in this process
    seen: dict[str, Job] = field(default_factory=dict)

    async def read(self) -> StoredState:
        self.seen = {found.id: found for found in await self.jobs.list()}
        return job_state.stored_state(self.seen.values(), self.settings, self.prefix)

    async def put_override(self, entry: str, override: Override) -> None:
        """Stores an override, which replaces its holder's previous one, unless that has become newer meanwhile."""
        made = job_state.override_job(self._like(), self.prefix, entry, override, self.now())
        seen = self.seen.get(made.id)
        if seen and not (override_in(seen) or same_url(seen.url, made.url)):
            raise foreign([seen])
        repeated = False

        async def attempt() -> None:
            nonlocal repeated
            async with self.turn(made.id):
                if repeated:
                    stored = override_in(await self.jobs.get(made.id))
                    if stored and stored.since > override.since:
                        raise Failure("a newer request of the same holder is stored", code="held", retryable=False)
                repeated = True
                await self.jobs.put(made, there=seen is not None)

        await self.jobs.retry(attempt)

    async def has(self, entry: str, override: Override) -> bool:
        """Whether the override's job exists: another instance may have deleted it together with an ended override."""
        return await self.jobs.retry(lambda: self.jobs.get(self._id(entry, override))) is not None

    async def end_override(self, entry: str, override: Override, at: datetime) -> None:
        """Stores that an override has ended, unless it has been replaced since it was read."""
        ended = job_state.override_job(self._like(), self.prefix, entry, replace(override, until=at), at)

        async def attempt() -> None:
            async with self.turn(ended.id):
                if override_in(await self.jobs.get(ended.id)) == override:
                    await self.jobs.put(ended, there=True)

        await self.jobs.retry(attempt)

    async def delete_override(self, entry: str, override: Override) -> None:
        """Deletes an override, unless it has been replaced since it was read."""
        id = self._id(entry, override)

        async def attempt() -> None:
            async with self.turn(id):
                if override_in(await self.jobs.get(id)) == override:
                    await self.jobs.delete(id)

        await self.jobs.retry(attempt)

    async def put_budget(self, key: str, record: BudgetRecord, before: BudgetRecord | None) -> None:
        """Stores what is known of a budget, unless another run has stored meanwhile that it is spent. `before`: what
        was stored when that was decided."""
        id = budget_id(self.prefix, key)

        async def attempt() -> None:
            stored = budget_in(await self.jobs.get(id))
            if stored and stored != before and (stored.spent_at or not record.spent_at):
                return
            if not await self.jobs.set_body(id, job_state.budget_body(key, record)):
                message = f"there is no job {id}; has `lifecycle sync` run?"
                raise Failure(message, code="memory_unavailable", retryable=True)

        await self.jobs.retry(attempt)

    async def put_platform_state(self, platform: str, new: PlatformState) -> StoredState:
        """Stores a platform message, and returns the state after that, which may have a newer message by now.

        Each message has its own job, so a slow instance cannot overwrite a newer message. The platform's daily job also
        gets the newest message.
        """
        daily = platform_id(self.prefix, platform)
        like = self.seen.get(daily)
        if like is None:
            message = f"there is no job for the platform {platform}; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)
        record = job_state.record_job(like, self.prefix, self.settings, platform, replace(new, received=self.now()))
        await self.jobs.retry(lambda: self.jobs.put(record, there=record.id in self.seen))
        await self.jobs.retry(lambda: self._show(daily, platform, new))
        state = await self.read()
        newest = state.platforms.get(platform, new)
        shown = platform_state_in(self.seen.get(daily))
        if shown and shown.since < newest.since:
            # This instance has overwritten a newer message there. Its record decides, also if this fails.
            await catch_failure(self._show(daily, platform, newest))
        await catch_failure(self._delete_older(platform, newest))
        return state

    async def _show(self, daily: str, platform: str, new: PlatformState) -> None:
        shown = platform_state_in(await self.jobs.get(daily))
        if shown and shown.since > new.since:
            return
        if not await self.jobs.set_body(daily, job_state.platform_body(self.settings, platform, new)):
            message = f"the state of {platform} could not be stored in job {daily}"
            raise Failure(message, code="memory_unavailable", retryable=True)

    async def _delete_older(self, platform: str, newest: PlatformState) -> None:
        """Deletes older messages, which have no effect. If that fails, the next message deletes them."""
        for found in [*self.seen.values()]:
            new = platform_state_in(found)
            if is_record_of(self.prefix, platform, found.id) and (new is None or new.since < newest.since):
                await self.jobs.delete(found.id)

    def _id(self, entry: str, override: Override) -> str:
        return override_id(self.prefix, entry, override.holder, override.endpoint)

    def _like(self) -> Job:
        """The job whose target, account, deadline and retries overrides copy."""
        id = reconcile_id(self.prefix)
        if id not in self.seen:
            message = f"there is no job {id} to copy; has `lifecycle sync` run?"
            raise Failure(message, code="memory_unavailable", retryable=True)
        return self.seen[id]
