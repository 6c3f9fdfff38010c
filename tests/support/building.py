"""Short ways to build values for tests. Times are in the week of 23 November 2026, in Berlin."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings as hypothesis_settings

from lifecycle.config import settings
from lifecycle.config.schema import Invalid
from lifecycle.core import schedule as weekly
from lifecycle.core.entries import Entry, Settings
from lifecycle.core.model import Endpoint, Override, PlatformState, StoredState, Wanted
from lifecycle.core.planner import Step, plan_step
from lifecycle.core.rules import Situation, decide
from lifecycle.core.schedule import Hours
from lifecycle.core.times import DAYS

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def properties(examples: int) -> hypothesis_settings:
    """The same examples in every run; what counts is what they show, not how long one takes."""
    return hypothesis_settings(max_examples=examples, deadline=None, derandomize=True, database=None)


def at(text: str) -> datetime:
    """`Tue 21:30` of that week in Berlin, or an ISO time; without an offset in Berlin, too."""
    day, _, clock = text.partition(" ")
    if day in DAYS:
        text = f"2026-11-{23 + DAYS.index(day)} {clock}"
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=BERLIN)


NOON = at("Tue 12:00")
OFFICE = "hours: Mon-Fri 08:00-20:00"  # at NOON, inside
NIGHTS = "hours: daily 22:00-06:00"  # at NOON, outside


def read(text: str) -> Settings:
    """Settings of namespace acme in Berlin."""
    return settings.parse(f"namespace: acme\ntime_zone: Europe/Berlin\n{text}".encode())


def refusal(text: str) -> list[str]:
    """Everything that is wrong with a file, a line each."""
    try:
        settings.parse(text.encode())
    except Invalid as error:
        return [str(problem) for problem in error.problems]
    return []


def entry(text: str = "", platform: str = "{}") -> Entry:
    """The entry `embeddings` with these settings; `platform`: those of the platform main."""
    return read(f"platforms: {{main: {platform}}}\nendpoints: {{embeddings: {{{text}}}}}").entries["embeddings"]


def hours(*texts: str, zone: str = "Europe/Berlin", lead: timedelta = timedelta(), off: Iterable[str] = ()) -> Hours:
    """`off`: the holidays."""
    return Hours(
        tuple(map(weekly.parse, texts)), ZoneInfo(zone), lead, weekly.Holidays(frozenset(map(date.fromisoformat, off)))
    )


def situation(
    text: str = "",
    state: str = "running",
    now: datetime = NOON,
    *,
    platform: str = "{}",
    platform_state: PlatformState | None = None,
    override: Override | None = None,
    unavailable_reason: str = "",
    **endpoint: Any,
) -> Situation:
    """A situation: settings of the entry, state and fields of its endpoint, and the stored state."""
    platforms, overrides = (
        {"main": platform_state} if platform_state else {},
        {"embeddings": (override,)} if override else {},
    )
    found = Endpoint("embeddings", state, **endpoint)
    return Situation(entry(text, platform), found, StoredState(overrides, platforms, unavailable_reason), now)


def started(when: str, first: str | None = None) -> PlatformState:
    return PlatformState("started", at(when), at(first) if first else None)


def stopped(when: str) -> PlatformState:
    return PlatformState("stopped", at(when))


STARTED, STOPPED = started("Tue 06:00"), stopped("Tue 06:00")


def override(
    state: Wanted = "paused", since: str = "Tue 11:00", until: str | None = "Tue 22:00", **more: Any
) -> Override:
    return Override(state, at(since), at(until) if until else None, **more)


def later(situation: Situation, length: timedelta) -> Situation:
    return replace(situation, now=situation.now + length)


def sampled(since: datetime, until: datetime, step: timedelta = MINUTE) -> list[datetime]:
    """Every instant from `since` to before `until`."""
    return [since + number * step for number in range((until - since) // step)]


def taken(found: Situation, *, only_running: bool = False, boundary: str | None = None) -> Step:
    return plan_step(decide(found), found, only_running=only_running, boundary=boundary)


def by_hand(found: Situation) -> Step:
    """The step of a manual request to run it."""
    return plan_step(replace(decide(found), wanted="running", rule="hand", left=None), found, only_running=True)
