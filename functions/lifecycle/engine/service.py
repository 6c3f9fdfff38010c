"""What the functions do: observe, decide, act, report. One method a function; one list call sees the namespace."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from lifecycle.core.entries import Entry
from lifecycle.core.manual import ManualRequest
from lifecycle.core.model import Endpoint, Message, Prices, Result, Trigger
from lifecycle.engine import costs
from lifecycle.engine.budgets import BudgetReport, settle
from lifecycle.engine.call import Call, Caller, Dependencies, Verb
from lifecycle.engine.execute import ExecutionOptions
from lifecycle.engine.past import for_rules, for_status
from lifecycle.engine.request import Request
from lifecycle.engine.status import Status, build_status
from lifecycle.errors import Failure

# Seconds for a call's work, so that it ends 10 s within the functions' limits of 60 and 540; people wait for `status`.
SHORT, LONG, AT_ONCE = 48.0, 525.0, 5.0


@dataclass(frozen=True)
class Answer:
    """What a function answers. `notes`, `unmanaged` (in no entry) and `budgets` are for the log."""

    trigger: Trigger
    dry_run: bool
    results: Sequence[Result] = ()
    status: int = 200
    notes: Sequence[str] = ()
    unmanaged: Sequence[Endpoint] = ()
    budgets: Sequence[BudgetReport] = ()

    def body(self) -> dict[str, Any]:
        results = [result.answer() for result in self.results]
        return {"trigger": self.trigger, "dry_run": self.dry_run, "results": results}

    @property
    def retry_after(self) -> int:
        """Seconds after which asking again is worth it."""
        return max([30, *(int(result.retry_after or 0) for result in self.results)])


@dataclass(frozen=True)
class Service:
    """The system behind the functions."""

    world: Dependencies

    async def act(self, verb: Verb, request: Request, caller: Caller) -> Answer:
        """`pause`, `resume` or `warm`: by hand, or by a `cron:` job."""
        warm = verb == "warm"
        call = Call(self.world, LONG if warm else SHORT, caller, dry_run=request.dry_run, remembering=SHORT / 2)
        await call.observe()
        state: Literal["paused", "running"] = "paused" if verb == "pause" else "running"
        asked = ManualRequest(state, request.until, request.released, caller.email, request.note)
        how = ExecutionOptions(wait_for_started=warm, wait_for_starting=warm, verify_ready=warm, dry=call.dry)

        async def one(entry: Entry) -> list[Result]:
            if caller.trigger == "manual":
                return await call.by_hand(entry, asked, how)
            return await call.timed(entry, verb, how)

        return _answer(call, await call.each(request.entries, one))

    async def reconcile(self, request: Request, caller: Caller) -> Answer:
        """Makes each endpoint what is wanted now."""
        call = Call(self.world, LONG, caller, dry_run=request.dry_run)
        readings = for_rules(call.monitoring, call.settings, request.entries, call.now(), everything=request.everything)
        await call.observe(readings, costs.prices(call) if request.everything else None)
        reports = await settle(call) if request.everything else []
        how = ExecutionOptions(wait_for_started=True, wait_for_starting=not request.everything, dry=call.dry)

        async def one(entry: Entry) -> list[Result]:
            if request.clear_override:
                try:
                    await call.clear(entry)
                except Failure as failure:
                    return call.failed_results(entry, failure)
            return await call.ruled(entry, how)

        results = await call.each(request.entries, one)
        if not request.everything:
            return _answer(call, results)
        priced = costs.with_costs(call, results)
        return replace(_answer(call, priced), unmanaged=call.unmanaged(), budgets=reports)

    async def platform_event(self, message: Message) -> Answer:
        """Remembers what a platform said, if it is newer, and lets its followers follow at once.

        Raises `Failure` when it could not be remembered; then nothing was done.
        """
        call = Call(self.world, SHORT, Caller("platform"))
        followers = self.world.settings.followers(message.platform)
        if not followers:
            return replace(_answer(call, []), notes=[f"no entry follows the platform {message.platform!r}"])
        if not await call.learn(message):
            told = f"older than the newest news of {message.platform}; it changes nothing"
            return replace(_answer(call, []), notes=[told])
        await call.list_endpoints()
        results = await call.each(followers, lambda entry: call.ruled(entry, ExecutionOptions(dry=call.dry)))
        await call.run_when_pending(message.platform, results)
        return replace(_answer(call, results), status=200)

    async def status(self) -> Status:
        """What is, what is wanted and why, and what comes next (design, "Functions"). Changes and wakes nothing."""
        call = Call(self.world, AT_ONCE, Caller())
        readings = for_status(call.monitoring, call.settings, call.now())
        prices: Prices | Failure = {}

        async def price() -> Prices:
            nonlocal prices
            prices = await call.prices()
            return {} if isinstance(prices, Failure) else prices

        await call.observe(readings, price())
        return build_status(call, prices)


def _answer(call: Call, results: Sequence[Result]) -> Answer:
    return Answer(call.caller.trigger, call.dry, results, status_of(results), call.notes)


def status_of(results: Iterable[Result]) -> int:
    """The HTTP status that says it all: 503, 502, 202 or 200, the first that applies."""
    results = list(results)
    bad = [result for result in results if result.outcome == "failed"]
    if any(result.retryable or result.code in ("token_unreadable", "memory_unavailable") for result in bad):
        return 503
    if bad:
        return 502
    return 202 if any(result.outcome == "pending" for result in results) else 200
