"""The kinds of single values in the settings: zones, dates, cron schedules, names. Each error says what is allowed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from lifecycle.config import calendars, hints
from lifecycle.config.schema import (
    DURATION,
    INTEGER,
    LENGTH,
    Field,
    Invalid,
    Problem,
    Property,
    list_of,
    mapping,
    matching,
    one_or_list,
    parsed,
    wrong,
)
from lifecycle.core import cron
from lifecycle.core import schedule as hours
from lifecycle.core.lead import LeadBounds
from lifecycle.core.schedule import Holidays
from lifecycle.core.times import duration, in_words

MOST_DOLLARS = 1_000_000_000
ENTRY_NAME = r"[a-z0-9-]{1,32}"


def zone(text: str) -> ZoneInfo:
    if text != "UTC" and "/" not in text:
        raise ValueError('not a time zone; zones are "UTC" or a name with a slash, such as Europe/Berlin')
    try:
        if text.startswith(("posix/", "right/")):
            raise ValueError
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("unknown time zone; IANA names look like Europe/Berlin") from None


def holidays(text: str) -> Holidays:
    """Days, or a country or region."""
    if re.match(r"[A-Za-z]", text):
        return Holidays(calendars=(calendars.calendar(text),))
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?", text)
    if match is None:
        raise ValueError("not a date; dates are 2026-12-25 or 2026-12-27..2027-01-01, and countries DE or DE-BY")
    try:
        first, last = (date.fromisoformat(part or match[1]) for part in match.groups())
    except ValueError:
        raise ValueError("there is no such day") from None
    if not 0 <= (last - first).days <= 3660:
        raise ValueError("a range ends on or after its beginning, within ten years")
    return Holidays(frozenset(date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)))


def _period(text: str) -> hours.Period:
    if text == hours.ALWAYS.text:
        raise ValueError("always cannot be combined with other hours; write hours: always")
    return hours.parse(text)


def _zone_hint(text: str) -> str:
    return hints.nearest(text, (name for name in available_timezones() if name == "UTC" or "/" in name))


def json_value(value: Any) -> Any:
    try:
        if (plain := json.loads(json.dumps(value, allow_nan=False))) == value:
            return plain
    except (ValueError, TypeError, RecursionError):
        pass
    raise wrong(value, "must be JSON: text, numbers, true, false, null, lists and mappings")


def divides_an_hour(length: timedelta) -> bool:
    return length >= timedelta(minutes=1) and timedelta(hours=1) % length == timedelta() and length.seconds % 60 == 0


ZONE = parsed(zone, _zone_hint, examples=["UTC", "Europe/Berlin"])
HOLIDAYS = list_of(parsed(holidays, examples=["2026-12-25", "2026-12-27..2027-01-01", "DE-BY"]))
_PERIODS = one_or_list(
    parsed(_period, hints.hours, examples=["Mon-Fri 08:00-20:00", "Sun-Thu 22:00-06:00", "daily 07:00-24:00", "always"])
)
HOURS = Field(lambda value: () if value == hours.ALWAYS.text else _PERIODS.read(value), _PERIODS.schema)
CRON = parsed(cron.check, examples=["0 22 * * 1-5", "0 8,20 * * *"])
NAME_OF_ENTRY = matching(ENTRY_NAME, "names are 1 to 32 of a-z, 0-9 and -", hints.entry_name)
NAME_OF_ENDPOINT = matching(
    r"[a-z0-9*?\[\]!-]{1,64}", "names at Hugging Face have a-z, 0-9 and -; globs also have * ? [ ]"
)
PATH = matching(r"/(?!/)[!-~]*", "paths begin with exactly one / and have no spaces")
REPLICAS = INTEGER.constrain(lambda count: count >= 0, "must not be negative", minimum=0)
IDLE_TIMEOUT = LENGTH.constrain(
    lambda length: timedelta(minutes=15) <= length <= timedelta(minutes=2880) and length.seconds % 60 == 0,
    "Hugging Face takes whole minutes from 15m to 2880m",
    examples=["15m", "1h", "2d"],
)


def _bounds_in_order(given: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        least, most = duration(given.get("at_least", "2m")), duration(given.get("at_most", "30m"))
    except (ValueError, TypeError):
        return
    if least > most:
        yield Problem(("at_least",), f"{in_words(least)}: must not exceed at_most, {in_words(most)}")


_BOUNDS = mapping(
    {
        "at_least": Property(LENGTH, LeadBounds.at_least, "the shortest lead that is learned"),
        "at_most": Property(
            LENGTH.constrain(lambda length: length <= timedelta(hours=12), "must be at most 12h"),
            LeadBounds.at_most,
            "the longest lead that is learned",
        ),
    },
    LeadBounds,
    cross_checks=_bounds_in_order,
)
_LEARNED = mapping({"auto": Property(_BOUNDS)}, lambda auto: auto)


def _lead(value: Any) -> timedelta | LeadBounds:
    if value == "auto":
        return LeadBounds()
    if isinstance(value, dict):
        return cast(LeadBounds, _LEARNED.read(value))
    try:
        return cast(timedelta, DURATION.read(value))
    except Invalid as error:
        also = "; or auto, or {auto: {at_least: 2m, at_most: 30m}}"
        raise Invalid(*(replace(problem, what=problem.what + also) for problem in error.problems)) from None


LEAD = Field(_lead, {"anyOf": [DURATION.schema, {"const": "auto"}, _LEARNED.schema]})


def _dollars(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_DOLLARS:
        raise wrong(value, f"must be a number of dollars above 0 and below {MOST_DOLLARS:,}")
    return float(value)


DOLLARS = Field(_dollars, {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": MOST_DOLLARS})
BUDGET = mapping({"dollars": Property(DOLLARS, doc="for a calendar month")}, lambda dollars: dollars)
