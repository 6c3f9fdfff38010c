"""The jobs of budgets: when they fire, and that `sync` never rewrites their body, which stores the budget's state."""

import json
from dataclasses import replace

import pytest

from lifecycle.cli import desired_jobs
from lifecycle.cli.desired_jobs import Target
from lifecycle.cli.job_changes import difference
from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord
from lifecycle.gcp.job_state import budget_body, budget_in
from lifecycle.gcp.jobs import Job
from support.building import NOON, read

TARGET = Target("https://functions.example/{name}", "invoker@p.iam", "lifecycle")
SETTINGS = read("budget: {dollars: 900}\nendpoints: {a: {budget: {dollars: 20}, time_zone: Asia/Tokyo}, b: {}}")
ENTRY, ALL = "lifecycle-budget_a", "lifecycle-budget"


def jobs(settings: Settings = SETTINGS) -> dict[str, Job]:
    return {job.id: job for job in desired_jobs.jobs(settings, TARGET)}


def test_each_budget_has_one_that_fires_when_its_month_begins() -> None:
    made = [(job.id, job.schedule, job.time_zone, job.body) for job in jobs().values() if "budget" in job.id]
    assert made == [
        (ALL, "0 0 1 * *", "Europe/Berlin", b'{"endpoints": ["*"]}'),
        (ENTRY, "0 0 1 * *", "Asia/Tokyo", b'{"endpoints": ["a"]}'),
    ]


def test_sync_never_rewrites_what_is_stored_of_a_budget() -> None:
    seen = jobs()
    for id, key in ((ENTRY, "a"), (ALL, "")):
        seen[id] = replace(
            seen[id], body=budget_body(key, BudgetRecord("2026-11", 20.0, NOON, 20.5)), schedule="1 1 1 * *"
        )
    found = difference(SETTINGS, TARGET, seen.values()).changes
    assert {change.job.id: [name for name, _ in change.differs] for change in found} == {
        ENTRY: ["schedule"], ALL: ["schedule"]
    }  # fmt: skip


def test_a_budget_that_is_gone_has_no_job() -> None:
    found = difference(read("endpoints: {a: {}, b: {}}"), TARGET, jobs().values()).changes
    assert {change.job.id for change in found if change.verb == "delete"} == {ENTRY, ALL}


def test_what_is_stored_is_read_again() -> None:
    for record in (
        BudgetRecord("2026-11", 20.0, NOON, 20.5, "2026-11-24"),
        BudgetRecord("2026-11", 20.0),
    ):
        assert budget_in(replace(jobs()[ENTRY], body=budget_body("a", record))) == record
    assert budget_in(jobs()[ENTRY]) is None


@pytest.mark.parametrize("dollars", [None, "20", [], -1, 10**400, float("nan"), float("inf")])
def test_a_record_without_its_dollars_is_none(dollars: object) -> None:
    stored = {"endpoints": ["a"], "memory": {"budget": {"month": "2026-11", "dollars": dollars}}}
    assert budget_in(replace(jobs()[ENTRY], body=json.dumps(stored).encode())) is None
