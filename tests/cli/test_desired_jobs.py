"""The jobs that the settings ask for, and that they fire when the rules' decision changes."""

import random
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from lifecycle.cli import desired_jobs as timetable
from lifecycle.cli.desired_jobs import Target, cron_of
from lifecycle.config import settings
from lifecycle.core.forecast import clock_changes
from lifecycle.core.schedule import Holidays, Hours, parse
from lifecycle.gcp.jobs import Job

TARGET = Target("https://region-project.cloudfunctions.net/lifecycle-{name}", "invoker@p.iam", "lifecycle")
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
# Clock changes at 2 and 3 o'clock, at midnight (twice), by half an hour, and none.
ZONES = ("Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata")
SAMPLE = """
namespace: acme
time_zone: Europe/Berlin
platforms: {main: {}}
endpoints:
  a: {hours: Mon-Fri 08:00-20:00, lead: 10m, platform: main}
  b: {hours: [Mon-Fri 08:00-12:00, "Sat,Sun 10:00-16:00"]}
  c: {hours: "Mon-Fri 08:00-20:00", time_zone: America/New_York}
  d: {idle_after: 45m}
cron:
  - {at: "*/10 8-19 * * 1-5", do: warm, endpoints: [a]}
  - {at: "0 23 * * *", do: pause, endpoints: ["*"]}
"""


def made(text: str = SAMPLE) -> dict[str, Job]:
    return {job.id: job for job in timetable.jobs(settings.parse(text.encode()), TARGET)}


def test_entries_share_a_job_where_they_share_a_boundary_and_a_zone() -> None:
    job = made()["lifecycle-hours-0800-mon-fri-europe-berlin"]
    assert (job.schedule, job.time_zone, job.body) == ("0 8 * * 1-5", "Europe/Berlin", b'{"endpoints": ["a", "b"]}')


def test_there_is_one_job_for_each_distinct_boundary_and_zone() -> None:
    hours = [job for id, job in made().items() if "-hours-" in id]
    assert len({(job.schedule, job.time_zone) for job in hours}) == len(hours) == 8


def test_the_boundary_of_a_lead_has_its_own_job() -> None:
    assert made()["lifecycle-hours-0750-mon-fri-europe-berlin"].body == b'{"endpoints": ["a"]}'


def test_a_boundary_is_retried_three_times_from_sixty_seconds() -> None:
    retries = made()["lifecycle-hours-0800-mon-fri-europe-berlin"].retries
    assert (retries.count, retries.least_wait) == (3, timedelta(seconds=60))


def test_reconcile_comes_every_so_often_off_the_round_minutes_and_is_not_retried() -> None:
    job = made()["lifecycle-reconcile"]
    assert (job.schedule, job.body, job.retries.count) == ("3-59/10 * * * *", b'{"endpoints": ["*"]}', 0)


@pytest.mark.parametrize(("every", "schedule"), [("1m", "*"), ("2m", "1-59/2"), ("5m", "2-59/5"), ("1h", "3")])
def test_reconcile_can_come_as_often_as_divides_an_hour(every: str, schedule: str) -> None:
    assert made(f"reconcile_every: {every}\n{SAMPLE}")["lifecycle-reconcile"].schedule == f"{schedule} * * * *"


def test_the_settings_hash_is_in_the_description_of_reconcile() -> None:
    assert settings.parse(SAMPLE.encode()).sha256 in made()["lifecycle-reconcile"].description


def test_a_scheduled_action_goes_to_its_own_function_in_the_top_level_zone() -> None:
    (job,) = [job for id, job in made().items() if "-cron-warm-" in id]
    url = "https://region-project.cloudfunctions.net/lifecycle-warm"
    assert (job.url, job.audience, job.time_zone, job.schedule) == (url, url, "Europe/Berlin", "*/10 8-19 * * 1-5")


def test_an_asterisk_stays_one_so_that_the_job_means_all_whoever_comes() -> None:
    (job,) = [job for id, job in made().items() if "-cron-pause-" in id]
    assert job.body == b'{"endpoints": ["*"]}'


def test_a_platforms_job_is_daily_and_names_its_followers_without_stored_state() -> None:
    job = made()["lifecycle-platform-main"]
    assert (job.schedule, job.body) == ("0 4 * * *", b'{"endpoints": ["a"]}')


@pytest.mark.parametrize("id", ["lifecycle-reconcile", "lifecycle-platform-main"])
def test_a_job_gives_the_function_its_time_and_half_a_minute(id: str) -> None:
    assert made()[id].deadline == timedelta(seconds=570)


def test_ids_are_what_cloud_scheduler_allows() -> None:
    text = "namespace: a\nendpoints: {a: {hours: 'Sun-Thu 22:00-06:00', time_zone: Etc/GMT+5, lead: 3h}}"
    assert all(id.replace("-", "").replace("_", "").isalnum() for id in made(text))


@pytest.mark.parametrize(
    ("text", "lead", "expected"),
    [
        ("Mon-Fri 08:00-20:00", 0, {"0 8 * * 1-5", "0 20 * * 1-5"}),
        ("Sun-Thu 22:00-06:00", 0, {"0 22 * * 0-4", "0 6 * * 1-5"}),
        ("daily 07:00-24:00", 0, {"0 7 * * *", "0 0 * * *"}),
        ("Mon 00:05-01:00", 10, {"5 0 * * 1", "0 1 * * 1", "55 23 * * 0"}),
        ("Sat,Sun 10:00-16:00", 0, {"0 10 * * 0,6", "0 16 * * 0,6"}),
    ],
)
def test_boundaries_as_cron_says_them(text: str, lead: int, expected: set[str]) -> None:
    hours = Hours((parse(text),), ZoneInfo("UTC"), timedelta(minutes=lead))
    assert {cron_of(minute, days) for minute, days in hours.week().items()} == expected


@cache
def firings(schedule: str, zone: str) -> frozenset[datetime]:
    """When cron fires in the two years, as a library of its own has it."""
    found: set[datetime] = set()
    for at in CronSim(schedule, (BEGIN - timedelta(days=1)).astimezone(ZoneInfo(zone))):
        if at.astimezone(UTC) >= END:
            return frozenset(found)
        found.add(at.astimezone(UTC))
    raise AssertionError("cron ends")


def random_hours(rng: random.Random, zone: str) -> Hours:
    """Hours on quarters of an hour: what the jobs' firing times have in common keeps the years affordable."""
    days = rng.choice(["daily", "Mon-Fri", "Sat,Sun", "Sun-Thu", "Fri-Mon", "Wed", "Tue,Thu-Sat"])
    periods = []
    for _ in range(rng.randint(1, 3)):
        begin, length = rng.randrange(0, 1440, 30), rng.randrange(30, 1440, 30)
        end = (begin + length) % 1440
        periods.append(parse(f"{days} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"))
    lead = timedelta(minutes=rng.choice([0, 0, 10, 30, 90]))
    holidays = frozenset(date(2026, 1, 1) + timedelta(days=rng.randrange(730)) for _ in range(rng.randint(0, 9)))
    return Hours(tuple(periods), ZoneInfo(zone), lead, Holidays(holidays))


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_two_years_is_fired_but_around_clock_changes(zone: str) -> None:
    rng = random.Random(zone)
    changes_of_clock = list(clock_changes(ZoneInfo(zone), BEGIN, END))
    missed, seen = 0, 0
    for _ in range(12):
        hours = random_hours(rng, zone)
        crons = (cron_of(minute, days) for minute, days in hours.week().items())
        fired = frozenset[datetime]().union(*(firings(cron, zone) for cron in crons))
        changes = [at for at in hours.boundaries(BEGIN, END - timedelta(minutes=1)) if at > BEGIN + timedelta(days=3)]
        unfired = [at for at in changes if at not in fired]
        near = timedelta(hours=3) + hours.lead
        assert [at for at in unfired if not any(abs(at - change) <= near for change in changes_of_clock)] == []
        missed, seen = missed + len(unfired), seen + len(changes)
    assert seen > 4_000
    assert missed <= seen / 200


@pytest.mark.parametrize("zone", ZONES)
def test_what_fires_without_a_change_is_a_holiday_an_overlap_or_a_clock_change(zone: str) -> None:
    rng = random.Random(zone)
    changes_of_clock = list(clock_changes(ZoneInfo(zone), BEGIN, END))
    for _ in range(6):
        hours = random_hours(rng, zone)
        every_day = Hours(hours.periods, hours.zone, hours.lead)
        apart = [Hours((period,), hours.zone, hours.lead) for period in hours.periods]
        explained = {at for one in (every_day, *apart) for at in one.boundaries(BEGIN, END)}
        crons = (cron_of(minute, days) for minute, days in hours.week().items())
        fired = frozenset[datetime]().union(*(firings(cron, zone) for cron in crons))
        inside = [at for at in fired if BEGIN + timedelta(days=3) < at < END - timedelta(days=3)]
        near = timedelta(hours=3) + hours.lead
        stray = [at for at in inside if at not in explained and _far(at, changes_of_clock, near)]
        assert [at for at in stray if every_day.at(at) is None] == []


def _far(at: datetime, instants: list[datetime], near: timedelta) -> bool:
    index = bisect_left(instants, at)
    return all(abs(at - instant) > near for instant in instants[max(0, index - 1) : index + 1])


HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize("do", ["pause", "resume", "warm"])
@pytest.mark.parametrize(
    ("at", "longest"),
    [
        ("0 22 * * 1-5", HOUR),
        ("0 8,20 * * *", HOUR),
        ("0 * * * *", 30 * MINUTE),
        ("*/10 8-19 * * 1-5", 5 * MINUTE),
        ("0,5 8 * * *", 2.5 * MINUTE),
        ("* * * * *", MINUTE / 2),
        ("0 8 29 2 *", HOUR),
    ],
)
def test_a_scheduled_action_is_retried_for_an_hour_and_half_the_time_to_the_next_tick_at_most(
    do: str, at: str, longest: timedelta
) -> None:
    text = f"namespace: a\nendpoints: {{a: }}\ncron: [{{at: '{at}', do: {do}, endpoints: [a]}}]"
    (retries,) = [job.retries for id, job in made(text).items() if "-cron-" in id]
    assert retries.longest == longest
    assert 1 <= retries.count <= 5
    wait = retries.least_wait or timedelta()
    assert timedelta(seconds=5) <= wait
    assert (2**retries.count - 1) * wait <= longest


def test_a_scheduled_pause_once_a_day_has_five_retries_from_a_minute() -> None:
    text = "namespace: a\nendpoints: {a: }\ncron: [{at: 0 22 * * *, do: pause, endpoints: [a]}]"
    (retries,) = [job.retries for id, job in made(text).items() if "-cron-" in id]
    assert (retries.count, retries.least_wait) == (5, MINUTE)


def test_always_needs_no_job_of_its_own() -> None:
    assert [id for id in made("namespace: a\nendpoints: {a: {hours: always}}") if "-hours-" in id] == []


def test_the_count_of_jobs_is_that_of_the_jobs() -> None:
    found = settings.parse(SAMPLE.encode())
    assert settings.jobs_of(found) == len(timetable.jobs(found, TARGET))
