"""The values of the system: the observed endpoint and its states, the stored state, the results. No behavior.

A new state of Hugging Face's endpoints belongs into the sets below; `planner` has the step for each state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from lifecycle.core.times import format_rfc3339

Wanted = Literal["running", "paused", "scaledToZero", "any"]

Action = Literal["none", "pause", "resume", "wake", "scale-to-zero", "warm", "rescale"]

Outcome = Literal["done", "unchanged", "pending", "skipped", "failed"]

Trigger = Literal["manual", "schedule", "platform"]

Level = Literal["INFO", "WARNING", "ERROR"]

Hardware = tuple[str, str, str, str]  # vendor, region, instance type, instance size

Prices = Mapping[Hardware, float]  # dollars an hour for one replica
MOST_REPLICAS = 10_000  # of one endpoint; more is a mistake

STARTING = frozenset({"pending", "initializing", "updating"})

AT_REST = frozenset({"paused", "scaledToZero"})

FREE = AT_REST | {"failed"}  # every other state may cost money, even an unknown one

BILLED = frozenset({"initializing", "running", "updating", "updateFailed"})  # these are known to cost money


@dataclass(frozen=True)
class Endpoint:
    """An Inference Endpoint as Hugging Face reports it. `state` is "unknown" if it reports none.

    None: not reported. Times are in UTC. Source: `GET /v2/endpoint/{namespace}`.
    """

    name: str
    state: str
    type: str | None = None  # who may call it: "public", "authenticated", "private"
    tags: frozenset[str] = frozenset()
    url: str | None = None
    health_route: str | None = None
    message: str | None = None
    ready_replicas: int | None = None
    target_replicas: int | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    scale_to_zero_after: timedelta | None = None
    last_used_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None
    hardware: Hardware | None = None

    @property
    def may_bill(self) -> bool:
        return self.state not in FREE


@dataclass(frozen=True)
class Override:
    """A stored manual request that is stronger than the rules until it ends; `until` None: until released.

    `or_started`: a platform whose next change from stopped to started also ends it. `holder`: the owner; None: nobody.
    `endpoint`: the single endpoint of the entry that it covers, by its name at Hugging Face; None: all.
    `found_at_rest`: the endpoints to stop again when the last request to run ends and no rule applies; "*": all that
    it covers.
    """

    state: Wanted
    since: datetime
    until: datetime | None
    or_started: str | None = None
    by: str | None = None
    note: str | None = None
    holder: str | None = None
    endpoint: str | None = None
    force: bool = False
    found_at_rest: frozenset[str] = frozenset()

    @property
    def slot(self) -> tuple[str | None, str | None]:
        """A holder has one override for each slot: one for the entry, and one for each single endpoint of it."""
        return self.holder, self.endpoint

    @property
    def names(self) -> frozenset[str]:
        """The endpoints that it names."""
        return (self.found_at_rest | ({self.endpoint} if self.endpoint else set())) - {"*"}

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "since": format_rfc3339(self.since),
            "until": format_rfc3339(self.until) if self.until else None,
            "or_started": self.or_started,
            "by": self.by,
            "note": self.note,
            "holder": self.holder,
            "endpoint": self.endpoint,
            "force": self.force,
        }

    def covers(self, name: str | None) -> bool:
        """Whether it covers the endpoint of this name; None: an endpoint that was not observed."""
        return self.endpoint is None or self.endpoint == name


@dataclass(frozen=True)
class PlatformState:
    """The last message of a platform, and when. `first`: when that state began, if the message was repeated since.
    `received`: when it was stored; of equally new messages the one received last counts. `sent`: the message's own
    time, where it was ahead of the clock. `started`: when it changed to started before it stopped."""

    state: Literal["started", "stopped"]
    since: datetime
    first: datetime | None = None
    received: datetime | None = field(default=None, compare=False)
    sent: datetime | None = field(default=None, compare=False)
    started: datetime | None = field(default=None, compare=False)

    @property
    def last_start(self) -> datetime | None:
        """When it last changed from stopped to started."""
        return (self.first or self.since) if self.state == "started" else self.started


@dataclass(frozen=True)
class BudgetRecord:
    """What is stored of a budget: its month and dollars, when it was spent, what was billed by then, and the day of the
    last warning, such as "2026-11-24"."""

    month: str
    dollars: float
    spent_at: datetime | None = None
    billed: float | None = None
    warned: str | None = None


@dataclass(frozen=True)
class StoredState:
    """Everything that is stored between calls. `unavailable_reason`: why it is unknown, if it is.

    `overrides`: by entry, including those that have ended and are not deleted yet.
    """

    overrides: Mapping[str, tuple[Override, ...]] = field(default_factory=dict)
    platforms: Mapping[str, PlatformState] = field(default_factory=dict)
    unavailable_reason: str = ""
    budgets: Mapping[str, BudgetRecord] = field(default_factory=dict)  # by entry, and "" for the top level


@dataclass(frozen=True)
class Result:
    """The result of one call for one endpoint: a row of the answer, and a line of the log."""

    endpoint: str
    name: str
    action: Action
    outcome: Outcome
    before: str | None
    after: str | None
    wanted: Wanted
    reason: str
    url: str | None = None
    error: str | None = None
    duration_ms: int = 0
    overrides: tuple[Override, ...] = ()  # in force for this endpoint, oldest first
    override: Override | None = None  # the one that decides
    # Not part of the answer:
    level: Level = "INFO"
    code: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    unready: bool = False
    start_disabled: bool = False  # not started, because of `start: false`
    # Only for the log, from which history and costs are read:
    rule: str = ""
    seen: Endpoint | None = None  # as last seen in this call
    dollars_per_hour: float | None = None
    start_seconds: float | None = None  # from the request that started it until it answered
    recently_updated: bool = False  # at Hugging Face, about since the last reconcile run
    slept_at: datetime | None = None  # when it scaled itself to zero, if about since the last reconcile run
    hours_begin: datetime | None = None  # the hours that began about since the last reconcile run

    def answer(self) -> dict[str, Any]:
        held = [override.as_json() for override in self.overrides]
        override = self.override.as_json() if self.override else None
        return {key: getattr(self, key) for key in ANSWERED} | {"override": override, "overrides": held}


ANSWERED = (
    *("endpoint", "name", "action", "outcome", "before", "after"),
    *("wanted", "reason", "url", "error", "duration_ms"),
)


@dataclass(frozen=True)
class Message:
    platform: str
    event: Literal["started", "stopped"]
    at: datetime
