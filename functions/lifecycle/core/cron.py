"""Scheduled actions (`cron:`): when they fire, and what they want of an endpoint. Pure.

Cloud Scheduler reads a schedule as cron does: where both day-of-month and weekday are restricted, either is enough.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from lifecycle.core.entries import Cron
from lifecycle.core.model import AT_REST
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.core.schedule import BLOCK, EPOCH

FORM = 'not a cron schedule; it is "minute hour day month weekday", such as "0 22 * * 1-5"'
# Names of the fields, and how many values each has.
FIELDS = (("minute", 60), ("hour", 24), ("day", 31), ("month", 12), ("weekday", 7))
_WHOLE = {"0-59": 60, "0-23": 24, "1-31": 31, "1-12": 12, "0-6": 7, "1-7": 7}  # ranges that are a whole field
# What the library says of a field, and what is allowed there.
_ALLOWED = {
    "Bad minute": "minutes are 0 to 59",
    "Bad hour": "hours are 0 to 23",
    "Bad day-of-month": "days are 1 to 31, and one of the months must have the day",
    "Bad month": "months are 1 to 12, or JAN to DEC",
    "Bad day-of-week": "weekdays are 0 to 7, or SUN to SAT",
}
_VALUE = r"(?:[0-9]{1,2}|[A-Za-z]{3})"
_PART = re.compile(rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/([0-9]{{1,4}}))?", re.ASCII)


def check(text: str) -> str:
    """The schedule itself. Raises ValueError, saying what is wrong and what is allowed."""
    # Cloud Scheduler's unix-cron has five fields; the library also knows a sixth and letters such as L and #.
    fields = text.split()
    parts = [[_PART.fullmatch(part) for part in field.split(",")] for field in fields]
    if len(fields) != 5 or not all(all(field) for field in parts):
        raise ValueError(FORM)
    for (name, size), field in zip(FIELDS, parts, strict=True):
        for part in filter(None, field):
            step = int(part[1]) if part[1] else 1
            if step > size:
                raise ValueError(f"{part[0]}: the step is greater than the field; the {name} has {size} values")
            if step == 0:
                raise ValueError(f"{part[0]}: a step is at least 1")
            if part[1] and not re.match(r"\*|.*-", part[0]):
                first = part[0].partition("/")[0]
                raise ValueError(f"{part[0]}: a step goes with * or a range, such as {first}-{_last(name)}/{step}")
    try:
        CronSim(text, EPOCH)  # any time will do: only the text is checked
    except CronSimError as error:
        allowed = _ALLOWED.get(str(error), str(error))
        more = "; a range begins with its smaller value" if "-" in text else ""
        raise ValueError(f"not a cron schedule: {allowed}{more}") from None
    return text


def _last(name: str) -> str:
    return {"minute": "59", "hour": "23", "day": "31", "month": "12", "weekday": "6"}[name]


def surprises(text: str) -> Iterator[str]:
    """Properties of a schedule that its author may not have meant."""
    fields = text.split()
    for (name, size), field in zip(FIELDS, fields, strict=True):
        for part in field.split(","):
            values, _, step = part.partition("/")
            if (values == "*" or _WHOLE.get(values) == size) and size % int(step or 1):
                yield f"{part} does not divide the {name}'s {size} values: the last gap is shorter"
    day, weekday = fields[2], fields[4]
    if "*" in (day, weekday):
        return
    if day.startswith("*") or weekday.startswith("*"):
        yield f"fires on days that fit both {day} and {weekday}"
    else:
        yield f"fires on days that fit {day} or {weekday}: either is enough, they need not both fit"


@lru_cache(maxsize=64)
def _ticks(at: str, zone: ZoneInfo, block: int) -> list[datetime]:
    begin = EPOCH + block * BLOCK
    found = []
    for tick in CronSim(at, (begin - timedelta(seconds=1)).astimezone(zone)):
        if tick.astimezone(UTC) >= begin + BLOCK:
            break
        found.append(tick.astimezone(UTC))
    return found


def ticks(action: Cron, since: datetime, until: datetime) -> Iterator[datetime]:
    """When the action fires in [since, until), in UTC."""
    for block in range((since - EPOCH) // BLOCK, (until - EPOCH) // BLOCK + 1):
        found = _ticks(action.at, action.zone, block)
        for tick in found[bisect_left(found, since) :]:
            if tick >= until:
                return
            yield tick


@lru_cache(maxsize=1024)
def shortest_gap(at: str) -> timedelta:
    """The shortest time between two ticks, as far as 200 of them show."""
    return min(later - tick for tick, later in pairwise(islice(CronSim(at, EPOCH), 200)))


def scheduled(action: str, situation: Situation, tick: datetime | None = None) -> Decision:
    """The decision of a scheduled `pause`, `resume` or `warm`: its state, unless rules 1 to 4 want another one.

    An endpoint that was updated after the `tick` is neither paused nor started.
    """
    ruled, endpoint = decide(situation), situation.endpoint
    fits = ("any", *AT_REST) if action == "pause" else ("any", "running")
    if action == "pause" and situation.entry.protected:
        return Decision("any", "scheduled pause skipped: protected", "cron", left="INFO")
    if ruled.wanted not in fits and ruled.rule != "idle":
        why = f"scheduled {action} skipped, the rules want otherwise: {ruled.reason}"
        return replace(ruled, left="INFO", begin=None, reason=why)
    updated = endpoint.updated_at if endpoint else None
    if tick and endpoint and updated and updated > tick and (action == "pause" or endpoint.state in AT_REST):
        why = f"scheduled {action} skipped: updated at {situation.local_time(updated)}, after the scheduled time"
        return Decision(ruled.wanted, why, "cron", left="INFO")
    return Decision("paused" if action == "pause" else "running", f"scheduled {action}", "cron")
