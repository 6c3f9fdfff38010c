"""Events of the history, as the page shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.core.entries import Settings
from lifecycle.core.history import Event
from lifecycle.core.times import format_local
from lifecycle.errors import Failure


@dataclass(frozen=True)
class Happened:
    """One change or failure: when on the page's clock, to which endpoint, what, why, and by whom or by which rule."""

    at: str
    name: str
    what: str
    why: str
    by: str
    failed: bool


def happened(event: Event, now: datetime, settings: Settings) -> Happened:
    def local(when: datetime) -> str:
        return format_local(when, settings.zone, now).removesuffix(f" {settings.zone.key}")

    again = f", {event.count} times until {local(event.until)}" if event.until and event.count > 1 else ""
    return Happened(
        local(event.at), event.name or event.endpoint, event.what + again, event.why, event.who, event.failed
    )


def failures_of(events: Sequence[Event] | Failure) -> Mapping[str, str]:
    """By endpoint: why its newest event failed, if it did. `events`: newest first."""
    last: dict[str, Event] = {}
    for event in () if isinstance(events, Failure) else events:
        last.setdefault(event.name, event)
    return {name: event.why for name, event in last.items() if event.failed}
