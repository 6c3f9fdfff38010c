"""One method for each function: observe, decide, act, report. `FUNCTIONS` lists their names."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from lifecycle.config.schema import Invalid, Problem
from lifecycle.core.history import Event
from lifecycle.core.manual import ManualRequest
from lifecycle.core.model import Endpoint, Message, Prices, Result, Trigger
from lifecycle.core.outcomes import http_status, pending, retry_after
from lifecycle.engine import costs, cron, manual, platform, reconcile, request
from lifecycle.engine.budgets import BudgetReport, settle
from lifecycle.engine.dependencies import Caller, Dependencies, Verb
from lifecycle.engine.execute import ExecutionOptions
from lifecycle.engine.history import lately, start_medians
from lifecycle.engine.observation import Observation, Target
from lifecycle.engine.past import for_rules, for_status
from lifecycle.engine.request import Request, UnknownName
from lifecycle.engine.run import Run
from lifecycle.engine.status import Status, build_status
from lifecycle.errors import Failure
from lifecycle.gcp.jobs import reconcile_id

# `console` serves people; the others are called by jobs, Pub/Sub and requests.
FUNCTIONS = ("pause", "resume", "warm", "reconcile", "platform_event", "status", "console")

# Seconds for a call's work. SHORT and LONG end 10 s before the functions' timeouts of 60 and 540. AT_ONCE is for
# `status`, which answers within 5 s, and FORM for the page's forms: people wait for both.
SHORT, LONG, AT_ONCE, FORM = 48.0, 525.0, 4.5, 8.0
STORED_WITHIN = 12.0  # seconds for budgets that are spent; then endpoints are stopped and started all the same


@dataclass(frozen=True)
class Answer:
    """What a function answers. All from `notes` on is for the log, but `retry_after`, in seconds.

    `holder`: as the request names it. `released`: it was a request to release.
    """

    trigger: Trigger
    dry_run: bool
    results: Sequence[Result] = ()
    status: int = 200
    notes: Sequence[str] = ()
    unmanaged: Sequence[Endpoint] = ()
    budgets: Sequence[BudgetReport] = ()
    retry_after: int | None = None
    holder: str | None = None
    released: bool = False

    def body(self) -> dict[str, Any]:
        results = [result.answer() for result in self.results]
        return {"trigger": self.trigger, "dry_run": self.dry_run, "results": results}


@dataclass(frozen=True)
class Service:
    deps: Dependencies

    async def handle(self, function: str, body: bytes, caller: Caller, *, at_once: bool = False) -> Answer:
        """`pause`, `resume`, `warm` or `reconcile`. `at_once`: for the page; does not wait for starts.

        Raises `Invalid`, `UnknownName`, or `Failure` if names could not be looked up.
        """
        seconds = FORM if at_once else LONG if function in ("warm", "reconcile") else SHORT
        storing = None if function == "reconcile" else min(SHORT, seconds) / 2
        run = Run(self.deps, seconds, caller, storing=storing)
        asked, targets = await self._asked(run, function, body)
        run.dry = run.dry or asked.dry_run
        if function == "reconcile":
            answer = await self._reconcile(run, asked, targets, waits=not at_once)
        else:
            answer = await self._act(run, cast(Verb, function), asked, targets)
        return replace(answer, holder=asked.holder, released=asked.clear_override)

    async def run_reconcile(self) -> None:
        """Makes Cloud Scheduler run the job `…-reconcile` now. Raises `Failure`."""
        if self.deps.jobs is None:
            raise Failure("SCHEDULER_PARENT is not set", code="memory_unavailable", retryable=False)
        deadline = asyncio.get_running_loop().time() + FORM
        await self.deps.jobs(deadline).run(reconcile_id(self.deps.prefix))

    async def _asked(self, run: Run, function: str, body: bytes) -> tuple[Request, list[Target]]:
        """The request and what it is about. Names that are no entries, and that a pattern may cover, are looked up.

        A job that also names an entry that is gone does the rest: until `sync` has run, jobs fit earlier settings."""
        settings = self.deps.settings
        problems: tuple[Problem, ...] = ()
        try:
            asked = request.read(function, body, settings.entries, run.now(), stores=run.store is not None)
        except request.Mistaken as error:
            asked, problems = Request((), others=error.others), error.problems
        others = [name for name in asked.others if settings.exactly(name) is None]
        lookups = [name for name in others if settings.may_cover(name)]
        outdated = run.caller.trigger == "schedule" and bool(asked.entries)
        if not problems and (outdated or len(lookups) == len(others)):
            await self._observe(run, function, asked, lookups)
        elif lookups:
            await run.list_endpoints(names=lookups)
        unsure = lookups if run.endpoints_failure else [name for name in lookups if name in run.unread]
        failure = run.endpoints_failure or (run.unread[unsure[0]] if unsure else None)
        if unsure and failure and not problems and not outdated:
            raise failure
        unknown = [name for name in asked.others if name not in unsure and run.target_of(name) is None]
        if outdated and (gone := [*unknown, *unsure]):
            run.notes.append(f"{run.caller.job or 'the job'} also names {', '.join(gone)}: run `lifecycle sync`")
        elif unknown and not problems:
            raise UnknownName(unknown, settings.entries)
        if problems:
            also = [Problem(("endpoints",), str(UnknownName(unknown, settings.entries)))] if unknown else []
            if unsure:
                message = f"{', '.join(unsure)}: not looked up at Hugging Face: {failure}"
                also.append(Problem(("endpoints",), message))
            raise Invalid(*problems, *also)
        return asked, _targets(run, asked)

    async def _observe(self, run: Run, function: str, asked: Request, names: Iterable[str]) -> None:
        """Reads endpoints and stored state. For reconcile also the past that the rules need, and prices for `["*"]`."""
        entries = [target.entry for target in _targets(run, asked)]
        if function != "reconcile":
            await run.observe(entries, names=names)
            return
        keys = [entry.key for entry in entries]
        readings = for_rules(self.deps.monitoring, run.settings, keys, run.now(), everything=asked.everything)
        await run.observe(entries, readings, costs.prices(run) if asked.everything else None, names)

    async def _act(self, run: Run, verb: Verb, asked: Request, targets: Sequence[Target]) -> Answer:
        warm = verb == "warm"
        how = ExecutionOptions(wait_for_started=warm, wait_for_starting=warm, verify_ready=warm, dry=run.dry)
        state: Literal["paused", "running"] = "paused" if verb == "pause" else "running"
        email = run.caller.email
        wanted = ManualRequest(
            state, asked.until, asked.released, email, asked.note, holder=asked.holder or email, force=asked.force
        )

        async def one(target: Target) -> list[Result]:
            if run.caller.trigger == "manual":
                return await manual.act(run, target, wanted, how, everything=asked.everything)
            return await cron.act(run, target, verb, how)

        answer = _answer(run, await run.each(targets, one))
        if verb == "resume" and answer.status == 202:
            starts = await start_medians(self.deps.logs, pending(answer.results), run.now())
            answer = replace(answer, retry_after=retry_after(answer.status, answer.results, starts))
        if run.caller.trigger == "schedule" and answer.status in (409, 502):
            # A retry would not help. The log lines report the failure, and raise an alert.
            return replace(answer, status=200)
        return answer

    async def _reconcile(self, run: Run, asked: Request, targets: Sequence[Target], *, waits: bool) -> Answer:
        how = ExecutionOptions(wait_for_started=waits, wait_for_starting=waits and not asked.everything, dry=run.dry)
        holder = asked.holder or run.caller.email

        async def one(target: Target) -> list[Result]:
            if asked.clear_override:
                return await reconcile.release(run, target, holder, how, everybody=asked.all_holders)
            return await reconcile.reconcile(run, target, how, deletes=target.endpoint is None)

        if not asked.everything:
            return _answer(run, await run.each(targets, one))
        settling = asyncio.create_task(settle(run))
        await asyncio.wait([settling], timeout=STORED_WITHIN)
        results, reports = await asyncio.gather(run.each(targets, one), settling)
        return replace(_answer(run, costs.with_costs(run, results)), unmanaged=run.unmanaged(), budgets=reports)

    async def platform_event(self, message: Message) -> Answer:
        """Stores a platform message if it is newer, and pauses or resumes the followers at once.

        Raises `Failure` if it could not be stored; then nothing was done.
        """
        run = Run(self.deps, SHORT, Caller("platform"))
        followers = self.deps.settings.followers(message.platform)
        if not followers:
            return replace(_answer(run, []), notes=[f"no entry follows the platform {message.platform!r}"])
        if not await platform.store(run, message):
            note = f"older than the newest message of {message.platform}; it changes nothing"
            return replace(_answer(run, []), notes=[note])
        entries = [self.deps.settings.entries[key] for key in followers]
        await run.list_endpoints(entries)
        how = ExecutionOptions(dry=run.dry)
        results = await run.each(
            map(Target, entries), lambda target: reconcile.reconcile(run, target, how, deletes=False)
        )
        await platform.run_when_pending(run, message.platform, results)
        # 200 even if an endpoint failed: the message is stored, and the next reconcile run tries again.
        return replace(_answer(run, results), status=200)

    async def status(self) -> Status:
        """The status (docs/http.md, "Status"). Changes nothing and wakes nothing."""
        run = Observation(self.deps, AT_ONCE, Caller())
        readings = for_status(self.deps.monitoring, run.settings, run.now())
        prices: Prices | Failure = {}

        async def price() -> Prices:
            nonlocal prices
            try:
                prices = await run.hf.prices()
            except Failure as failure:
                prices = failure
                return {}
            return prices

        await run.observe(run.settings.entries.values(), readings, price())
        return build_status(run, prices)

    async def overview(self, names: Sequence[str] = ()) -> tuple[Status, list[Event] | Failure]:
        """For the page: the status, and recent events of entries and endpoints of these names, or of all."""
        return await asyncio.gather(self.status(), lately(self.deps.logs, names, self.deps.now()))


def _targets(run: Run, asked: Request) -> list[Target]:
    """The requested targets, each once. An entry and one of its endpoints together mean the entry."""
    entries = [Target(run.settings.entries[name]) for name in asked.entries]
    named = [target for name in asked.others if (target := run.target_of(name))]
    whole = {target.entry.key for target in (*entries, *named) if target.endpoint is None}
    single = [target for target in named if target.endpoint is None or target.entry.key not in whole]
    return list({(target.entry.key, target.endpoint): target for target in (*entries, *single)}.values())


def _answer(run: Run, results: Sequence[Result]) -> Answer:
    status = http_status(results)
    return Answer(run.caller.trigger, run.dry, results, status, run.notes, retry_after=retry_after(status, results))
