"""`lifecycle sync`: the difference between the existing jobs and those that the settings ask for."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lifecycle.cli import desired_jobs as timetable
from lifecycle.cli.desired_jobs import Target
from lifecycle.cli.job_changes import Change, Difference, apply, difference
from lifecycle.config import settings
from lifecycle.errors import Failure
from lifecycle.gcp.jobs import Job, Retries
from support.hub import FakeJobs

TARGET = Target("https://functions.example/{name}", "invoker@p.iam", "lifecycle")
TEXT = b"""
namespace: acme
endpoints: {a: {hours: Mon-Fri 08:00-20:00, platform: main}, b: {}}
"""
SETTINGS = settings.parse(TEXT)
MADE = {job.id: job for job in timetable.jobs(SETTINGS, TARGET)}
HOURS = "lifecycle-hours-0800-mon-fri-utc"


def changes(*seen: Job) -> dict[str, Change]:
    return {change.job.id: change for change in difference(SETTINGS, TARGET, seen).changes}


def but(id: str, **other: Any) -> list[Job]:
    """The jobs as they are made, one of them otherwise."""
    return [replace(job, **other) if job.id == id else job for job in MADE.values()]


def test_what_is_missing_is_created() -> None:
    assert {change.verb for change in changes().values()} == {"create"}
    assert set(changes()) == set(MADE)


def test_a_second_run_changes_nothing() -> None:
    assert changes(*MADE.values()) == {}


def test_what_google_fills_in_by_itself_is_no_difference() -> None:
    filled = {"Content-Type": "application/json", "User-Agent": "Google-Cloud-Scheduler"}
    retries = Retries(0, timedelta(), timedelta(seconds=5), timedelta(hours=1), 5)
    assert changes(*but("lifecycle-reconcile", headers=filled, retries=retries)) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schedule", "1 1 * * *"),
        ("time_zone", "Europe/Rome"),
        ("body", b"{}"),
        ("account", "other@p.iam"),
        ("audience", "https://other"),
        ("deadline", timedelta(seconds=1)),
        ("retries", Retries(5)),
        ("description", "edited"),
        ("state", "PAUSED"),
        ("state", "UPDATE_FAILED"),
        ("headers", {}),
        ("method", "GET"),
    ],
)
def test_a_difference_anywhere_is_corrected_and_named(field: str, value: object) -> None:
    (change,) = changes(*but(HOURS, **{field: value})).values()
    assert (change.verb, [name for name, _ in change.differs]) == ("update", [field])


def test_a_call_to_another_function_is_corrected() -> None:
    (change,) = changes(*but(HOURS, url=TARGET.url("warm"))).values()
    assert [name for name, _ in change.differs] == ["url"]


def test_its_own_jobs_that_are_gone_are_deleted() -> None:
    gone = replace(MADE[HOURS], id="lifecycle-hours-0900-mon-fri-utc")
    assert changes(*MADE.values(), gone)[gone.id].verb == "delete"


@pytest.mark.parametrize("id", ["other-hours-0900", "lifecycle", "lifecycle-backup", "lifecycle2-reconcile"])
def test_jobs_without_the_prefixs_names_are_left_alone(id: str) -> None:
    assert changes(*MADE.values(), replace(MADE[HOURS], id=id)) == {}


def test_jobs_that_call_something_else_are_left_alone() -> None:
    assert changes(*MADE.values(), replace(MADE[HOURS], id="lifecycle-hours-x", url="https://elsewhere")) == {}


def test_a_job_of_our_name_that_is_not_ours_stands_in_the_way() -> None:
    found = difference(SETTINGS, TARGET, but(HOURS, url="https://elsewhere"))
    assert [job.id for job in found.foreign] == [HOURS]


def test_a_job_without_an_http_target_stands_in_the_way_too() -> None:
    found = difference(SETTINGS, TARGET, but(HOURS, url=""))
    assert [job.id for job in found.foreign] == [HOURS]
    assert HOURS not in {change.job.id for change in found.changes}


def test_the_slash_that_google_puts_behind_a_bare_host_is_no_difference() -> None:
    target = Target("https://{name}-1.run.app", "invoker@p.iam", "lifecycle")
    seen = [replace(job, url=f"{job.url}/") for job in timetable.jobs(SETTINGS, target)]
    assert difference(SETTINGS, target, seen) == Difference((), ())


@pytest.mark.parametrize("headers", [{"content-type": "application/json"}, {"CONTENT-TYPE": "application/json"}])
def test_headers_are_compared_without_the_case_of_their_names(headers: dict[str, str]) -> None:
    assert changes(*but(HOURS, headers=headers)) == {}


def test_no_doublings_are_a_difference() -> None:
    (change,) = changes(*but(HOURS, retries=replace(MADE[HOURS].retries, doublings=0))).values()
    assert [name for name, _ in change.differs] == ["retries"]


def test_the_stored_state_of_a_platforms_job_that_the_list_did_not_show_is_kept() -> None:
    id = "lifecycle-platform-main"
    shelf = FakeJobs({id: replace(MADE[id], body=b'{"endpoints": [], "memory": {}}')})
    asyncio.run(apply(difference(SETTINGS, TARGET, []).changes, shelf, TARGET))
    assert shelf.jobs[id].body == b'{"endpoints": [], "memory": {}}'


def test_everything_that_failed_is_reported() -> None:
    shelf = FakeJobs(refuse=frozenset({"put"}))
    with pytest.raises(Failure) as reported:
        asyncio.run(apply(difference(SETTINGS, TARGET, []).changes, shelf, TARGET))
    assert len(str(reported.value).splitlines()) == len(MADE) - 1


def test_a_platforms_stored_state_is_never_written() -> None:
    id = "lifecycle-platform-main"
    assert changes(*but(id, body=b'{"endpoints": [], "memory": {}}')) == {}
    (change,) = changes(*but(id, body=b"{}", schedule="1 1 * * *")).values()
    assert [name for name, _ in change.differs] == ["schedule"]


def test_overrides_of_entries_that_exist_are_left_alone_and_of_others_deleted() -> None:
    kept, gone = (replace(MADE[HOURS], id=f"lifecycle-override-{name}") for name in ("b", "nobody"))
    assert {id: change.verb for id, change in changes(*MADE.values(), kept, gone).items()} == {gone.id: "delete"}


@pytest.mark.parametrize(
    "id", ["lifecycle-override-b_ci-42-0a1b2c3d", "lifecycle-platform-main_0a1b2c3d", "lifecycle-override-renamed"]
)
def test_what_holders_and_messages_store_is_left_alone(id: str) -> None:
    memory = {"override": {"state": "running", "since": "2026-11-24T10:00:00Z", "until": None, "holder": "ci-42"}}
    body = json.dumps({"endpoints": ["b"], "memory": memory}).encode()
    assert changes(*MADE.values(), replace(MADE[HOURS], id=id, body=body)) == {}


@pytest.mark.parametrize("id", ["lifecycle-override-nobody_ci-42-0a1b2c3d", "lifecycle-platform-other_0a1b2c3d"])
def test_what_is_stored_for_what_is_gone_is_deleted(id: str) -> None:
    assert changes(*MADE.values(), replace(MADE[HOURS], id=id))[id].verb == "delete"


def test_reconcile_comes_last_because_its_description_says_that_all_is_made() -> None:
    assert difference(SETTINGS, TARGET, []).changes[-1].job.id == "lifecycle-reconcile"


def test_making_the_difference_leaves_none() -> None:
    shelf = FakeJobs({"lifecycle-hours-old": replace(MADE[HOURS], id="lifecycle-hours-old")})
    asyncio.run(apply(difference(SETTINGS, TARGET, shelf.jobs.values()).changes, shelf, TARGET))
    assert difference(SETTINGS, TARGET, shelf.jobs.values()).changes == ()


def test_interrupted_half_way_the_next_run_completes_it() -> None:
    shelf = FakeJobs(refuse=frozenset({"put"}))
    with pytest.raises(Failure):
        asyncio.run(apply(difference(SETTINGS, TARGET, []).changes, shelf, TARGET))
    assert "lifecycle-reconcile" not in shelf.jobs
    shelf.refuse = frozenset()
    asyncio.run(apply(difference(SETTINGS, TARGET, shelf.jobs.values()).changes, shelf, TARGET))
    assert set(shelf.jobs) == set(MADE)
