"""Calls: the tables in docs/design.md, row by row, with a scripted Hugging Face and Cloud Scheduler."""

from datetime import timedelta

import pytest

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Caller, Verb
from lifecycle.engine.request import UnknownName
from support.hub import TUESDAY_NOON, Harness
from support.service import (
    ANNA,
    BOUNDARY,
    FREE,
    MINUTE,
    NIGHTS,
    OFFICE,
    act,
    kept,
    only,
    reconcile,
    stage,
)

# reconcile


def test_nothing_to_do_costs_one_list_of_each() -> None:
    on = stage(OFFICE)
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.requests == ["GET /"]
    assert on.shelf is not None
    assert on.shelf.calls == ["list"]


def test_what_should_rest_is_paused() -> None:
    on = stage(NIGHTS)
    assert only(reconcile(on)) == ("pause", "done", 200)
    assert on.hub.actions() == ["POST embeddings-prod/pause"]


def test_what_should_run_is_resumed_and_warmed() -> None:
    on = stage(OFFICE, "paused")
    assert only(reconcile(on)) == ("resume", "done", 200)
    assert on.hub.actions() == ["POST embeddings-prod/resume", "OWN GET embeddings-prod/health"]


def test_without_its_stored_state_it_touches_nothing() -> None:
    on = stage(NIGHTS)
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"list"})
    assert only(reconcile(on)) == ("none", "failed", 503)
    assert on.hub.actions() == []


def test_a_name_that_hugging_face_does_not_have_is_a_final_failure() -> None:
    assert only(reconcile(Harness(OFFICE))) == ("none", "failed", 502)


def test_a_pattern_that_matches_nothing_is_no_failure() -> None:
    answer = reconcile(Harness("endpoints: {embeddings: {name: dev-*, hours: daily 00:00-24:00}}"))
    assert (list(answer.results), answer.status) == ([], 200)


def test_a_replica_that_sleeps_by_itself_is_left_asleep_in_the_hours() -> None:
    on = stage(OFFICE, "scaledToZero", min_replica=0)
    assert only(reconcile(on)) == ("none", "unchanged", 200)


def test_without_lead_the_boundarys_own_call_wakes_it() -> None:
    on = stage(OFFICE, "scaledToZero", min_replica=0)
    assert only(reconcile(on, BOUNDARY)) == ("wake", "done", 200)


def test_a_job_that_also_names_an_entry_that_is_gone_does_the_rest_and_says_so() -> None:
    on = stage(NIGHTS)
    answer = reconcile(on, Caller("schedule", job="lifecycle-hours-0600"), "gone", "embeddings")
    assert only(answer) == ("pause", "done", 200)
    assert answer.notes == ["lifecycle-hours-0600 also names gone: run `lifecycle sync`"]


def test_a_job_does_the_rest_also_where_the_other_name_cannot_be_looked_up() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, hours: daily 22:00-06:00}, dev: {name: dev-*}}")
    on.hub.script("GET /dev-old", *[500] * 40)
    assert only(reconcile(on, Caller("schedule"), "dev-old", "embeddings")) == ("pause", "done", 200)


@pytest.mark.parametrize(("caller", "names"), [(Caller("schedule"), ["gone"]), (ANNA, ["gone", "embeddings"])])
def test_who_names_only_what_is_gone_or_is_a_person_is_refused(caller: Caller, names: list[str]) -> None:
    on = stage(NIGHTS)
    with pytest.raises(UnknownName, match="gone"):
        reconcile(on, caller, *names)
    assert on.hub.state("embeddings-prod") == "running"


@pytest.mark.parametrize("names", ["embeddings", "*"])
def test_an_ended_override_is_deleted_once_the_endpoint_is_as_the_rules_want(names: str) -> None:
    on = stage(OFFICE)
    on.override("embeddings", Override("paused", TUESDAY_NOON - 2 * MINUTE, TUESDAY_NOON - MINUTE))
    reconcile(on, Caller("schedule"), names)
    assert kept(on) is None


def test_an_ended_override_stays_while_the_endpoint_is_not_as_the_rules_want() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", 403)
    on.override("embeddings", Override("running", TUESDAY_NOON - 2 * MINUTE, TUESDAY_NOON - MINUTE))
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "failed", 502)
    assert kept(on) is not None


def test_released_endpoints_follow_the_rules_again() -> None:
    on = stage(NIGHTS)
    on.override("embeddings", Override("running", TUESDAY_NOON, None, by="anna@example.com"))
    assert only(reconcile(on, ANNA, clear_override=True)) == ("pause", "done", 200)
    assert kept(on) is None


def test_a_release_is_a_change_that_enforce_false_acts_on() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, enforce: false}}", "paused")
    on.override("embeddings", Override("paused", TUESDAY_NOON - 2 * MINUTE, None, by="anna@example.com"))
    assert only(reconcile(on, ANNA, clear_override=True)) == ("resume", "done", 200)


def test_one_endpoints_failure_stays_its_own() -> None:
    on = Harness("endpoints: {embeddings: {name: dev-*, hours: daily 22:00-06:00}}")
    for name in ("dev-a", "dev-b", "dev-c"):
        on.hub.add(name, "running")
    on.hub.script("POST dev-b/pause", 403)
    answer = reconcile(on)
    assert [result.outcome for result in answer.results] == ["done", "failed", "done"]
    assert answer.status == 502


def test_unmanaged_endpoints_are_reported_and_left_alone() -> None:
    on = stage(OFFICE)
    on.hub.add("forgotten", "running")
    answer = reconcile(on, ANNA, "*")
    assert [endpoint.name for endpoint in answer.unmanaged] == ["forgotten"]
    assert on.hub.actions() == []


@pytest.mark.parametrize("name", ["<script>", "../other/x"])
def test_a_name_that_cannot_stand_in_a_path_is_unmanaged_and_never_acted_on(name: str) -> None:
    on = Harness('endpoints: {all: {name: "*", hours: daily 22:00-06:00}}')
    on.hub.add(name, "running")
    answer = reconcile(on, ANNA, "*")
    assert [endpoint.name for endpoint in answer.unmanaged] == [name]
    assert on.hub.actions() == []


def test_a_dry_run_says_what_it_would_do_and_does_nothing() -> None:
    on = stage(NIGHTS)
    assert only(reconcile(on, dry_run=True)) == ("pause", "skipped", 200)
    assert on.hub.actions() == []


def test_dry_run_in_the_settings_holds_for_everybody() -> None:
    on = stage("dry_run: true\n" + FREE)
    assert only(act(on, "pause")) == ("pause", "skipped", 200)
    assert on.hub.actions() == []


# Manual requests.


def test_resume_against_the_rules_sets_an_override_for_two_hours() -> None:
    on = stage(NIGHTS, "paused")
    assert only(act(on, "resume")) == ("resume", "done", 200)
    made = kept(on)
    assert made is not None
    assert (made.state, made.until, made.by) == ("running", TUESDAY_NOON + timedelta(hours=2), "anna@example.com")


def test_the_reason_names_end_person_and_note() -> None:
    answer = act(stage(NIGHTS, "paused"), "resume", note="load test", until=TUESDAY_NOON + timedelta(hours=9))
    assert answer.results[0].reason == "asked by hand until 22:00 Europe/Berlin by anna@example.com: load test"


def test_an_override_that_cannot_be_written_leaves_what_rests_at_rest() -> None:
    on = stage(NIGHTS, "paused")
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"put"})
    assert only(act(on, "resume")) == ("none", "failed", 503)
    assert on.hub.actions() == []


def test_pause_pauses_even_when_its_override_cannot_be_written() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"put"})
    assert only(act(on, "pause")) == ("pause", "failed", 503)
    assert on.hub.state("embeddings-prod") == "paused"


def test_without_a_reconcile_job_no_override_can_be_made() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf.jobs = {}
    assert only(act(on, "pause")) == ("pause", "failed", 503)


def test_a_new_request_replaces_the_override_before_it() -> None:
    on = stage(NIGHTS)
    on.override("embeddings", Override("running", TUESDAY_NOON, None, holder="anna@example.com"))
    act(on, "pause")
    assert kept(on) is None


def test_without_cloud_scheduler_the_action_is_done_and_the_reason_says_that_nothing_is_kept() -> None:
    on = stage(NIGHTS, "paused")
    on.shelf = None
    answer = act(on, "resume")
    assert only(answer) == ("resume", "done", 200)
    assert "SCHEDULER_PARENT is not set" in answer.results[0].reason


def test_resume_does_not_wait_for_what_is_starting() -> None:
    assert only(act(stage(FREE, "initializing"), "resume")) == ("none", "pending", 202)


def test_resume_wakes_what_is_scaled_to_zero() -> None:
    assert only(act(stage(FREE, "scaledToZero", min_replica=0), "resume")) == ("wake", "done", 200)


def test_pausing_what_is_paused_sends_nothing() -> None:
    on = stage(FREE, "paused")
    assert only(act(on, "pause")) == ("none", "unchanged", 200)
    assert on.hub.actions() == []


def test_warm_proves_that_what_runs_answers() -> None:
    on = stage(FREE)
    assert only(act(on, "warm")) == ("warm", "done", 200)
    assert on.hub.actions() == ["OWN GET embeddings-prod/health"]


def test_warm_sends_the_request_of_the_settings() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, warm: {path: /v1/x, body: {inputs: hello}}}}")
    act(on, "warm")
    assert on.hub.actions() == ["OWN POST embeddings-prod/v1/x"]


def test_a_manual_request_resumes_a_failed_endpoint_once() -> None:
    on = stage(FREE, "failed")
    on.hub.script("POST embeddings-prod/resume", 400)
    assert only(act(on, "resume")) == ("resume", "failed", 502)
    assert on.hub.actions() == ["POST embeddings-prod/resume"]


def test_scaling_is_written_by_the_call_that_starts_it() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, scaling: {max_replicas: 4}}}", "paused")
    assert only(act(on, "resume")) == ("resume", "done", 200)
    assert on.hub.actions() == ["POST embeddings-prod/resume", "PUT embeddings-prod"]


def test_scaling_that_differs_on_a_serving_endpoint_is_reported_and_not_written() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, scaling: {max_replicas: 4}}}")
    answer = reconcile(on)
    assert "max_replicas is 2, declared 4" in answer.results[0].reason
    assert on.hub.actions() == []


# from `cron:`

TIMER = Caller("schedule", job="lifecycle-cron-1")


def test_a_timer_sets_no_override() -> None:
    on = stage(FREE, "paused")
    assert only(act(on, "resume", TIMER)) == ("resume", "done", 200)
    assert kept(on) is None


@pytest.mark.parametrize(("text", "verb"), [(OFFICE, "pause"), (NIGHTS, "resume"), (NIGHTS, "warm")])
def test_a_timer_is_skipped_where_the_rules_want_otherwise(text: str, verb: Verb) -> None:
    on = stage(text, "running" if verb == "pause" else "paused")
    answer = act(on, verb, TIMER)
    assert only(answer) == ("none", "skipped", 200)
    assert "the rules want otherwise" in answer.results[0].reason
