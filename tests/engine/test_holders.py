"""Several people and CI jobs share endpoints: whose request decides, what is refused, and what its end changes."""

from typing import Any

import pytest

from lifecycle.engine.dependencies import Caller
from lifecycle.gcp.jobs import override_id
from support.holders import ANNA, BEN, HOUR, NOBODY, hold, later, several, stored
from support.hub import TUESDAY_NOON, Harness
from support.service import MINUTE, NIGHTS, OFFICE, act, only, reconcile, stage

# Whose job it is.


def test_each_holder_has_an_override_of_its_own() -> None:
    on = stage(NIGHTS, "paused")
    act(on, "resume", ANNA)
    act(on, "resume", ANNA, holder="ci-42")
    act(on, "resume", NOBODY)
    assert set(stored(on)) == {("anna@example.com", None), ("ci-42", None), (None, None)}


def test_nobodys_override_for_an_entry_keeps_its_name_and_the_others_say_whose_they_are() -> None:
    assert override_id("lifecycle", "a") == "lifecycle-override-a"
    assert override_id("lifecycle", "a", "ci-42") == "lifecycle-override-a_ci-42-388799b4"
    assert override_id("lifecycle", "a", "\ud800") != override_id(
        "lifecycle", "a", "\ud801"
    )  # out of a job made manually
    assert override_id("lifecycle", "a", None, "dev-a") != override_id("lifecycle", "a", "dev-a", None)


def test_who_asks_is_noted_beside_the_holder() -> None:
    on = stage(NIGHTS, "paused")
    (result,) = act(on, "resume", ANNA, holder="ci-42").results
    assert result.override is not None
    assert (result.override.holder, result.override.by) == ("ci-42", "anna@example.com")


# What decides.


def test_it_runs_until_the_last_request_to_run_ends() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="anna@example.com", until=TUESDAY_NOON + 5 * HOUR)
    hold(on, "running", holder="ci-42", until=TUESDAY_NOON + HOUR)
    later(on, 2 * HOUR)
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    later(on, 4 * HOUR)
    assert only(reconcile(on)) == ("pause", "done", 200)


def test_the_reason_names_every_holder_and_their_ends() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="a@example.com", until=TUESDAY_NOON + 4 * HOUR)
    hold(on, "running", holder="ci-42", until=TUESDAY_NOON + HOUR / 2, since=TUESDAY_NOON - MINUTE)
    (result,) = reconcile(on).results
    assert result.reason == "held by a@example.com until 17:00 and ci-42 until 13:30 Europe/Berlin"


def test_a_newer_pause_stops_what_others_hold_and_names_them() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="anna@example.com")
    hold(on, "running", holder="ci-42")
    (result,) = act(on, "pause", BEN).results
    assert (result.action, result.outcome) == ("pause", "done")
    assert "anna@example.com" in result.reason
    assert "ci-42" in result.reason
    assert only(reconcile(on)) == ("none", "unchanged", 200)


def test_a_pause_beats_a_newer_request_to_run_that_is_not_forced() -> None:
    on = stage(OFFICE)
    hold(on, "paused", holder="ben@example.com", since=TUESDAY_NOON - 2 * HOUR)
    hold(on, "running", holder="ci-42", since=TUESDAY_NOON - HOUR)
    assert only(reconcile(on)) == ("pause", "done", 200)


def test_of_a_pause_and_a_forced_request_of_the_same_instant_the_pause_decides() -> None:
    on = stage(OFFICE)
    hold(on, "paused", holder="ben@example.com")
    hold(on, "running", holder="ci-42", force=True)
    assert only(reconcile(on)) == ("pause", "done", 200)


def test_when_a_forced_request_ends_the_older_pause_holds_again() -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused", holder="ben@example.com", until=None)
    assert only(act(on, "resume", ANNA, force=True, **{"for": "1h"})) == ("resume", "done", 200)
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    later(on, HOUR + MINUTE)
    assert only(reconcile(on)) == ("pause", "done", 200)


# Refusals.


@pytest.mark.parametrize("verb", ["resume", "warm"])
def test_a_request_to_run_against_anothers_pause_is_refused_and_says_who_and_until_when(verb: Any) -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused", holder="ben@example.com", note="moving", until=TUESDAY_NOON + 5 * HOUR)
    answer = act(on, verb, ANNA)
    assert (answer.status, answer.results[0].code, answer.results[0].outcome) == (409, "held", "failed")
    assert "until 18:00 Europe/Berlin by ben@example.com: moving" in (answer.results[0].error or "")
    assert (on.hub.actions(), set(stored(on))) == ([], {("ben@example.com", None)})


def test_force_overrules_a_pause_and_deletes_nothing() -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused", holder="ben@example.com")
    assert only(act(on, "resume", ANNA, force=True)) == ("resume", "done", 200)
    assert set(stored(on)) == {("ben@example.com", None), ("anna@example.com", None)}


def test_force_overrules_a_pause_that_was_made_by_an_instance_whose_clock_is_ahead() -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused", holder="ben@example.com", since=TUESDAY_NOON + 5 * MINUTE)
    assert only(act(on, "resume", ANNA, force=True)) == ("resume", "done", 200)
    assert only(reconcile(on)) == ("none", "unchanged", 200)


def test_a_pause_over_a_forced_request_of_an_instance_whose_clock_is_ahead_holds() -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="ben@example.com", since=TUESDAY_NOON + 5 * MINUTE, force=True)
    assert only(act(on, "pause", ANNA, **{"for": "30m"})) == ("pause", "done", 200)
    assert only(reconcile(on)) == ("none", "unchanged", 200)


def test_nobodys_pause_may_be_ended_by_anyone() -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused")
    assert only(act(on, "resume", ANNA)) == ("resume", "done", 200)
    assert stored(on) == {}


def test_a_holders_own_resume_ends_its_own_pause() -> None:
    on = stage(OFFICE, "paused")
    hold(on, "paused", holder="anna@example.com", until=None)
    assert only(act(on, "resume", ANNA)) == ("resume", "done", 200)
    assert stored(on) == {}


def test_a_pause_until_released_is_ended_by_its_holders_resume_for_a_while() -> None:
    on = stage(NIGHTS, "paused")
    hold(on, "paused", holder="anna@example.com", until=None)
    act(on, "resume", ANNA, **{"for": "1h"})
    assert stored(on) == {("anna@example.com", None): "running"}


def test_the_rows_of_others_are_done_when_one_is_refused() -> None:
    on = Harness("endpoints: {a: {}, b: {}}")
    on.hub.add("a", "paused")
    on.hub.add("b", "paused")
    hold(on, "paused", "a", holder="ben@example.com")
    answer = act(on, "resume", ANNA, "a", "b")
    assert [(result.name, result.outcome) for result in answer.results] == [("a", "failed"), ("b", "done")]
    assert answer.status == 409


def test_of_one_entry_with_several_endpoints_any_refused_all_are() -> None:
    on = several()
    hold(on, "paused", "dev", holder="ben@example.com", endpoint="dev-b")
    answer = act(on, "resume", ANNA, "dev")
    assert [result.code for result in answer.results] == ["held", "held"]
    assert on.hub.actions() == []


def test_at_most_twenty_requests_to_run_hold_an_entry() -> None:
    on = stage(NIGHTS)
    for number in range(20):
        hold(on, "running", holder=f"ci-{number}")
    answer = act(on, "resume", ANNA, holder="ci-20")
    assert (answer.status, answer.results[0].code) == (409, "too_many")
    assert len(stored(on)) == 20


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("resume", {"holder": "ci-3", "for": "3h"}),
        ("resume", {"holder": "ci-20", "force": True}),
        ("pause", {"holder": "ci-20"}),
    ],
)
def test_renewals_force_and_pauses_are_not_refused_for_their_number(verb: Any, asked: dict[str, Any]) -> None:
    on = stage(NIGHTS)
    for number in range(20):
        hold(on, "running", holder=f"ci-{number}")
    assert act(on, verb, ANNA, **asked).status == 200


# Renewals.


@pytest.mark.parametrize(("minutes", "writes"), [(54, 0), (53, 1)])
def test_a_request_that_lasts_nine_tenths_of_what_is_asked_is_not_written_again(minutes: int, writes: int) -> None:
    on = stage(NIGHTS)
    hold(on, "running", holder="ci-42", until=TUESDAY_NOON + minutes * MINUTE)
    assert on.shelf is not None
    act(on, "resume", ANNA, holder="ci-42", **{"for": "1h"})
    assert len([call for call in on.shelf.calls if call.startswith("put")]) == writes


def test_a_pause_is_never_kept_for_longer_than_asked() -> None:
    on = stage(OFFICE)
    hold(on, "paused", holder="anna@example.com", until=None)
    (result,) = act(on, "pause", ANNA, **{"for": "1h"}).results
    assert result.override is not None
    assert result.override.until == TUESDAY_NOON + HOUR


# One endpoint of an entry.


def test_one_endpoint_of_a_pattern_can_be_meant_by_its_name() -> None:
    on = several("hours: daily 22:00-06:00")
    answer = act(on, "resume", ANNA, "dev-a")
    assert [(result.endpoint, result.name, result.outcome) for result in answer.results] == [("dev", "dev-a", "done")]
    assert stored(on) == {("anna@example.com", "dev-a"): "running"}
    assert [result.after for result in reconcile(on, Caller("schedule"), "dev").results] == ["running", "paused"]


def test_an_exact_entrys_name_at_hugging_face_means_the_entry() -> None:
    on = stage(NIGHTS, "paused")
    act(on, "resume", ANNA, "embeddings-prod")
    assert stored(on) == {("anna@example.com", None): "running"}


def test_an_entry_together_with_its_endpoint_means_the_entry() -> None:
    on = several()
    assert len(act(on, "resume", ANNA, "dev", "dev-a").results) == 2


def test_one_endpoint_runs_while_its_siblings_stay_paused() -> None:
    on = several()
    hold(on, "paused", "dev", until=None)
    act(on, "resume", ANNA, "dev-a", **{"for": "1h"})
    reconcile(on, Caller("schedule"), "dev")
    assert (on.hub.state("dev-a"), on.hub.state("dev-b")) == ("running", "paused")


def test_an_override_of_an_endpoint_that_is_no_longer_covered_is_deleted() -> None:
    on = several()
    hold(on, "running", "dev", endpoint="dev-z")
    reconcile(on, Caller("schedule"), "*")
    assert stored(on) == {}


# Protected.


def test_a_protected_endpoint_is_paused_by_name_only_with_force() -> None:
    on = stage("endpoints: {embeddings: {name: embeddings-prod, protected: true}}")
    answer = act(on, "pause", ANNA)
    assert (answer.status, answer.results[0].code) == (409, "protected")
    assert only(act(on, "pause", ANNA, force=True)) == ("pause", "done", 200)


@pytest.mark.parametrize("names", [["*"], ["dev"]])
def test_a_pause_of_all_or_of_a_pattern_leaves_out_what_is_protected(names: list[str]) -> None:
    on = several("protected: true", state="running")
    answer = act(on, "pause", ANNA, *names)
    assert ([result.outcome for result in answer.results], answer.status) == (["skipped", "skipped"], 200)
    assert on.hub.actions() == []


def test_a_pause_of_all_with_force_leaves_it_out_too() -> None:
    on = several("protected: true", state="running")
    answer = act(on, "pause", ANNA, "*", force=True)
    assert ([result.outcome for result in answer.results], answer.status) == (["skipped", "skipped"], 200)
    assert on.hub.actions() == []


def test_one_endpoint_of_a_protected_pattern_by_its_name_is_refused() -> None:
    on = several("protected: true", state="running")
    assert act(on, "pause", ANNA, "dev-a").status == 409
