"""Hours as minutes, by what the wall clock shows in each minute: nothing of the product is used here."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def spans(
    texts: Iterable[str], zone: ZoneInfo, off: set[date], begin: datetime, end: datetime
) -> Iterable[tuple[datetime, datetime]]:
    """Beginnings and ends, by what the clock shows in each minute."""
    shown = _shown(zone, begin - timedelta(days=9), end + timedelta(days=9))
    for text in texts:
        days, hours = text.split(" ", 1)
        first, last = hours.strip().split("-")
        from_, to = _of_day(first), _of_day(last)
        to += timedelta(days=1) if to <= from_ else timedelta()
        day = (begin - timedelta(days=8)).date()
        while day <= (end + timedelta(days=7)).date():
            if DAYS[day.weekday()] in _days(days) and day not in off:
                midnight = datetime.combine(day, time.min)
                a, b = _first(shown, midnight + from_), _last(shown, midnight + to)
                if a < b:
                    yield a, b
            day += timedelta(days=1)


@lru_cache(maxsize=8)  # some megabytes each
def _shown(zone: ZoneInfo, begin: datetime, end: datetime) -> dict[datetime, list[datetime]]:
    """The minutes in which a clock shows a time."""
    shown: dict[datetime, list[datetime]] = {}
    for minute in minutes(begin, end):
        shown.setdefault(minute.astimezone(zone).replace(tzinfo=None), []).append(minute)
    return shown


def _first(shown: dict[datetime, list[datetime]], wall: datetime) -> datetime:
    while wall not in shown:
        wall += MINUTE
    return shown[wall][0]


def _last(shown: dict[datetime, list[datetime]], wall: datetime) -> datetime:
    while wall not in shown:
        wall += MINUTE
    return shown[wall][-1]


def joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for a, b in sorted(spans):
        if found and a <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], b)
        else:
            found.append((a, b))
    return found


def _days(text: str) -> set[str]:
    if text == "daily":
        return set(DAYS)
    found: set[str] = set()
    for part in text.split(","):
        a, _, b = part.partition("-")
        at = DAYS.index(a)
        found.add(a)
        while b and DAYS[at % 7] != b:
            at += 1
            found.add(DAYS[at % 7])
    return found


def _of_day(text: str) -> timedelta:
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def length(text: str) -> timedelta:
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    return timedelta(**{units[unit]: int(count) for count, unit in re.findall(r"(\d+)([dhms])", text)})


def minutes(begin: datetime, end: datetime) -> Iterable[datetime]:
    at = minute_of(begin)
    while at < end:
        yield at
        at += MINUTE


def minute_of(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(second=0, microsecond=0)
