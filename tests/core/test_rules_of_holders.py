"""What the rules decide where several hold an endpoint, and after their requests have ended."""

from dataclasses import replace

import pytest

from lifecycle.core.model import Override
from lifecycle.core.rules import decide
from support.building import NIGHTS, OFFICE, at
from support.situations import A, B, holding, pause, run

EVERY = frozenset({"*"})


@pytest.mark.parametrize(
    ("held", "wanted", "until"),
    [
        ([run("anna", until="Tue 13:00")], "running", "Tue 13:00"),
        ([run("anna", until="Tue 17:00"), run("ci", until="Tue 13:00")], "running", "Tue 13:00"),
        ([run("anna", until=None), run("ci", until="Tue 13:00")], "running", "Tue 13:00"),
        ([run("anna", until=None)], "running", None),
        ([run("anna", until="Tue 13:00"), pause("boss", until="Tue 15:00")], "paused", "Tue 15:00"),
        ([run("anna", until="Tue 13:00"), pause("boss", until="Tue 11:30")], "running", "Tue 13:00"),
        ([run("anna", "Tue 11:30", "Tue 13:00", force=True), pause("boss")], "running", "Tue 13:00"),
        ([run("anna", "Tue 10:30", "Tue 13:00", force=True), pause("boss")], "paused", "Tue 22:00"),
    ],
)
def test_the_desired_state_may_change_when_the_first_of_what_decides_ends(
    held: list[Override], wanted: str, until: str | None
) -> None:
    found = decide(holding(*held, text=NIGHTS))
    assert (found.wanted, found.rule, found.until) == (wanted, "override", at(until) if until else None)


def test_those_who_hold_it_running_are_named_and_nobody_else() -> None:
    held = [run("anna", until="Tue 13:00"), run("ci", until="Tue 17:00")]
    found = decide(holding(*held, pause("boss", "Tue 10:00", "Tue 11:30"), text=NIGHTS))
    assert found.reason == "held by anna until 13:00 and ci until 17:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("ended", "wanted"),
    [
        ([run("ci", until="Tue 11:30", found_at_rest=EVERY)], "paused"),
        ([run("ci", until="Tue 11:30", found_at_rest=frozenset({A}))], "paused"),
        ([run("ci", until="Tue 11:30", found_at_rest=frozenset({B}))], "any"),
        ([run("ci", until="Tue 11:30")], "any"),
        ([pause("ci", until="Tue 11:30", found_at_rest=EVERY)], "any"),
        ([run("ci", until="Tue 11:30", found_at_rest=EVERY), run("anna")], "running"),  # another still holds it
    ],
)
def test_after_the_last_request_to_run_it_rests_again_where_it_was_found_at_rest(
    ended: list[Override], wanted: str
) -> None:
    assert decide(holding(*ended, name=A)).wanted == wanted


def test_the_reason_names_the_end_of_the_last_of_them() -> None:
    ended = [run(who, until=until, found_at_rest=EVERY) for who, until in (("ci", "Tue 11:30"), ("anna", "Tue 11:10"))]
    found = decide(holding(*ended, run("late", until="Tue 11:50")))
    assert (found.rule, found.reason) == (
        "override",
        "the last manual request to run ended at 11:30 Europe/Berlin; the endpoint was stopped before it",
    )


def test_it_rests_as_its_entry_says() -> None:
    ended = run("ci", until="Tue 11:30", found_at_rest=EVERY)
    assert decide(holding(ended, text="rest: scaledToZero")).wanted == "scaledToZero"


def test_where_a_rule_applies_it_decides_after_the_last_request() -> None:
    ended = run("ci", until="Tue 11:30", found_at_rest=EVERY)
    assert decide(holding(ended, text=OFFICE)).wanted == "running"


def test_an_endpoint_that_was_not_observed_was_not_found_at_rest() -> None:
    ended = run("ci", until="Tue 11:30", found_at_rest=EVERY)
    assert decide(replace(holding(ended), endpoint=None)).wanted == "any"
