"""How one call brings each endpoint to its desired state, while others may change what is desired."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial

from lifecycle.core.entries import Entry
from lifecycle.core.model import AT_REST, Action, Endpoint, Result
from lifecycle.core.overrides import deciding, in_force
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.engine.execute import ExecutionOptions, execute_step, failed
from lifecycle.engine.observation import FRESH_STATE, Observation, Target
from lifecycle.errors import Failure

MOST_PLANS = 5
Rule = Callable[[Situation], Decision]


class Superseded(Exception):
    """The desired state has changed since the decision: the new situation and decision."""

    def __init__(self, situation: Situation, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.situation = situation
        self.decision = decision


class Run(Observation):
    """A call that acts on what it has read."""

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
                    result = failed_result(situation, decision, step.action, _superseded(superseded.decision))
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
                fresh = await self.refreshed(situation, known_at, needs_state=needs_state, again=not first)
                found = self._decided(rule, fresh) if fresh is not situation else decision
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

    def _decided(self, rule: Rule, fresh: Situation) -> Decision:
        """The rule's decision for an endpoint that was read again; its tags may have changed."""
        entry, endpoint = fresh.entry, fresh.endpoint
        if endpoint and entry not in self.settings.covering(endpoint.name, endpoint.tags)[:1]:
            return Decision("any", f"{entry.key} no longer covers it: its tags have changed", "none")
        return rule(fresh)

    async def _still_wanted(self, situation: Situation, decision: Decision, rule: Rule) -> None:
        """Raises `Superseded` if the stored state now leads to another desired state."""
        await self.read_since(self.clock())
        fresh = self.situation(situation.entry, situation.endpoint)
        if not self.state_failure and (found := rule(fresh)).wanted != decision.wanted:
            raise Superseded(fresh, found)

    def failed_results(self, target: Target, failure: Failure, rule: Rule = decide) -> list[Result]:
        """A failed result for each endpoint of the target; for the entry, if its endpoints are unknown."""
        results = []
        for situation in self.situations(target.entry, target.endpoint) or [self.situation(target.entry, None)]:
            decision = rule(situation)
            results.append(self.annotated(failed_result(situation, decision, "none", failure), situation, decision))
        return results

    def unread_result(self, entry: Entry, name: str) -> Result:
        """A failed result for an endpoint of a pattern that could not be read."""
        situation = self.situation(entry, Endpoint(name, "unknown"))
        decision = decide(situation)
        result = failed_result(situation, decision, "none", self.unread[name])
        return replace(self.annotated(result, situation, decision), before=None, after=None, seen=None)

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
        held = in_force(self.after_release(situation.entry), situation.entry.key, situation.name, self.now())
        return replace(result, overrides=tuple(held), override=deciding(held))


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


def _superseded(decision: Decision) -> Failure:
    """Why a manual request is not done; if another entry now covers the endpoint, a repeat finds that entry."""
    moved = decision.rule == "none"
    return Failure(f"superseded: {decision.reason}", code="conflict" if moved else "held", retryable=moved)


def _is_slow(result: Result) -> bool:
    return result.duration_ms > 1000 * FRESH_STATE


def all_failed(results: Sequence[Result], failure: Failure) -> list[Result]:
    """The results with a failure that applies to all of them; results that have failed already keep their own."""
    return [result if result.outcome == "failed" else failed(result, failure) for result in results]
