"""The words of the system: what is observed, what is remembered and what is wanted. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Wanted = Literal["running", "paused", "scaledToZero", "any"]

Action = Literal["none", "pause", "resume", "wake", "scale-to-zero", "warm", "rescale"]

Outcome = Literal["done", "unchanged", "pending", "skipped", "failed"]

Trigger = Literal["manual", "schedule", "platform"]

Level = Literal["INFO", "WARNING", "ERROR"]

Hardware = tuple[str, str, str, str]  # vendor, region, instance type, instance size

Prices = Mapping[Hardware, float]  # dollars an hour for one replica

STARTING = frozenset({"pending", "initializing", "updating"})

AT_REST = frozenset({"paused", "scaledToZero"})

FREE = AT_REST | {"failed"}  # every other state, unknown ones too, may cost money


@dataclass(frozen=True)
class Endpoint:
    """An Inference Endpoint as Hugging Face tells of it. `state` is its word, "unknown" when it gives none.

    None: not told. Times are aware, in UTC. Source: `GET /v2/endpoint/{namespace}`.
    """

    name: str
    state: str
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
    """A wish by hand that beats the rules until it ends; `until` None: until released.

    `or_started` names a platform whose next change from stopped to started ends it, too.
    """

    state: Wanted
    since: datetime
    until: datetime | None
    or_started: str | None = None
    by: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class PlatformState:
    """What a platform last said, and when. `first`: when it began to say so, where it was said again since."""

    state: Literal["started", "stopped"]
    since: datetime
    first: datetime | None = None


@dataclass(frozen=True)
class BudgetRecord:
    """What is stored of a budget: the month and the dollars that it is about, when they were spent and what was billed
    by then, and the day of the last warning, such as "2026-11-24"."""

    month: str
    dollars: float
    spent_at: datetime | None = None
    billed: float | None = None
    warned: str | None = None


@dataclass(frozen=True)
class StoredState:
    """All that is remembered between calls; `lack` says why nothing is, where nothing could be."""

    overrides: Mapping[str, Override] = field(default_factory=dict)
    platforms: Mapping[str, PlatformState] = field(default_factory=dict)
    unavailable_reason: str = ""
    budgets: Mapping[str, BudgetRecord] = field(default_factory=dict)  # by entry, and "" for the top level


@dataclass(frozen=True)
class Result:
    """What became of one endpoint in one call: a line of the answer and of the log."""

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
    # Not part of the answer:
    level: Level = "INFO"
    code: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    unready: bool = False
    start_disabled: bool = False  # the rules may do no more, by `start: false`
    # For the log alone: what history and money need.
    rule: str = ""
    seen: Endpoint | None = None  # as last seen in this call
    dollars_per_hour: float | None = None
    start_seconds: float | None = None  # from the request that started it until it answered
    recently_updated: bool = False  # at Hugging Face, about since the last reconcile run
    hours_begin: datetime | None = None  # the hours that began about since the last reconcile run

    def answer(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ANSWERED}


ANSWERED = (
    *("endpoint", "name", "action", "outcome", "before", "after"),
    *("wanted", "reason", "url", "error", "duration_ms"),
)


@dataclass(frozen=True)
class Message:
    """A platform's news, and when it was said."""

    platform: str
    event: Literal["started", "stopped"]
    at: datetime
