"""When an override ends, and how it reads. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from lifecycle.core.model import Override, StoredState
from lifecycle.core.times import format_local


def ended_at(override: Override, memory: StoredState, now: datetime) -> datetime | None:
    """When an override ended, if it has: at its end, or when its platform changed to started after it was made."""
    ends = [override.until] if override.until else []
    news = memory.platforms.get(override.or_started or "")
    if news and news.state == "started" and (news.first or news.since) > override.since:
        ends.append(news.first or news.since)
    return min((end for end in ends if end <= now), default=None)


def describe(override: Override, zone: ZoneInfo, now: datetime) -> str:
    """An override in words: "asked by hand until 22:00 Europe/Berlin"."""
    ends = [format_local(override.until, zone, now)] if override.until else []
    ends += [] if override.until or override.or_started else ["released"]
    ends += [f"platform {override.or_started} starts"] if override.or_started else []
    by = f" by {override.by}" if override.by else ""
    note = f": {override.note}" if override.note else ""
    return f"asked by hand until {' or '.join(ends)}{by}{note}"
