"""The desired state from now on, by the rules and by scheduled actions together. Pure.

Plan, page and status use it. Platforms and overrides are taken as they are now, because their changes are unknown. The
state after a scheduled action lasts until the rules or the next action change it.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from lifecycle.core.cron import scheduled, ticks
from lifecycle.core.entries import Cron
from lifecycle.core.model import AT_REST, Wanted
from lifecycle.core.rules import Decision, Situation, decide

AHEAD = timedelta(days=31)
MOST_PHASES = 200  # in which a next change is looked for

Tick = tuple[datetime, int]  # of which of the entry's actions


@dataclass(frozen=True)
class Phase:
    """From `at` on: the desired state and why. `runs`: whether the endpoint will be running, as far as is known."""

    at: datetime
    wanted: Wanted
    reason: str
    runs: bool


def phases(situation: Situation, until: datetime) -> Iterator[Phase]:
    """The phases from now to `until`; the first begins now."""
    return _Player(situation, until).play()


def changes(situation: Situation) -> Iterator[Phase]:
    """The phases within a month that begin with another desired state. Stopping what is already at rest is left out."""
    later = phases(situation, situation.now + AHEAD)
    before = next(later)
    for phase in islice(later, MOST_PHASES):
        if phase.wanted != before.wanted and (before.wanted != "any" or before.runs or phase.runs):
            yield phase
        before = phase


def next_change(situation: Situation) -> Phase | None:
    return next(changes(situation), None)


class _Player:
    """Plays the rules and the scheduled actions of one endpoint, from the situation on."""

    def __init__(self, situation: Situation, until: datetime) -> None:
        self.situation, self.until = situation, until
        self.runs = situation.endpoint is not None and situation.endpoint.may_bill
        self.held: tuple[Wanted, str] | None = None  # by the last scheduled action, where the rules say any

    def play(self) -> Iterator[Phase]:
        at: datetime | None = self.situation.now
        while at is not None and at < self.until:
            ruled = self._ruled(at)
            yield self._phase(at, ruled)
            fired = (at, -1)
            while following := self._next(fired, ruled):
                fired, ruled = following
                yield self._phase(fired[0], ruled)
            at = ruled.until

    def _next(self, fired: Tick, ruled: Decision) -> tuple[Tick, Decision] | None:
        """The next action that changes something before the rules may, and the rules' decision then."""
        if not self.situation.entry.cron:
            return None
        entry, end = self.situation.entry, min(ruled.until or self.until, self.until)
        actions = [number for number, action in enumerate(entry.cron) if self._matters(action.do, ruled)]
        used: Tick | None = None
        for tick in heapq.merge(*(_numbered(entry.cron[n], n, fired[0], self.until) for n in actions)):
            if tick[0] >= end:
                break
            action = entry.cron[tick[1]].do
            if tick <= fired:
                continue
            if action == "warm" and self.runs:  # a use
                used = tick
                if ruled.wanted == "any":  # it rests when unused, so the use puts that off
                    end = min(tick[0] + (entry.idle_after or timedelta()), self.until)
                continue
            if self._fire(tick[0], action):
                return tick, self._ruled(tick[0])
        self._use(used)
        return (used, self._ruled(used[0])) if used else None

    def _matters(self, action: str, ruled: Decision) -> bool:
        """Whether an action may change something under this decision: most do not, and fire often."""
        entry = self.situation.entry
        if action == "pause":
            return self.runs and not entry.protected and ruled.wanted != "running"
        if ruled.rule != "idle" and ruled.wanted in AT_REST:
            return False
        return not self.runs or (
            action == "warm" and entry.idle_after is not None and self.situation.endpoint is not None
        )

    def _use(self, used: Tick | None) -> None:
        if used and self.situation.endpoint:
            self.situation = replace(self.situation, endpoint=replace(self.situation.endpoint, last_used_at=used[0]))

    def _ruled(self, at: datetime) -> Decision:
        seen = self.situation
        return decide(Situation(seen.entry, seen.endpoint, seen.memory, at, seen.past))  # `replace` takes far longer

    def _phase(self, at: datetime, ruled: Decision) -> Phase:
        wanted, reason = ruled.wanted, ruled.reason
        if wanted == "any":
            wanted, reason = self.held or (wanted, reason)
            return Phase(at, wanted, reason, self.runs)
        self.held = None
        if wanted == "running" and not (self.runs or self.situation.entry.start or ruled.rule == "override"):
            return Phase(at, "any", f"{reason}; but start is false: the rules never start it", self.runs)
        self.runs = wanted == "running"
        return Phase(at, wanted, reason, self.runs)

    def _fire(self, at: datetime, action: str) -> bool:
        """Whether a scheduled action starts or stops it."""
        wanted = scheduled(action, replace(self.situation, now=at))
        if wanted.left:
            return False
        self.runs, self.held = action != "pause", (wanted.wanted, wanted.reason)
        if endpoint := self.situation.endpoint:
            self.situation = replace(self.situation, endpoint=replace(endpoint, updated_at=at))
        return True


def _numbered(action: Cron, number: int, since: datetime, until: datetime) -> Iterator[Tick]:
    return ((tick, number) for tick in ticks(action, since, until))
