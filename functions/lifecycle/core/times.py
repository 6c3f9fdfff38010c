"""Times and durations in text, and the wall clock of a zone. Pure."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def format_local(when: datetime, zone: ZoneInfo, now: datetime) -> str:
    """An instant on the zone's clock: "22:00 Europe/Berlin", with the day when it is not today's."""
    local = when.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{DAYS[local.weekday()]} {local.date()} "
    return f"{day}{local.hour:02}:{local.minute:02} {zone.key}"


LONGEST = timedelta(days=366)

_DURATION = r"(?=[0-9])(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?"


def duration(text: str) -> timedelta:
    """`90s`, `45m`, `1h30m` or `2d` as a timedelta, at most 366 days. Raises ValueError with what is allowed."""
    match = re.fullmatch(_DURATION, text)
    if match is None:
        raise ValueError("not a duration; they look like 90s, 45m, 1h30m, 2d")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    result = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if result > LONGEST:
        raise ValueError("durations are at most 366d")
    return result


@lru_cache(maxsize=1024)
def in_words(length: timedelta) -> str:
    """A timedelta as `duration` reads it, largest units first; at least in seconds."""
    rest, text = int(length.total_seconds()), ""
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_rfc3339(text: str | None) -> datetime | None:
    """An RFC 3339 time in UTC, to the microsecond. Without an offset it is read as UTC. None: not a time, or one
    outside the years 1970 to 2999 (Go's zero time is in the year 1)."""
    try:
        when = datetime.fromisoformat((text or "").upper())
        when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if 1970 <= when.year < 3000 else None


def format_rfc3339(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
