"""Scheduled actions: done at their time, and yielding to the rules and to what was changed since."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from local.simulation.in_process import Call, Sent
from local.simulation.runner import Simulation
from local.simulation.wall_clock import minute_of

MINUTE = timedelta(minutes=1)
READ_WITHIN = timedelta(seconds=16)  # a read is at most 10 s old, and a request takes some
ANSWERED_WITHIN = 12 * MINUTE  # warming takes nine at most
RESTS = ("paused", "scaledToZero")
LATE = ("ticks late", "ticks doubled", "ticks overlap")  # runs of one job wait for each other


class CronChecks:
    """`steady`: what is wanted of an endpoint, and since when that stands undisturbed. `updated`: when each was last
    changed, and for which scheduled time, if for one. `called`: each action and time of which a call was answered."""

    def __init__(self, simulation: Simulation, steady: Callable[[str], tuple[str, datetime]]) -> None:
        self.s = simulation
        self.steady = steady
        self.updated: dict[str, tuple[datetime | None, datetime | None]] = {}
        self.called: set[tuple[str, frozenset[str], datetime]] = set()

    def look(self, now: datetime) -> None:
        """Each was answered; where its ticks are late, or Scheduler is asked to do other things, that is not known."""
        tick = now.replace(second=0, microsecond=0) - ANSWERED_WITHIN
        for action in self.s.oracle.actions:
            calm = all(self.s.calm_since(key) < tick - 2 * MINUTE for key in action.entries)
            if tick in action.ticks and calm and tick > self.s.plan.begin:
                self.s.checked["k"] += 1
                if (action.do, action.entries, tick) not in self.called:
                    self.s.broke("k", f"{action.do} of {sorted(action.entries)} was not answered at {tick:%a %H:%M}")

    # Requests.

    def sent(self, request: Sent) -> None:
        tick, parts = self.s.functions.ticks[request.call], request.path.strip("/").split("/")
        own, verb = parts[0] == "own", parts[-1]
        name = parts[1] if own else parts[3] if len(parts) > 3 else ""
        if tick and name in self.updated and request.begun >= self.s.deployed and (own or verb in ("pause", "resume")):
            self._yields(request, tick, name, "wake" if own else verb)
        for endpoint in self.s.hub.endpoints.values():
            if endpoint.updated != self.updated.get(endpoint.name, (None, None))[0]:
                self.updated[endpoint.name] = endpoint.updated, tick if name == endpoint.name else None

    def _yields(self, request: Sent, tick: datetime, name: str, verb: str) -> None:
        """It pauses nothing that was updated since its time, starts nothing at rest that was, and spares some."""
        (updated, by), endpoint = self.updated[name], self.s.hub.endpoints[name]
        self.s.checked["k"] += 1
        action = f"{verb} of {name}, scheduled at {tick:%a %H:%M:%S}"
        if verb == "pause" and self.s.oracle.entries[self.s.entry_of(name)].protected:
            self.s.broke("k", f"{action}: it is protected")
        earlier = [state for at, state in endpoint.history if at < request.at]
        acts = verb == "pause" or (endpoint.history[-1][0] >= request.at and earlier[-1:] and earlier[-1] in RESTS)
        if acts and updated and by != tick and tick < updated < request.at - READ_WITHIN:
            self.s.broke("k", f"{action}: it was updated at {updated:%H:%M:%S}")

    # Answers.

    def answered(self, call: Call) -> None:
        tick = self.s.functions.ticks[call.number]
        if tick is None:
            return
        minute = tick.replace(second=0, microsecond=0)
        called = call.function, frozenset(call.entries)
        self.called.add((*called, minute))
        late = any(w.kind in LATE and w.begin <= tick < w.end for w in self.s.plan.windows)
        for action in [one for one in self.s.oracle.actions if (one.do, one.entries) == called]:
            if minute in action.ticks and not late and call.begun > tick + action.retried + MINUTE:
                self.s.broke("k", f"{call.function} of {tick:%a %H:%M} is tried again {call.begun - tick} later")
        for result in call.body["results"]:
            endpoint = self.s.hub.endpoints.get(result["name"])
            if endpoint and result["outcome"] == "skipped":
                self._left(call, tick, result, endpoint.updated)

    def _left(self, call: Call, tick: datetime, result: dict[str, Any], updated: datetime | None) -> None:
        """What is skipped is wanted otherwise, spared, or was changed since."""
        _, since = self.steady(result["name"])
        entry, now = self.s.oracle.entries[result["endpoint"]], self.s.now()
        wanted = self.s.oracle.wanted(entry.key, now, result["name"])
        fits = ("any", *RESTS) if call.function == "pause" else ("any", "running")
        spared = (call.function == "pause" and entry.protected) or minute_of(now) in entry.may_start
        changed = updated is not None and updated > tick
        if since > call.begun - MINUTE or wanted not in fits or spared or changed:
            return
        self.s.checked["k"] += 1
        if call.function == "pause" or result["after"] in RESTS:
            self.s.broke("k", f"scheduled {call.function} left {result['name']}: {result['reason']}")
