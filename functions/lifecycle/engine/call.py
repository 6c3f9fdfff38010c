"""One call of a function: what it observed, and what it does with each entry: by hand, by a timer, by the rules."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Literal, TypeVar

import httpx

from lifecycle.core.cron import scheduled
from lifecycle.core.entries import Entry, Settings
from lifecycle.core.manual import ManualRequest, override_for
from lifecycle.core.model import (
    Action,
    Endpoint,
    Message,
    Override,
    PlatformState,
    Prices,
    Result,
    StoredState,
    Trigger,
)
from lifecycle.core.overrides import describe, ended_at
from lifecycle.core.past import NOTHING_KNOWN
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.engine.execute import ExecutionOptions, execute_step, failed
from lifecycle.engine.past import NOT_READ, Readings, past
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp.jobs import Jobs, boundary_of, platform_id
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.credentials import Token
from lifecycle.huggingface.parsing import addressable
from lifecycle.huggingface.prices import PriceCatalogue

T = TypeVar("T")
CLEARED_WITHIN = (1.0, 3.0, 7.0)  # seconds; a deletion by another instance may take ten
Verb = Literal["pause", "resume", "warm"]


@dataclass(frozen=True)
class Caller:
    """Who asks: the trigger, the person's email where it is known, and the Cloud Scheduler job that fired."""

    trigger: Trigger = "manual"
    email: str | None = None
    job: str = ""


@dataclass(frozen=True)
class Dependencies:
    """What the system stands on; time, HTTP, Cloud Scheduler and chance are handed in.

    `jobs` gives the scheduler for a deadline (event loop's clock); None: there is none, so nothing is remembered.
    """

    settings: Settings
    http: httpx.AsyncClient
    token: Token
    base: str
    jobs: Callable[[float], Jobs] | None
    prefix: str
    now: Callable[[], datetime]
    rng: random.Random = field(repr=False)
    catalogue: PriceCatalogue = field(default_factory=PriceCatalogue, repr=False)
    monitoring: Monitoring | None = None


class Call:
    """One call of a function: what it observed, and what it does with that."""

    def __init__(
        self,
        world: Dependencies,
        seconds: float,
        caller: Caller,
        *,
        dry_run: bool = False,
        remembering: float | None = None,
    ) -> None:
        """`seconds`: for all of it. `remembering`: for Cloud Scheduler, where something is done without it, too."""
        self.settings = world.settings
        self.caller = caller
        self.dry = dry_run or world.settings.dry_run
        self.now = world.now
        self.catalogue = world.catalogue
        self.monitoring = world.monitoring
        self.readings = NOT_READ
        self.known_prices: Prices = {}
        self.past = NOTHING_KNOWN
        self.prefix = world.prefix
        begun = asyncio.get_running_loop().time()
        deadline = begun + seconds
        self.hf = HuggingFace(world.http, world.token, world.base, self.settings.namespace, deadline, world.rng)
        self.jobs = world.jobs(begun + (remembering or seconds)) if world.jobs else None
        self.store = StateStore(self.jobs, self.settings, self.prefix, self.now) if self.jobs else None
        self.notes: list[str] = []  # what else must be seen
        self.endpoints: list[Endpoint] | Failure = []
        self.covered: dict[str, list[Endpoint]] = {}
        self.memory: StoredState | Failure = StoredState(unavailable_reason="SCHEDULER_PARENT is not set")

    # Observe.

    async def observe(
        self, readings: Awaitable[Readings] | None = None, prices: Awaitable[Prices] | None = None
    ) -> None:
        """`readings` of the past and `prices` are awaited at the same time, where the rules ask for them."""

        async def read() -> None:
            self.readings = await readings if readings else NOT_READ

        async def price() -> None:
            self.known_prices = await prices if prices else {}

        await asyncio.gather(self.list_endpoints(), self.read_memory(), read(), price())
        stored = self.memory if isinstance(self.memory, StoredState) else StoredState()
        self.past = past(self.settings, stored, self.readings, self.covered, self.known_prices, self.now())

    async def list_endpoints(self) -> None:
        self.endpoints = await _or_failure(self.hf.endpoints())
        for endpoint in self.endpoints if isinstance(self.endpoints, list) else ():
            deciding = self.settings.covering(endpoint.name, endpoint.tags) if addressable(endpoint.name) else ()
            self.covered.setdefault(deciding[0].key if deciding else "", []).append(endpoint)

    async def prices(self) -> Prices | Failure:
        return await _or_failure(self.hf.prices())

    async def read_memory(self) -> None:
        if self.store:
            self.memory = await _or_failure(self.store.read())

    def situations(self, entry: Entry) -> list[Situation]:
        """One for each endpoint that the entry covers, as far as memory and endpoints could be read."""
        return [self.situation(entry, endpoint) for endpoint in self.covered.get(entry.key, ())]

    def situation(self, entry: Entry, endpoint: Endpoint | None) -> Situation:
        unread = StoredState(unavailable_reason="Cloud Scheduler could not be read")
        stored = self.memory if isinstance(self.memory, StoredState) else unread
        return Situation(entry, endpoint, stored, self.now(), self.past)

    def unmanaged(self) -> list[Endpoint]:
        return self.covered.get("", [])

    # One entry, by hand, by a `cron:` job, and by the rules.

    async def by_hand(self, entry: Entry, asked: ManualRequest, how: ExecutionOptions) -> list[Result]:
        situations, override = self.situations(entry), None
        unkept: Failure | None = self.memory if isinstance(self.memory, Failure) else None
        if situations and not unkept and self.store:
            override = override_for(asked, situations)
            if not how.dry:
                unkept = await catch_failure(self.store.keep(entry.key, override))
        hand = Decision(asked.state, self._why(asked, override, entry), "hand")
        if unkept and asked.state == "running":
            return self.failed_results(entry, unkept, lambda _: hand)
        confirmed = self._confirmed(entry, override) if override and not unkept and not how.dry else _nothing()
        results, lost = await asyncio.gather(self.drive(entry, lambda _: hand, how, alone=True), confirmed)
        unkept = unkept or lost
        return [failed(result, unkept) if unkept and result.outcome != "failed" else result for result in results]

    async def _confirmed(self, entry: Entry, override: Override) -> Failure | None:
        """Makes sure that an instance that is clearing away an ended override did not take the new one with it."""
        before = self.memory.overrides.get(entry.key) if isinstance(self.memory, StoredState) else None
        if not before or not self.store or not ended_at(before, self.situation(entry, None).memory, self.now()):
            return None
        for pause in CLEARED_WITHIN:
            await asyncio.sleep(pause)
            if failure := await catch_failure(self.store.confirm(entry.key, override)):
                return failure
        return None

    def _why(self, asked: ManualRequest, override: Override | None, entry: Entry) -> str:
        if override:
            return describe(override, entry.zone, self.now())
        by = f" by {asked.by}" if asked.by else ""
        note = f": {asked.note}" if asked.note else ""
        return f"asked by hand{by}{note}" + ("" if self.store else "; no override is kept: SCHEDULER_PARENT is not set")

    async def timed(self, entry: Entry, verb: Verb, how: ExecutionOptions) -> list[Result]:
        if isinstance(self.memory, Failure):
            return self.failed_results(entry, self.memory)
        return await self.drive(entry, partial(scheduled, verb), how, alone=verb == "warm")

    async def ruled(self, entry: Entry, how: ExecutionOptions) -> list[Result]:
        if isinstance(self.memory, Failure):
            return self.failed_results(entry, self.memory)
        boundary = boundary_of(self.caller.job, self.prefix) if self.caller.trigger == "schedule" else None
        results = await self.drive(entry, decide, how, boundary=boundary)
        override = self.memory.overrides.get(entry.key)
        settled = all(result.outcome in ("done", "unchanged") or result.start_disabled for result in results)
        if override and ended_at(override, self.memory, self.now()) and settled and not how.dry and self.store:
            # Left for the next pass when it fails: an ended override decides nothing.
            failure = await catch_failure(self.store.forget(entry.key, override))
            self.note(f"the ended override of {entry.key} is still there", failure)
        return results

    async def drive(
        self,
        entry: Entry,
        wished: Callable[[Situation], Decision],
        how: ExecutionOptions,
        *,
        alone: bool = False,
        boundary: str | None = None,
    ) -> list[Result]:
        """A result for each endpoint of the entry, from the step that the wish needs."""
        if isinstance(self.endpoints, Failure):
            return self.failed_results(entry, self.endpoints, wished)
        situations = self.situations(entry)
        if not situations and not entry.is_pattern:
            known = f"Hugging Face has no endpoint {entry.name} in {self.settings.namespace}"
            return self.failed_results(entry, Failure(known, code="not_found", retryable=False), wished)

        async def one(situation: Situation) -> Result:
            wanted = wished(situation)
            found = plan_step(wanted, situation, alone=alone, boundary=boundary)
            try:
                result = await execute_step(self.hf, situation, wanted, found, how)
            except Exception as error:  # whatever happens to one stays its own
                self.notes.append("".join(traceback.format_exception(error)))
                told = f"an error inside ({type(error).__name__}); the log has it"
                result = _lost(situation, wanted, found.action, Failure(told, code="crash", retryable=False))
            return self._noted(result, situation, wanted)

        return list(await asyncio.gather(*map(one, situations)))

    def _noted(self, result: Result, situation: Situation, wanted: Decision) -> Result:
        """The result with what else is worth telling: entries that overlap, and hours that began without it."""
        endpoint = situation.endpoint
        others = self.settings.covering(endpoint.name, endpoint.tags)[1:] if endpoint else []
        also = f"; also covered by {', '.join(other.key for other in others)}" if others else ""
        unknown = [spending.reason for spending in situation.past.of(situation.entry) if spending.reason]
        also += f"; its budget is not applied, what was billed is not known: {unknown[0]}" if unknown else ""
        late = wanted.wanted == "running" and wanted.begin is not None and self.now() >= wanted.begin
        unready = late and result.outcome in ("failed", "pending", "skipped")
        began = wanted.begin if wanted.begin and situation.now - wanted.begin < self.settings.reconcile_every else None
        return replace(
            result,
            reason=result.reason + also,
            unready=unready,
            hours_begin=began if began and situation.now >= began else None,
        )

    def failed_results(
        self, entry: Entry, failure: Failure, wished: Callable[[Situation], Decision] = decide
    ) -> list[Result]:
        """Failed results for what could not be done: for each endpoint as far as they are known, else for the entry."""
        situations = self.situations(entry)
        results = []
        for situation in situations or [self.situation(entry, None)]:
            wanted = wished(situation)
            results.append(self._noted(_lost(situation, wanted, "none", failure), situation, wanted))
        return results

    # Memory.

    async def clear(self, entry: Entry) -> None:
        """Gives an entry back to the rules: its override ends now. Raises `Failure`."""
        if isinstance(self.memory, Failure):
            return
        if self.store and not self.dry:
            await self.store.keep(entry.key, None)
        if override := self.memory.overrides.get(entry.key):
            ended = {entry.key: replace(override, until=self.now())}
            self.memory = replace(self.memory, overrides={**self.memory.overrides, **ended})

    async def learn(self, message: Message) -> bool:
        """Remembers a platform's news; false when it is older than what is known. Raises `Failure`."""
        if self.store is None:
            told = "platform news cannot be remembered: SCHEDULER_PARENT is not set"
            raise Failure(told, code="memory_unavailable", retryable=True)
        memory = await self.store.read()
        if platform_id(self.prefix, message.platform) not in self.store.seen:
            told = f"there is no job for the platform {message.platform}; has `lifecycle sync` run?"
            raise Failure(told, code="memory_unavailable", retryable=True)
        known, at = memory.platforms.get(message.platform), min(message.at, self.now())
        if known and at < known.since:
            return False
        news = _following(known, message, at, self.settings)
        kept = await self.store.remember(message.platform, news)
        self.memory = replace(memory, platforms={**memory.platforms, message.platform: kept})
        return kept == news

    async def run_when_pending(self, platform: str, results: Iterable[Result]) -> None:
        """Has Scheduler run the platform's job, which waits for what is starting."""
        if self.jobs and any(result.outcome == "pending" for result in results):
            failure = await catch_failure(self.jobs.run(platform_id(self.prefix, platform)))
            self.note("not warmed until the next pass", failure)

    def note(self, what: str, failure: Failure | None) -> None:
        if failure:
            self.notes.append(f"{what}: {failure}")

    async def each(self, names: Iterable[str], one: Callable[[Entry], Awaitable[list[Result]]]) -> list[Result]:
        """The results of all entries, side by side."""
        found = await asyncio.gather(*(one(self.settings.entries[name]) for name in names))
        return [result for results in found for result in results]


def _following(known: PlatformState | None, message: Message, at: datetime, settings: Settings) -> PlatformState:
    """The news in a message; `first` where the platform says again what still holds."""
    lasts = settings.platforms[message.platform].max_started if message.platform in settings.platforms else None
    if known is None or known.state != message.event:
        return PlatformState(message.event, at)
    if at == known.since:
        return known
    renewed = message.event == "started" and not (lasts and known.since + lasts <= at)
    return PlatformState(message.event, at, first=(known.first or known.since) if renewed else None)


def _lost(situation: Situation, wanted: Decision, action: Action, failure: Failure) -> Result:
    """The result of what could not be done, in the state that was last seen."""
    entry, endpoint = situation.entry, situation.endpoint
    result = Result(
        endpoint=entry.key,
        name=endpoint.name if endpoint else entry.name or entry.key,
        action=action,
        outcome="failed",
        before=endpoint.state if endpoint else None,
        after=endpoint.state if endpoint else None,
        wanted=wanted.wanted,
        reason=wanted.reason,
        url=endpoint.url if endpoint else None,
        rule=wanted.rule,
        seen=endpoint,
    )
    return failed(result, failure)


async def _or_failure(work: Awaitable[T]) -> T | Failure:
    try:
        return await work
    except Failure as failure:
        return failure


async def _nothing() -> None:
    return None
