"""The rules: the desired state of an endpoint, and why. Pure: no clock, no network.

`decide` asks the `RULES` in order; the first that applies decides. `planner.plan_step` has the step to that state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from lifecycle.core.budget import describe as describe_spending
from lifecycle.core.entries import Entry
from lifecycle.core.lead import LeadBounds, run_before
from lifecycle.core.model import AT_REST, Endpoint, Level, Override, PlatformState, StoredState, Wanted
from lifecycle.core.overrides import commanding, covering, describe, describe_all, ended_at, in_force
from lifecycle.core.past import NOTHING_KNOWN, Past
from lifecycle.core.schedule import ALWAYS, Span
from lifecycle.core.times import format_local, in_words

Rule = Literal[
    "hand", "cron", "override", "budget", "platform stopped", "hours", "platform started", "idle", "protected", "none"
]


@dataclass(frozen=True)
class Decision:
    """The desired state of an endpoint, the rule that decided, and its reason in words.

    `until`: the next instant at which time alone may change the decision. `begin`: when the hours began or will begin.
    `left`: the endpoint is left alone, and that is reported at this level.
    """

    wanted: Wanted
    reason: str
    rule: Rule
    until: datetime | None = None
    begin: datetime | None = None
    left: Level | None = None


@dataclass(frozen=True)
class Situation:
    """Everything that the rules use. `endpoint` None: not observed, so rules that need it do not apply."""

    entry: Entry
    endpoint: Endpoint | None
    memory: StoredState
    now: datetime
    past: Past = NOTHING_KNOWN

    @property
    def name(self) -> str | None:
        """The endpoint's name at Hugging Face; None: unknown."""
        return self.endpoint.name if self.endpoint else None

    @property
    def overrides(self) -> list[Override]:
        """The stored overrides that cover the endpoint, including ended ones, oldest first."""
        return covering(self.memory, self.entry.key, self.name)

    @property
    def in_force(self) -> list[Override]:
        stored = self.memory.overrides  # checked first because a forecast asks tens of thousands of times
        return in_force(self.memory, self.entry.key, self.name, self.now) if self.entry.key in stored else []

    @property
    def platform_state(self) -> PlatformState | None:
        return self.memory.platforms.get(self.entry.platform or "")

    @property
    def started_until(self) -> datetime | None:
        """When "started" will count as stopped, if it is not repeated."""
        if self.entry.max_started and self.platform_state and self.platform_state.state == "started":
            return self.platform_state.since + self.entry.max_started
        return None

    @property
    def idle_from(self) -> datetime | None:
        """When the endpoint counts as unused, if known."""
        known = [t for t in (self.endpoint.last_used_at, self.endpoint.updated_at) if t] if self.endpoint else []
        return max(known) + self.entry.idle_after if known and self.entry.idle_after else None

    def first(self, instant: datetime | None) -> datetime | None:
        """`instant`, or the time at which "started" counts as stopped, whichever is first."""
        lapse = self.started_until
        return lapse if lapse and lapse > self.now and (instant is None or lapse < instant) else instant

    def local_time(self, when: datetime) -> str:
        return format_local(when, self.entry.zone, self.now)


def decide(situation: Situation) -> Decision:
    """The decision of the first rule that applies."""
    for rule in RULES:
        if found := rule(situation):
            return _protected(situation, found) if situation.entry.protected else found
    raise AssertionError("the last rule always applies")


def _protected(s: Situation, found: Decision) -> Decision:
    """The decision for a protected entry: only manual requests stop it, and the end of one that had started it."""
    if found.rule == "override" or found.wanted not in AT_REST:
        return found
    return _run_ended(s) or replace(found, wanted="any", reason=f"protected: {found.reason}", rule="protected")


def _commanded(s: Situation) -> Decision | None:
    """The newest pause or forced request."""
    override = commanding(s.in_force)
    if override is None:
        return None
    return Decision(override.state, describe(override, s.entry.zone, s.now), "override", override.until)


def _budget(s: Situation) -> Decision | None:
    spending = s.past.spent(s.entry, s.now)
    if spending is None or s.entry.protected:  # for a protected entry, a spent budget is only reported
        return None
    end = spending.budget.end(s.now)
    reason = f"{describe_spending(spending, s.now)}; it rests until {s.local_time(end)}"
    return Decision(s.entry.rest, reason, "budget", end)


def _held(s: Situation) -> Decision | None:
    """A request to run is in force."""
    held = [override for override in s.in_force if override.state == "running"]
    if not held:
        return None
    ends = min((override.until for override in held if override.until), default=None)
    return Decision("running", describe_all(held, s.entry.zone, s.now), "override", ends)


def _run_ended(s: Situation) -> Decision | None:
    """After the last request to run has ended, what it found at rest is stopped again."""
    ended = [override for override in s.overrides if _found_at_rest(override, s.endpoint)]
    if not ended:
        return None
    ends = max(filter(None, (ended_at(override, s.memory, s.now) for override in ended)), default=s.now)
    return Decision(
        s.entry.rest,
        f"the last manual request to run ended at {s.local_time(ends)}; the endpoint was stopped before it",
        "override",
    )


def _found_at_rest(override: Override, endpoint: Endpoint | None) -> bool:
    found = override.found_at_rest
    return override.state == "running" and endpoint is not None and ("*" in found or endpoint.name in found)


def _platform_stopped(s: Situation) -> Decision | None:
    if s.platform_state and s.platform_state.state == "stopped":
        return Decision(
            s.entry.rest,
            f"platform {s.entry.platform} stopped at {s.local_time(s.platform_state.since)}",
            "platform stopped",
        )
    if s.started_until and s.started_until <= s.now:
        last = f'no "started" message for {in_words(s.entry.max_started or timedelta())}'
        reason = f"platform {s.entry.platform} stopped at {s.local_time(s.started_until)}: {last}"
        return Decision(s.entry.rest, reason, "platform stopped")
    return None


def _hours(s: Situation) -> Decision | None:
    hours = s.entry.hours
    if hours is None:
        return None
    span = hours.at(s.now)
    if span is None:
        following = hours.next(s.now)
        begin = following and (following.begin if s.entry.auto_lead else following.lead)
        ends = f"outside hours until {s.local_time(begin)}" if begin else "outside hours; no later hours are scheduled"
        holiday = "holiday; " if s.now.astimezone(s.entry.zone).date() in hours.holidays else ""
        return Decision(s.entry.rest, holiday + ends, "hours", s.first(following.lead if following else None))
    if span is ALWAYS:
        return Decision("running", "hours: always", "hours", s.first(None), begin=span.begin)
    if s.now < span.begin and s.entry.auto_lead:
        return _learned(s, span, s.entry.auto_lead)
    if s.now < span.begin:
        reason = f"hours begin at {s.local_time(span.begin)}, lead {in_words(hours.lead)}"
        return Decision("running", reason, "hours", s.first(span.end), begin=span.begin)
    ends = f", until {s.local_time(span.end)}" if span.end - s.now < timedelta(days=7) else ""
    return Decision("running", f"inside hours {span.text}{ends}", "hours", s.first(span.end), begin=span.begin)


def _learned(s: Situation, span: Span, bounds: LeadBounds) -> Decision:
    """Before the hours, with a learned lead: the last reconcile run that is early enough starts the endpoint."""
    lead, starts = s.past.lead(s.name, bounds), _starts(s, span, bounds)
    how = lead.reason or f"learned from {lead.starts} starts"
    reason = f"hours begin at {s.local_time(span.begin)}, lead {in_words(lead.length)} ({how})"
    if s.now < starts:
        return Decision("any", f"{reason}: it starts at {s.local_time(starts)}", "hours", s.first(starts))
    return Decision("running", reason, "hours", s.first(span.end), begin=span.begin)


def _starts(s: Situation, span: Span, bounds: LeadBounds) -> datetime:
    """The last reconcile run that is early enough for the learned lead."""
    return run_before(span.begin - s.past.lead(s.name, bounds).length, bounds.every)


def _platform_started(s: Situation) -> Decision | None:
    if s.platform_state and s.platform_state.state == "started":
        reason = f"platform {s.entry.platform} started at {s.local_time(s.platform_state.since)}"
        return Decision("running", reason, "platform started", s.first(None))
    return None


def _idle(s: Situation) -> Decision | None:
    if s.entry.idle_after is None or s.endpoint is None:
        return None
    length = in_words(s.entry.idle_after)
    if s.idle_from is None:
        reason = "left alone: idle time unknown, Hugging Face reports no last use and no last update"
        return Decision("any", reason, "none", left=None if s.endpoint.state in AT_REST else "WARNING")
    since = s.local_time(s.idle_from - s.entry.idle_after)
    if s.idle_from <= s.now:
        return Decision(s.entry.rest, f"unused for {length}, since {since}", "idle")
    return Decision("any", f"used or updated at {since}; rests when unused for {length}", "none", s.idle_from)


def _nothing(s: Situation) -> Decision:
    if s.entry.platform is None or s.platform_state:
        return Decision("any", "no rule applies", "none")
    why = f"is unknown: {s.memory.unavailable_reason}" if s.memory.unavailable_reason else "has sent no message yet"
    return Decision("any", f"no rule applies: platform {s.entry.platform} {why}", "none")


RULES: tuple[Callable[[Situation], Decision | None], ...] = (
    _commanded,
    _budget,
    _held,
    _platform_stopped,
    _hours,
    _platform_started,
    _run_ended,
    _idle,
    _nothing,
)


def timeline(situation: Situation, until: datetime) -> Iterator[tuple[datetime, Decision]]:
    """The decisions from now to `until`, each with the instant from which it applies, if nothing but time changes."""
    at: datetime | None = situation.now
    while at is not None and at < until:
        found = decide(replace(situation, now=at))
        yield at, found
        at = found.until


def changed_at(situation: Situation) -> datetime | None:
    """When the desired state may last have changed: a boundary of the hours, an override's end, or a platform message.

    None: not within a week."""
    entry, memory, now = situation.entry, situation.memory, situation.now
    instants = [situation.started_until, situation.idle_from]
    instants += [ended_at(override, memory, now) for override in situation.overrides]
    instants += [situation.platform_state.since] if situation.platform_state else []
    spending = situation.past.spent(entry, now)
    instants += [spending.spent_at(now)] if spending else []
    instants += entry.hours.boundaries(now - timedelta(days=7), now)[-1:] if entry.hours else []
    span = entry.hours.at(now) if entry.hours and entry.auto_lead else None
    instants += [_starts(situation, span, entry.auto_lead)] if span and entry.auto_lead else []
    return max((instant for instant in instants if instant and instant <= now), default=None)
