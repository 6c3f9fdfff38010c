"""Manual requests where people and CI share an endpoint: what is refused, ended and kept."""

from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core.budget import Budget, Spending
from lifecycle.core.manual import MOST_RUNS, ManualPlan, ManualRequest, plan_request
from lifecycle.core.model import BudgetRecord, Override
from lifecycle.core.past import Past
from lifecycle.core.rules import Situation
from support.building import BERLIN, HOUR, NIGHTS, NOON, OFFICE, at, situation
from support.situations import A, B, asked, holding, pause, run


def refused(plan: ManualPlan) -> str | None:
    assert plan.refusal is None or (plan.override, plan.write, plan.ends) == (None, False, ())
    return plan.refusal.code if plan.refusal else None


# A request to run, against pauses.


@pytest.mark.parametrize(
    ("held", "more", "code"),
    [
        ([pause("boss")], {}, "held"),
        ([pause("boss")], {"until": "Tue 14:00"}, "held"),
        ([pause("boss")], {"force": True}, None),
        ([pause("ci")], {}, None),  # its own
        ([pause(None)], {}, None),  # nobody's
        ([pause("boss", until="Tue 11:59")], {}, None),  # it has ended
        ([pause("boss", endpoint=A)], {}, None),  # of another endpoint
        ([pause("boss", "Tue 10:00"), pause("ci", "Tue 11:00")], {}, "held"),  # the older one remains
        ([pause("boss", "Tue 10:00"), run("anna", "Tue 11:00", force=True)], {}, None),  # it was overruled already
        ([run("anna")], {}, None),
    ],
)
def test_a_request_to_run_is_refused_against_anothers_pause(
    held: list[Override], more: dict[str, Any], code: str | None
) -> None:
    assert refused(plan_request(asked("resume", **more), [holding(*held)])) == code


def test_the_refusal_says_who_holds_it_and_what_overrules_it() -> None:
    plan = plan_request(asked("resume"), [holding(pause("boss", note="audit"))])
    assert plan.refusal is not None
    assert plan.refusal.reason == "held: asked by hand until 22:00 Europe/Berlin by boss: audit; force overrules it"


def test_of_several_endpoints_one_that_another_holds_refuses_all() -> None:
    stored = [pause("boss", endpoint=B)]
    plan = plan_request(asked("resume"), [holding(*stored, name=A), holding(*stored, name=B)])
    assert refused(plan) == "held"


@pytest.mark.parametrize(
    ("held", "meant", "ends"),
    [
        ([pause("ci")], None, [0]),  # its own
        ([pause(None)], None, [0]),  # nobody's
        ([pause("ci"), pause(None, "Tue 10:00")], None, [0, 1]),
        ([pause("ci", endpoint=A)], None, [0]),  # a narrower one
        ([pause(None, endpoint=A)], A, [0]),
        ([pause("ci")], A, []),  # a wider one stays for the other endpoints
        ([pause("ci", endpoint=B)], A, []),
        ([run(None)], None, []),
    ],
)
def test_a_request_to_run_ends_pauses_of_its_own_and_of_nobody_that_lie_within_it(
    held: list[Override], meant: str | None, ends: list[int]
) -> None:
    plan = plan_request(asked("resume", endpoint=meant), [holding(*held, name=A)])
    assert set(plan.ends) == {held[index] for index in ends}


@pytest.mark.parametrize(("text", "until"), [("", "Tue 14:00"), (NIGHTS, None)])
def test_what_takes_the_place_of_its_own_pause_ends_only_nobodys(text: str, until: str | None) -> None:
    own, nobodys = pause("ci"), pause(None, "Tue 10:00")
    plan = plan_request(asked("resume", until=until), [holding(own, nobodys, text=text)])
    assert plan.override is not None
    assert (plan.override.slot, plan.ends) == (own.slot, (nobodys,))


def test_against_a_wider_pause_that_it_may_end_it_lasts_two_hours_and_is_forced() -> None:
    plan = plan_request(asked("resume", endpoint=A), [holding(pause(None), name=A)])
    assert plan.override is not None
    assert (plan.override.until, plan.override.force, plan.override.endpoint) == (NOON + 2 * HOUR, True, A)


def test_a_forced_request_ends_no_pause_of_another() -> None:
    plan = plan_request(asked("resume", force=True), [holding(pause("boss"))])
    assert plan.ends == ()
    assert plan.override is not None
    assert (plan.override.force, plan.override.until, plan.write) == (True, NOON + 2 * HOUR, True)


def test_a_request_is_forced_where_that_is_asked_though_nothing_is_against_it() -> None:
    plan = plan_request(asked("resume", until="Tue 14:00", force=True), [holding()])
    assert plan.override is not None
    assert (plan.override.force, plan.override.holder) == (True, "ci")


@pytest.mark.parametrize(
    ("ended", "needed"),
    [
        (run("anna", until="Tue 11:30", found_at_rest=frozenset({"*"})), True),
        (run("anna", until="Tue 11:30", found_at_rest=frozenset({B})), True),  # one of both is enough
        (run("anna", until="Tue 11:30"), False),  # it was running before
        (run("ci", until="Tue 11:30", found_at_rest=frozenset({"*"})), False),  # its own: it takes its place
    ],
)
def test_what_another_ended_request_would_stop_is_held_for_two_hours(ended: Override, needed: bool) -> None:
    plan = plan_request(asked("resume"), [holding(ended, name=name) for name in (A, B)])
    assert (plan.override.until if plan.override else None) == (NOON + 2 * HOUR if needed else None)


# A pause, over requests to run.


@pytest.mark.parametrize(
    ("held", "over"),
    [
        ([run("anna")], [0]),
        ([run("anna"), run(None, "Tue 10:00")], [0, 1]),
        ([run("ci")], []),  # its own
        ([run("anna", until="Tue 11:30")], []),  # it has ended
        ([pause("anna")], []),
    ],
)
@pytest.mark.parametrize("until", [None, "Tue 14:00"])
def test_a_pause_names_whose_requests_to_run_it_is_made_over(
    held: list[Override], over: list[int], until: str | None
) -> None:
    plan = plan_request(asked("pause", until=until), [holding(*held, text=OFFICE)])
    assert set(plan.over) == {held[index] for index in over}
    assert refused(plan) is None


def test_a_pause_is_needed_where_only_another_holds_it_running() -> None:
    plan = plan_request(asked("pause"), [holding(run("anna"), text=NIGHTS)])
    assert plan.override is not None


def test_a_pause_of_several_is_needed_where_one_would_run() -> None:
    held = run("anna", endpoint=A)
    plan = plan_request(asked("pause"), [holding(held, text=NIGHTS, name=name) for name in (A, B)])
    assert (plan.override is not None, plan.over) == (True, (held,))


def test_a_pause_that_is_not_needed_names_the_requests_all_the_same() -> None:
    held = run("anna")
    plan = plan_request(asked("pause"), [holding(held, pause("boss", "Tue 11:30"), text=NIGHTS)])
    assert (plan.override, plan.over) == (None, (held,))


def test_a_pause_of_what_only_its_own_request_holds_running_ends_that_and_makes_none() -> None:
    own = run("ci")
    plan = plan_request(asked("pause"), [holding(own, text=NIGHTS)])
    assert (plan.override, plan.write, plan.ends) == (None, False, (own,))


# How many there may be.


def crowd(count: int, **more: Any) -> list[Override]:
    return [run(f"holder-{number}", **more) for number in range(count)]


@pytest.mark.parametrize(
    ("held", "request_", "code"),
    [
        (crowd(MOST_RUNS), asked("resume", until="Tue 14:00"), "too_many"),
        (crowd(MOST_RUNS, endpoint=A), asked("resume", until="Tue 14:00"), "too_many"),  # whichever they cover
        (crowd(MOST_RUNS - 1), asked("resume", until="Tue 14:00"), None),
        (crowd(MOST_RUNS, until="Tue 11:30"), asked("resume", until="Tue 14:00"), None),  # they have ended
        ([*crowd(MOST_RUNS - 1), pause(None)], asked("resume", until="Tue 14:00"), None),  # a pause is none
        (crowd(MOST_RUNS), asked("resume", until="Tue 14:00", force=True), None),
        (crowd(MOST_RUNS), asked("pause", until="Tue 14:00"), None),
        (crowd(MOST_RUNS), asked("resume", "holder-3", until="Wed 14:00"), None),  # a renewal
        (crowd(MOST_RUNS), asked("resume"), None),  # none is needed
    ],
)
def test_one_more_than_twenty_requests_to_run_is_refused(
    held: list[Override], request_: ManualRequest, code: str | None
) -> None:
    assert refused(plan_request(request_, [holding(*held)])) == code


def test_the_refusal_of_one_too_many_says_how_many_there_are() -> None:
    plan = plan_request(asked("resume", until="Tue 14:00"), [holding(*crowd(MOST_RUNS))])
    assert plan.refusal is not None
    assert plan.refusal.reason == "20 requests to run are in force for embeddings; release one, or wait until one ends"


# A spent budget.


def broke(text: str = "") -> Situation:
    record = BudgetRecord("2026-11", 20.0, at("Tue 10:03"), 20.0)
    found = situation(f"{text}{', ' if text else ''}budget: {{dollars: 20}}")
    return replace(found, past=Past({"embeddings": Spending("embeddings", Budget(20.0, BERLIN), record)}))


@pytest.mark.parametrize(
    ("text", "request_", "code"),
    [
        ("", asked("resume"), "budget"),
        ("", asked("resume", until="Tue 14:00"), "budget"),
        ("", asked("resume", force=True), None),
        ("", asked("pause"), None),
        ("protected: true", asked("resume"), None),  # it is reported only
    ],
)
def test_a_spent_budget_refuses_a_request_to_run(text: str, request_: ManualRequest, code: str | None) -> None:
    assert refused(plan_request(request_, [broke(text)])) == code


def test_the_refusal_of_a_spent_budget_says_what_overrules_it() -> None:
    plan = plan_request(asked("resume"), [broke()])
    assert plan.refusal is not None
    assert "budget of $20.00 for November" in plan.refusal.reason
    assert plan.refusal.reason.endswith("; force overrules it")
