"""What happened to endpoints, and which mornings were on time, as Cloud Logging has it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from lifecycle.core.history import CONDITION, Event, events
from lifecycle.core.report import Morning, mornings
from lifecycle.gcp.log_reader import LogReader, quoted


async def history(source: LogReader, names: Iterable[str], since: datetime, until: datetime) -> list[Event]:
    """The events of entries and endpoints of these names; without names of all. Raises `Failure`."""
    return events(await source.lines(_about(CONDITION, names), since, until))


async def mornings_of(source: LogReader, since: datetime, until: datetime) -> Sequence[Morning]:
    """How the hours that began then were met. Raises `Failure`."""
    condition = 'jsonPayload.event="endpoint" AND (jsonPayload.on_time=true OR jsonPayload.on_time=false)'
    return mornings(await source.lines(condition, since, until))


def _about(condition: str, names: Iterable[str]) -> str:
    meant = " OR ".join(f"jsonPayload.{key}={quoted(name)}" for name in names for key in ("endpoint", "name"))
    return f"({condition}) AND ({meant})" if meant else condition
