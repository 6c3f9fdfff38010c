"""The warnings of `check`: valid settings that may do something else than was meant. Pure; the time is passed in."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from lifecycle.config.settings import jobs_of
from lifecycle.core.cron import surprises
from lifecycle.core.entries import Entry, Settings
from lifecycle.core.schedule import DAY, Holidays, Hours

SOON = timedelta(days=60)
JOBS_OF_OLD = 1_000  # Cloud Scheduler's quota in a region of an older project


def warnings(settings: Settings, now: datetime) -> list[str]:
    """All warnings, each with its path."""
    return [
        *_holidays(settings, now),
        *(warning for entry in settings.entries.values() for warning in _whole_days(entry, now)),
        *_same_patterns(settings),
        *_cron(settings),
        *_jobs(settings),
    ]


def found_platforms(settings: Settings) -> dict[str, tuple[str, ...]]:
    """If the settings have no `platforms:`, the platforms that entries follow, with these entries."""
    if settings.platforms:
        return {}
    followed = (entry.platform for entry in settings.entries.values() if entry.platform)
    return {name: settings.followers(name) for name in dict.fromkeys(followed)}


def _holidays(settings: Settings, now: datetime) -> Iterator[str]:
    yield from _ending("holidays", settings.holidays, now.astimezone(settings.zone).date())
    for key, entry in settings.entries.items():
        if entry.hours and entry.hours.holidays is not settings.holidays:
            yield from _ending(f"endpoints.{key}.holidays", entry.hours.holidays, now.astimezone(entry.zone).date())


def _ending(path: str, holidays: Holidays, today: date) -> Iterator[str]:
    if not holidays.dates:
        return
    last = max(holidays.dates)
    if last < today:
        yield f"{path}: all dates are in the past; the last is {last}. Add new ones, or a region such as DE-BY"
    elif last - today <= SOON and not holidays.calendars:
        yield f"{path}: the dates end on {last}, within {SOON.days} days. Add new ones, or a region such as DE-BY"


def _whole_days(entry: Entry, now: datetime) -> Iterator[str]:
    if entry.hours is None or entry.protected or not _covers_a_day(entry.hours):
        return
    today = now.astimezone(entry.zone).date()
    days = entry.hours.holidays.between(today, today + timedelta(days=366))
    if days:
        yield (
            f"endpoints.{entry.key}.hours: whole days, but it is stopped on holidays, first on {days[0]} ({len(days)} "
            "in a year). To run on holidays, too: hours: always, or holidays: []"
        )


def _covers_a_day(hours: Hours) -> bool:
    """Whether the hours of a week without holidays cover some day from midnight to midnight."""
    week = bytearray(8 * DAY)
    for period in hours.periods:
        for day in period.days:
            week[day * DAY + period.begin : day * DAY + period.end] = b"\1" * (period.end - period.begin)
    week[:DAY] = bytes(map(max, week[:DAY], week[7 * DAY :]))
    return any(all(week[day * DAY : (day + 1) * DAY]) for day in range(7))


def _same_patterns(settings: Settings) -> Iterator[str]:
    first: dict[tuple[str | None, frozenset[str]], str] = {}
    for key, entry in settings.entries.items():
        other = first.setdefault((entry.name, entry.tags), key)
        if other != key:
            yield f"endpoints.{key}: covers the same as endpoints.{other}, which comes first, so it has no effect"


def _cron(settings: Settings) -> Iterator[str]:
    for index, action in enumerate(settings.cron):
        for warning in surprises(action.at):
            yield f'cron[{index}].at: "{action.at}": {warning}'
        protected = [key for key in action.endpoints if key in settings.entries and settings.entries[key].protected]
        if action.do == "pause" and protected:
            yield f"cron[{index}].do: never pauses {', '.join(protected)}: protected"


def _jobs(settings: Settings) -> Iterator[str]:
    if (count := jobs_of(settings)) > JOBS_OF_OLD:
        yield (
            f"these settings ask for {count} Cloud Scheduler jobs; a project with the older quota has "
            f"{JOBS_OF_OLD:,} in a region"
        )
