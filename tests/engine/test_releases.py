"""Requests that end: what is put back to rest, what failed, and releases."""

from lifecycle.engine.dependencies import Caller
from support.holders import ANNA, BEN, HOUR, hold, later, several, stored
from support.hub import TUESDAY_NOON
from support.service import FREE, MINUTE, NIGHTS, act, only, reconcile, stage

# Ends.


def test_the_end_of_the_last_request_to_run_stops_what_it_found_stopped() -> None:
    on = stage(FREE, "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    assert on.hub.state("embeddings-prod") == "running"
    later(on, 16 * MINUTE)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "done", 200)
    assert stored(on) == {}


def test_a_protected_endpoint_that_a_rule_would_stop_is_stopped_by_the_end_of_the_request_that_started_it() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, hours: Mon 01:00-02:00, protected: true}}", "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    later(on, 16 * MINUTE)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "done", 200)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("none", "unchanged", 200)


def test_who_resumes_what_anothers_ended_request_would_stop_has_it_for_two_hours() -> None:
    on = stage(FREE, "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    later(on, 16 * MINUTE)
    act(on, "resume", BEN)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("none", "unchanged", 200)
    later(on, 121 * MINUTE)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "done", 200)


def test_what_ran_before_runs_on_when_the_request_ends() -> None:
    on = stage(FREE, "running")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    later(on, 16 * MINUTE)
    assert only(reconcile(on)) == ("none", "unchanged", 200)


def test_an_overlapping_request_inherits_that_it_was_found_stopped() -> None:
    on = stage(FREE, "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    later(on, 5 * MINUTE)
    act(on, "resume", ANNA, holder="run-2", **{"for": "30m"})
    later(on, 11 * MINUTE)
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    later(on, 20 * MINUTE)
    assert only(reconcile(on)) == ("pause", "done", 200)


def test_only_the_endpoints_that_were_found_stopped_are_stopped_again() -> None:
    on = several(state="running")
    on.hub.endpoints["dev-a"]["status"]["state"] = "paused"
    act(on, "resume", ANNA, "dev", **{"for": "15m"})
    later(on, 16 * MINUTE)
    reconcile(on, Caller("schedule"), "dev")
    assert (on.hub.state("dev-a"), on.hub.state("dev-b")) == ("paused", "running")


def test_its_job_stays_until_the_endpoint_is_stopped() -> None:
    on = stage(FREE, "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    later(on, 16 * MINUTE)
    on.hub.script("POST embeddings-prod/pause", 403)
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "failed", 502)
    assert set(stored(on)) == {("run-1", None)}
    assert only(reconcile(on, Caller("schedule"), "*")) == ("pause", "done", 200)
    assert stored(on) == {}


def test_a_release_stops_it_at_once() -> None:
    on = stage(FREE, "paused")
    act(on, "resume", ANNA, holder="run-1", **{"for": "15m"})
    assert only(reconcile(on, ANNA, clear_override=True, holder="run-1")) == ("pause", "done", 200)
    assert stored(on) == {}


# Requests that failed.


def test_a_request_with_a_final_failure_is_deleted_again() -> None:
    on = stage(NIGHTS, "paused")
    on.hub.script("POST embeddings-prod/resume", 403)
    answer = act(on, "resume", ANNA)
    assert (only(answer), stored(on)) == (("resume", "failed", 502), {})
    assert answer.results[0].overrides == ()


def test_a_request_with_a_retryable_failure_stays() -> None:
    on = stage(NIGHTS, "paused")
    on.hub.script("POST embeddings-prod/resume", *[503] * 20)
    assert act(on, "resume", ANNA).status == 503
    assert set(stored(on)) == {("anna@example.com", None)}


def test_one_endpoint_that_could_be_started_keeps_the_request() -> None:
    on = several()
    on.hub.script("POST dev-a/resume", 403)
    act(on, "resume", ANNA, "dev", **{"for": "1h"})
    assert set(stored(on)) == {("anna@example.com", None)}


# Release.


def test_a_release_ends_the_callers_own_and_names_what_others_hold() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="anna@example.com", until=TUESDAY_NOON + 5 * HOUR)
    hold(on, "running", holder="ci-42")
    (result,) = reconcile(on, ANNA, clear_override=True, holder="ci-42").results
    assert (result.action, result.outcome, result.after) == ("none", "unchanged", "running")
    assert "other overrides remain: asked by hand until 18:00 Europe/Berlin by anna@example.com" in result.reason
    assert set(stored(on)) == {("anna@example.com", None)}


def test_everybodys_can_be_released() -> None:
    on = stage(NIGHTS)
    for holder in (None, "anna@example.com", "ci-42"):
        hold(on, "running", holder=holder)
    assert only(reconcile(on, BEN, clear_override=True, holders="all")) == ("pause", "done", 200)
    assert stored(on) == {}


def test_an_entrys_release_ends_those_for_its_single_endpoints_too() -> None:
    on = several(state="running")
    hold(on, "running", "dev", holder="anna@example.com", endpoint="dev-a")
    hold(on, "running", "dev", holder="anna@example.com")
    reconcile(on, ANNA, "dev", clear_override=True)
    assert stored(on) == {}


def test_an_endpoints_release_ends_those_for_it_alone() -> None:
    on = several(state="running")
    for endpoint in ("dev-a", "dev-b", None):
        hold(on, "running", "dev", holder="anna@example.com", endpoint=endpoint)
    reconcile(on, ANNA, "dev-a", clear_override=True)
    assert set(stored(on)) == {("anna@example.com", "dev-b"), ("anna@example.com", None)}


def test_a_release_that_failed_can_be_repeated() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, enforce: false}}", "paused")
    hold(on, "paused", holder="anna@example.com", until=None, since=TUESDAY_NOON - 3 * HOUR)
    on.hub.script("POST embeddings-prod/resume", 403)
    assert only(reconcile(on, ANNA, clear_override=True)) == ("resume", "failed", 502)
    assert set(stored(on)) == {("anna@example.com", None)}
    later(on, 3 * HOUR)
    assert only(reconcile(on, ANNA, clear_override=True)) == ("resume", "done", 200)
    assert stored(on) == {}


def test_a_dry_release_deletes_nothing() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="anna@example.com")
    assert only(reconcile(on, ANNA, clear_override=True, dry_run=True)) == ("pause", "skipped", 200)
    assert set(stored(on)) == {("anna@example.com", None)}


def test_without_a_scheduler_a_release_says_that_there_are_no_overrides() -> None:
    on = stage(NIGHTS, "running")
    on.shelf = None
    (result,) = reconcile(on, ANNA, clear_override=True).results
    assert result.reason.endswith("there are no overrides: SCHEDULER_PARENT is not set")
