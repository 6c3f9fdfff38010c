"""Manual requests: whether one is refused, which override it makes, and which ones it ends. Pure.

A request makes an override only if the rules, or the overrides of others, would undo it (docs/http.md, "Overrides").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from lifecycle.core.budget import describe as describe_spending
from lifecycle.core.entries import Entry
from lifecycle.core.model import AT_REST, Override
from lifecycle.core.overrides import commanding, describe, ended_at, without
from lifecycle.core.rules import Situation, decide, timeline

RUNS_FOR = timedelta(hours=2)
MOST_RUNS = 20  # requests to run in force for one entry
TICK, AHEAD = timedelta(microseconds=1), timedelta(hours=1)  # by how much a clock may be ahead of another
RENEWED_BELOW = 0.9  # of what is asked: an own override that lasts longer is not written again


@dataclass(frozen=True)
class ManualRequest:
    """A request to run or to pause. `until`: the requested end; None: not given, or until released.

    `by`: the email of the caller. `holder`: the owner of the override; None: nobody. `endpoint`: the single endpoint
    of the entry; None: the whole entry.
    """

    state: Literal["running", "paused"]
    until: datetime | None = None
    released: bool = False
    by: str | None = None
    note: str | None = None
    holder: str | None = None
    endpoint: str | None = None
    force: bool = False

    @property
    def slot(self) -> tuple[str | None, str | None]:
        return self.holder, self.endpoint


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused. `code`: held, protected, budget or too_many."""

    code: str
    reason: str


@dataclass(frozen=True)
class ManualPlan:
    """What to store for a request. `override`: the one that keeps it; None: none is needed. `write`: it is not stored
    yet. `ends`: stored overrides that the request ends. `over`: other holders' requests to run, despite which a pause
    is done."""

    override: Override | None = None
    write: bool = False
    ends: tuple[Override, ...] = ()
    over: tuple[Override, ...] = ()
    refusal: Refusal | None = None


def plan_request(asked: ManualRequest, situations: Sequence[Situation]) -> ManualPlan:
    """The plan for one entry. `situations`: those of the requested endpoints, at least one."""
    first = situations[0]
    stored = first.memory.overrides.get(first.entry.key, ())
    own = next((override for override in stored if override.slot == asked.slot), None)
    plan = _pause(asked, situations, own) if asked.state == "paused" else _run(asked, situations, own)
    made = plan.override
    if plan.refusal or made is None:
        ends = (*plan.ends, own) if own and not plan.refusal else plan.ends
        return replace(plan, ends=tuple(dict.fromkeys(ends)))
    plan = replace(plan, ends=tuple(override for override in plan.ends if override.slot != made.slot))
    if own and _lasts(own, made, situations):
        return replace(plan, override=own)
    if made.state == "running" and not asked.force and not _is_run(own, first) and _runs_of(first) >= MOST_RUNS:
        reason = f"{MOST_RUNS} requests to run are in force for {first.entry.key}; release one, or wait until one ends"
        return ManualPlan(refusal=Refusal("too_many", reason))
    return replace(plan, write=True)


def _pause(asked: ManualRequest, situations: Sequence[Situation], own: Override | None) -> ManualPlan:
    first = situations[0]
    over = {
        override: None for s in situations for override in s.in_force
        if override.state == "running" and override.holder != asked.holder
    }  # fmt: skip
    made = _made(asked, first)
    if asked.until or asked.released:
        return ManualPlan(replace(made, until=asked.until), over=tuple(over))
    if not any(_decided_without(s, own) == "running" for s in situations):
        return ManualPlan(over=tuple(over))
    entry = first.entry
    following = entry.hours.next(first.now) if entry.hours else None
    made = replace(made, until=following.lead if following else None, or_started=entry.platform)
    return ManualPlan(made, over=tuple(over))


def _decided_without(situation: Situation, own: Override | None) -> str:
    """The desired state without the caller's own override, which the request replaces."""
    memory = without(situation.memory, situation.entry.key, [own] if own else [])
    return decide(replace(situation, memory=memory)).wanted


def _run(asked: ManualRequest, situations: Sequence[Situation], own: Override | None) -> ManualPlan:
    first = situations[0]
    ends = {override: None for s in situations for override in s.in_force if _ended_by(override, asked)}
    against = [found for s in situations if (found := _pause_against(s, ends, own))]
    if against and not asked.force and (foreign := [one for one in against if not may_end(one, asked)]):
        return ManualPlan(refusal=Refusal("held", _refused(foreign[0], first)))
    spending = first.past.spent(first.entry, first.now)
    if spending and not asked.force and not first.entry.protected:
        reason = f"{describe_spending(spending, first.now)}; force overrules it"
        return ManualPlan(refusal=Refusal("budget", reason))
    alone = [_alone(situation) for situation in situations]
    made = replace(_made(asked, first), force=asked.force or bool(against), found_at_rest=_at_rest(alone, situations))
    if asked.until:
        return ManualPlan(replace(made, until=asked.until), ends=tuple(ends))
    wanted = {decide(situation).wanted for situation in alone}
    stops = bool(wanted & AT_REST) or ("running" in wanted and _would_stop(alone, first.now + RUNS_FOR))
    if against or stops or any(_stopped_by_an_end(s, asked) for s in situations):
        return ManualPlan(replace(made, until=first.now + RUNS_FOR), ends=tuple(ends))
    return ManualPlan(ends=tuple(ends))


def _ended_by(override: Override, asked: ManualRequest) -> bool:
    """Whether a request to run ends a pause. It may end the caller's own and nobody's pause, if that covers no other
    endpoints. A wider pause stays, and the request is stored as a forced one, which comes before it."""
    return override.state != "running" and may_end(override, asked) and asked.endpoint in (None, override.endpoint)


def may_end(override: Override, asked: ManualRequest) -> bool:
    """Whether a request to run may end a pause without force: the caller's own, and nobody's."""
    return override.holder in (None, asked.holder)


def _pause_against(situation: Situation, ends: Iterable[Override], own: Override | None) -> Override | None:
    """The pause that still decides after the request has ended those that it may end."""
    gone = {*ends, own}
    found = commanding(override for override in situation.in_force if override not in gone)
    return found if found and found.state != "running" else None


def _refused(pause: Override, situation: Situation) -> str:
    return f"held: {describe(pause, situation.entry.zone, situation.now)}; force overrules it"


def _runs_of(situation: Situation) -> int:
    """How many requests to run are in force for an entry or its single endpoints."""
    return sum(_is_run(override, situation) for override in situation.memory.overrides.get(situation.entry.key, ()))


def _is_run(override: Override | None, situation: Situation) -> bool:
    return (
        override is not None
        and override.state == "running"
        and ended_at(override, situation.memory, situation.now) is None
    )


def _at_rest(alone: Sequence[Situation], situations: Sequence[Situation]) -> frozenset[str]:
    """The endpoints that this request, or an earlier stored one, found stopped while no rule applied."""
    found = {s.endpoint.name for s in alone if s.endpoint and s.endpoint.state in AT_REST and decide(s).wanted == "any"}
    inherited = {
        s.endpoint.name
        for s in situations
        for override in s.overrides
        if s.endpoint and override.state == "running" and {"*", s.endpoint.name} & override.found_at_rest
    }
    covered = {s.endpoint.name for s in situations if s.endpoint}
    return frozenset({"*"}) if covered and found | inherited == covered else frozenset(found | inherited)


def _made(asked: ManualRequest, situation: Situation) -> Override:
    stored, now = situation.memory.overrides.get(situation.entry.key, ()), situation.now
    # Of several the newest decides: those of an instance whose clock is ahead are older all the same.
    ahead = [override.since + TICK for override in stored if now < override.since < now + AHEAD]
    return Override(
        asked.state,
        max([now, *ahead]),
        None,
        by=asked.by,
        note=asked.note,
        holder=asked.holder,
        endpoint=asked.endpoint,
        force=asked.force,
    )


def _lasts(own: Override, made: Override, situations: Sequence[Situation]) -> bool:
    """Whether the caller's own override already does what the new one would.

    An override to run does if it lasts for at least nine tenths of the requested time. A pause must have the requested
    end: an endpoint that should run again must not wait for an older end.
    """
    first = situations[0]
    if own.state != made.state or ended_at(own, first.memory, first.now) or made.or_started != own.or_started:
        return False
    if made.state == "running":
        asked = made.until - first.now if made.until else timedelta()
        enough = own.until is None or own.until - first.now >= RENEWED_BELOW * asked
        inherits = "*" in own.found_at_rest or made.found_at_rest <= own.found_at_rest
        if not made.force:
            return enough and inherits
    else:
        enough, inherits = own.until == made.until, True
    newer = [override for s in situations for override in s.in_force if override.since > own.since]
    return enough and inherits and own.force == made.force and commanding(newer) is None


def _alone(situation: Situation) -> Situation:
    """The situation without any override: what the rules alone decide."""
    return replace(situation, memory=replace(situation.memory, overrides={}))


def _stopped_by_an_end(situation: Situation, asked: ManualRequest) -> bool:
    """Whether another holder's request to run has ended, and the next run would stop the endpoint for that."""
    others = tuple(o for o in situation.overrides if o.slot != asked.slot and o not in situation.in_force)
    ended = replace(situation, memory=replace(situation.memory, overrides={situation.entry.key: others}))
    return decide(_alone(situation)).wanted == "any" and decide(ended).wanted in AT_REST


def _would_stop(alone: Sequence[Situation], until: datetime) -> bool:
    return any(found.wanted in AT_REST for situation in alone for _, found in timeline(situation, until))


@dataclass(frozen=True)
class Release:
    """The overrides that a release ends, and those of others that remain in force."""

    ends: tuple[Override, ...]
    others: tuple[Override, ...]


def plan_release(
    entry: Entry, endpoint: str | None, holder: str | None, *, everybody: bool, situation: Situation
) -> Release:
    """The release of an entry with its single endpoints (`endpoint` None), or of a single endpoint."""
    stored, now = situation.memory, situation.now
    every = stored.overrides.get(entry.key, ())
    meant = [o for o in every if endpoint is None or o.endpoint == endpoint]
    ends = tuple(override for override in meant if everybody or _is_own(override, holder))
    left = [
        o for o in every if o not in ends and ended_at(o, stored, now) is None and (not endpoint or o.covers(endpoint))
    ]
    return Release(ends, tuple(left))


def _is_own(override: Override, holder: str | None) -> bool:
    """Whether a holder releases an override. One without a holder is also released by the person who made it."""
    return override.holder == holder or (override.holder is None and override.by == holder)
