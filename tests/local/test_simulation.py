"""The simulation itself: the same seed plays the same week, the promises hold, and defects are caught."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core import manual as manual_plans
from lifecycle.core import rules as decide
from lifecycle.core.model import Message, Result
from lifecycle.core.schedule import Hours, Span
from lifecycle.engine import execute as act
from lifecycle.engine import platform, reconcile
from lifecycle.engine import run as engine_run
from lifecycle.engine.run import Run
from lifecycle.errors import Failure
from lifecycle.gcp import jobs
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface import client as huggingface
from lifecycle.huggingface import refusals
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.redaction import Redactor
from local.simulation.invariants import InvariantChecker
from local.simulation.runner import Simulation
from local.simulation.scenarios import random_plan
from local.simulation.simulated_time import play
from local.simulation.soak import week


def test_the_same_seed_plays_the_same_week_line_for_line() -> None:
    def lines() -> list[str]:
        told: list[str] = []
        simulation = Simulation(random_plan(5), lambda at, text: told.append(f"{at} {text}"))
        play(simulation.loop, simulation.play(InvariantChecker(simulation)))
        return told

    assert lines() == lines()


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_promise_is_kept_in_a_week_of_trouble(seed: int) -> None:
    assert week(seed).broken == ()


# Defects: each is put into the product, and the promise that is named must break.

Defect = Callable[[pytest.MonkeyPatch], None]


def ignores_overrides(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "RULES", decide.RULES[2:])


def obeys_old_messages(patch: pytest.MonkeyPatch) -> None:
    store = platform.store

    async def obeying(run: Run, message: Message) -> bool:
        return await store(run, replace(message, at=run.now()))

    patch.setattr(platform, "store", obeying)


def swaps_pause_and_resume(patch: pytest.MonkeyPatch) -> None:
    pause, resume = HuggingFace.pause, HuggingFace.resume
    patch.setattr(HuggingFace, "pause", resume)
    patch.setattr(HuggingFace, "resume", pause)


def retries_a_403(patch: pytest.MonkeyPatch) -> None:
    original = refusals.refusal

    def retryable(*args: Any, **kwargs: Any) -> Failure:
        failure = original(*args, **kwargs)
        failure.retryable = failure.retryable or failure.code == "forbidden"
        return failure

    patch.setattr(huggingface, "refusal", retryable)


def probes_what_is_scaled_to_zero(patch: pytest.MonkeyPatch) -> None:
    list_endpoints = Run.list_endpoints

    async def probing(self: Run, *args: Any) -> None:
        await list_endpoints(self, *args)
        for endpoint in self.endpoints:
            if endpoint.state == "scaledToZero" and self.settings.covering(endpoint.name, endpoint.tags):
                await self.hf.wake(endpoint)

    patch.setattr(Run, "list_endpoints", probing)


def forgets_lead(patch: pytest.MonkeyPatch) -> None:
    dated = Hours._dated

    def forgetful(self: Hours, first: Any, last: Any) -> Iterator[Span]:
        return (replace(span, lead=span.begin) for span in dated(self, first, last))

    patch.setattr(Hours, "_dated", forgetful)


def ignores_holidays(patch: pytest.MonkeyPatch) -> None:
    dated = Hours._dated
    patch.setattr(Hours, "_dated", lambda self, *days: dated(replace(self, holidays=frozenset()), *days))


def reports_success_on_failure(patch: pytest.MonkeyPatch) -> None:
    def succeeded(result: Result, _failure: Failure) -> Result:
        return replace(result, outcome="done")

    patch.setattr(act, "failed", succeeded)
    patch.setattr(engine_run, "failed", succeeded)


def loses_a_failed_endpoints_siblings(patch: pytest.MonkeyPatch) -> None:
    drive = Run.drive

    async def losing(self: Run, *args: Any, **kwargs: Any) -> list[Result]:
        results = await drive(self, *args, **kwargs)
        return [result for result in results if result.outcome == "failed"] or results

    patch.setattr(Run, "drive", losing)


def keeps_ended_overrides(patch: pytest.MonkeyPatch) -> None:
    async def kept(*_: Any) -> None:
        pass

    patch.setattr(StateStore, "delete_override", kept)


def tells_the_token(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Redactor, "__call__", lambda _self, text: text)


def crashes_on_a_failed_endpoint(patch: pytest.MonkeyPatch) -> None:
    def crashing(_result: Result, failure: Failure) -> Result:
        raise RuntimeError(failure)

    patch.setattr(act, "failed", crashing)
    patch.setattr(engine_run, "failed", crashing)


def releases_what_others_hold(patch: pytest.MonkeyPatch) -> None:
    plan = manual_plans.plan_release

    def everybody(*args: Any, **kwargs: Any) -> Any:
        return plan(*args, **kwargs | {"everybody": True})

    patch.setattr(reconcile, "plan_release", everybody)


def writes_over_what_others_hold(patch: pytest.MonkeyPatch) -> None:
    override_id = jobs.override_id
    patch.setattr(jobs, "override_id", lambda prefix, entry, *_: override_id(prefix, entry))


# Each with the promise that it breaks, in one of the first weeks.
WITHIN = 12
DEFECTS: list[tuple[Defect, str]] = [
    (ignores_overrides, "a"),
    (obeys_old_messages, "b"),
    (swaps_pause_and_resume, "a"),
    (retries_a_403, "f"),
    (probes_what_is_scaled_to_zero, "e"),
    (forgets_lead, "d"),
    (ignores_holidays, "e"),
    (reports_success_on_failure, "f"),
    (loses_a_failed_endpoints_siblings, "f"),
    (keeps_ended_overrides, "c"),
    (tells_the_token, "g"),
    (crashes_on_a_failed_endpoint, "f"),
    (releases_what_others_hold, "c"),
    (writes_over_what_others_hold, "c"),
]


@pytest.mark.parametrize(("defect", "promise"), DEFECTS, ids=[defect.__name__ for defect, _ in DEFECTS])
def test_a_defect_breaks_a_promise(defect: Defect, promise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    defect(monkeypatch)
    assert any(promise in {line[0] for line in week(seed).broken} for seed in range(1, WITHIN + 1))
