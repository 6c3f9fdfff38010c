"""Weekly hours: when an endpoint should run, on the clock of a zone. Pure: no clock is read here.

docs/design.md, "Hours", has the rules for overlapping periods, holidays, clock changes and `lead`. `always` has no
periods and no end.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from lifecycle.core.times import DAYS

FORM = 'hours look like "Mon-Fri 08:00-20:00", "Sat,Sun 10:00-16:00" or "daily 22:00-06:00", or are always'

DAY = 24 * 60  # minutes

WEEK = timedelta(days=8)  # and a day, for clock changes

BLOCK = timedelta(days=28)

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

FAR = timedelta(days=400)  # how far ahead the next beginning is searched


@dataclass(frozen=True)
class Period:
    """Hours that begin on some days of the week; `begin` and `end` in minutes after that day's midnight."""

    text: str
    days: frozenset[int]  # Monday is 0
    begin: int
    end: int  # beyond 1440: on the next day


@dataclass(frozen=True)
class Span:
    """One period of hours in UTC: the endpoint starts at `lead`, so that it answers from `begin` to `end`."""

    lead: datetime
    begin: datetime
    end: datetime
    text: str


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # no time that is read is earlier, or after 3000
ALWAYS = Span(_LONG_AGO, _LONG_AGO, datetime(3000, 1, 1, tzinfo=UTC), "always")


@dataclass(frozen=True)
class Holidays:
    """Days on which no hours begin. `calendars`: each gives a year's holidays of a country or region."""

    dates: frozenset[date] = frozenset()
    calendars: tuple[Callable[[int], frozenset[date]], ...] = ()

    def __contains__(self, day: date) -> bool:
        return day in self.dates or any(day in calendar(day.year) for calendar in self.calendars)

    def between(self, first: date, last: date) -> list[date]:
        """Those from `first` to `last`, in order."""
        years = range(first.year, last.year + 1)
        every = self.dates.union(*(calendar(year) for calendar in self.calendars for year in years))
        return sorted(day for day in every if first <= day <= last)


NO_HOLIDAYS = Holidays()


def parse(text: str) -> Period:
    """`Mon-Fri 08:00-20:00` as a period. Raises ValueError, saying what is wrong and what is allowed."""
    match = re.fullmatch(r"(\S+) +([^\s-]+)-([^\s-]+)", text)
    if match is None:
        raise ValueError(FORM)
    days = frozenset(range(7)) if match[1] == "daily" else frozenset(_days(match[1]))
    begin, end = _minutes(match[2]), _minutes(match[3])
    if begin == end:
        raise ValueError("hours without length; a whole day is 00:00-24:00")
    if begin == DAY:
        raise ValueError("24:00 can only be an end; a beginning there is 00:00 of the next day")
    return Period(text, days, begin, end if end > begin else end + DAY)


def _days(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = part.partition("-")
        for name in (first, last) if dash else (first,):
            if name not in DAYS:
                raise ValueError(f'unknown day "{name}"; days are Mon … Sun, or daily')
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        yield from ((begin + step) % 7 for step in range(length + 1))


def _minutes(text: str) -> int:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError(f'"{text}" is not a time; times are 00:00 … 23:59, and 24:00 as an end')
    return int(text[:2]) * 60 + int(text[3:])


@dataclass(frozen=True)
class Hours:
    """The hours of one entry: its periods, in its zone, with its lead, without its holidays. No periods: always."""

    periods: tuple[Period, ...]
    zone: ZoneInfo
    lead: timedelta = timedelta()
    holidays: Holidays = field(default=NO_HOLIDAYS, repr=False)
    _blocks: dict[int, tuple[list[datetime], list[Span]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def spans(self, since: datetime, until: datetime) -> list[Span]:
        """The merged hours that overlap [since, until), in order. Spans may be cut a day or more outside of it."""
        if not self.periods:
            return [ALWAYS]
        first = (since - timedelta(days=2)).astimezone(self.zone).date()
        last = (until + self.lead + timedelta(days=1)).astimezone(self.zone).date()
        united: list[Span] = []
        for span in sorted(self._dated(first, last), key=lambda span: (span.begin, span.end)):
            if united and span.begin <= united[-1].end:
                before = united[-1]
                united[-1] = Span(before.lead, before.begin, max(before.end, span.end), before.text)
            else:
                united.append(span)
        return [span for span in united if span.end > since and span.lead < until]

    def at(self, now: datetime) -> Span | None:
        """The hours that include `now`, lead included; of two, the earlier. An end more than a week ahead may be cut,
        and so may a beginning more than a day ago."""
        if not self.periods:
            return ALWAYS
        leads, spans = self._around(now)
        index = bisect_right(leads, now) - 1
        while index > 0 and now < spans[index - 1].end:
            index -= 1
        return spans[index] if index >= 0 and now < spans[index].end else None

    def next(self, now: datetime) -> Span | None:
        """The next hours that begin (lead included) after `now`."""
        leads, spans = self._around(now)
        index = bisect_right(leads, now)
        if index < len(spans):
            return spans[index]
        return next((span for span in self.spans(now, now + FAR) if span.lead > now), None)

    def _around(self, now: datetime) -> tuple[list[datetime], list[Span]]:
        """The spans from before `now` to at least a week after it, and their leads. They are cached, because a forecast
        asks for each day."""
        number = (now - EPOCH) // BLOCK
        found = self._blocks.get(number)
        if found is None:
            begin = EPOCH + number * BLOCK
            spans = self.spans(begin, begin + BLOCK + WEEK)
            found = self._blocks[number] = [span.lead for span in spans], spans
        return found

    def begins_at(self, wall: time, near: datetime) -> bool:
        """Whether the hours that include `near` began within half a day before, at this time of the day.

        Instants are compared. So a beginning that a clock change moved counts, and hours that only continue do not.
        """
        span, earlier = self.at(near), near - timedelta(hours=12)
        if span is None or span.begin < earlier:
            return False
        days = {when.astimezone(self.zone).date() for when in (near, earlier)}
        return any(wall_to_utc(datetime.combine(day, wall), self.zone, fold=0) == span.begin for day in days)

    def boundaries(self, since: datetime, until: datetime) -> list[datetime]:
        """Every lead, beginning and end in (since, until], in order."""
        every = {
            wall_to_utc
            for span in self.spans(since, until + timedelta(days=1))
            for wall_to_utc in (span.lead, span.begin, span.end)
        }
        return sorted(wall_to_utc for wall_to_utc in every if since < wall_to_utc <= until)

    def week(self) -> dict[int, frozenset[int]]:
        """The minutes of the day at which the hours begin (with and without lead) or end, each with its weekdays."""
        lead = math.floor(self.lead / timedelta(minutes=1))  # a boundary within a minute fires at the next whole minute
        found: dict[int, set[int]] = {}
        for period in self.periods:
            for minute in (period.begin - lead, period.begin, period.end):
                shift, of_day = divmod(minute, DAY)
                found.setdefault(of_day, set()).update((day + shift) % 7 for day in period.days)
        return {minute: frozenset(days) for minute, days in found.items()}

    def _dated(self, first: date, last: date) -> Iterator[Span]:
        for number in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(number)
            weekday = day.weekday()
            periods = [period for period in self.periods if weekday in period.days]
            if not periods or day in self.holidays:
                continue
            for period in periods:
                begin, end = _dated_period(period, day, self.zone)
                if begin < end:
                    yield Span(begin - self.lead, begin, end, period.text)


@lru_cache(maxsize=100_000)
def _dated_period(period: Period, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, time())
    begin = wall_to_utc(midnight + timedelta(minutes=period.begin), zone, fold=0)
    end = wall_to_utc(midnight + timedelta(minutes=period.end), zone, fold=1)
    return begin, end


def wall_to_utc(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """A wall-clock time (naive) in a zone as UTC. Repeated: `fold` 0 takes the first, 1 the last; skipped: the
    first minute that exists after it."""
    aware = wall.replace(tzinfo=zone, fold=fold)
    utc = aware.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) == wall:
        return utc
    # In a gap, PEP 495 gives the offset before the change for fold 0 and the one after it for fold 1.
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
    return late
