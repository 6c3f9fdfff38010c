"""Takes the step for one endpoint, waits if asked to, and returns the result."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from lifecycle.core.entries import Entry
from lifecycle.core.model import AT_REST, Action, Endpoint, Outcome, Result
from lifecycle.core.planner import Step
from lifecycle.core.rules import Decision, Situation
from lifecycle.core.scaling import differs, undeclared_change
from lifecycle.errors import Failure, timed_out
from lifecycle.huggingface.client import STARTED, Acted, HuggingFace
from lifecycle.huggingface.own_url import Unreachable

SHORTEST_POLL, LONGEST_POLL = 1.0, 10.0  # seconds
SETTLES_WITHIN = 30.0  # seconds in which a state may lag behind an accepted action
MOST_RESCALES = 3  # in one call
PROVED_WITHIN = 3  # tries to reach its URL


@dataclass(frozen=True)
class ExecutionOptions:
    """How a call executes steps. `wait_for_started`: wait until the endpoints that it starts answer.
    `wait_for_starting`: also wait for those that are already starting. `verify_ready`: also warm those that run.
    `dry`: do nothing, only report."""

    wait_for_started: bool = False
    wait_for_starting: bool = False
    verify_ready: bool = False
    dry: bool = False


async def execute_step(
    hf: HuggingFace, situation: Situation, decision: Decision, step: Step, how: ExecutionOptions
) -> Result:
    """The result of the step. Failures of services are results, too, and not exceptions."""
    entry, endpoint = situation.entry, situation.endpoint
    assert endpoint is not None
    clock = asyncio.get_running_loop().time
    begun = clock()
    work = StepExecution(hf, entry, endpoint)
    result = Result(
        endpoint=entry.key,
        name=endpoint.name,
        action="warm" if _only_warms(situation, step, how) else step.action,
        outcome=step.outcome,
        before=endpoint.state,
        after=endpoint.state,
        wanted=decision.wanted,
        rule=decision.rule,
        reason=step.reason,
        level=step.level,
        start_disabled=step.start_disabled,
    )
    if not how.dry:
        try:
            outcome = await work.do(result, how)
            result = replace(result, outcome=outcome)
        except Failure as failure:
            result = failed(replace(result, action=work.refused or result.action), failure)
    else:
        result = replace(result, outcome="skipped")
    spent = round((clock() - begun) * 1000)
    warnings = [note for note in (_difference(entry, work.now), work.lagging()) if note]
    bounds = undeclared_change(endpoint, work.now, entry.scaling)
    if work.now.max_replicas != endpoint.max_replicas or work.now.min_replicas != endpoint.min_replicas:
        warnings += [bounds] if bounds else []
    notes = [*dict.fromkeys([*warnings, bounds, work.unproved])]
    return replace(
        result,
        after=work.now.state,
        url=work.now.url,
        duration_ms=spent,
        seen=work.now,
        start_seconds=work.start_seconds,
        reason="; ".join([result.reason, *filter(None, notes)]),
        level="WARNING" if warnings and result.level == "INFO" else result.level,
    )


def failed(result: Result, failure: Failure) -> Result:
    return replace(
        result,
        outcome="failed",
        error=str(failure),
        code=failure.code,
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        level="ERROR",
    )


def _only_warms(situation: Situation, step: Step, how: ExecutionOptions) -> bool:
    """Whether the call does not start the endpoint, but waits for it or warms it."""
    runs = situation.endpoint is not None and situation.endpoint.state == "running"
    comes_up = how.wait_for_starting and step.outcome == "pending"
    proved = how.verify_ready and runs and step.outcome != "skipped" and situation.entry.warm is not False
    return step.action == "none" and (comes_up or proved)


def _difference(entry: Entry, endpoint: Endpoint) -> str:
    """How the scaling of a running endpoint differs. That is not corrected: an update means a minute of 503s."""
    found = differs(endpoint, entry.scaling) if endpoint.state in ("running", "updateFailed") else {}
    return "scaling differs: " + ", ".join(f"{name} is {pair}" for name, pair in found.items()) if found else ""


class StepExecution:
    """One endpoint in one call. `now`: the endpoint as last seen. `refused`: the action that failed, if it is not the
    step's. `start_seconds`: how long the start took until it answered, if this call started it and waited.
    `unproved`: why it is unknown whether the endpoint answers. `already`: Hugging Face's refusal because the goal was
    reached already."""

    def __init__(self, hf: HuggingFace, entry: Entry, endpoint: Endpoint) -> None:
        self.hf = hf
        self.entry = entry
        self.now = endpoint
        self.refused: Action | None = None
        self.rescales = 0
        self.moved = False  # it was seen in another state than paused while it was waited for
        self.start_seconds: float | None = None
        self.unproved = ""
        self.unreached = 0  # times in a row that its URL could not be reached
        self.already = ""
        self.goal: frozenset[str] = frozenset()  # states that the action leads to

    async def do(self, result: Result, how: ExecutionOptions) -> Outcome:
        match result.action:
            case "pause":
                return await self._rest(self.hf.pause, frozenset({"paused"}))
            case "scale-to-zero":
                return await self._rest(self.hf.scale_to_zero, AT_REST)
            case "resume" | "wake":
                return await self._start(result.action, waits=how.wait_for_started)
            case "warm":
                return await self._wait_until_ready(own=False)
        return result.outcome

    def lagging(self) -> str:
        """The difference between the state and Hugging Face's refusal, as long as there is one."""
        if self.already and self.now.state not in self.goal:
            return f"its state is still {self.now.state}, but Hugging Face says: {self.already}"
        return ""

    async def _acted(self, act: Awaitable[Acted], goal: frozenset[str]) -> None:
        """Takes an action, and reads the endpoint a few times while its state lags behind."""
        acted = await act
        self.now, self.already, self.goal = acted.endpoint, acted.already, goal
        for _ in range(5):
            if self.now.state in goal:
                return
            await asyncio.sleep(SHORTEST_POLL)
            self.now = await self.hf.endpoint(self.now.name)

    async def _rest(self, act: Callable[[str], Awaitable[Acted]], goal: frozenset[str]) -> Outcome:
        await self._acted(act(self.now.name), goal)
        return "done" if self.now.state in goal else "pending"

    async def _start(self, action: Action, *, waits: bool) -> Outcome:
        clock = asyncio.get_running_loop().time
        begun = clock()
        if action == "resume":
            await self._acted(self.hf.resume(self.now.name), STARTED)
        if self.now.state == "scaledToZero":
            self.now = await self.hf.wake(self.now)
        if self.lagging() and not waits:
            return "pending"
        self._raise_if_failed(settling=True)
        try:
            await self._rescale()
        except Failure:
            # It may not be changed while it starts; a call that waits tries again when it is up.
            if not waits:
                raise
            self.refused = None
        if waits:
            outcome = await self._wait_until_ready(own=True)
            self.start_seconds = round(clock() - begun, 1) if outcome == "done" else None
            return outcome
        return "done" if self.now.state == "running" else "pending"

    async def _rescale(self) -> bool:
        """Writes the declared scaling if it differs; returns whether it did."""
        if not differs(self.now, self.entry.scaling) or self.rescales >= MOST_RESCALES:
            return False
        self.rescales += 1
        self.refused = "rescale"
        self.now = (await self.hf.rescale(self.now.name, self.entry.scaling)).endpoint
        self.refused = None
        return True

    async def _wait_until_ready(self, *, own: bool) -> Outcome:
        """Done when the endpoint runs and has answered. Pending if Hugging Face refuses a start because it runs
        already, but its state stays different. `own`: this call started it, so it also writes the scaling.

        Raises `Failure`: it did not start in time (retryable), or it cannot start (final).
        """
        clock = asyncio.get_running_loop().time
        since, pause = clock(), SHORTEST_POLL
        while True:
            failure: Failure | None = None
            try:
                if await self._is_ready(own=own):
                    return "done"
            except Failure as found:
                failure = found
            if failure and not failure.retryable:
                # Its state may be the better explanation: an endpoint that was paused meanwhile also refuses.
                with suppress(Failure):
                    self.now = await self.hf.look(self.now.name)
            self.moved = self.moved or self.now.state != "paused"
            settling = own and not self.moved and clock() - since < SETTLES_WITHIN
            if self.now.state == "paused" and not settling:
                await self.hf.still_wanted()
            if self.lagging() and not settling:
                return "pending"
            self._raise_if_failed(settling=settling)
            if failure and not failure.retryable:
                raise failure
            pause = SHORTEST_POLL if self._is_serving() else min(LONGEST_POLL, pause * 1.5)
            wait = max(pause, (failure and failure.retry_after) or 0)
            if clock() + wait >= self.hf.deadline:
                raise failure or _still(self.now)
            await asyncio.sleep(wait)
            await self._refresh()

    async def _is_ready(self, *, own: bool) -> bool:
        """Whether it runs with the declared scaling, and has answered, if it can be reached. Raises `Failure`."""
        if not self._is_serving() or (own and await self._rescale()):
            return False
        if self.entry.warm is False:
            self.unproved = "it runs, which is enough: warm is false"
            return True
        try:
            await self.hf.own.answer(self.now, self.entry.warm)
        except Unreachable as failure:
            self.unreached += 1
            if self.now.state != "running" or (failure.retryable and self.unreached < PROVED_WITHIN):
                raise
            self.unproved = f"it runs; it was not proved that it answers: {failure}"
        except Failure:
            self.unreached = 0
            raise
        return True

    async def _refresh(self) -> None:
        """Reads the endpoint, and wakes it if it was scaled to zero. Retryable failures are ignored: the caller tries
        again."""
        try:
            asleep = self.now.state == "scaledToZero"
            self.now = await (self.hf.wake(self.now) if asleep else self.hf.look(self.now.name))
        except Failure as failure:
            if not failure.retryable or isinstance(failure, Unreachable):
                raise

    def _is_serving(self) -> bool:
        return self.now.state == "running" or (self.now.state == "updateFailed" and bool(self.now.ready_replicas))

    def _raise_if_failed(self, *, settling: bool) -> None:
        detail = f": {self.now.message}" if self.now.message else ""
        if self.lagging():
            return
        if self.now.state in ("failed", "updateFailed") and not self._is_serving():
            raise Failure(
                f"it did not start, its state is {self.now.state}{detail}", code="start_failed", retryable=False
            )
        if self.now.state == "paused" and not settling:
            raise Failure("it was paused while it was starting", code="paused_meanwhile", retryable=True)


def _still(endpoint: Endpoint) -> Failure:
    detail = f" ({endpoint.message})" if endpoint.message else ""
    return timed_out(f"{endpoint.name} is still {endpoint.state}{detail}")
