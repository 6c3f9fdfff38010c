"""`--until` in words: the instant that a time of day, or a day and a time, means on a clock. Pure."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lifecycle.core.schedule import wall_to_utc
from lifecycle.core.times import DAYS

FORMS = (
    'HH:MM, "Fri HH:MM", "YYYY-MM-DD HH:MM" in the entry\'s time zone, '
    "or a time with an offset, such as 2026-11-23T22:00:00+01:00"
)


def is_local(text: str) -> bool:
    """Whether it means an instant only together with a zone. Raises ValueError with what is allowed."""
    if _parts(text):
        return True
    try:
        if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text, re.IGNORECASE):
            return datetime.fromisoformat(text.upper()).tzinfo is None
    except ValueError:
        pass
    raise ValueError(f"must be {FORMS}")


def instant(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant in UTC: of a date, that one; of a time of day or a weekday, the next one."""
    day, wall = _parts(text.upper().replace("T", " ", 1) if text[4:5] == "-" else text) or (None, time())
    today = now.astimezone(zone).date()
    days = [day] if isinstance(day, date) else [today + timedelta(days=number) for number in range(9)]
    fits = [datetime.combine(at, wall) for at in days if not isinstance(day, int) or at.weekday() == day]
    instants = [wall_to_utc(local, zone, fold=fold) for local in fits for fold in (0, 1)]
    return next((when for when in instants if when > now), instants[0])


def _parts(text: str) -> tuple[date | int | None, time] | None:
    """The date, weekday or neither, and the time of day; None: it is not of these forms."""
    found = re.fullmatch(r"(?:(\d{4}-\d\d-\d\d) +|([A-Za-z]{3}) +)?(\d\d:\d\d)(?::00)?", text)
    if not found:
        return None
    try:
        day = date.fromisoformat(found[1]) if found[1] else DAYS.index(found[2].capitalize()) if found[2] else None
        return day, time.fromisoformat(found[3])
    except ValueError:
        return None
