"""Hours worked out in another way: minute by minute, with nothing but the wall clock on each; and what always holds."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.core.schedule import Hours
from lifecycle.core.times import DAYS
from support.building import DAY, MINUTE, hours, properties, sampled

CENTERS = [
    *(("Europe/Berlin", day) for day in ("2026-03-29", "2026-10-25", "2026-11-24")),
    *(("America/New_York", day) for day in ("2026-03-08", "2026-11-01")),
    *(("Australia/Lord_Howe", day) for day in ("2026-04-05", "2026-10-04")),
    *(("America/Asuncion", day) for day in ("2024-03-24", "2024-10-06")),
    *(("Africa/Cairo", day) for day in ("2026-04-24", "2026-10-30")),
    *(("Asia/Beirut", day) for day in ("2026-03-29", "2026-10-25")),
    *(("America/Havana", day) for day in ("2026-03-08", "2026-11-01")),
    *(("Atlantic/Azores", day) for day in ("2026-03-29", "2026-10-25")),
    ("Asia/Kolkata", "2026-11-24"),
]
STEP = 5 * MINUTE  # times of the examples are multiples of it, and so are the clock changes
Times = tuple[frozenset[int], int, int]  # weekdays, beginning, end: in steps after midnight


@lru_cache
def line(zone: str, day: str) -> tuple[list[datetime], list[datetime]]:
    """Instants around a day, and what the clock on the wall shows at each."""
    noon = datetime.fromisoformat(f"{day}T12:00Z")
    instants = sampled(noon - 5 * DAY, noon + 5 * DAY, STEP)
    return instants, [instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants]


def by_the_wall(
    zone: str, day: str, periods: list[Times], lead: timedelta, off: set[date]
) -> tuple[set[datetime], set[datetime]]:
    """Which instants lie inside hours, and which only in a lead."""
    instants, wall = line(zone, day)

    def occurs(shown: datetime, which: int) -> datetime:
        there = [instant for instant, clock in zip(instants, wall, strict=True) if clock == shown]
        return there[which] if there else next(i for i, clock in zip(instants, wall, strict=True) if clock > shown)

    inside, leads = set(), set()
    center = date.fromisoformat(day)
    for began in (center + timedelta(days=number) for number in range(-3, 4)):
        for weekdays, begin, end in periods:
            if began.weekday() in weekdays and began not in off:
                midnight = datetime.combine(began, time())
                first, last = occurs(midnight + begin * STEP, 0), occurs(midnight + end * STEP, -1)
                if first < last:
                    inside |= {i for i in instants if first <= i < last}
                    leads |= {i for i in instants if first - lead <= i < first}
    return inside, leads - inside


CLOCKS = st.integers(0, 24 * 12 - 1) | st.sampled_from([0, 6, 12, 18, 24, 27, 30, 36, 276, 282])
PERIODS = st.tuples(st.frozensets(st.integers(0, 6), min_size=1), CLOCKS, CLOCKS | st.just(24 * 12)).filter(
    lambda times: times[1] != times[2]
)


def made_of(zone: str, periods: list[Times], lead: timedelta, off: set[date]) -> Hours:
    def text(period: Times) -> str:
        days, begin, end = period
        clocks = [f"{steps // 12:02}:{steps % 12 * 5:02}" for steps in (begin, end)]
        return f"{','.join(DAYS[day] for day in sorted(days))} {'-'.join(clocks)}"

    return hours(*map(text, periods), zone=zone, lead=lead, off=[str(day) for day in off])


@given(
    center=st.sampled_from(CENTERS),
    periods=st.lists(PERIODS, min_size=1, max_size=3),
    lead=st.just(0) | st.integers(0, 300),
    off=st.sets(st.integers(-2, 2), max_size=2),
)
@example(center=("America/Havana", "2026-11-01"), periods=[(frozenset(range(7)), 282, 6)], lead=2, off={0})
@example(center=("Australia/Lord_Howe", "2026-10-04"), periods=[(frozenset(range(7)), 24, 30)], lead=3, off=set())
@properties(150)
def test_hours_agree_with_the_clock_on_the_wall(
    center: tuple[str, str], periods: list[Times], lead: int, off: set[int]
) -> None:
    zone, day = center
    holidays = {date.fromisoformat(day) + timedelta(days=number) for number in off}
    overnight = [(days, begin, end if end > begin else end + 288) for days, begin, end in periods]
    inside, leads = by_the_wall(zone, day, overnight, lead * STEP, holidays)
    made = made_of(zone, periods, lead * STEP, holidays)
    instants, _ = line(zone, day)
    noon = datetime.fromisoformat(f"{day}T12:00Z")
    middle = instants[bisect_left(instants, noon - DAY) : bisect_left(instants, noon + DAY)]
    found = {now: made.at(now) for now in middle}
    assert {now for now, span in found.items() if span and span.begin <= now} == inside & set(middle)
    assert {now for now, span in found.items() if span and span.begin > now} == leads & set(middle)


INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ANY_HOURS = st.builds(
    made_of,
    st.sampled_from([zone for zone, _ in CENTERS]),
    st.lists(PERIODS, min_size=1, max_size=3),
    st.integers(0, 600).map(lambda steps: steps * STEP),
    st.just(set()),
)


@given(made=ANY_HOURS, since=INSTANTS)
@properties(60)
def test_spans_are_in_order_and_apart(made: Hours, since: datetime) -> None:
    spans = made.spans(since, since + 14 * DAY)
    assert all(span.begin < span.end for span in spans)
    assert all(before.end < after.begin for before, after in pairwise(spans))


@given(made=ANY_HOURS, since=INSTANTS)
@properties(60)
def test_the_lead_of_every_span_is_as_long_as_it_says(made: Hours, since: datetime) -> None:
    assert {span.begin - span.lead for span in made.spans(since, since + 14 * DAY)} <= {made.lead}


@given(made=ANY_HOURS, since=INSTANTS)
@properties(60)
def test_nothing_changes_between_two_boundaries(made: Hours, since: datetime) -> None:
    until = since + 9 * DAY
    boundaries = [since, *made.boundaries(since, until), until]
    for first, last in pairwise(boundaries):
        assert (made.at(first) is None) == (made.at(last - timedelta(microseconds=1)) is None)


@given(made=ANY_HOURS, now=INSTANTS)
@properties(100)
def test_at_tells_what_the_spans_tell(made: Hours, now: datetime) -> None:
    assert (made.at(now) is not None) == any(span.lead <= now < span.end for span in made.spans(now, now + MINUTE))


@given(made=ANY_HOURS, now=INSTANTS)
@properties(100)
def test_the_next_hours_are_the_first_to_come(made: Hours, now: datetime) -> None:
    later = [span.lead for span in made.spans(now, now + 10 * DAY + made.lead) if span.lead > now]
    following = made.next(now)
    assert (following.lead if following else None) == min(later, default=None)
