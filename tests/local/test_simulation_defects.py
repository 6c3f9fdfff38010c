"""Short days of the simulation: each defect that is put into the product breaks the invariant that is named."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lifecycle.cli import job_changes
from lifecycle.core import manual as manual_plans
from lifecycle.core import money, past, rules
from lifecycle.core.cron import scheduled
from lifecycle.core.lead import Lead
from lifecycle.core.model import Message, Result
from lifecycle.core.past import Past
from lifecycle.core.schedule import ALWAYS, Holidays, Hours, Span
from lifecycle.engine import cron, manual, platform, reconcile, service
from lifecycle.engine import execute as act
from lifecycle.engine import run as engine_run
from lifecycle.engine.observation import Target
from lifecycle.engine.run import Run
from lifecycle.errors import Failure
from lifecycle.gcp import job_state, jobs, state_store
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface import client as huggingface
from lifecycle.huggingface import refusals
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.redaction import Redactor
from local.simulation.soak import played
from support import days
from support.days import Day

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
        for endpoint in itertools.chain(*self.covered.values()):
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
    for module in (job_state, state_store):
        patch.setattr(module, "override_id", lambda prefix, entry, *_: override_id(prefix, entry))


def ends_always_at_midnight(patch: Patch) -> None:
    at = Hours.at

    def ending(self: Hours, now: datetime) -> Span | None:
        found = at(self, now)
        return None if found is ALWAYS and now.astimezone(self.zone).hour == 0 else found

    patch.setattr(Hours, "at", ending)


def ignores_calendars(patch: Patch) -> None:
    patch.setattr(Holidays, "__contains__", lambda self, day: day in self.dates)


def stops_what_is_protected(patch: Patch) -> None:
    patch.setattr(rules, "_protected", lambda _situation, found: found)


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


def ignores_budgets(patch: Patch) -> None:
    patch.setattr(Past, "spent", lambda *_: None)


def forgets_that_budgets_are_spent(patch: Patch) -> None:
    async def forgetting(_: Run) -> list[Any]:
        return []

    patch.setattr(service, "settle", forgetting)


def counts_twice_what_was_billed(patch: Patch) -> None:
    add_up = money.bill
    patch.setattr(money, "bill", lambda *args: replace(found := add_up(*args), dollars=2 * found.dollars))


def starts_before_the_longest_lead(patch: Patch) -> None:
    patch.setattr(past, "learned", lambda _starts, bounds: Lead(bounds.at_most))


def syncs_away_overrides(patch: Patch) -> None:
    patch.setattr(job_changes, "stores", lambda job, *rest: "-override-" not in job.id and job_state.stores(job, *rest))


def syncs_over_what_platforms_said(patch: Patch) -> None:
    patch.setattr(job_changes, "stores_state", lambda *_: False)


def syncs_only_what_is_new(patch: Patch) -> None:
    patch.setattr(job_changes, "is_own", lambda *_: False)


DEFECTS: list[tuple[Defect, str, Day]] = [
    (ignores_overrides, "a", days.RUN),
    (obeys_old_messages, "b", days.MESSAGES),
    (swaps_pause_and_resume, "a", days.PLAIN),
    (retries_a_403, "f", days.FORBIDDEN),
    (probes_what_is_scaled_to_zero, "e", days.ASLEEP),
    (forgets_lead, "d", days.PLAIN),
    (ignores_holidays, "e", days.DATES),
    (reports_success_on_failure, "f", days.FORBIDDEN),
    (loses_a_failed_endpoints_siblings, "f", days.ONE_FAILS),
    (keeps_ended_overrides, "c", days.RUN),
    (tells_the_token, "g", days.DOWN),
    (crashes_on_a_failed_endpoint, "f", days.FORBIDDEN),
    (releases_what_others_hold, "c", days.TWO_HOLDERS),
    (writes_over_what_others_hold, "c", days.TWO_HOLDERS),
    (ends_always_at_midnight, "a", days.ALWAYS_ON),
    (ignores_calendars, "e", days.OFFICE),
    (stops_what_is_protected, "a", days.PROTECTED),
    (pauses_what_is_protected_by_name, "c", days.PROTECTED),
    (keeps_silent_about_replica_bounds, "j", days.BOUNDS),
    (proves_what_need_not_answer, "j", days.RUNNING_IS_ENOUGH),
    (waits_for_what_nobody_can_reach, "j", days.PRIVATE),
    (counts_idle_from_the_last_use_alone, "a", days.IDLE),
    (ignores_budgets, "e", days.MONEY),
    (forgets_that_budgets_are_spent, "a", days.MONEY),
    (counts_twice_what_was_billed, "l", days.PLAIN),
    (starts_before_the_longest_lead, "l", days.LEARNED),
    (obeys_a_stale_tick, "k", days.STALE),
    (schedules_against_the_rules, "e", days.AT_REST),
    (skips_what_is_scheduled, "k", days.SCHEDULED),
    (syncs_away_overrides, "c", days.HELD),
    (syncs_over_what_platforms_said, "b", days.FOLLOWED),
    (syncs_only_what_is_new, "k", days.REMOVED),
]
DAYS = list({id(day): day for _, _, day in DEFECTS}.values())


@pytest.mark.parametrize("day", DAYS)
def test_without_a_defect_no_invariant_is_broken(day: Day) -> None:
    assert played(day.plan()).broken == ()


@pytest.mark.parametrize(("defect", "invariant", "day"), DEFECTS, ids=[defect.__name__ for defect, _, _ in DEFECTS])
def test_a_defect_breaks_an_invariant(defect: Defect, invariant: str, day: Day, monkeypatch: Patch) -> None:
    defect(monkeypatch)
    assert invariant in {line[0] for line in played(day.plan()).broken}
