"""Reconcile and release: brings each endpoint to its desired state, then deletes overrides that have ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from lifecycle.core.manual import plan_release
from lifecycle.core.model import Override, Result
from lifecycle.core.overrides import describe_all, ended_at
from lifecycle.core.rules import decide
from lifecycle.engine.execute import ExecutionOptions
from lifecycle.engine.observation import Target
from lifecycle.engine.run import Run, all_failed
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp.jobs import boundary_of


async def reconcile(run: Run, target: Target, how: ExecutionOptions, *, deletes: bool) -> list[Result]:
    """`deletes`: whether it deletes overrides that have ended."""
    if run.state_failure:
        return run.failed_results(target, run.state_failure)
    unread = await _look_up(run, target) if deletes else []
    boundary = boundary_of(run.caller.job, run.prefix) if run.caller.trigger == "schedule" else None
    results = [*await run.drive(target, decide, how, boundary=boundary), *unread]
    if deletes and run.store and not how.dry:
        for override in _ended(run, target, results):
            # If it fails, the next run deletes it: an ended override has no effect.
            failure = await catch_failure(run.store.delete_override(target.entry.key, override))
            run.note(f"the ended override of {target.entry.key} could not be deleted", failure)
    return results


def _ended(run: Run, target: Target, results: Sequence[Result]) -> list[Override]:
    """Ended overrides whose endpoints are in their desired state, and those of endpoints that are no longer covered."""
    return [
        override
        for override in run.state.overrides.get(target.entry.key, ())
        if (ended_at(override, run.state, run.now()) and settled(run, target, override, results))
        or (override.endpoint and run.covers_no_longer(target.entry, override.endpoint))
    ]


async def _look_up(run: Run, target: Target) -> list[Result]:
    """Reads the endpoints that overrides name and that the list does not show; a failed result for each endpoint of a
    pattern that could not be read."""
    if run.endpoints_failure:
        return []
    names = {name for override in run.state.overrides.get(target.entry.key, ()) for name in override.names}
    await asyncio.gather(*map(run.look_up, sorted(names)))
    meant = sorted(name for name in names if target.endpoint in (None, name)) if target.entry.is_pattern else []
    return [run.unread_result(target.entry, name) for name in meant if name in run.unread]


def settled(run: Run, target: Target, override: Override, results: Sequence[Result]) -> bool:
    """Whether every endpoint that an override covers was observed in its desired state, or is gone."""
    covered = {result.name: result for result in results if override.covers(result.name)}
    return all(result.outcome in ("done", "unchanged") or result.start_disabled for result in covered.values()) and all(
        name in covered or run.covers_no_longer(target.entry, name) for name in override.names
    )


async def release(
    run: Run, target: Target, holder: str | None, how: ExecutionOptions, *, everybody: bool
) -> list[Result]:
    """Ends the holder's overrides of a target. They are deleted when the endpoints are in their desired state.
    Otherwise they are stored as ended, so that the next run continues and a release can be repeated."""
    if run.state_failure:
        return run.failed_results(target, run.state_failure)
    key, now = target.entry.key, run.now()
    unread = await _look_up(run, target)
    plan = plan_release(
        target.entry, target.endpoint, holder, everybody=everybody, situation=run.situation(target.entry, None)
    )
    run.released[key] = (*run.released.get(key, ()), *plan.ends)
    results = [*await run.drive(target, decide, how), *unread]
    if plan.others:
        left = describe_all(plan.others, target.entry.zone, now)
        results = [replace(result, reason=f"{result.reason}; other overrides remain: {left}") for result in results]
    if not run.store:
        none = "there are no overrides: SCHEDULER_PARENT is not set"
        results = [replace(result, reason=f"{result.reason}; {none}") for result in results]
    if how.dry or not run.store:
        return results
    for override in plan.ends:
        done = settled(run, target, override, results)
        work = run.store.delete_override(key, override) if done else run.store.end_override(key, override, now)
        if failure := await catch_failure(work):
            results = all_failed(results, _not_released(failure))
    run.deps.turns.mark(f"entry {key}")
    return results


def _not_released(failure: Failure) -> Failure:
    message = f"the override could not be ended: {failure}"
    return Failure(message, code=failure.code, retryable=failure.retryable, retry_after=failure.retry_after)
