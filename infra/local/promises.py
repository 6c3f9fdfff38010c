"""The promises, looked after while a simulation plays: from the settings and the history alone.

a. A wanted state that has stood for two passes of calm is reached, on its way, or reported as failed.
b. The newest platform message decides (looked at by the simulation at every message).
c. An override holds to its end, and is gone one pass later.
d. With a start shorter than `lead`, the endpoint answers when the hours begin.
e. What is billed outside the wanted time stays within one pass a change plus the outage.
f. Every failure is logged with endpoint and reason and answered as the table says; no success that did not happen.
g. Nothing outside the settings is touched; the token appears nowhere.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from lifecycle.service import Answer
from local.endpoints import BILLED, Endpoint
from local.simulation import PARENT, TOKEN, Simulation

MINUTE = timedelta(minutes=1)
LONGEST_CALL = timedelta(minutes=9)  # a pass that waits for a start holds back the next
UNDER_WAY = 3  # calls whose answers are still to come at the end
STARTING = frozenset({"pending", "initializing", "updating"})
# The states of which one was reached, when a result says so.
DONE: dict[str, Collection[str]] = {"pause": {"paused"}, "scale-to-zero": {"scaledToZero", "paused"}}
REACHED = {**DONE, "resume": STARTING | {"running"}}
UNCHANGED = {
    "paused": {"paused"},
    "scaledToZero": {"scaledToZero", "paused"},
    "running": {"running", "scaledToZero", "updateFailed"},
}


class Watch:
    """Looks on, minute by minute. `outside`: seconds billed while rest was wanted, calm or not."""

    def __init__(self, simulation: Simulation) -> None:
        self.s = simulation
        every = simulation.settings.reconcile_every
        self.patience = 2 * max(every, LONGEST_CALL) + 2 * MINUTE
        self.since: dict[str, tuple[str, datetime]] = {}
        self.outside = 0.0
        self.seen_answers = 0
        self.seen_requests = 0
        self.forbidden: Counter[str] = Counter()  # actions that were answered 403
        self.told_forbidden: Counter[str] = Counter()  # and results that say so
        names = [str(endpoint["name"]) for endpoint in simulation.plan.endpoints]
        self.managed = [name for name in names if simulation.entry_of(name)]

    async def __call__(self, _simulation: Simulation) -> None:
        while True:
            await asyncio.sleep(60)
            now = self.s.now()
            for name in self.managed:
                self._look(self.s.hub[name], self.s.entry_of(name), now)
            for key in self.s.oracle.entries:
                self._override_is_gone(key, now)
            self._answers()
            self._touches()

    def _look(self, endpoint: Endpoint, key: str, now: datetime) -> None:
        wanted = self.s.oracle.wanted(key, now)
        entry = self.s.oracle.entries[key]
        if self.since.get(endpoint.name, ("", now))[0] != wanted:
            self.since[endpoint.name] = wanted, now
        if wanted in ("paused", "scaledToZero") and endpoint.state in BILLED:
            self.outside += 60
        # What changed by itself, failing after a start say, is seen by the next pass.
        calm = max(self.s.calm_since(key), self.since[endpoint.name][1], endpoint.history[-1][0])
        if now - calm > self.patience and not self._fits(endpoint, wanted) and not self._reported(endpoint.name, now):
            promise = "e" if wanted != "running" and endpoint.state in BILLED else "a"
            self.s.broke(
                promise,
                f"{endpoint.name} is {endpoint.state}, wanted {wanted} since {self.since[endpoint.name][1]:%a %H:%M}",
            )
            self.s.disturbed[key] = now + timedelta(hours=6)  # told once
        if now.replace(second=0) in entry.begins:
            self._answers_at_the_beginning(endpoint, key, now)

    def _fits(self, endpoint: Endpoint, wanted: str) -> bool:
        state = endpoint.state
        if wanted == "running":
            return state == "running" or state in STARTING or (state == "scaledToZero" and endpoint.min_replica == 0)
        if wanted == "scaledToZero":
            used = endpoint.last_used and self.s.now() - endpoint.last_used < timedelta(minutes=20)
            return state in ("scaledToZero", "paused") or state in STARTING or bool(used) or state == "failed"
        return wanted in ("any", state)

    def _reported(self, name: str, now: datetime) -> bool:
        """Whether the last passes said that it failed."""
        for line in reversed(self.s.logs):
            if now - line["at"] > self.patience:
                return False
            if line.get("name") == name and line["severity"] == "ERROR":
                return True
        return False

    def _answers_at_the_beginning(self, endpoint: Endpoint, key: str, now: datetime) -> None:
        lead = self.s.oracle.entries[key].lead
        slowest = max(endpoint.durations.resume, endpoint.durations.wake)
        needs = timedelta(seconds=slowest + endpoint.durations.load + 40)
        steady = self.since[endpoint.name][0] == "running" and self.since[endpoint.name][1] <= now - lead + MINUTE
        calm = self.s.calm_since(key) < now - lead - MINUTE
        # One that scales itself to zero sooner than the lead lasts may be asleep again: its idle clock is its own.
        sleeps = endpoint.min_replica == 0 and timedelta(minutes=endpoint.scale_to_zero_minutes or 9999) <= lead
        able = endpoint.start == "comes up" and not sleeps
        if lead > needs and steady and calm and able and not endpoint.ready:
            self.s.broke("d", f"{endpoint.name} is {endpoint.state} when its hours begin")

    def _override_is_gone(self, key: str, now: datetime) -> None:
        wish = self.s.oracle.entries[key].override
        there = f"{PARENT}/jobs/lifecycle-override-{key}" in self.s.scheduler.jobs
        if wish is None or wish.until is None or not there:
            return
        calm = max(self.s.calm_since(key), wish.until)
        names = [name for name in self.managed if self.s.entry_of(name) == key]
        settled = all(self._settled(self.s.hub[name], self.s.oracle.wanted(key, now)) for name in names)
        if now - calm > self.patience and settled:
            self.s.broke("c", f"the override of {key} ended {wish.until:%a %H:%M} and is still there")
            self.s.disturbed[key] = now + timedelta(hours=6)

    def _settled(self, endpoint: Endpoint, wanted: str) -> bool:
        """Whether it has been as the rules want it for two passes."""
        stands = self.s.now() - endpoint.history[-1][0] > self.patience
        return self._fits(endpoint, wanted) and endpoint.state not in STARTING | {"failed"} and stands

    def _answers(self) -> None:
        for function, entries, answer in self.s.functions.answers[self.seen_answers :]:
            self._answer(function, answer)
            self._all_are_there(function, entries, answer)
        self.seen_answers = len(self.s.functions.answers)

    def _answer(self, function: str, answer: Answer) -> None:
        results = [result.answer() for result in answer.results]
        bad = [result for result in answer.results if result.outcome == "failed"]
        passing = any(r.passing or r.code in ("token_unreadable", "memory_unavailable") for r in bad)
        pending = any(result["outcome"] == "pending" for result in results)
        status = 503 if passing else 502 if bad else 202 if pending else 200
        if function != "platform_event" and answer.status != status:
            self.s.broke("f", f"{function} answered {answer.status}, should be {status}: {results}")
        for result in bad:
            self.told_forbidden[result.name] += result.code == "forbidden"
            if not result.error:
                self.s.broke("f", f"{result.name} failed without a reason")
            endpoint = self.s.hub.endpoints.get(result.name)
            if endpoint and result.code in ("refused", "conflict") and endpoint.state in REACHED.get(result.action, ()):
                self.s.broke("f", f"{result.name}: {result.action} is told to have failed, and it is {endpoint.state}")
        for told in results:
            self._happened(told)

    def _all_are_there(self, function: str, entries: tuple[str, ...], answer: Answer) -> None:
        """A result for each endpoint, whatever happened to the others."""
        told = {result.name for result in answer.results}
        asked = {name for name in self.managed if self.s.entry_of(name) in entries}
        observed = all(result.before is not None for result in answer.results)
        if observed and function != "platform_event" and told != asked:
            self.s.broke("f", f"{function} has no result for {sorted(asked - told)}")

    def _happened(self, result: dict[str, object]) -> None:
        """No success that did not happen: the state it speaks of was reached within the last minutes."""
        endpoint = self.s.hub.endpoints.get(str(result["name"]))
        if endpoint is None:
            return
        goal: Collection[str] = ()
        if result["outcome"] == "done":
            goal = DONE.get(str(result["action"]), {"running"})
        if result["outcome"] == "unchanged":
            goal = UNCHANGED.get(str(result["wanted"]), ())
        if goal and not self._states(endpoint, self.s.now() - 12 * MINUTE).intersection(goal):
            self.s.broke("f", f"{result['name']}: {result['action']} {result['outcome']}, and it was {endpoint.state}")

    @staticmethod
    def _states(endpoint: Endpoint, since: datetime) -> set[str]:
        """The states that it was in since then."""
        later = {state for at, state in endpoint.history if at >= since}
        before = [state for at, state in endpoint.history if at < since]
        return later | set(before[-1:]) | {endpoint.state}

    def _touches(self) -> None:
        """Only what is in the settings is touched, URLs of their own only where running is wanted, a 403 is final."""
        for at, said, status in self.s.hub.requests[self.seen_requests :]:
            method, path = said.split(" ")
            parts = path.strip("/").split("/")
            own = parts[0] == "own"
            name = parts[1] if own else parts[3] if len(parts) > 3 else ""
            if name and name not in self.managed:
                self.s.broke("g", f"{said}: it is in no entry")
            elif own and self._rests(name, at):
                self.s.broke("e", f"{said}: it should rest, and this wakes it")
            elif method == "POST" and status == 403:
                self.forbidden[name] += 1
        self.seen_requests = len(self.s.hub.requests)

    def _rests(self, name: str, at: datetime) -> bool:
        """Whether rest was wanted then, and for a while before, without anybody's asking otherwise."""
        key = self.s.entry_of(name)
        wanted, since = self.since.get(name, ("", at))
        return wanted in ("paused", "scaledToZero") and at - max(since, self.s.calm_since(key)) > LONGEST_CALL

    def conclude(self) -> None:
        """What can only be seen at the end."""
        self._answers()
        killed = any(window.kind == "instances die" for window in self.s.plan.windows)
        for name, count in self.forbidden.items():
            if not killed and count > self.told_forbidden[name] + UNDER_WAY:
                self.s.broke("f", f"{name}: {count} times a 403, told {self.told_forbidden[name]} times: it is retried")
        for where, texts in {
            "log": self.s.raw,
            "answer": self.s.replies,
            "job": [json.dumps(self.s.scheduler.jobs)],
        }.items():
            if any(TOKEN in text for text in texts):
                self.s.broke("g", f"the token is in a {where}")
        for line in self.s.logs:
            if line["event"] == "crash":
                self.s.broke("f", f"a crash: {line['message']}")
