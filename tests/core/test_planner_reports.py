"""The reason of a step, and its log level."""

from datetime import timedelta
from typing import Any

import pytest

from lifecycle.core.budget import Budget, Spending
from lifecycle.core.model import BudgetRecord
from lifecycle.core.past import Past
from lifecycle.core.planner import Step, plan_step
from lifecycle.core.rules import Decision, Situation, changed_at, decide
from lifecycle.core.schedule import Holidays
from support.building import BERLIN, NIGHTS, NOON, OFFICE, at, override, situation, taken

INSIDE, OUTSIDE = (
    "inside hours Mon-Fri 08:00-20:00, until 20:00 Europe/Berlin",
    "outside hours until 22:00 Europe/Berlin",
)
REST = f"{NIGHTS}, rest: scaledToZero"


@pytest.mark.parametrize(
    ("text", "state", "more", "reason", "level"),
    [
        (OFFICE, "running", {}, INSIDE, "INFO"),
        (OFFICE, "paused", {}, INSIDE, "INFO"),
        (OFFICE, "scaledToZero", {"min_replicas": 1}, INSIDE, "INFO"),
        (OFFICE, "initializing", {}, INSIDE, "INFO"),
        (OFFICE, "updateFailed", {}, f"{INSIDE}; but its state is updateFailed", "ERROR"),
        (
            *(OFFICE, "updateFailed", {"ready_replicas": 1}),
            *(f"{INSIDE}; its last update failed, a replica still serves", "WARNING"),
        ),
        (OFFICE, "failed", {"message": "no GPU"}, f"{INSIDE}; but its state is failed: no GPU", "ERROR"),
        (OFFICE, "odd", {}, f'{INSIDE}; but the state is unknown: "odd"', "ERROR"),
        (f"{OFFICE}, start: false", "paused", {}, f"{INSIDE}; but start is false: the rules never start it", "INFO"),
        (NIGHTS, "running", {}, OUTSIDE, "INFO"),
        (REST, "running", {}, OUTSIDE, "INFO"),
        (REST, "initializing", {}, f"{OUTSIDE}; left alone while it is initializing", "WARNING"),
        (
            *(REST, "running", {"last_used_at": at("Tue 11:50")}),
            *(f"{OUTSIDE}; left alone: used at 11:50 Europe/Berlin, less than 15m ago", "WARNING"),
        ),
        (
            *(f"{NIGHTS}, enforce: false", "running", {}),
            *(
                f"{OUTSIDE}; but enforce is false, and the last change (06:00 Europe/Berlin) is more than 1h ago",
                "WARNING",
            ),
        ),
    ],
)
def test_a_step_says_why_and_how_loudly(text: str, state: str, more: dict[str, Any], reason: str, level: str) -> None:
    found = taken(situation(text, state, **more))
    assert (found.reason, found.level) == (reason, level)


def test_only_what_start_false_holds_back_is_marked_so() -> None:
    assert taken(situation(f"{OFFICE}, start: false", "paused")).start_disabled
    assert not taken(situation(OFFICE, "paused")).start_disabled


@pytest.mark.parametrize("limit", ["start: false", "enforce: false"])
def test_an_override_is_followed_past_start_and_enforce(limit: str) -> None:
    held = override("running", since="Tue 01:00")
    assert taken(situation(f"{NIGHTS}, {limit}", "paused", override=held)).action == "resume"


@pytest.mark.parametrize(("now", "action"), [("Tue 20:59", "pause"), ("Tue 21:00", "none")])
def test_with_enforce_false_the_rules_act_for_an_hour(now: str, action: str) -> None:
    assert taken(situation(f"{OFFICE}, enforce: false", "running", at(now))).action == action


def test_a_manual_start_says_what_was_requested() -> None:
    found = plan_step(Decision("running", "asked by hand", "hand"), situation("", "failed"))
    assert found == Step("resume", "done", "asked by hand")


def test_a_spent_budget_is_a_change() -> None:
    spent = Spending("embeddings", Budget(20.0, BERLIN), BudgetRecord("2026-11", 20.0, at("Tue 10:03"), 20.0))
    found = situation(f"{OFFICE}, enforce: false")
    known = Situation(found.entry, found.endpoint, found.memory, NOON, Past({"embeddings": spent}))
    assert (changed_at(found), changed_at(known)) == (at("Tue 08:00"), at("Tue 10:03"))


def test_what_protection_leaves_running_is_reported_as_such() -> None:
    assert decide(situation(f"{NIGHTS}, protected: true")).rule == "protected"


def test_holidays_between_two_days_are_those_days_too() -> None:
    first, last = at("2026-12-24T00:00").date(), at("2027-01-01T00:00").date()
    days = [first - timedelta(days=1), first, last, last + timedelta(days=1)]
    calendar = {2026: frozenset({at("2026-12-25T00:00").date()}), 2027: frozenset({at("2027-01-01T00:00").date()})}
    listed = Holidays(frozenset(days)).between(first, last)
    called = Holidays(frozenset(), (lambda year: calendar[year],)).between(first, last)
    assert listed == [first, last]
    assert called == [at("2026-12-25T00:00").date(), last]
