"""Manual requests: `pause`, `resume` and `warm`, with the overrides that keep the rules from undoing them.

A start needs the stored state, a stop does not: if it cannot be read, a request to run fails, and pauses still work.
"""

import asyncio
from dataclasses import replace

from lifecycle.core.manual import ManualPlan, ManualRequest, Refusal, may_end, plan_request
from lifecycle.core.model import Override, Result, StoredState
from lifecycle.core.overrides import commanding, describe, describe_all, ended_at, with_override, without
from lifecycle.core.rules import Decision, Situation
from lifecycle.engine.execute import ExecutionOptions
from lifecycle.engine.observation import Target
from lifecycle.engine.run import Rule, Run, all_failed
from lifecycle.errors import Failure, catch_failure

CONFIRMED_AFTER = (1.0, 3.0, 7.0)  # seconds; a deletion by another instance may take ten


async def act(
    run: Run, target: Target, asked: ManualRequest, how: ExecutionOptions, *, everything: bool = False
) -> list[Result]:
    """Stores the override, then acts; the results for one target. `everything`: the request has `["*"]`."""
    if asked.state == "paused" and target.entry.protected and (everything or not asked.force):
        if everything or (target.entry.is_pattern and target.endpoint is None):
            return await run.drive(target, _protected, how)
        return _refused(run, target, asked, Refusal("protected", "protected: a pause needs force"))
    asked = replace(asked, endpoint=target.endpoint)
    entry, before = target.entry, run.state
    async with run.deps.turns.take(f"entry {entry.key}"):
        if run.deps.turns.changed_since(f"entry {entry.key}", run.state_from):
            await run.read_state()
        plan, failure = ManualPlan(), run.state_failure
        situations = run.situations(entry, target.endpoint)
        if situations and not failure:
            plan = plan_request(asked, situations)
            if plan.refusal:
                return _refused(run, target, asked, plan.refusal)
            if run.store and not how.dry:
                failure = await catch_failure(_store(run, target, plan))
    rule = _rule(run, target, asked, plan)
    if failure and asked.state == "running":
        return run.failed_results(target, failure, rule)
    stops = asked.state == "paused"
    driven = run.drive(target, rule, how, only_running=True, replans=False, needs_state=not stops)
    confirmed = _confirmed(run, target, plan.override, before) if plan.write and not failure else _nothing()
    results, gone = await asyncio.gather(driven, confirmed)
    if failure := failure or gone:
        return all_failed(results, failure)
    return await _without_effect(run, target, plan, results)


async def _store(run: Run, target: Target, plan: ManualPlan) -> None:
    """Writes the new override, then deletes those that the request ends. Raises `Failure`."""
    assert run.store is not None
    key = target.entry.key
    if not plan.write and not plan.ends:
        return
    try:
        if plan.write and plan.override:
            await run.store.put_override(key, plan.override)
            run.state = with_override(run.state, key, plan.override)
        for override in plan.ends:
            await run.store.delete_override(key, override)
            run.state = without(run.state, key, [override])
    finally:
        run.deps.turns.mark(f"entry {key}")


def _rule(run: Run, target: Target, asked: ManualRequest, plan: ManualPlan) -> Rule:
    """The rule for this request: what was asked, unless a newer override of another holder wants another state. A
    request to run is also refused by an older pause, which was stored while the state was being read."""
    reason, own = _reason(run, target, asked, plan), plan.override
    since = own.since if own else run.now()
    forced = asked.force or (own is not None and own.force)

    def rule(situation: Situation) -> Decision:
        others = [found for found in situation.in_force if found != own]
        found = commanding(found for found in others if found.since > since)
        if asked.state == "running" and not forced:
            pause = commanding(others)
            found = pause if pause and pause.state != "running" and not may_end(pause, asked) else found
        if found and found.state != asked.state:
            return Decision(found.state, describe(found, situation.entry.zone, situation.now), "override")
        return Decision(asked.state, reason, "hand")

    return rule


def _reason(run: Run, target: Target, asked: ManualRequest, plan: ManualPlan) -> str:
    zone, now = target.entry.zone, run.now()
    if plan.override and run.store:
        reason = describe(plan.override, zone, now)
    else:
        by = asked.holder or asked.by
        reason = f"asked by hand{f' by {by}' if by else ''}{f': {asked.note}' if asked.note else ''}"
        if not run.store:
            reason += "; no override is kept: SCHEDULER_PARENT is not set"
    return f"{reason}; despite requests to run: {describe_all(plan.over, zone, now)}" if plan.over else reason


def _protected(_: Situation) -> Decision:
    return Decision("any", "pause skipped: protected", "protected", left="INFO")


def _refused(run: Run, target: Target, asked: ManualRequest, refusal: Refusal) -> list[Result]:
    def rule(_: Situation) -> Decision:
        return Decision(asked.state, refusal.reason, "hand")

    results = run.failed_results(target, Failure(refusal.reason, code=refusal.code, retryable=False), rule)
    return [replace(result, outcome="skipped", error=None, level="INFO") for result in results] if run.dry else results


async def _confirmed(run: Run, target: Target, override: Override | None, before: StoredState) -> Failure | None:
    """Checks that an instance that deletes the holder's ended override did not delete the new one; writes it again.

    If that cannot be checked, it is not a failure: the override was stored.
    """
    stored = before.overrides.get(target.entry.key, ())
    was = [o for o in stored if override and o.slot == override.slot and ended_at(o, run.state, run.now())]
    if not was or not run.store or override is None:
        return None
    for pause in CONFIRMED_AFTER:
        if run.clock() + pause > run.deadline:
            return None
        await asyncio.sleep(pause)
        try:
            if await run.store.has(target.entry.key, override):
                continue
        except Failure as failure:
            run.note(
                f"the override of {target.entry.key} was stored; it is not known whether it is still there", failure
            )
            return None
        if lost := await catch_failure(run.store.put_override(target.entry.key, override)):
            return lost
    return None


async def _without_effect(run: Run, target: Target, plan: ManualPlan, results: list[Result]) -> list[Result]:
    """Deletes the override again if the request had a final failure for every endpoint that it covers."""
    final = [result.outcome == "failed" and not result.retryable for result in results]
    if not (plan.write and plan.override and run.store and final and all(final)):
        return results
    run.allow_more_time()
    if failure := await catch_failure(run.store.delete_override(target.entry.key, plan.override)):
        run.note(f"the override of {target.entry.key}, whose action cannot succeed, could not be deleted", failure)
        return results
    run.state = without(run.state, target.entry.key, [plan.override])
    run.deps.turns.mark(f"entry {target.entry.key}")
    situations = {situation.name: situation for situation in run.situations(target.entry, target.endpoint)}
    return [run.with_overrides(r, situations[r.name]) if r.name in situations else r for r in results]


async def _nothing() -> None:
    return None
