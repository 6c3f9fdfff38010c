"""What is done while a call waits, and what hangs: a safeguard that is taken out violates the named invariant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from lifecycle.core import planner
from lifecycle.core.model import Override, PlatformState, StoredState
from lifecycle.core.schedule import Hours
from lifecycle.engine import observation
from lifecycle.engine.observation import Observation
from lifecycle.gcp import job_state, jobs
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface import slots
from local.simulation.soak import played
from support.days import Day, ask, says

Patch = pytest.MonkeyPatch


def decides_on_old_reads(patch: Patch) -> None:
    async def not_again(_run: Observation, _when: float) -> None:
        pass

    patch.setattr(observation, "FRESH", 1e9)
    patch.setattr(observation, "FRESH_STATE", 1e9)
    patch.setattr(Observation, "read_since", not_again)


def repeats_only_the_deletion(patch: Patch) -> None:
    async def deleting(self: StateStore, entry: str, override: Override) -> None:
        id = self._id(entry, override)
        if job_state.override_in(await self.jobs.get(id)) == override:
            await self.jobs.retry(lambda: self.jobs.delete(id))

    patch.setattr(StateStore, "delete_override", deleting)


def lets_the_last_message_written_decide(patch: Patch) -> None:
    async def written(self: StateStore, platform: str, news: PlatformState) -> StoredState:
        body = job_state.platform_body(self.settings, platform, replace(news, received=self.now()))
        await self.jobs.retry(lambda: self.jobs.set_body(jobs.platform_id(self.prefix, platform), body))
        return await self.read()

    patch.setattr(StateStore, "put_platform_state", written)


def forgets_a_release_before_its_effect(patch: Patch) -> None:
    async def forgetting(self: StateStore, entry: str, override: Override, _at: datetime) -> None:
        await self.delete_override(entry, override)

    patch.setattr(StateStore, "end_override", forgetting)


def compares_beginnings_by_their_time_of_day(patch: Patch) -> None:
    def begins(self: Hours, wall: time, _near: datetime) -> bool:
        return any(divmod(period.begin, 60) == (wall.hour, wall.minute) for period in self.periods)

    patch.setattr(Hours, "begins_at", begins)


def lets_what_hangs_keep_its_place(patch: Patch) -> None:
    patch.setattr(slots, "PATIENCE", 1e9)


def enforces_without_a_change(patch: Patch) -> None:
    patch.setattr(planner, "ENFORCED_FOR", timedelta(days=1000))


# The days on which they show.
HOURS = "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00}}"
PLATFORM = "platforms: {main: {}}\nendpoints: {gpu: {platform: main}}"
NAMES = [f"gpu-{number:02}" for number in range(36)]
REQUESTS = Day(HOURS, {"gpu": {}}, races=10)
ENDS = Day(HOURS, {"gpu": {}}, {14.0: ask("resume", **{"for": "1h30m"})}, races=10)
MESSAGES = Day(PLATFORM, {"gpu": {}}, {8.0: says("started"), 10.0: says("stopped")}, races=10)
REPORTED = "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, enforce: false}}"
RELEASE = Day(REPORTED, {"gpu": {}}, {14.0: ask("resume", **{"for": "5h"})}, races=0.001)
TOUCHED = Day(REPORTED, {"gpu": {}}, {15.0: ("touch", {"endpoint": "gpu", "state": "running"})})
UNITED = Day(
    "endpoints: {gpu: {hours: daily 00:00-24:00}}", {"gpu": {"state": "scaledToZero", "min_replica": 0}}, days=2
)
CROWD = Day(
    'endpoints: {gpu: {name: "gpu-*", hours: Mon-Fri 08:00-12:00}}',
    {name: {} for name in NAMES},
    {10.1: ("oppose", {"entry": "gpu", "holder": ""})},
    {10.0: "some hang"},
    hanging=tuple(NAMES[:24]),
)
DEFECTS: list[tuple[Callable[[Patch], None], str, Day]] = [
    (decides_on_old_reads, "h", REQUESTS),
    (repeats_only_the_deletion, "c", ENDS),
    (lets_the_last_message_written_decide, "b", MESSAGES),
    (forgets_a_release_before_its_effect, "a", RELEASE),
    (compares_beginnings_by_their_time_of_day, "e", UNITED),
    (lets_what_hangs_keep_its_place, "i", CROWD),
    (enforces_without_a_change, "a", TOUCHED),
]


@pytest.mark.parametrize("day", [day for _, _, day in DEFECTS], ids=[defect.__name__ for defect, _, _ in DEFECTS])
def test_with_every_safeguard_no_invariant_is_broken(day: Day) -> None:
    assert played(day.plan()).broken == ()


@pytest.mark.parametrize(("defect", "invariant", "day"), DEFECTS, ids=[defect.__name__ for defect, _, _ in DEFECTS])
def test_without_a_safeguard_an_invariant_is_broken(
    defect: Callable[[Patch], None], invariant: str, day: Day, monkeypatch: Patch
) -> None:
    defect(monkeypatch)
    assert invariant in {line[0] for line in played(day.plan(), until=invariant).broken}
