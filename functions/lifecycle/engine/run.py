"""One call of a function: what it observed, and how it brings each endpoint to its desired state.

Seconds pass between reading and acting. Before a request that changes something, what is older than FRESH is read
again.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from lifecycle.core.entries import Entry
from lifecycle.core.model import AT_REST, Action, Endpoint, Override, Prices, Result, StoredState
from lifecycle.core.overrides import deciding, ended_now, in_force
from lifecycle.core.past import Past
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.engine.dependencies import Caller, Dependencies
from lifecycle.engine.execute import ExecutionOptions, execute_step, failed
from lifecycle.engine.past import NOT_READ, Readings, past
from lifecycle.errors import Failure
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.parsing import addressable

FRESH, FRESH_STATE = 10.0, 3.0  # seconds; what was read of endpoints, or is stored, is read again before a later write
MOST_PLANS = 5
Rule = Callable[[Situation], Decision]


@dataclass(frozen=True)
class Target:
    """An entry, or one endpoint of it by its name at Hugging Face."""

    entry: Entry
    endpoint: str | None = None


class Superseded(Exception):
    """The desired state has changed since the decision: the new situation and decision."""

    def __init__(self, situation: Situation, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.situation = situation
        self.decision = decision


class Run:
    """One call. What could not be read is empty, and its failure is kept."""

    def __init__(
        self, deps: Dependencies, seconds: float, caller: Caller, *, dry_run: bool = False, storing: float | None = None
    ) -> None:
        """`seconds`: the call's time. `storing`: the time for Cloud Scheduler, if the call can go on without it."""
        self.deps = deps
        self.settings = deps.settings
        self.caller = caller
        self.dry = dry_run or deps.settings.dry_run
        self.now = deps.now
        self.prefix = deps.prefix
        self.clock = asyncio.get_running_loop().time
        begun = self.clock()
        self.deadline = begun + seconds
        self.hf = HuggingFace(deps.http, deps.token, deps.base, self.settings.namespace, self.deadline, deps.rng)
        self.jobs = deps.jobs(begun + (storing or seconds)) if deps.jobs else None
        self.store = StateStore(self.jobs, self.settings, self.prefix, self.now) if self.jobs else None
        self.notes: list[str] = []  # what else must be seen
        self.endpoints: list[Endpoint] = []
        self.endpoints_failure: Failure | None = None
        self.covered: dict[str, list[Endpoint]] = {}
        # By name: why an endpoint that the list does not show is not known. `gone`: those that are not there.
        self.unread: dict[str, Failure] = {}
        self.gone: set[str] = set()
        self.state = StoredState(unavailable_reason="SCHEDULER_PARENT is not set")
        self.state_failure: Failure | None = None
        self.state_at = self.state_from = begun  # when it was read, and when that began
        self.released: dict[str, tuple[Override, ...]] = {}  # by entry: what this call ends
        self.readings = NOT_READ
        self.known_prices: Prices = {}
        self._past: tuple[object, Past] | None = None
        self._seen_at: dict[str, float] = {}
        self._reading = asyncio.Lock()

    # Observe.

    async def observe(
        self,
        entries: Iterable[Entry] = (),
        readings: Awaitable[Readings] | None = None,
        prices: Awaitable[Prices] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """Reads endpoints and stored state. Endpoints of `entries` and `names` that the list does not show are read one
        by one. `readings` of the past and `prices` are awaited at the same time, if given."""

        async def read() -> None:
            self.readings = await readings if readings else NOT_READ

        async def price() -> None:
            self.known_prices = await prices if prices else {}

        await asyncio.gather(self.list_endpoints(entries, names), self.read_state(), read(), price())
        if self.clock() - self.state_at > FRESH_STATE:
            await self.read_state()

    async def list_endpoints(self, entries: Iterable[Entry] = (), names: Iterable[str] = ()) -> None:
        begun = self.clock()
        try:
            self.endpoints = await self.hf.endpoints()
        except Failure as failure:
            self.endpoints_failure = failure
            return
        for endpoint in self.endpoints:
            self._cover(endpoint, begun)
        named = [entry.name or entry.key for entry in entries if not entry.is_pattern]
        await asyncio.gather(*map(self.look_up, dict.fromkeys([*named, *names])))

    async def look_up(self, name: str) -> None:
        """Reads one endpoint: it can be missing from a list that changes while its pages are read."""
        if name in self._seen_at:
            return
        begun = self.clock()
        try:
            self._cover(await self.hf.endpoint(name), begun)
        except Failure as failure:
            if failure.code == "not_found":
                self.gone.add(name)
            else:
                self.unread[name] = failure

    def _cover(self, endpoint: Endpoint, at: float) -> None:
        covering = self.settings.covering(endpoint.name, endpoint.tags) if addressable(endpoint.name) else ()
        self.covered.setdefault(covering[0].key if covering else "", []).append(endpoint)
        self._seen_at[endpoint.name] = at

    async def read_state(self) -> None:
        if not self.store:
            return
        begun = self.clock()
        try:
            self.state, self.state_failure = await self.store.read(), None
        except Failure as failure:
            self.state = StoredState(unavailable_reason="Cloud Scheduler could not be read")
            self.state_failure = failure
        self.state_at, self.state_from = self.clock(), begun

    def situations(self, entry: Entry, endpoint: str | None = None) -> list[Situation]:
        """One for each endpoint of the entry, or for the given one; none if the endpoints could not be read."""
        covered = self.covered.get(entry.key, ())
        return [self.situation(entry, found) for found in covered if endpoint in (None, found.name)]

    def situation(self, entry: Entry, endpoint: Endpoint | None) -> Situation:
        return Situation(entry, endpoint, self._after_release(entry), self.now(), self.past)

    @property
    def past(self) -> Past:
        """The past, as the rules get it."""
        key = (self.state_at, id(self.readings), id(self.known_prices))
        if self._past is None or self._past[0] != key:
            made = past(self.settings, self.state, self.readings, self.covered, self.known_prices, self.now())
            self._past = key, made
        return self._past[1]

    def _after_release(self, entry: Entry) -> StoredState:
        """The stored state, as if the overrides that this call releases had ended."""
        released = [o for o in self.released.get(entry.key, ()) if o in self.state.overrides.get(entry.key, ())]
        return ended_now(self.state, entry.key, released, self.now()) if released else self.state

    def covers_no_longer(self, entry: Entry, name: str) -> bool:
        """Whether an endpoint is known to be gone, or to belong to other entries."""
        covered = any(found.name == name for found in self.covered.get(entry.key, ()))
        return name in self.gone or (name in self._seen_at and not covered)

    def unmanaged(self) -> list[Endpoint]:
        return self.covered.get("", [])

    def target_of(self, name: str) -> Target | None:
        """The target with this name at Hugging Face: an entry, or one of the endpoints that a pattern covers."""
        if entry := self.settings.exactly(name):
            return Target(entry)
        for key, endpoints in self.covered.items():
            if key and any(endpoint.name == name for endpoint in endpoints):
                return Target(self.settings.entries[key], name)
        return None

    # Act.

    async def each(self, targets: Iterable[Target], one: Callable[[Target], Awaitable[list[Result]]]) -> list[Result]:
        """The results of all targets, which are processed concurrently."""
        found = await asyncio.gather(*map(one, targets))
        return [result for results in found for result in results]

    async def drive(
        self,
        target: Target,
        rule: Rule,
        how: ExecutionOptions,
        *,
        only_running: bool = False,
        boundary: str | None = None,
        replans: bool = True,
        needs_state: bool = True,
    ) -> list[Result]:
        """Takes the step that the rule's decision needs, for each endpoint of the target; returns a result for each.

        `only_running`: no other state satisfies "running". `replans`: if the situation changes meanwhile, the new
        decision is followed; otherwise the result is a failure. `needs_state`: nothing is done while the stored state
        cannot be read.
        """
        entry = target.entry
        if self.endpoints_failure:
            return self.failed_results(target, self.endpoints_failure, rule)
        situations = self.situations(entry, target.endpoint)
        if not situations and not entry.is_pattern:
            message = f"Hugging Face has no endpoint {entry.name} in {self.settings.namespace}"
            missing = self.unread.get(entry.name or entry.key) or Failure(message, code="not_found", retryable=False)
            return self.failed_results(target, missing, rule)

        async def one(situation: Situation) -> Result:
            decision = rule(situation)
            for _ in range(MOST_PLANS):
                step = plan_step(decision, situation, only_running=only_running, boundary=boundary)
                hf = replace(
                    self.hf,
                    turn=self._turn(situation, decision, rule, only_running=only_running, needs_state=needs_state),
                    still_wanted=partial(self._still_wanted, situation, decision, rule),
                )
                try:
                    result = await execute_step(hf, situation, decision, step, how)
                    if replans and result.outcome == "done" and result.after in AT_REST and _is_slow(result):
                        seen = replace(situation, endpoint=result.seen)
                        await self._still_wanted(seen, decision, rule)  # what was stored meanwhile is followed, too
                except Superseded as superseded:
                    if replans or superseded.decision.wanted == decision.wanted:
                        situation, decision = superseded.situation, superseded.decision
                        continue
                    message = f"superseded: {superseded.decision.reason}"
                    result = failed_result(
                        situation, decision, step.action, Failure(message, code="held", retryable=False)
                    )
                except Exception as error:  # an error of one endpoint does not affect the others
                    self.notes.append("".join(traceback.format_exception(error)))
                    message = f"internal error ({type(error).__name__}); see the logs"
                    result = failed_result(
                        situation, decision, step.action, Failure(message, code="crash", retryable=False)
                    )
                return self.annotated(result, situation, decision)
            unsettled = Failure("the desired state changed repeatedly during the call", code="conflict", retryable=True)
            return self.annotated(failed_result(situation, decision, "none", unsettled), situation, decision)

        return list(await asyncio.gather(*map(one, situations)))

    def _turn(
        self, situation: Situation, decision: Decision, rule: Rule, *, only_running: bool, needs_state: bool
    ) -> Callable[[], AbstractAsyncContextManager[None]]:
        """The context of each request that changes an endpoint. Raises `Superseded` if it is no longer wanted."""
        endpoint = situation.endpoint
        assert endpoint is not None
        first, name, known_at = True, f"endpoint {endpoint.name}", self.state_at

        @asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            nonlocal first
            async with self.deps.turns.take(name):
                fresh = await self._refreshed(situation, known_at, needs_state=needs_state, again=not first)
                found = rule(fresh) if fresh is not situation else decision
                changed = found.wanted != decision.wanted
                if first and fresh is not situation and not changed:
                    # Another call may have done it already.
                    planned = plan_step(decision, situation, only_running=only_running)
                    changed = plan_step(found, fresh, only_running=only_running).action != planned.action
                if changed:
                    raise Superseded(fresh, found)
                first = False
                try:
                    yield
                finally:
                    self.deps.turns.mark(name)

        return turn

    async def _read_since(self, when: float) -> None:
        """Reads the stored state, unless that has begun since then; those that ask meanwhile share one read."""
        if self.store and self.state_from < when:
            async with self._reading:
                if self.state_from < when:
                    await self.read_state()

    async def _still_wanted(self, situation: Situation, decision: Decision, rule: Rule) -> None:
        """Raises `Superseded` if the stored state now leads to another desired state."""
        await self._read_since(self.clock())
        fresh = self.situation(situation.entry, situation.endpoint)
        if not self.state_failure and (found := rule(fresh)).wanted != decision.wanted:
            raise Superseded(fresh, found)

    async def _refreshed(self, situation: Situation, known_at: float, *, needs_state: bool, again: bool) -> Situation:
        """The situation, read again if it is old, or if this process has changed the endpoint since. `known_at`: when
        its stored state was read. `again`: before a request that is repeated."""
        endpoint = situation.endpoint
        assert endpoint is not None
        await self._read_since(self.clock() - (0 if again else FRESH_STATE))
        if self.state_at != known_at and self.state_failure and needs_state:
            raise self.state_failure
        seen_at = self._seen_at[endpoint.name]
        acted = self.deps.turns.changed_since(f"endpoint {endpoint.name}", seen_at)
        if not acted and self.clock() - seen_at <= FRESH:
            return situation if self.state_at == known_at else self.situation(situation.entry, endpoint)
        begun = self.clock()
        endpoint = await self.hf.peek(endpoint.name)
        self._seen_at[endpoint.name] = begun
        return self.situation(situation.entry, endpoint)

    # Results.

    def failed_results(self, target: Target, failure: Failure, rule: Rule = decide) -> list[Result]:
        """A failed result for each endpoint of the target; for the entry, if its endpoints are unknown."""
        results = []
        for situation in self.situations(target.entry, target.endpoint) or [self.situation(target.entry, None)]:
            decision = rule(situation)
            results.append(self.annotated(failed_result(situation, decision, "none", failure), situation, decision))
        return results

    def annotated(self, result: Result, situation: Situation, decision: Decision) -> Result:
        """The result with more to report: overlapping entries, overrides, hours that began before it answered."""
        endpoint, now = situation.endpoint, self.now()
        others = self.settings.covering(endpoint.name, endpoint.tags)[1:] if endpoint else []
        also = f"; also covered by {', '.join(other.key for other in others)}" if others else ""
        unknown = [spending.reason for spending in situation.past.of(situation.entry) if spending.reason]
        also += f"; its budget is not applied, because the billed costs are unknown: {unknown[0]}" if unknown else ""
        late = decision.wanted == "running" and decision.begin is not None and now >= decision.begin
        unready = late and result.outcome in ("failed", "pending", "skipped")
        began = decision.begin
        recent = began is not None and began <= situation.now < began + self.settings.reconcile_every
        return replace(
            self.with_overrides(result, situation),
            reason=result.reason + also,
            unready=unready,
            hours_begin=began if recent else None,
        )

    def with_overrides(self, result: Result, situation: Situation) -> Result:
        held = in_force(self._after_release(situation.entry), situation.entry.key, situation.name, self.now())
        return replace(result, overrides=tuple(held), override=deciding(held))

    def note(self, what: str, failure: Failure | None) -> None:
        if failure:
            self.notes.append(f"{what}: {failure}")


def failed_result(situation: Situation, decision: Decision, action: Action, failure: Failure) -> Result:
    """A failed result, with the state that was last seen."""
    entry, endpoint = situation.entry, situation.endpoint
    result = Result(
        endpoint=entry.key,
        name=endpoint.name if endpoint else entry.name or entry.key,
        action=action,
        outcome="failed",
        before=endpoint.state if endpoint else None,
        after=endpoint.state if endpoint else None,
        wanted=decision.wanted,
        reason=decision.reason,
        url=endpoint.url if endpoint else None,
        rule=decision.rule,
        seen=endpoint,
    )
    return failed(result, failure)


def _is_slow(result: Result) -> bool:
    return result.duration_ms > 1000 * FRESH_STATE


def all_failed(results: Sequence[Result], failure: Failure) -> list[Result]:
    """The results with a failure that applies to all of them; results that have failed already keep their own."""
    return [result if result.outcome == "failed" else failed(result, failure) for result in results]
