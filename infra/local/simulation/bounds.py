"""Replica bounds that a rest changed: reported by the call that changed them, with the settings that keep them."""

from typing import Any

from local.simulation.in_process import Call, Sent
from local.simulation.runner import Simulation

Range = tuple[int, int]


class Bounds:
    """Looks at every request and answer. `changed`: by call and endpoint, the bounds before and after."""

    def __init__(self, simulation: Simulation) -> None:
        self.s = simulation
        self.known: dict[str, Range] = {}
        self.changed: dict[tuple[int, str], tuple[Range, Range]] = {}

    def sent(self, request: Sent) -> None:
        parts = request.path.strip("/").split("/")
        name = parts[3] if len(parts) > 4 and parts[4] in ("pause", "resume") else ""
        now = {one.name: (one.min_replica, one.max_replica) for one in self.s.hub.endpoints.values()}
        if name in now and self.known.get(name, now[name]) != now[name]:
            self.changed[request.call, name] = self.known[name], now[name]
        self.known = now

    def answered(self, call: Call) -> None:
        for result in call.body["results"]:
            found = self.changed.pop((call.number, result["name"]), None)
            entry = self.s.oracle.entries.get(result["endpoint"])
            if found and entry and not entry.scaling and self.s.calm_since(entry.key) < call.begun:
                self.s.checked["j"] += 1
                self._told(result, *found)

    def _told(self, result: dict[str, Any], before: Range, after: Range) -> None:
        """Where an earlier rest had changed them already, nobody knows what they were."""
        lines = f"scaling: {{min_replicas: {before[0]}, max_replicas: {before[1]}" if before[1] else "scaling: {min_rep"
        if "replica bounds" not in result["reason"] or lines not in result["reason"]:
            change = f"its replica bounds became {after} from {before}"
            self.s.broke("j", f"{result['name']}: {change}, reported is: {result['reason']}")
