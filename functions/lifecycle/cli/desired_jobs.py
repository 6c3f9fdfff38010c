"""The jobs of Cloud Scheduler that the settings ask for (docs/design.md, "Cloud Scheduler jobs"). Pure.

Some boundaries have no exact cron schedule: around holidays, and clock changes within a lead. That is harmless: a job
only calls `reconcile`, which decides, and the next reconcile run corrects what no boundary job caught.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from lifecycle.core.cron import shortest_gap
from lifecycle.core.entries import Cron, Settings
from lifecycle.core.lead import run_offset
from lifecycle.core.times import DAYS
from lifecycle.gcp.job_state import body, budget_body
from lifecycle.gcp.jobs import Job, Retries, budget_id, hours_id, platform_id, reconcile_id

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# The functions' own time limits and half a minute.
DEADLINE = {"pause": 90, "resume": 90, "warm": 570, "reconcile": 570}
NO_RETRIES = Retries(0, timedelta(), timedelta(seconds=5), HOUR, 5)
THREE_RETRIES = Retries(3, timedelta(), timedelta(seconds=60), HOUR, 5)
LEAST_WAIT = timedelta(seconds=5)
DAY_NAMES = [day.lower() for day in DAYS]


@dataclass(frozen=True)
class Target:
    """Where jobs go: the functions' URL with `{name}` in it, the account whose token they send, and their prefix."""

    functions_url: str
    account: str
    prefix: str

    def url(self, function: str) -> str:
        return self.functions_url.replace("{name}", function)

    def job(self, id: str, schedule: str, zone: ZoneInfo, function: str, content: bytes, retries: Retries) -> Job:
        return Job(
            id=id,
            schedule=schedule,
            time_zone=zone.key,
            url=self.url(function),
            body=content,
            headers={"Content-Type": "application/json"},
            account=self.account,
            audience=self.url(function) if self.account else "",
            deadline=timedelta(seconds=DEADLINE[function]),
            retries=retries,
            description="made by lifecycle sync",
        )


def jobs(settings: Settings, target: Target) -> list[Job]:
    """Every job that the settings ask for, the reconcile job last."""
    return [
        *_hours(settings, target),
        *_cron(settings, target),
        *_platforms(settings, target),
        *_budgets(settings, target),
        _every(settings, target),
    ]


def cron_of(minute: int, days: frozenset[int]) -> str:
    """The cron schedule of a weekly boundary; in cron Sunday is 0."""
    runs = _runs(frozenset((day + 1) % 7 for day in days))
    of_week = "*" if len(days) == 7 else ",".join(f"{a}-{b}" if a < b else str(a) for a, b in runs)
    return f"{minute % 60} {minute // 60} * * {of_week}"


def _runs(days: frozenset[int]) -> list[tuple[int, int]]:
    """The days in order as runs, each from its first to its last."""
    runs: list[tuple[int, int]] = []
    for day in sorted(days):
        if runs and runs[-1][1] == day - 1:
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


def _hours(settings: Settings, target: Target) -> Iterator[Job]:
    for (zone, minute, days), entries in settings.boundaries().items():
        names = [DAY_NAMES[a] + (f"-{DAY_NAMES[b]}" if a < b else "") for a, b in _runs(days)]
        on = "daily" if len(days) == 7 else "_".join(names)
        place = zone.key.replace("/", "-").replace("+", "plus").lower()
        id = hours_id(target.prefix, minute, on, place)
        yield target.job(id, cron_of(minute, days), zone, "reconcile", body(entries), THREE_RETRIES)


def _cron(settings: Settings, target: Target) -> Iterator[Job]:
    made: dict[str, Job] = {}
    for action in settings.cron:
        content = body(action.endpoints)
        mark = hashlib.sha256(f"{action.at}\n{content.decode()}".encode()).hexdigest()[:8]
        id = f"{target.prefix}-cron-{action.do}-{mark}"
        made[id] = target.job(id, action.at, settings.zone, action.do, content, cron_retries(action))
    yield from made.values()


def cron_retries(action: Cron) -> Retries:
    """Up to five retries, which end within an hour and half the time to the next tick, even if every attempt takes its
    full time. At least one retry, which only happens if the attempt fails quickly enough."""
    longest = min(HOUR, shortest_gap(action.at) / 2)
    attempt = timedelta(seconds=DEADLINE[action.do])
    counts = [count for count in range(1, 6) if count * attempt + (2**count - 1) * LEAST_WAIT <= longest]
    count = max(counts, default=1)
    spare = longest - count * attempt if counts else longest
    wait = max(LEAST_WAIT, min(MINUTE, timedelta(seconds=spare // timedelta(seconds=2**count - 1))))
    return Retries(count, longest, wait, HOUR, 5)


def _platforms(settings: Settings, target: Target) -> Iterator[Job]:
    followed = settings.platforms_followed
    for number, name in enumerate(followed):
        content = body(settings.followers(name))
        daily = f"{number * 7 % 60} 4 * * *"
        yield target.job(platform_id(target.prefix, name), daily, ZoneInfo("UTC"), "reconcile", content, THREE_RETRIES)


def _budgets(settings: Settings, target: Target) -> Iterator[Job]:
    """A job for each budget, at the first minute of the month; its body stores whether the budget is spent."""
    budgets = {"": settings.budget, **{key: entry.budget for key, entry in settings.entries.items()}}
    for key, budget in budgets.items():
        if budget:
            id, content = budget_id(target.prefix, key), budget_body(key)
            yield target.job(id, "0 0 1 * *", budget.zone, "reconcile", content, THREE_RETRIES)


def _every(settings: Settings, target: Target) -> Job:
    every = settings.reconcile_every // MINUTE
    offset = run_offset(settings.reconcile_every) // MINUTE
    minutes = "*" if every == 1 else str(offset) if every == 60 else f"{offset}-59/{every}"
    id, schedule = reconcile_id(target.prefix), f"{minutes} * * * *"
    made = target.job(id, schedule, ZoneInfo("UTC"), "reconcile", body(["*"]), NO_RETRIES)
    return replace(made, description=f"made by lifecycle sync from settings with SHA-256 {settings.sha256}")
