"""Short days of the simulation: each defect that is put into the product breaks the promise that is named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lifecycle.core import manual as manual_plans
from lifecycle.core import rules
from lifecycle.core.cron import scheduled
from lifecycle.core.model import Message, Result
from lifecycle.core.schedule import ALWAYS, Holidays, Hours, Span
from lifecycle.engine import cron, manual, platform, reconcile
from lifecycle.engine import execute as act
from lifecycle.engine import run as engine_run
from lifecycle.engine.run import Run, Target
from lifecycle.errors import Failure
from lifecycle.gcp import jobs
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface import client as huggingface
from lifecycle.huggingface import refusals
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.redaction import Redactor
from local.servers.huggingface import Quirks
from local.simulation.soak import played
from support.days import Day, ask, says
from support.months import berlin

Patch = pytest.MonkeyPatch
Defect = Callable[[Patch], None]


def ignores_overrides(patch: Patch) -> None:
    patch.setattr(rules, "RULES", rules.RULES[3:])


def obeys_old_messages(patch: Patch) -> None:
    store = platform.store

    async def obeying(run: Run, message: Message) -> bool:
        return await store(run, replace(message, at=run.now()))

    patch.setattr(platform, "store", obeying)


def swaps_pause_and_resume(patch: Patch) -> None:
    pause, resume = HuggingFace.pause, HuggingFace.resume
    patch.setattr(HuggingFace, "pause", resume)
    patch.setattr(HuggingFace, "resume", pause)


def retries_a_403(patch: Patch) -> None:
    original = refusals.refusal

    def retryable(*args: Any, **kwargs: Any) -> Failure:
        failure = original(*args, **kwargs)
        failure.retryable = failure.retryable or failure.code == "forbidden"
        return failure

    patch.setattr(huggingface, "refusal", retryable)


def probes_what_is_scaled_to_zero(patch: Patch) -> None:
    list_endpoints = Run.list_endpoints

    async def probing(self: Run, *args: Any) -> None:
        await list_endpoints(self, *args)
        for endpoint in self.endpoints:
            if endpoint.state == "scaledToZero" and self.settings.covering(endpoint.name, endpoint.tags):
                await self.hf.wake(endpoint)

    patch.setattr(Run, "list_endpoints", probing)


def forgets_lead(patch: Patch) -> None:
    dated = Hours._dated

    def forgetful(self: Hours, first: Any, last: Any) -> Iterator[Span]:
        return (replace(span, lead=span.begin) for span in dated(self, first, last))

    patch.setattr(Hours, "_dated", forgetful)


def ignores_holidays(patch: Patch) -> None:
    dated = Hours._dated
    patch.setattr(Hours, "_dated", lambda self, *days: dated(replace(self, holidays=frozenset()), *days))


def reports_success_on_failure(patch: Patch) -> None:
    def succeeded(result: Result, _failure: Failure) -> Result:
        return replace(result, outcome="done")

    patch.setattr(act, "failed", succeeded)
    patch.setattr(engine_run, "failed", succeeded)


def loses_a_failed_endpoints_siblings(patch: Patch) -> None:
    drive = Run.drive

    async def losing(self: Run, *args: Any, **kwargs: Any) -> list[Result]:
        results = await drive(self, *args, **kwargs)
        return [result for result in results if result.outcome == "failed"] or results

    patch.setattr(Run, "drive", losing)


def keeps_ended_overrides(patch: Patch) -> None:
    async def kept(*_: Any) -> None:
        pass

    patch.setattr(StateStore, "delete_override", kept)


def tells_the_token(patch: Patch) -> None:
    patch.setattr(Redactor, "__call__", lambda _self, text: text)


def crashes_on_a_failed_endpoint(patch: Patch) -> None:
    def crashing(_result: Result, failure: Failure) -> Result:
        raise RuntimeError(failure)

    patch.setattr(act, "failed", crashing)
    patch.setattr(engine_run, "failed", crashing)


def releases_what_others_hold(patch: Patch) -> None:
    plan = manual_plans.plan_release

    def everybody(*args: Any, **kwargs: Any) -> Any:
        return plan(*args, **kwargs | {"everybody": True})

    patch.setattr(reconcile, "plan_release", everybody)


def writes_over_what_others_hold(patch: Patch) -> None:
    override_id = jobs.override_id
    patch.setattr(jobs, "override_id", lambda prefix, entry, *_: override_id(prefix, entry))


def ends_always_at_midnight(patch: Patch) -> None:
    at = Hours.at

    def ending(self: Hours, now: datetime) -> Span | None:
        found = at(self, now)
        return None if found is ALWAYS and now.astimezone(self.zone).hour == 0 else found

    patch.setattr(Hours, "at", ending)


def ignores_calendars(patch: Patch) -> None:
    patch.setattr(Holidays, "__contains__", lambda self, day: day in self.dates)


def stops_what_is_protected(patch: Patch) -> None:
    patch.setattr(rules, "_protected", lambda found: found)


def pauses_what_is_protected_by_name(patch: Patch) -> None:
    act = manual.act

    async def obeying(run: Run, target: Target, *args: Any, **kwargs: Any) -> list[Result]:
        return await act(run, replace(target, entry=replace(target.entry, protected=False)), *args, **kwargs)

    patch.setattr(manual, "act", obeying)


def keeps_silent_about_replica_bounds(patch: Patch) -> None:
    patch.setattr(act, "undeclared_change", lambda *_: "")


def proves_what_need_not_answer(patch: Patch) -> None:
    ready = act.StepExecution._is_ready

    async def proving(self: act.StepExecution, *, own: bool) -> bool:
        self.entry = replace(self.entry, warm=None)
        return await ready(self, own=own)

    patch.setattr(act.StepExecution, "_is_ready", proving)


def waits_for_what_nobody_can_reach(patch: Patch) -> None:
    patch.setattr(act, "PROVED_WITHIN", 10_000)


def obeys_a_stale_tick(patch: Patch) -> None:
    patch.setattr(cron, "scheduled", lambda action, situation, _tick: scheduled(action, situation))


def schedules_against_the_rules(patch: Patch) -> None:
    def obeying(action: str, *_: Any) -> rules.Decision:
        return rules.Decision("paused" if action == "pause" else "running", f"scheduled {action}", "cron")

    patch.setattr(cron, "scheduled", obeying)


def skips_what_is_scheduled(patch: Patch) -> None:
    patch.setattr(cron, "scheduled", lambda *_: rules.Decision("any", "skipped", "cron", left="INFO"))


def counts_idle_from_the_last_use_alone(patch: Patch) -> None:
    def since_use(self: rules.Situation) -> datetime | None:
        used = self.endpoint.last_used_at if self.endpoint else None
        return used + self.entry.idle_after if used and self.entry.idle_after else None

    patch.setattr(rules.Situation, "idle_from", property(since_use))


# The days on which they show.
CHRISTMAS = berlin("2026-12-24T00:00")
HOURS = "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, lead: 10m}}"
PLATFORM = "platforms: {main: {}}\nendpoints: {gpu: {platform: main}}"
SEVERAL = 'endpoints: {gpu: {name: "gpu-*", hours: Mon-Fri 08:00-12:00}}'
PLAIN = Day(HOURS, {"gpu": {}})
RUN = Day(HOURS, {"gpu": {}}, {15.0: ask("resume", **{"for": "1h30m"})})
MESSAGES = Day(PLATFORM, {"gpu": {}}, {8.0: says("started"), 9.0: says("started", 3600), 9.5: says("stopped")})
FORBIDDEN = Day(HOURS, {"gpu": {}}, trouble={7.5: "hub forbids"})
ASLEEP = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, rest: scaledToZero}}", {"gpu": {}})
DOWN = Day(HOURS, {"gpu": {}}, trouble={7.5: "hub down"})
ONE_FAILS = Day(SEVERAL, {"gpu-a": {}, "gpu-b": {"start": "fails"}})
TWO_HOLDERS = Day(
    HOURS,
    {"gpu": {}},
    {
        14.0: ask("resume", holder="anna", **{"for": "5h"}),
        15.0: ask("resume", holder="ci-1", **{"for": "5h"}),
        16.0: ask("reconcile", holder="ci-1", clear_override=True),
    },
)
ALWAYS_ON = Day("endpoints: {gpu: {hours: always}}", {"gpu": {}}, days=2)
OFFICE = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, holidays: [GB]}}", {"gpu": {}}, begin=CHRISTMAS, days=2)
DATES = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, holidays: ['2026-12-25']}}", {"gpu": {}}, begin=CHRISTMAS, days=2
)
PROTECTED = Day(
    "endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, protected: true}}",
    {"gpu": {"state": "running"}},
    {9.0: ask("pause", until="released"), 15.0: ask("pause", endpoints=["*"], **{"for": "1h30m"})},
)
RESETS = Quirks(pause_resets_replicas=True)
BOUNDS = Day(HOURS, {"gpu": {"state": "running", "min_replica": 2, "max_replica": 3}}, quirks=RESETS)
RUNNING_IS_ENOUGH = Day("endpoints: {gpu: {hours: Mon-Fri 08:00-12:00, warm: false}}", {"gpu": {}})
PRIVATE = Day(HOURS, {"gpu": {"type": "private", "reachable": False}})
CRON = 'cron: [{at: "0 14 * * *", do: pause, endpoints: [gpu]}, {at: "0 16 * * *", do: resume, endpoints: [gpu]}]'
SCHEDULED = Day(f"endpoints: {{gpu: {{}}}}\n{CRON}", {"gpu": {"state": "running"}})
STALE = Day(
    f"endpoints: {{gpu: {{}}}}\n{CRON}",
    {"gpu": {"state": "running"}},
    {14.001: ("touch", {"endpoint": "gpu", "state": "running"})},
    {13.5: "ticks late"},
)
AT_REST = Day(f"{HOURS}\n{CRON}", {"gpu": {}})
IDLE = Day(
    "endpoints: {gpu: {idle_after: 45m}}", {"gpu": {}}, {10.0: ("touch", {"endpoint": "gpu", "state": "running"})}
)
DEFECTS: list[tuple[Defect, str, Day]] = [
    (ignores_overrides, "a", RUN),
    (obeys_old_messages, "b", MESSAGES),
    (swaps_pause_and_resume, "a", PLAIN),
    (retries_a_403, "f", FORBIDDEN),
    (probes_what_is_scaled_to_zero, "e", ASLEEP),
    (forgets_lead, "d", PLAIN),
    (ignores_holidays, "e", DATES),
    (reports_success_on_failure, "f", FORBIDDEN),
    (loses_a_failed_endpoints_siblings, "f", ONE_FAILS),
    (keeps_ended_overrides, "c", RUN),
    (tells_the_token, "g", DOWN),
    (crashes_on_a_failed_endpoint, "f", FORBIDDEN),
    (releases_what_others_hold, "c", TWO_HOLDERS),
    (writes_over_what_others_hold, "c", TWO_HOLDERS),
    (ends_always_at_midnight, "a", ALWAYS_ON),
    (ignores_calendars, "e", OFFICE),
    (stops_what_is_protected, "a", PROTECTED),
    (pauses_what_is_protected_by_name, "c", PROTECTED),
    (keeps_silent_about_replica_bounds, "j", BOUNDS),
    (proves_what_need_not_answer, "j", RUNNING_IS_ENOUGH),
    (waits_for_what_nobody_can_reach, "j", PRIVATE),
    (counts_idle_from_the_last_use_alone, "a", IDLE),
    (obeys_a_stale_tick, "k", STALE),
    (schedules_against_the_rules, "e", AT_REST),
    (skips_what_is_scheduled, "k", SCHEDULED),
]
DAYS = list({id(day): day for _, _, day in DEFECTS}.values())


@pytest.mark.parametrize("day", DAYS)
def test_without_a_defect_no_promise_is_broken(day: Day) -> None:
    assert played(day.plan()).broken == ()


@pytest.mark.parametrize(("defect", "promise", "day"), DEFECTS, ids=[defect.__name__ for defect, _, _ in DEFECTS])
def test_a_defect_breaks_a_promise(defect: Defect, promise: str, day: Day, monkeypatch: Patch) -> None:
    defect(monkeypatch)
    assert promise in {line[0] for line in played(day.plan()).broken}
