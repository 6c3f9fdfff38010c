"""Overrides: which are in force, which one decides, when they end, and their description in words. Pure.

Of the overrides that cover an endpoint, the newest pause or forced request decides. Without one, requests to run do,
until the last of them ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lifecycle.core.model import Override, StoredState
from lifecycle.core.times import format_local


def ended_at(override: Override, stored: StoredState, now: datetime) -> datetime | None:
    """When an override ended: at its end, or when its platform started after it was made. None: it has not ended."""
    ends = [override.until] if override.until else []
    platform = stored.platforms.get(override.or_started or "")
    if platform and platform.last_start and platform.last_start > override.since:
        ends.append(platform.last_start)
    return min((end for end in ends if end <= now), default=None)


def covering(stored: StoredState, entry: str, name: str | None) -> list[Override]:
    """Every stored override of an entry that covers an endpoint, oldest first."""
    found = [override for override in stored.overrides.get(entry, ()) if override.covers(name)]
    return sorted(found, key=lambda override: override.since)


def in_force(stored: StoredState, entry: str, name: str | None, now: datetime) -> list[Override]:
    """Those that cover an endpoint and have not ended, oldest first."""
    return [override for override in covering(stored, entry, name) if ended_at(override, stored, now) is None]


def commanding(overrides: Iterable[Override]) -> Override | None:
    """The newest of the pauses and forced requests; if two are equally new, the pause."""
    found = [override for override in overrides if override.state != "running" or override.force]
    return max(found, key=lambda override: (override.since, override.state != "running"), default=None)


def runs(overrides: Iterable[Override]) -> list[Override]:
    """The requests to run, sorted by their end."""
    found = [override for override in overrides if override.state == "running"]
    return sorted(found, key=lambda override: (override.until is None, override.until or override.since))


def deciding(overrides: Sequence[Override]) -> Override | None:
    """The override that decides, of those in force; of several requests to run, the one that ends last."""
    return commanding(overrides) or next(reversed(runs(overrides)), None)


def without(stored: StoredState, entry: str, ended: Iterable[Override]) -> StoredState:
    """The state as if these overrides were not stored."""
    gone = {override.slot for override in ended}
    kept = tuple(override for override in stored.overrides.get(entry, ()) if override.slot not in gone)
    return replace(stored, overrides={**stored.overrides, entry: kept})


def with_override(stored: StoredState, entry: str, override: Override) -> StoredState:
    """The state with an override, which replaces its holder's previous one."""
    others = without(stored, entry, [override]).overrides.get(entry, ())
    return replace(stored, overrides={**stored.overrides, entry: (*others, override)})


def ended_now(stored: StoredState, entry: str, ended: Iterable[Override], now: datetime) -> StoredState:
    slots = {override.slot for override in ended}
    changed = tuple(
        replace(override, until=now, or_started=None) if override.slot in slots else override
        for override in stored.overrides.get(entry, ())
    )
    return replace(stored, overrides={**stored.overrides, entry: changed})


def describe(override: Override, zone: ZoneInfo, now: datetime) -> str:
    """An override in words: "asked by hand until 22:00 Europe/Berlin by anna@example.com: load test"."""
    note = f": {override.note}" if override.note else ""
    by = f" by {_person(override)}" if _person(override) else ""
    return f"asked by hand{_forced(override)} until {_end(override, zone, now)}{by}{note}"


def describe_all(overrides: Sequence[Override], zone: ZoneInfo, now: datetime) -> str:
    """Several: "held by a@example.com until 17:00 and ci-42 until 13:30 Europe/Berlin"."""
    if len(overrides) == 1:
        return describe(overrides[0], zone, now)
    held = [f"{_person(override) or 'an unnamed caller'} until {_end(override, zone, now)}" for override in overrides]
    first = ", ".join(text.removesuffix(f" {zone.key}") for text in held[:-1])
    return f"held by {first} and {held[-1]}"


def _person(override: Override) -> str:
    """The holder, and the caller if that is somebody else."""
    if override.holder and override.by and override.by != override.holder:
        return f"{override.holder} ({override.by})"
    return override.holder or override.by or ""


def _forced(override: Override) -> str:
    return ", forced," if override.force and override.state == "running" else ""


def _end(override: Override, zone: ZoneInfo, now: datetime) -> str:
    ends = [format_local(override.until, zone, now)] if override.until else []
    ends += [] if override.until or override.or_started else ["released"]
    ends += [f"platform {override.or_started} starts"] if override.or_started else []
    return " or ".join(ends)
