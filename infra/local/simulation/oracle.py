"""The desired state, computed a second time: minute by minute, from the settings' text and the history alone.

Nothing of the product is used here.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.simulation.calendars import days_off
from local.simulation.scheduled_actions import Action, scheduled_actions
from local.simulation.wall_clock import MINUTE, joined, length, minute_of, minutes, spans

DAY = timedelta(days=1)
RESTS = ("paused", "scaledToZero")


@dataclass
class Decision:
    """An override that must be in force: until when (None: until released), or until a platform starts. `rests`: the
    endpoints ("*": all) that it found stopped: where no rule applies, its end stops them."""

    state: str
    since: datetime
    until: datetime | None
    or_started: str | None = None
    force: bool = False
    rests: frozenset[str] = frozenset()


@dataclass
class Entry:
    """One entry of the settings, with its hours as minutes of the simulated time."""

    key: str
    rest: str
    idle_after: timedelta | None  # for an entry that covers one endpoint of its name
    platform: str | None
    max_started: timedelta | None
    lead: timedelta  # the longest, where it is learned
    running: set[datetime]  # the minutes, in UTC, in which its hours or their lead want it running
    may_start: set[datetime]  # the minutes of a learned lead: it may be started, and need not be
    begins: set[datetime]  # when hours begin, lead left out
    leads: set[datetime]
    boundaries: list[datetime]  # every lead, beginning and end, in order
    has_hours: bool
    start: bool  # whether the rules may start it
    has_budget: bool  # of its own, or over all entries
    protected: bool  # only people stop it
    warm: bool  # false: running is enough
    enforce: bool  # false: the rules act only in the hour after a change
    scaling: dict[str, int]
    overrides: dict[str, Decision] = field(default_factory=dict)  # by holder; "" is nobody
    changed_at: datetime | None = None  # when overrides or platform messages last changed what is wanted
    released_at: datetime | None = None  # when a release last ended an override
    release_failed: bool = False  # the last one, so that it is to be repeated


@dataclass
class Oracle:
    """The entries, and the newest message of each platform: (event, when, since when without a break)."""

    entries: dict[str, Entry]
    actions: list[Action]
    used: Callable[[str], datetime | None] = lambda _: None  # when an endpoint was last used or updated
    spent: Callable[[str, datetime], datetime | None] = lambda *_: None  # since when an entry's budget is, by the jobs
    platforms: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)  # when each platform last changed to started
    under_way: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)  # messages not yet accepted

    def wanted(self, key: str, now: datetime, name: str = "") -> str:
        """ "running", the entry's way to rest, "paused" by a manual request, or "any"."""
        entry, held = self.entries[key], self.held(key, now)
        if first := commanding(held):
            return first.state
        if self.is_spent(entry, now):
            return entry.rest
        if held:
            return "running"
        ruled = _spared(entry, self._ruled(entry, now))
        rests = any(one.rests & {"*", name} for one in entry.overrides.values())
        return entry.rest if ruled == "any" and rests else ruled

    def is_spent(self, entry: Entry, now: datetime) -> bool:
        """Whether its budget stops it."""
        return entry.has_budget and not entry.protected and self.spent(entry.key, now) is not None

    def held(self, key: str, now: datetime) -> list[Decision]:
        """The overrides in force."""
        return [one for one in self.entries[key].overrides.values() if not self.over(one, now)]

    def by_rules(self, key: str, now: datetime) -> str:
        """As it is without overrides."""
        if self.is_spent(self.entries[key], now):
            return self.entries[key].rest
        return _spared(self.entries[key], self._ruled(self.entries[key], now))

    def _ruled(self, entry: Entry, now: datetime) -> str:
        stopped = self._stopped(entry, now)
        if stopped:
            return entry.rest
        if minute_of(now) in entry.may_start:
            return "any"
        if entry.has_hours:
            return "running" if minute_of(now) in entry.running else entry.rest
        used = self.used(entry.key) if entry.idle_after else None
        if used and entry.idle_after and used + entry.idle_after <= now:
            return entry.rest
        return "running" if stopped is False else "any"

    def _stopped(self, entry: Entry, now: datetime) -> bool | None:
        """Whether its platform is stopped; None: it has none, or nothing is known."""
        if entry.platform is None or entry.platform not in self.platforms:
            return None
        event, at, _ = self.platforms[entry.platform]
        lapsed = event == "started" and entry.max_started is not None and at + entry.max_started <= now
        return event == "stopped" or lapsed

    def changed(self, key: str, now: datetime, *, released: bool = True) -> datetime | None:
        """The newest boundary of the hours, message of its platform, end or (with `released`) release of an override.
        A release that has succeeded is stored nowhere, so later runs do not know of it."""
        entry = self.entries[key]
        event, at, _ = self.platforms.get(entry.platform or "", ("", None, None))
        lapse = at + entry.max_started if at and event == "started" and entry.max_started else None
        before = bisect_right(entry.boundaries, now)
        ends = [one.until for one in entry.overrides.values() if self.over(one, now)]
        used = self.used(key) if entry.idle_after else None
        idle = used + entry.idle_after if used and entry.idle_after else None
        spent = self.spent(key, now) if entry.has_budget else None
        found = [
            *entry.boundaries[max(0, before - 1) : before],
            at,
            lapse,
            idle,
            spent,
            *ends,
            entry.released_at if released or entry.release_failed else None,
        ]
        return max((one for one in found if one and one <= now), default=None)

    def over(self, held: Decision, now: datetime) -> bool:
        started = self.started.get(held.or_started or "")
        return (started is not None and started > held.since) or (held.until is not None and held.until <= now)

    @contextmanager
    def delivering(self, platform: str, event: str, at: datetime) -> Iterator[None]:
        """A message that is being delivered."""
        messages = self.under_way.setdefault(platform, [])
        messages.append((event, at))
        try:
            yield
        finally:
            messages.remove((event, at))

    def delivered(self, platform: str, event: str, at: datetime, stored: Mapping[str, str]) -> None:
        """A message that was accepted. `stored`: the newest one, as the jobs store it: only they know whether a message
        that was overtaken was stored first."""
        known = self.platforms.get(platform)
        if known and at < known[1]:
            if event != known[0]:
                first = datetime.fromisoformat(stored.get("first") or stored["since"])
                self.platforms[platform] = (*known[:2], first)
                if known[0] == "started":
                    self.started[platform] = first
                self._end(platform, known[1])
            if event == "started" and stored.get("started", "") >= at.isoformat()[:19]:
                self._end(platform, known[1], at)
            return
        lasts = next((e.max_started for e in self.entries.values() if e.platform == platform), None)
        lapsed = known is not None and lasts is not None and known[1] + lasts <= at
        unbroken = known is not None and known[0] == event and not lapsed
        self.platforms[platform] = (event, at, known[2] if known and unbroken else at)
        if event == "started":
            self.started[platform] = self.platforms[platform][2]
        for entry in self.entries.values():
            if entry.platform == platform:
                entry.changed_at = at
        self._end(platform, at)

    def _end(self, platform: str, at: datetime, started: datetime | None = None) -> None:
        """The overrides that a platform's start ends are over; `started`: it started, and stopped again."""
        for entry in self.entries.values():
            entry.overrides = {
                holder: one
                for holder, one in entry.overrides.items()
                if not (one.or_started == platform and (self.over(one, at) or (started and started > one.since)))
            }

    def asked(
        self,
        key: str,
        holder: str,
        state: str,
        now: datetime,
        until: datetime | None,
        *,
        ruled: str,
        released: bool,
        force: bool,
    ) -> dict[str, Decision]:
        """The overrides after a manual request was accepted or refused (docs/http.md, "Overrides").

        `ruled`: what the rules alone wanted when it came."""
        entry = self.entries[key]
        if state == "paused" and entry.protected and not force:
            return dict(entry.overrides)
        held = {who: one for who, one in entry.overrides.items() if not self.over(one, now)}
        others = {who: one for who, one in held.items() if who != holder}
        if state == "running":
            return self._runs(key, holder, now, until, ruled=ruled, force=force, held=held, others=others)
        made = Decision("paused", now, until) if until or released else None
        first = commanding(others.values())
        runs = first.state == "running" if first else ruled == "running"
        runs = runs or (not first and bool(others) and not self.is_spent(entry, now))
        if made is None and runs:
            later = [at for at in entry.leads if at > now]
            made = Decision("paused", now, min(later, default=None), entry.platform)
        return self._with(others, holder, made, held.get(holder), before=others)

    def _runs(
        self, key: str, holder: str, now: datetime, until: datetime | None, *, ruled: str, force: bool,
        held: dict[str, Decision], others: dict[str, Decision],
    ) -> dict[str, Decision]:  # fmt: skip
        left = {who: one for who, one in others.items() if who or one.state == "running"}  # anyone ends nobody's pause
        first = commanding(left.values())
        against = first is not None and first.state == "paused"
        if not force and (against or self.is_spent(self.entries[key], now)):
            return dict(self.entries[key].overrides)
        ahead = (self.by_rules(key, now + number * MINUTE) for number in range(121))
        stops = ruled != "any" and any(later in RESTS for later in (ruled, *ahead))
        ended = [one for who, one in self.entries[key].overrides.items() if who != holder and self.over(one, now)]
        stops = stops or (ruled == "any" and any(one.rests for one in ended))
        made = Decision("running", now, until, force=force) if until else None
        if made is None and (against or stops):
            made = Decision("running", now, now + timedelta(hours=2), force=force)
        return self._with(left, holder, made, held.get(holder), before=others)

    @staticmethod
    def _with(
        others: dict[str, Decision],
        holder: str,
        made: Decision | None,
        own: Decision | None,
        *,
        before: dict[str, Decision],
    ) -> dict[str, Decision]:
        """What lasts nine tenths of what is asked is left as it is; a pause, only where it ends then. `before`: the
        overrides of others, also those that the request ends."""
        if made and own and own.state == made.state:
            beaten = commanding(one for one in before.values() if one.since > own.since) is not None
            if made.state == "running" and made.until:
                enough = own.until is None or own.until - made.since >= (made.until - made.since) * 0.9
                enough = enough and (not made.force or (own.force and not beaten))
            else:
                enough = (own.until, own.or_started) == (made.until, made.or_started) and not beaten
            made = own if enough else made
        return {**others, **({holder: made} if made else {})}


def _spared(entry: Entry, ruled: str) -> str:
    return "any" if entry.protected and ruled in RESTS else ruled


def commanding(overrides: Iterable[Decision]) -> Decision | None:
    """The newest of the pauses and the forced requests."""
    found = [one for one in overrides if one.state != "running" or one.force]
    return max(found, key=lambda one: (one.since, one.state != "running"), default=None)


def oracle(document: Mapping[str, Any], begin: datetime, end: datetime) -> Oracle:
    """From the settings as YAML has them, for a stretch of time."""
    platforms = document.get("platforms", {})
    entries = {}
    for key, given in document["endpoints"].items():
        zone = ZoneInfo(given.get("time_zone", document.get("time_zone", "UTC")))
        (least, lead), days = _lead(given.get("lead", "0m")), given.get("holidays", document.get("holidays", []))
        found, always = given.get("hours", []), given.get("hours") == "always"
        texts = [] if always else [found] if isinstance(found, str) else found
        hours = list(spans(texts, zone, days_off(days), begin, end))
        running = {at for a, b in hours for at in minutes(a - lead, b)}
        may_start = {at for a, _ in joined(hours) for at in minutes(a - lead, a)} if least < lead else set()
        platform = given.get("platform")
        lasts = platforms.get(platform, {}).get("max_started") if platform else None
        united = joined(hours)
        entries[key] = Entry(
            key=key,
            rest=given.get("rest", "paused"),
            idle_after=length(given["idle_after"]) if "idle_after" in given else None,
            platform=platform,
            max_started=length(lasts) if lasts else None,
            lead=lead,
            running={*minutes(begin - DAY, end + DAY)} if always else running,
            may_start=may_start - {at for a, b in hours for at in minutes(a, b)},
            begins={a for a, _ in united},
            leads={a - lead for a, _ in united},
            boundaries=sorted({at for a, b in united for at in (a - lead, a, b)}),
            has_hours=bool(found),
            start=given.get("start", True),
            has_budget="budget" in given or "budget" in document,
            protected=given.get("protected", False),
            warm=given.get("warm") is not False,
            enforce=given.get("enforce", True),
            scaling=given.get("scaling", {}),
        )
    return Oracle(entries, scheduled_actions(document, begin, end))


def _lead(given: Any) -> tuple[timedelta, timedelta]:
    """The shortest and the longest that it may be; learned, unless it is a length."""
    if isinstance(given, str) and given != "auto":
        return length(given), length(given)
    bounds = {"at_least": "2m", "at_most": "30m", **({} if given == "auto" else given["auto"])}
    return length(bounds["at_least"]), length(bounds["at_most"])
