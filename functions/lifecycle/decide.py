"""What each endpoint should be, and why: the rules, and the step that leads there. Pure: no clock, no network.

`wish` asks the rules in their order; the first that applies decides. `step` compares the wish with what is observed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from lifecycle.hours import DAYS
from lifecycle.model import AT_REST, STARTING, Action, Endpoint, Level, Memory, News, Outcome, Override, Wanted
from lifecycle.reading import in_words
from lifecycle.settings import Entry

ENFORCED_FOR = timedelta(hours=1)  # with `enforce: false`: how long after a change the rules act
AHEAD = timedelta(days=31)
SCALED_AFTER = timedelta(minutes=15)  # default of `scale_to_zero_after`

Rule = Literal["hand", "cron", "override", "platform stopped", "hours", "platform started", "idle", "none"]


@dataclass(frozen=True)
class Wish:
    """What an endpoint should be, the rule that says so, and its reason in words.

    `until`: the next instant at which the clock alone may change what is wanted. `begin`: when the hours began or will.
    `left`: it is left alone, and that is reported at this level.
    """

    wanted: Wanted
    reason: str
    rule: Rule
    until: datetime | None = None
    begin: datetime | None = None
    left: Level | None = None


@dataclass(frozen=True)
class Situation:
    """All that the rules look at. `endpoint` None: not observed, so rules that need it do not apply."""

    entry: Entry
    endpoint: Endpoint | None
    memory: Memory
    now: datetime

    @property
    def news(self) -> News | None:
        return self.memory.platforms.get(self.entry.platform or "")

    @property
    def started_until(self) -> datetime | None:
        """When "started" begins to count as stopped, if it does."""
        if self.entry.max_started and self.news and self.news.state == "started":
            return self.news.since + self.entry.max_started
        return None

    @property
    def idle_from(self) -> datetime | None:
        """When the endpoint counts as unused, if that can be told."""
        known = [t for t in (self.endpoint.last_used_at, self.endpoint.updated_at) if t] if self.endpoint else []
        return max(known) + self.entry.idle_after if known and self.entry.idle_after else None

    def first(self, instant: datetime | None) -> datetime | None:
        """`instant`, or before it when "started" begins to count as stopped."""
        lapse = self.started_until
        return lapse if lapse and lapse > self.now and (instant is None or lapse < instant) else instant

    def says(self, when: datetime) -> str:
        return clock(when, self.entry.zone, self.now)


def wish(situation: Situation) -> Wish:
    """What the first rule that applies wants."""
    for rule in RULES:
        if found := rule(situation):
            return found
    raise AssertionError("the last rule always applies")


def _override(s: Situation) -> Wish | None:
    override = s.memory.overrides.get(s.entry.key)
    if override is None or ended_at(override, s.memory, s.now):
        return None
    return Wish(override.state, said(override, s.entry.zone, s.now), "override", override.until)


def _platform_stopped(s: Situation) -> Wish | None:
    if s.news and s.news.state == "stopped":
        return Wish(s.entry.rest, f"platform {s.entry.platform} stopped at {s.says(s.news.since)}", "platform stopped")
    if s.started_until and s.started_until <= s.now:
        last = f"not said to be started for {in_words(s.entry.max_started or timedelta())}"
        reason = f"platform {s.entry.platform} stopped at {s.says(s.started_until)}: {last}"
        return Wish(s.entry.rest, reason, "platform stopped")
    return None


def _hours(s: Situation) -> Wish | None:
    hours = s.entry.hours
    if hours is None:
        return None
    span = hours.at(s.now)
    if span is None:
        following = hours.next(s.now)
        ends = f"outside hours until {s.says(following.lead)}" if following else "outside hours, with none to come"
        holiday = "holiday; " if s.now.astimezone(s.entry.zone).date() in hours.holidays else ""
        return Wish(s.entry.rest, holiday + ends, "hours", s.first(following.lead if following else None))
    if s.now < span.begin:
        reason = f"hours begin at {s.says(span.begin)}, lead {in_words(hours.lead)}"
        return Wish("running", reason, "hours", s.first(span.end), begin=span.begin)
    ends = f", until {s.says(span.end)}" if span.end - s.now < timedelta(days=7) else ""
    return Wish("running", f"inside hours {span.text}{ends}", "hours", s.first(span.end), begin=span.begin)


def _platform_started(s: Situation) -> Wish | None:
    if s.news and s.news.state == "started":
        reason = f"platform {s.entry.platform} started at {s.says(s.news.since)}"
        return Wish("running", reason, "platform started", s.first(None))
    return None


def _idle(s: Situation) -> Wish | None:
    if s.entry.idle_after is None or s.endpoint is None:
        return None
    length = in_words(s.entry.idle_after)
    if s.idle_from is None:
        reason = f"left alone: neither its last use nor its last update is known, so not whether unused for {length}"
        return Wish("any", reason, "none", left=None if s.endpoint.state in AT_REST else "WARNING")
    since = s.says(s.idle_from - s.entry.idle_after)
    if s.idle_from <= s.now:
        return Wish(s.entry.rest, f"unused for {length}, since {since}", "idle")
    return Wish("any", f"used or updated at {since}; rests when unused for {length}", "none", s.idle_from)


def _nothing(s: Situation) -> Wish:
    if s.entry.platform is None:
        return Wish("any", "no rule applies", "none")
    why = f"is not known: {s.memory.lack}" if s.memory.lack else "has said nothing yet"
    return Wish("any", f"no rule applies: platform {s.entry.platform} {why}", "none")


RULES: tuple[Callable[[Situation], Wish | None], ...] = (
    _override,
    _platform_stopped,
    _hours,
    _platform_started,
    _idle,
    _nothing,
)


def ended_at(override: Override, memory: Memory, now: datetime) -> datetime | None:
    """When an override ended, if it has: at its end, or when its platform changed to started after it was made."""
    ends = [override.until] if override.until else []
    news = memory.platforms.get(override.or_started or "")
    if news and news.state == "started" and (news.first or news.since) > override.since:
        ends.append(news.first or news.since)
    return min((end for end in ends if end <= now), default=None)


def wishes(situation: Situation, until: datetime) -> Iterator[tuple[datetime, Wish]]:
    """The wishes from now until then, each with the instant from which it stands, as the clock alone changes them."""
    entry, endpoint, memory = situation.entry, situation.endpoint, situation.memory
    at: datetime | None = situation.now
    while at is not None and at < until:
        found = wish(Situation(entry, endpoint, memory, at))
        yield at, found
        at = found.until


def next_wish(situation: Situation) -> tuple[datetime, Wish] | None:
    """The next wish for another state, as far as the clock alone brings one within a month."""
    now = wish(situation).wanted
    later = wishes(situation, situation.now + AHEAD)
    return next(((at, found) for at, found in later if found.wanted != now), None)


def changed_at(situation: Situation) -> datetime | None:
    """The newest boundary of the hours, override's end or platform's news, as far as it lies within a week."""
    entry, memory, now = situation.entry, situation.memory, situation.now
    override = memory.overrides.get(entry.key)
    instants = [situation.started_until, situation.idle_from, ended_at(override, memory, now) if override else None]
    instants += [situation.news.since] if situation.news else []
    instants += entry.hours.boundaries(now - timedelta(days=7), now)[-1:] if entry.hours else []
    return max((instant for instant in instants if instant and instant <= now), default=None)


@dataclass(frozen=True)
class Step:
    """What to do now. Where `action` is none, `outcome` says why: unchanged, pending (starting) or skipped."""

    action: Action
    outcome: Outcome
    reason: str
    level: Level = "INFO"
    restrained: bool = False  # by `start: false`


def step(wish: Wish, situation: Situation, *, alone: bool = False, boundary: str | None = None) -> Step:
    """The step from what is observed to what is wished (design, the table under "Rules").

    `alone`: nothing but `running` satisfies (by hand, and for `warm`). `boundary`: this is the call of a boundary's
    job, at that time of day ("" when that is not told).
    """
    endpoint = situation.endpoint
    assert endpoint is not None
    if wish.left:
        return Step("none", "skipped", wish.reason, wish.left)
    if wish.wanted == "any":
        return _settled(wish)
    if wish.wanted == "running":
        found = _start(wish, endpoint, alone=alone, woken=_begins(situation, boundary))
    elif wish.wanted == "paused":
        found = _settled(wish) if endpoint.state == "paused" else Step("pause", "done", wish.reason)
    else:
        found = _scale_to_zero(wish, situation, endpoint)
    if found.action != "none" and wish.rule not in ("hand", "cron", "override"):
        return _restrained(found, wish, situation)
    return found


def _begins(situation: Situation, boundary: str | None) -> bool:
    """Whether its hours are about to begin: between lead and beginning; without lead, in the boundary's own call."""
    hours = situation.entry.hours
    span = hours.at(situation.now) if hours else None
    if span is None or span.lead < span.begin:
        return span is not None and situation.now < span.begin
    return boundary in ("", f"{span.begin.astimezone(situation.entry.zone):%H%M}")


def _settled(wish: Wish) -> Step:
    return Step("none", "unchanged", wish.reason)


def _start(wish: Wish, endpoint: Endpoint, *, alone: bool, woken: bool) -> Step:
    state = endpoint.state
    if state == "running":
        return _settled(wish)
    if state == "paused":
        return Step("resume", "done", wish.reason)
    if state == "scaledToZero":
        sleeps_by_itself = endpoint.min_replicas == 0 and not alone and not woken
        return _settled(wish) if sleeps_by_itself else Step("wake", "done", wish.reason)
    if state in STARTING:
        return Step("none", "pending", wish.reason)
    told = f": {endpoint.message}" if endpoint.message else ""
    if state == "updateFailed" and endpoint.ready_replicas and not alone:
        return Step(
            "none", "unchanged", f"{wish.reason}; its last update failed, a replica still serves{told}", "WARNING"
        )
    if state in ("failed", "updateFailed"):
        if wish.rule == "hand":
            return Step("resume", "done", wish.reason)
        return Step("none", "skipped", f"{wish.reason}; but its state is {state}{told}", "ERROR")
    return Step("none", "skipped", f'{wish.reason}; but nobody knows the state "{state}"{told}', "ERROR")


def _scale_to_zero(wish: Wish, situation: Situation, endpoint: Endpoint) -> Step:
    if endpoint.state in AT_REST:
        return _settled(wish)
    if endpoint.state in STARTING:
        return Step("none", "skipped", f"{wish.reason}; left while it is {endpoint.state}", "WARNING")
    after = situation.entry.scaling.scale_to_zero_after or SCALED_AFTER
    used = endpoint.last_used_at
    if used and situation.now - used < after:
        why = f"left: used at {situation.says(used)}, less than {in_words(after)} ago"
        return Step("none", "skipped", f"{wish.reason}; {why}", "WARNING")
    return Step("scale-to-zero", "done", wish.reason)


def _restrained(found: Step, wish: Wish, situation: Situation) -> Step:
    """The step as far as `start` and `enforce` let the rules take it."""
    if found.action in ("resume", "wake") and not situation.entry.start:
        return Step("none", "skipped", f"{wish.reason}; but start is false: the rules never start it", restrained=True)
    changed = changed_at(situation)
    if not situation.entry.enforce and (changed is None or situation.now - changed >= ENFORCED_FOR):
        when = f" ({situation.says(changed)})" if changed else ""
        why = f"enforce is false, and the last change{when} is more than {in_words(ENFORCED_FOR)} ago"
        return Step("none", "skipped", f"{wish.reason}; but {why}", "WARNING")
    return found


def said(override: Override, zone: ZoneInfo, now: datetime) -> str:
    """An override in words: "asked by hand until 22:00 Europe/Berlin"."""
    ends = [clock(override.until, zone, now)] if override.until else []
    ends += [] if override.until or override.or_started else ["released"]
    ends += [f"platform {override.or_started} starts"] if override.or_started else []
    by = f" by {override.by}" if override.by else ""
    note = f": {override.note}" if override.note else ""
    return f"asked by hand until {' or '.join(ends)}{by}{note}"


def clock(when: datetime, zone: ZoneInfo, now: datetime) -> str:
    """An instant on the zone's clock: "22:00 Europe/Berlin", with the day when it is not today's."""
    local = when.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{DAYS[local.weekday()]} {local.date()} "
    return f"{day}{local.hour:02}:{local.minute:02} {zone.key}"
