"""What calls answer, log and send to Hugging Face, compared with the history: invariants a, e, f and g."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from local.simulation.in_process import Call, Sent
from local.simulation.outages import HARMLESS
from local.simulation.runner import Simulation

MINUTE = timedelta(minutes=1)
READ_WITHIN = timedelta(seconds=16)  # a read is at most 10 s old, and a request takes some
BOUNDARY_CALLS = timedelta(hours=1)  # for how long the call of a boundary may come late, or be repeated
HELD_UP = timedelta(seconds=8)
RESTS = ("paused", "scaledToZero")
ENFORCED = timedelta(hours=1, minutes=15)  # the hour after a change, and how long what it began may last
# Errors of which the design says that they are final; all else may pass.
REFUSAL = re.compile(r"^held:|^superseded:|^protected:|force overrules it$")
FINAL = re.compile(rf": (400|401|402|403|404|405|422)\b|it did not start|has no endpoint|{REFUSAL.pattern}")
REFUSED = re.compile(r": (400|409)\b")
# The states of which one was reached, when a result says that it is done, or that nothing had to be.
DONE: dict[str, Collection[str]] = {"pause": {"paused"}, "scale-to-zero": RESTS}
REACHED = {**DONE, "resume": {"pending", "initializing", "running"}}
UNCHANGED: dict[str, Collection[str]] = {
    "paused": {"paused"},
    "scaledToZero": RESTS,
    "running": {"running", "scaledToZero", "updateFailed"},
}


class Answers:
    """`names`: the endpoints of each entry. `steady`: what is wanted of one, and since when that stands undisturbed."""

    def __init__(
        self, simulation: Simulation, names: Mapping[str, list[str]], steady: Callable[[str], tuple[str, datetime]]
    ) -> None:
        self.s = simulation
        self.names = names
        self.steady = steady
        self.forbidden: set[tuple[int, str]] = set()
        self.asked_about: set[tuple[int, str]] = set()  # endpoints in each call
        self.seen_at: dict[tuple[int, str], datetime] = {}  # when each call last asked about each endpoint
        self.answered_at: dict[str, datetime] = {}  # when an endpoint's own URL last answered 200

    # Requests to Hugging Face.

    def sent(self, request: Sent) -> None:
        """Only what is in the settings is touched, nothing is done against the desired state, and a 403 is final."""
        sent = f"{request.method} {request.path}"
        parts = request.path.strip("/").split("/")
        own = parts[0] == "own"
        name = parts[1] if own else parts[3] if len(parts) > 3 else ""
        if own and request.status == 200:
            self.answered_at[name] = self.s.now()
        if name and not own:
            self.seen_at[request.call, name] = request.at
            self._held_up(request, name)
        if not name or (request.method == "GET" and not own):
            return
        self.s.checked["g"] += 1
        if not self.s.entry_of(name):
            self.s.broke("g", f"{sent}: it is unmanaged")
            return
        if request.status == 403:
            self.s.checked["f"] += 1
            if (request.call, sent) in self.forbidden:
                self.s.broke("f", f"{sent}: asked again after a 403")
            self.forbidden.add((request.call, sent))
        if own and not self.s.oracle.entries[self.s.entry_of(name)].warm:
            self.s.checked["j"] += 1
            if self.s.hub.endpoints[name].state == "running":
                self.s.broke("j", f"{sent}: it runs, and warm is false")
        self._against_the_desired_state(request, name, "own" if own else parts[-1])
        if own:
            self._wakes_for_nothing(request, name)
        self._against_what_is_stored(request, name, parts[-1])

    def _against_the_desired_state(self, request: Sent, name: str, verb: str) -> None:
        """A call that began when the desired state was a minute old has no excuse."""
        wanted, since = self.steady(name)
        entry, minute = self.s.oracle.entries[self.s.entry_of(name)], self.s.now().replace(second=0, microsecond=0)
        wanted_by_rules = self.s.oracle.wanted(entry.key, self.s.now(), name)
        idle = entry.idle_after is not None
        action = self.s.functions.ticks[request.call] is not None and (wanted == "any" or idle)
        leads = verb in ("own", "resume") and wanted == "any" and minute in entry.may_start
        # `start: false` forbids to start it, not to warm what runs as the rules want.
        warms = verb == "own" and self.s.hub.endpoints[name].state == wanted_by_rules == "running"
        if request.begun - since < MINUTE or action or leads or warms:
            return
        sent = f"{request.method} {request.path}, and {wanted} is wanted since {since:%a %H:%M}"
        if verb in ("own", "resume", "pause", "scale-to-zero") and self._must_not_act(request, name):
            self.s.broke("a", f"{sent}, with enforce: false, and nothing changed for more than an hour")
        if verb in ("own", "resume") and wanted != "running":
            self.s.broke("e", sent)
        if verb in ("pause", "scale-to-zero") and wanted not in RESTS:
            self.s.broke("a", sent)

    def _wakes_for_nothing(self, request: Sent, name: str) -> None:
        """What sleeps by itself is woken by a run only when its hours are about to begin."""
        endpoint, entry = self.s.hub[name], self.s.oracle.entries[self.s.entry_of(name)]
        earlier = [(at, state) for at, state in endpoint.history if at < request.at]
        wanted, since = self.steady(name)
        asleep = earlier[-1][1] == "scaledToZero" and earlier[-1][0] < request.begun and endpoint.min_replica == 0
        ruled = self.s.functions.called[request.call] in ("reconcile", "platform_event")
        if not (asleep and ruled and wanted == "running" and request.begun - since > MINUTE):
            return
        self.s.checked["e"] += 1
        begun = request.begun.replace(second=0, microsecond=0)
        if not any(begun - BOUNDARY_CALLS <= at <= begun + entry.lead + MINUTE for at in entry.begins):
            self.s.broke("e", f"{request.method} {request.path} wakes it, and no hours begin")

    def _held_up(self, request: Sent, name: str) -> None:
        """While others hang, the first request about an endpoint that answers does not wait for them."""
        hanging, key = self.s.plan.hanging, self.s.entry_of(name)
        if (request.call, name) in self.asked_about or not hanging or name in hanging:
            return
        self.asked_about.add((request.call, name))
        meanwhile = [w for w in self.s.plan.windows if w.begin <= request.at and request.begun < w.end]
        hang = any(w.kind == "some hang" and w.begin <= request.begun for w in meanwhile)
        other = any(w.kind not in {"some hang", *HARMLESS - {"hub slow"}} for w in meanwhile)
        # What starts is looked at later.
        acts = request.method != "GET" or self.s.functions.called[request.call] in ("pause", "resume")
        waited = other or request.call in self.s.races.waited
        if not hang or waited or not acts or key != self.s.entry_of(hanging[0]):
            return
        self.s.checked["i"] += 1
        if request.at - request.begun > HELD_UP:
            self.s.broke(
                "i", f"{request.method} {request.path} was sent after {(request.at - request.begun).seconds} s"
            )

    def _must_not_act(self, request: Sent, name: str) -> bool:
        """With `enforce: false` the rules act only in the hour after a change."""
        key, oracle = self.s.entry_of(name), self.s.oracle
        entry = oracle.entries[key]
        ruled = self.s.functions.called[request.call] in ("reconcile", "platform_event")
        # If a spent budget stops it, the end of its idle time is a change, too, which the request itself hides.
        hidden = entry.idle_after is not None and oracle.is_spent(entry, request.at)
        if (
            entry.enforce
            or hidden
            or not ruled
            or entry.overrides
            or self.s.kept(key)
            or oracle.by_rules(key, request.at) == "any"
        ):
            return False
        changed = max(filter(None, (oracle.changed(key, request.at), entry.changed_at)), default=self.s.plan.begin)
        return not oracle.under_way.get(entry.platform or "") and request.at - changed > ENFORCED

    def _against_what_is_stored(self, request: Sent, name: str, verb: str) -> None:
        """Between reading and acting lie seconds, also in trouble: no run acts against what was stored long before."""
        key, now = self.s.entry_of(name), self.s.now()
        entry = self.s.oracle.entries[key]
        since = max(filter(None, (entry.changed_at, self.s.plan.begin)))
        steady = self.s.oracle.wanted(key, now - READ_WITHIN, name) == self.s.oracle.wanted(key, now, name)
        ruled = self.s.functions.called[request.call] in ("reconcile", "platform_event")
        if (
            not ruled
            or now - since < READ_WITHIN
            or not steady
            or self.s.disturbing[key]
            or self.s.running("scheduler down")
        ):
            return
        self.s.checked["h"] += 1
        wanted = self.s.oracle.wanted(key, now, name)
        against = (verb == "resume" and wanted in RESTS) or (verb in ("pause", "scale-to-zero") and wanted == "running")
        if against:
            self.s.broke("h", f"{request.method} {request.path}, and {wanted} is stored since {since:%a %H:%M:%S}")

    # Answers.

    def answered(self, call: Call) -> None:
        results: list[dict[str, Any]] = call.body["results"]
        bad = [result for result in results if result["outcome"] == "failed"]
        retryable = any(not FINAL.search(str(result["error"])) for result in bad)
        refused = any(REFUSAL.search(str(result["error"])) for result in bad)
        pending = any(result["outcome"] == "pending" for result in results)
        status = 503 if retryable else 409 if refused else 502 if bad else 202 if pending else 200
        final = self.s.functions.ticks[call.number] and status in (409, 502)  # trying again would not help
        if call.function == "platform_event" or final:
            status = 200
        self.s.checked["f"] += len(results)
        if call.status != status:
            self.s.broke("f", f"{call.function} answered {call.status}, should be {status}: {results}")
        self._logged(call, bad)
        self._all_are_there(call, results)
        for result in bad:
            self._did_not_happen(call, result)
            self._is_enough(call, result)
        for result in results:
            self._happened(call, result)

    def _logged(self, call: Call, bad: list[dict[str, Any]]) -> None:
        """Every failure is in the log, with endpoint, reason and error."""
        lines = [json.loads(line) for line in call.lines] if bad else []
        logged = {(line.get("name"), line.get("error")) for line in lines if line["severity"] == "ERROR"}
        for result in bad:
            if not result["error"] or not result["reason"] or (result["name"], result["error"]) not in logged:
                self.s.broke("f", f"{result['name']} failed, and the log does not say so, or not why: {result}")

    def _all_are_there(self, call: Call, results: list[dict[str, Any]]) -> None:
        """A result for each endpoint, whatever happened to the others; jobs may name entries that are gone."""
        for key in self.s.oracle.entries.keys() & call.entries:
            of_entry = [result for result in results if result["endpoint"] == key]
            observed = all(result["before"] for result in of_entry)
            names = self.s.hub.endpoints.keys() & self.names[key]
            found = {result["name"] for result in of_entry}
            deleted = self.s.disturbed.get(key, call.begun) > call.begun
            if observed and found != names and not deleted:
                self.s.broke("f", f"{call.function} has no result for {sorted(names - found)} of {key}")

    def _did_not_happen(self, call: Call, result: dict[str, Any]) -> None:
        """Nothing is reported as failed that is as requested, such as "already paused": the state is read first. What
        others changed since then is not known."""
        endpoint = self.s.hub[result["name"]] if result["name"] in self.s.hub.endpoints else None
        if endpoint is None or endpoint.history[-1][0] > self.seen_at.get((call.number, endpoint.name), call.begun):
            return
        state = endpoint.state
        if REFUSED.search(str(result["error"])) and state in REACHED.get(result["action"], ()):
            self.s.broke("f", f"{result['name']}: {result['action']} is reported as failed, and it is {state}")

    def _happened(self, call: Call, result: dict[str, Any]) -> None:
        """No success that did not happen: the state that it speaks of was reached during the call."""
        name = result["name"]
        if name not in self.s.hub.endpoints:
            return
        endpoint = self.s.hub[name]
        goal: Collection[str]
        match result["outcome"]:
            case "done":
                goal = DONE.get(result["action"], {"running"})
            case "unchanged" if result["wanted"] in UNCHANGED:
                goal = UNCHANGED[result["wanted"]]
            case _:
                return
        line = f"{name}: {result['action']} {result['outcome']}"
        earlier = [state for at, state in endpoint.history if at < call.begun]
        states = {*earlier[-1:], *(state for at, state in endpoint.history if at >= call.begun)}
        if not states.intersection(goal):
            self.s.broke("f", f"{line}, and it was {endpoint.state}")
        waited = call.function in ("warm", "reconcile") and result["outcome"] == "done" and goal == {"running"}
        if waited and self.answered_at.get(name, self.s.plan.begin) < call.begun:
            self._not_proved(result, line)

    def _is_enough(self, call: Call, result: dict[str, Any]) -> None:
        """What runs and cannot be asked by anybody has not failed."""
        endpoint = self.s.hub.endpoints.get(result["name"])
        calm = self.s.calm_since(result["endpoint"]) < call.begun
        if endpoint and not endpoint.reachable and calm:
            self.s.checked["j"] += 1
            if endpoint.state == "running" and self.s.now() - endpoint.history[-1][0] > MINUTE:
                self.s.broke("j", f"{endpoint.name} runs, and nobody can reach its URL: {result}")

    def _not_proved(self, result: dict[str, Any], line: str) -> None:
        """It is enough that it runs where the settings say so, or where nobody can ask it, which the reason states."""
        spared = not self.s.oracle.entries[result["endpoint"]].warm
        says = "warm is false" if spared else "not proved"
        if not spared and self.s.hub[result["name"]].reachable:
            self.s.broke("f", f"{line}, and it did not answer")
        elif says not in result["reason"]:
            self.s.broke("j", f"{line}, and it does not say why it need not answer: {result['reason']}")
        self.s.checked["j"] += 1
