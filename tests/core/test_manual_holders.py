"""Manual requests where people and CI share an endpoint: what is refused, ended and kept."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from lifecycle.core.budget import Budget, Spending
from lifecycle.core.manual import MOST_RUNS, ManualPlan, ManualRequest, plan_request
from lifecycle.core.model import BudgetRecord, Override
from lifecycle.core.past import Past
from lifecycle.core.rules import Situation
from support.building import BERLIN, HOUR, NIGHTS, NOON, OFFICE, at, situation
from support.situations import A, B, holding, pause, run


def asked(verb: str, holder: str | None = "ci", until: str | None = None, **more: Any) -> ManualRequest:
    state: Literal["running", "paused"] = "paused" if verb == "pause" else "running"
    return ManualRequest(state, at(until) if until else None, holder=holder, **more)


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


def test_against_a_wider_pause_that_it_may_end_it_lasts_two_hours_and_is_forced() -> None:
    plan = plan_request(asked("resume", endpoint=A), [holding(pause(None), name=A)])
    assert plan.override is not None
    assert (plan.override.until, plan.override.force, plan.override.endpoint) == (NOON + 2 * HOUR, True, A)


def test_a_forced_request_ends_no_pause_of_another() -> None:
    plan = plan_request(asked("resume", force=True), [holding(pause("boss"))])
    assert plan.ends == ()
    assert plan.override is not None
    assert (plan.override.force, plan.override.until, plan.write) == (True, NOON + 2 * HOUR, True)


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


def test_a_pause_of_what_only_its_own_request_holds_running_ends_that_and_makes_none() -> None:
    own = run("ci")
    plan = plan_request(asked("pause"), [holding(own, text=NIGHTS)])
    assert (plan.override, plan.write, plan.ends) == (None, False, (own,))


# Renewals.


@pytest.mark.parametrize(
    ("own", "until", "written"),
    [
        (run("ci", until="Tue 13:00"), "Tue 13:00", False),
        (run("ci", until="Tue 12:54"), "Tue 13:00", False),  # nine tenths of what is asked
        (run("ci", until="Tue 12:53"), "Tue 13:00", True),
        (run("ci", until="Tue 20:00"), "Tue 13:00", False),  # longer
        (run("ci", until=None), "Tue 13:00", False),
        (run("ci", until="Tue 11:59"), "Tue 13:00", True),  # it has ended
        (run("anna", until="Tue 13:00"), "Tue 13:00", True),  # another's
        (run("ci", until="Tue 13:00", endpoint=A), "Tue 13:00", True),  # of one endpoint
        (pause("ci", until="Tue 13:00"), "Tue 13:00", True),
    ],
)
def test_a_request_to_run_that_lasts_nine_tenths_of_what_is_asked_is_not_written_again(
    own: Override, until: str, written: bool
) -> None:
    plan = plan_request(asked("resume", until=until), [holding(replace(own, found_at_rest=frozenset({"*"})))])
    assert plan.write == written
    assert plan.override is not None
    assert written or plan.override.until == own.until


@pytest.mark.parametrize(
    ("own", "until", "written"),
    [
        (pause("ci", until="Tue 13:00"), "Tue 13:00", False),
        (pause("ci", until="Tue 20:00"), "Tue 13:00", True),  # what should run again must not wait for it
        (pause("ci", until="Tue 12:59"), "Tue 13:00", True),
        (pause("ci", until="Tue 13:00", or_started="main"), "Tue 13:00", True),
        (run("ci", until="Tue 13:00"), "Tue 13:00", True),
    ],
)
def test_a_pause_is_kept_only_where_it_ends_when_asked(own: Override, until: str, written: bool) -> None:
    assert plan_request(asked("pause", until=until), [holding(own)]).write == written


@pytest.mark.parametrize(
    ("own", "newer", "force", "written"),
    [
        (pause("ci"), run("anna", "Tue 11:30", force=True), False, True),
        (pause("ci"), run("anna", "Tue 10:30", force=True), False, False),
        (pause("ci"), run("anna", "Tue 11:30"), False, False),  # it stands over that already
        (run("ci", force=True), pause("boss", "Tue 11:30"), True, True),
        (run("ci", force=True), pause("boss", "Tue 10:30"), True, False),
        (run("ci"), pause("boss", "Tue 10:30"), True, True),  # it was not forced
    ],
)
def test_an_own_one_that_another_overruled_since_is_written_again(
    own: Override, newer: Override, force: bool, written: bool
) -> None:
    own = replace(own, found_at_rest=frozenset({"*"}))
    request = asked("pause" if own.state == "paused" else "resume", until="Tue 22:00", force=force)
    assert plan_request(replace(request, force=force), [holding(own, newer)]).write == written


def test_a_renewal_that_covers_more_endpoints_at_rest_is_written() -> None:
    own = run("ci", until="Tue 13:00", found_at_rest=frozenset({A}))
    request = asked("resume", until="Tue 13:00")
    same = [holding(own, name=A, state="running"), holding(own, name=B, state="running")]
    more = [holding(own, name=A, state="running"), holding(own, name=B, state="paused")]
    assert [plan_request(request, found).write for found in (same, more)] == [False, True]


def test_of_overrides_by_clocks_that_are_ahead_the_new_one_is_the_newest() -> None:
    ahead, far = pause("anna", "Tue 12:20"), pause("boss", "Tue 13:00")
    plan = plan_request(asked("pause", until="Tue 22:00"), [holding(ahead, far)])
    assert plan.override is not None
    assert at("Tue 12:20") < plan.override.since < at("Tue 12:21")


# What its end puts back to rest.


@pytest.mark.parametrize(
    ("text", "states", "kept", "found"),
    [
        ("", {A: "paused"}, [], {"*"}),
        ("", {A: "scaledToZero"}, [], {"*"}),
        ("", {A: "running"}, [], set()),
        ("", {A: "paused", B: "running"}, [], {A}),
        ("", {A: "paused", B: "scaledToZero"}, [], {"*"}),
        ("", {A: "running", B: "running"}, [run("anna", found_at_rest=frozenset({B}))], {B}),  # inherited
        ("", {A: "paused", B: "running"}, [run("anna", found_at_rest=frozenset({"*"}))], {"*"}),
        ("", {A: "running"}, [pause("ci", found_at_rest=frozenset({A}))], set()),  # pauses hand nothing on
        (NIGHTS, {A: "paused"}, [], set()),  # the rules put it back
    ],
)
def test_a_request_to_run_remembers_what_it_found_at_rest_where_no_rule_applies(
    text: str, states: dict[str, str], kept: list[Override], found: set[str]
) -> None:
    situations = [holding(*kept, text=text, name=name, state=state) for name, state in states.items()]
    plan = plan_request(asked("resume", until="Tue 14:00"), situations)
    assert plan.override is not None
    assert plan.override.found_at_rest == found


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
        ([*crowd(MOST_RUNS - 1), pause("anna", until="Tue 11:30")], asked("resume", until="Tue 14:00"), None),
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
