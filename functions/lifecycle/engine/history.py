"""What happened to endpoints, as Cloud Logging has it."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from lifecycle.core.history import CONDITION, Event, events
from lifecycle.core.lead import REMEMBERED
from lifecycle.engine.past import PATIENCE
from lifecycle.errors import Failure
from lifecycle.gcp.log_reader import LogReader, quoted
from lifecycle.gcp.rest import CODE
from lifecycle.retry import time_limit

STARTS = 5  # of which the median is taken
AT_ONCE = 2.0  # seconds; whoever waits for a start gets the answer without it
LONGEST = 86_400  # seconds
MOST_NAMES, LATEST = 50, 250


async def history(source: LogReader, names: Iterable[str], since: datetime, until: datetime) -> list[Event]:
    """The events of entries and endpoints of these names; without names of all. Raises `Failure`."""
    return events(await source.lines(_about(CONDITION, names), since, until), since)


async def lately(source: LogReader | None, names: Sequence[str], now: datetime) -> list[Event] | Failure:
    """Changes and failures for the page, newest first: of a week for entries and endpoints of these names, of a day for
    all. A `Failure`: they could not be read in time."""
    if source is None:
        return Failure("LOGGING_PARENT is not set", code=CODE, retryable=False)
    since = now - (timedelta(days=7) if names else timedelta(days=1))
    try:
        async with time_limit("Cloud Logging", asyncio.get_running_loop().time() + PATIENCE, code=CODE):
            found = await history(source, names, since, now)
    except Failure as failure:
        return failure
    return [event for event in reversed(found) if event.changed or event.failed]


async def start_medians(source: LogReader | None, names: Sequence[str], now: datetime) -> dict[str, float]:
    """The median seconds of the last five starts of each endpoint, if it can be read in time."""
    if source is None or not names:
        return {}
    meant = " OR ".join(f"jsonPayload.name={quoted(name)}" for name in names[:MOST_NAMES])
    condition = f'jsonPayload.event="endpoint" AND jsonPayload.start_seconds>0 AND ({meant})'
    try:
        lines = await source.latest(condition, now - REMEMBERED, now, most=LATEST, seconds=AT_ONCE)
    except Failure:
        return {}
    found: dict[str, list[float]] = {}
    for line in lines:
        name, seconds = line.fields.get("name"), line.fields.get("start_seconds")
        if not isinstance(name, str) or not isinstance(seconds, int | float) or not 0 < seconds < LONGEST:
            continue
        if len(earlier := found.setdefault(name, [])) < STARTS:
            earlier.append(float(seconds))
    return {name: _median(seconds) for name, seconds in found.items()}


def _median(values: Sequence[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _about(condition: str, names: Iterable[str]) -> str:
    meant = " OR ".join(f"jsonPayload.{key}={quoted(name)}" for name in names for key in ("endpoint", "name"))
    return f"({condition}) AND ({meant})" if meant else condition
