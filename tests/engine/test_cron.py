"""Scheduled actions: the answers to Cloud Scheduler, and which endpoints they skip."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lifecycle.engine.dependencies import Caller
from support.hub import TUESDAY_NOON
from support.service import FREE, NIGHTS, act, only, stage

TICK = Caller("schedule", job="lifecycle-cron-pause", scheduled_at=TUESDAY_NOON)


def test_a_scheduled_action_with_a_final_failure_is_not_sent_again_but_its_result_says_so() -> None:
    on = stage(FREE)
    on.hub.script("POST embeddings-prod/pause", 403)
    assert only(act(on, "pause", TICK)) == ("pause", "failed", 200)


def test_one_with_a_retryable_failure_is_sent_again() -> None:
    on = stage(FREE)
    on.hub.script("POST embeddings-prod/pause", *[500] * 5)
    assert only(act(on, "pause", TICK)) == ("pause", "failed", 503)


def test_without_the_stored_state_nothing_is_done() -> None:
    on = stage(FREE)
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"list"})
    assert only(act(on, "pause", TICK)) == ("none", "failed", 503)
    assert on.hub.actions() == []


def test_it_stores_no_override() -> None:
    on = stage(FREE)
    act(on, "pause", TICK)
    assert on.shelf is not None
    assert on.shelf.calls == ["list"]


@pytest.mark.parametrize(("updated", "outcome"), [(-1, "done"), (1, "skipped")])
def test_a_late_pause_leaves_what_was_changed_since_its_time(updated: int, outcome: str) -> None:
    tick = replace(TICK, scheduled_at=TUESDAY_NOON - timedelta(minutes=10))
    when = TUESDAY_NOON - timedelta(minutes=10) + timedelta(minutes=updated)
    on = stage(FREE, updatedAt=when.isoformat())
    assert only(act(on, "pause", tick))[1:] == (outcome, 200)


def test_a_scheduled_warm_that_is_skipped_sends_no_request_either() -> None:
    """A request would count as use, and keep it from scaling to zero."""
    on = stage(NIGHTS)
    assert only(act(on, "warm", TICK)) == ("none", "skipped", 200)
    assert on.hub.actions() == []
