"""The settings as values: what each entry covers, and when it should run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from lifecycle.core import schedule as hours
from lifecycle.core.budget import Budget
from lifecycle.core.lead import LeadBounds

UTC = ZoneInfo("UTC")
GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Scaling:
    """Replica bounds; None: not declared, so not compared. `scale_to_zero_after` needs `min_replicas` 0."""

    min_replicas: int | None = None
    max_replicas: int | None = None
    scale_to_zero_after: timedelta | None = None


@dataclass(frozen=True)
class Warm:
    """The request that proves that an endpoint answers: a POST of `body` as JSON, or a GET without one."""

    path: str = "/"
    body: Any = None


@dataclass(frozen=True)
class Platform:
    """A system that endpoints serve. `max_started`: how long "started" is valid without a new message."""

    max_started: timedelta | None = None


@dataclass(frozen=True)
class Cron:
    """One scheduled action; `endpoints` are entries, or `("*",)` for all. `at` is on the clock of `zone`."""

    at: str
    do: Literal["pause", "resume", "warm"]
    endpoints: tuple[str, ...]
    zone: ZoneInfo = UTC


@dataclass(frozen=True)
class Entry:
    """One name under `endpoints:`, completed with values from the top level. `cron`: the scheduled actions that name
    it."""

    key: str
    name: str | None
    tags: frozenset[str]
    zone: ZoneInfo
    hours: hours.Hours | None
    rest: Literal["paused", "scaledToZero"]
    platform: str | None
    max_started: timedelta | None
    start: bool
    enforce: bool
    idle_after: timedelta | None
    warm: Warm | Literal[False] | None  # False: running is enough; None: its health route proves that it answers
    scaling: Scaling
    # With `lead: auto`, `hours` have the longest lead.
    auto_lead: LeadBounds | None = None
    budget: Budget | None = None
    protected: bool = False
    cron: tuple[Cron, ...] = ()

    @property
    def is_pattern(self) -> bool:
        return bool(self.tags) or GLOB.search(self.name or "") is not None

    def covers(self, name: str, tags: frozenset[str]) -> bool:
        """Whether the entry covers an endpoint of this name and these tags; if it has both keys, both must fit."""
        return self.tags <= tags and (self.name is None or fnmatchcase(name, self.name))


@dataclass(frozen=True)
class Settings:
    """All settings. `holidays`: those at the top level. `sha256` is that of the file's bytes."""

    namespace: str
    zone: ZoneInfo
    reconcile_every: timedelta
    dry_run: bool
    platforms: Mapping[str, Platform]
    entries: Mapping[str, Entry]
    cron: tuple[Cron, ...]
    budget: Budget | None = None
    holidays: hours.Holidays = hours.NO_HOLIDAYS
    sha256: str = field(default="", compare=False)

    @cached_property
    def _exact(self) -> dict[str, Entry]:
        return {cast(str, entry.name): entry for entry in self.entries.values() if not entry.is_pattern}

    @cached_property
    def _patterns(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries.values() if entry.is_pattern)

    def covering(self, name: str, tags: frozenset[str]) -> list[Entry]:
        """The entries that cover an endpoint at Hugging Face, the one that decides first."""
        exact = [self._exact[name]] if name in self._exact else []
        return exact + [entry for entry in self._patterns if entry.covers(name, tags)]

    def exactly(self, name: str) -> Entry | None:
        """The entry of an exact name at Hugging Face."""
        return self._exact.get(name)

    def may_cover(self, name: str) -> bool:
        """Whether a pattern may cover an endpoint of this name; its tags are unknown."""
        return any(entry.covers(name, entry.tags) for entry in self._patterns)

    @cached_property
    def platforms_followed(self) -> tuple[str, ...]:
        """The platforms that entries follow, in the file's order."""
        return tuple(dict.fromkeys(entry.platform for entry in self.entries.values() if entry.platform))

    def followers(self, platform: str) -> tuple[str, ...]:
        """The entries that follow a platform, in the file's order."""
        return tuple(key for key, entry in self.entries.items() if entry.platform == platform)

    def boundaries(self) -> dict[tuple[ZoneInfo, int, frozenset[int]], list[str]]:
        """The weekly boundaries of the hours (zone, minute of the day, weekdays), each with its entries."""
        together: dict[tuple[ZoneInfo, int, frozenset[int]], list[str]] = {}
        for key, entry in self.entries.items():
            for minute, days in entry.hours.week().items() if entry.hours else ():
                together.setdefault((entry.zone, minute, days), []).append(key)
        return together
