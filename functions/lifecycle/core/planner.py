"""The step from the observed state to the desired state. Pure: no clock, no network."""

from dataclasses import dataclass
from datetime import time, timedelta

from lifecycle.core.model import AT_REST, STARTING, Action, Endpoint, Level, Outcome
from lifecycle.core.rules import Decision, Situation, changed_at
from lifecycle.core.times import in_words

ENFORCED_FOR = timedelta(hours=1)  # with `enforce: false`: how long after a change the rules act

SCALED_AFTER = timedelta(minutes=15)  # default of `scale_to_zero_after`


@dataclass(frozen=True)
class Step:
    """What to do now. If `action` is none, `outcome` is unchanged, pending (the endpoint is starting) or skipped."""

    action: Action
    outcome: Outcome
    reason: str
    level: Level = "INFO"
    start_disabled: bool = False  # by `start: false`


def plan_step(
    decision: Decision, situation: Situation, *, only_running: bool = False, boundary: str | None = None
) -> Step:
    """The step from the observed to the desired state (docs/design.md, the table under "Rules").

    `only_running`: no other state satisfies "running" (manual requests and `warm`). `boundary`: the time of day of the
    boundary whose job made this call ("" if unknown); None: another call.
    """
    endpoint = situation.endpoint
    assert endpoint is not None
    if decision.left:
        return Step("none", "skipped", decision.reason, decision.left)
    if decision.wanted == "any":
        return _settled(decision)
    if decision.wanted == "running":
        found = _start(decision, endpoint, only_running=only_running, woken=_begins(situation, boundary))
    elif decision.wanted == "paused":
        found = _settled(decision) if endpoint.state == "paused" else Step("pause", "done", decision.reason)
    else:
        found = _scale_to_zero(decision, situation, endpoint)
    if found.action != "none" and decision.rule not in ("hand", "cron", "override"):
        return _limited(found, decision, situation)
    return found


def _begins(situation: Situation, boundary: str | None) -> bool:
    """Whether the hours are about to begin: between lead and beginning; without lead, in the boundary's own call."""
    hours = situation.entry.hours
    if hours is None:
        return False
    span = hours.at(situation.now)
    if span is not None and span.lead < span.begin:
        return situation.now < span.begin
    if boundary is None or span is None:
        return False
    own = span.begin.astimezone(hours.zone).time()
    wall = time(int(boundary[:2]), int(boundary[2:])) if boundary else own
    return hours.begins_at(wall, situation.now)


def _settled(decision: Decision) -> Step:
    return Step("none", "unchanged", decision.reason)


def _start(decision: Decision, endpoint: Endpoint, *, only_running: bool, woken: bool) -> Step:
    state = endpoint.state
    if state == "running":
        return _settled(decision)
    if state == "paused":
        return Step("resume", "done", decision.reason)
    if state == "scaledToZero":
        sleeps_by_itself = endpoint.min_replicas == 0 and not only_running and not woken
        return _settled(decision) if sleeps_by_itself else Step("wake", "done", decision.reason)
    if state in STARTING:
        return Step("none", "pending", decision.reason)
    detail = f": {endpoint.message}" if endpoint.message else ""
    if state == "updateFailed" and endpoint.ready_replicas and not only_running:
        return Step(
            "none", "unchanged", f"{decision.reason}; its last update failed, a replica still serves{detail}", "WARNING"
        )
    if state in ("failed", "updateFailed"):
        if decision.rule == "hand":
            return Step("resume", "done", decision.reason)
        return Step("none", "skipped", f"{decision.reason}; but its state is {state}{detail}", "ERROR")
    return Step("none", "skipped", f'{decision.reason}; but the state is unknown: "{state}"{detail}', "ERROR")


def _scale_to_zero(decision: Decision, situation: Situation, endpoint: Endpoint) -> Step:
    if endpoint.state in AT_REST:
        return _settled(decision)
    if endpoint.state in STARTING:
        return Step("none", "skipped", f"{decision.reason}; left alone while it is {endpoint.state}", "WARNING")
    after = situation.entry.scaling.scale_to_zero_after or SCALED_AFTER
    used = endpoint.last_used_at
    if used and situation.now - used < after:
        why = f"left alone: used at {situation.local_time(used)}, less than {in_words(after)} ago"
        return Step("none", "skipped", f"{decision.reason}; {why}", "WARNING")
    return Step("scale-to-zero", "done", decision.reason)


def _limited(found: Step, decision: Decision, situation: Situation) -> Step:
    """The step, unless `start: false` or `enforce: false` forbids it."""
    if found.action in ("resume", "wake") and not situation.entry.start:
        return Step(
            "none", "skipped", f"{decision.reason}; but start is false: the rules never start it", start_disabled=True
        )
    changed = changed_at(situation)
    if not situation.entry.enforce and (changed is None or situation.now - changed >= ENFORCED_FOR):
        when = f" ({situation.local_time(changed)})" if changed else ""
        why = f"enforce is false, and the last change{when} is more than {in_words(ENFORCED_FOR)} ago"
        return Step("none", "skipped", f"{decision.reason}; but {why}", "WARNING")
    return found
