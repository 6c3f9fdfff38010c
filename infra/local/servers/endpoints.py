"""One simulated Inference Endpoint: its states over time, its costs, and how a start can fail.

Durations and transitions: hf-endpoints-documentation, and live measurements by third parties (84 s to 6 min to resume,
36 s to 6 min to wake).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

BILLED = frozenset({"initializing", "running", "updating", "updateFailed"})
Start = Literal["comes up", "never", "fails", "no capacity"]


@dataclass
class Durations:
    """Seconds. `load`: how long the model still loads while the state is `running`. `idle_late`: how late it scales
    to zero."""

    pending: float = 2
    resume: float = 90
    wake: float = 40
    update: float = 50
    load: float = 0
    idle_late: float = 0


@dataclass
class Endpoint:
    """An endpoint whose state depends on the time. Call `advance` before you read it."""

    name: str
    state: str
    at: datetime  # up to when it has been played
    tags: list[str] = field(default_factory=list)
    type: str = "authenticated"  # "public": its own URL asks for no token
    reachable: bool = True  # whether its own URL can be reached from outside, in a simulation
    vendor: str = "aws"
    region: str = "us-east-1"
    instance: tuple[str, str] = ("nvidia-l4", "x1")
    health_route: str | None = "/health"
    min_replica: int = 0
    max_replica: int = 1
    scale_to_zero_minutes: int | None = None
    durations: Durations = field(default_factory=Durations)
    start: Start = "comes up"
    last_used: datetime | None = None
    updated: datetime | None = None
    created: datetime | None = None
    loaded: datetime | None = None  # when the model behind `running` is loaded
    coming: list[tuple[datetime, str]] = field(default_factory=list)
    billed_seconds: float = 0.0
    history: list[tuple[datetime, str]] = field(default_factory=list)

    def advance(self, now: datetime) -> None:
        """Makes the changes that are due until now."""
        while True:
            due = self.coming[0] if self.coming else self._sleeps()
            if due is None or due[0] > now:
                break
            if self.coming:
                self.coming.pop(0)
            self._become(due[1], due[0])
        self._bill(now)

    def to(self, state: str, now: datetime, *coming: tuple[float, str]) -> None:
        """Changes to a state at once, and to the following ones after so many seconds each."""
        self._bill(now)
        self.coming, at = [], now
        for seconds, later in coming:
            at += timedelta(seconds=seconds)
            self.coming.append((at, later))
        self._become(state, now)

    def starts(self, now: datetime, seconds: float) -> None:
        """Begins to start, and runs after so many seconds, or as `start` defines."""
        self.last_used = now
        if self.start == "no capacity":
            self.to("pending", now)
        elif self.start == "never":
            self.to("pending", now, (self.durations.pending, "initializing"))
        else:
            end = "running" if self.start == "comes up" else "failed"
            self.to("pending", now, (self.durations.pending, "initializing"), (seconds, end))

    def used(self, now: datetime) -> None:
        """A request to its own URL: it wakes what sleeps."""
        if self.state == "scaledToZero":
            self.starts(now, self.durations.wake)
        elif self.state != "paused":
            self.last_used = now

    @property
    def ready(self) -> bool:
        return self.state == "running" and (self.loaded is None or self.at >= self.loaded)

    @property
    def message(self) -> str:
        messages = {
            "running": "Endpoint is ready",
            "paused": "Endpoint is paused",
            "failed": "The container exited with 1",
        }
        if self.state == "pending" and self.start == "no capacity":
            return "Waiting for capacity: no nvidia-l4 is available in us-east-1"
        return messages.get(self.state, f"Endpoint is {self.state}")

    def as_json(self, url: str) -> dict[str, Any]:
        """The endpoint in the API's JSON."""
        up = self.state in ("running", "updating")
        return {
            "name": self.name,
            "type": self.type,
            "tags": self.tags,
            "healthRoute": self.health_route,
            "provider": {"vendor": self.vendor, "region": self.region},
            "compute": {
                "accelerator": "gpu",
                "instanceType": self.instance[0],
                "instanceSize": self.instance[1],
                "scaling": {
                    "minReplica": self.min_replica,
                    "maxReplica": self.max_replica,
                    "scaleToZeroTimeout": self.scale_to_zero_minutes,
                    "measure": {"pendingRequests": 1.5},
                },
            },
            "model": {
                "repository": "gpt2",
                "revision": "11c5",
                "task": "text-generation",
                "framework": "pytorch",
                "image": {"huggingface": {}},
            },
            "status": {
                "state": self.state,
                "message": self.message,
                "errorMessage": self.message if self.state == "failed" else None,
                "url": url,
                "readyReplica": max(1, self.min_replica) if up else 0,
                "targetReplica": max(1, self.min_replica) if up or self.coming or self.state in BILLED else 0,
                "lastUsedAt": format_rfc3339(self.last_used),
                "createdAt": format_rfc3339(self.created),
                "createdBy": {"id": "1", "name": "someone"},
                "updatedAt": format_rfc3339(self.updated),
                "updatedBy": {"id": "1", "name": "someone"},
            },
        }

    def _sleeps(self) -> tuple[datetime, str] | None:
        """When it scales itself to zero."""
        if self.state != "running" or self.min_replica or not self.scale_to_zero_minutes or not self.last_used:
            return None
        idle = timedelta(minutes=self.scale_to_zero_minutes, seconds=self.durations.idle_late)
        since = max(self.last_used, self.history[-1][0] if self.history else self.last_used)
        return since + idle, "scaledToZero"

    def _become(self, state: str, at: datetime) -> None:
        self._bill(at)
        self.state = state
        self.history.append((at, state))
        if state == "running":
            self.loaded = at + timedelta(seconds=self.durations.load)

    def _bill(self, now: datetime) -> None:
        if now > self.at:
            if self.state in BILLED:
                self.billed_seconds += (now - self.at).total_seconds() * max(1, self.min_replica)
            self.at = now


def format_rfc3339(when: datetime | None) -> str | None:
    """A time with nanoseconds, as in the API."""
    return when.replace(tzinfo=None).isoformat(timespec="microseconds") + "506Z" if when else None
