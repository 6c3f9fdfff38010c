"""Messages of platforms are stored and followed."""

from datetime import timedelta

import pytest

from lifecycle.core.model import Message, PlatformState
from support.hub import TUESDAY_NOON
from support.service import (
    FOLLOWER,
    FREE,
    MINUTE,
    act,
    only,
    reported,
    stage,
)

# platform_event


def test_a_message_is_stored_and_followed() -> None:
    on = stage(FOLLOWER)
    assert only(reported(on, "stopped")) == ("pause", "done", 200)
    assert on.shelf is not None
    assert b'"state": "stopped"' in on.shelf.jobs["lifecycle-platform-main"].body


def test_an_older_message_changes_nothing() -> None:
    on = stage(FOLLOWER)
    on.platform_state("main", PlatformState("started", TUESDAY_NOON))
    answer = reported(on, "stopped", TUESDAY_NOON - MINUTE)
    assert (list(answer.results), answer.status, on.hub.actions()) == ([], 200, [])


def test_the_same_message_is_applied_again() -> None:
    on = stage(FOLLOWER)
    on.platform_state("main", PlatformState("stopped", TUESDAY_NOON))
    assert only(reported(on, "stopped")) == ("pause", "done", 200)


def test_a_message_from_the_future_counts_as_sent_now() -> None:
    on = stage(FOLLOWER)
    reported(on, "stopped", TUESDAY_NOON + timedelta(days=1))
    assert on.shelf is not None
    assert b"2026-11-24T12:00:00Z" in on.shelf.jobs["lifecycle-platform-main"].body


def test_of_messages_from_a_clock_that_is_ahead_an_older_one_that_comes_later_changes_nothing() -> None:
    on = stage(FOLLOWER)
    reported(on, "stopped", TUESDAY_NOON + 5 * MINUTE)
    on.now += MINUTE
    assert reported(on, "started", TUESDAY_NOON + 4 * MINUTE).results == []
    assert on.hub.state("embeddings-prod") == "paused"


@pytest.mark.parametrize("ahead", [5 * MINUTE, timedelta(days=9000)])
def test_a_message_from_the_future_holds_up_no_later_one(ahead: timedelta) -> None:
    on = stage(FOLLOWER)
    reported(on, "stopped", TUESDAY_NOON + ahead)
    on.now += MINUTE
    assert only(reported(on, "started", on.now)) == ("resume", "done", 200)


def test_what_is_starting_is_left_to_the_platforms_job() -> None:
    on = stage(FOLLOWER, "initializing")
    assert only(reported(on, "started")) == ("none", "pending", 200)
    assert on.shelf is not None
    assert "run lifecycle-platform-main" in on.shelf.calls


def test_a_followers_failure_is_still_a_200_because_reconcile_finishes_it() -> None:
    on = stage(FOLLOWER)
    on.hub.script("POST embeddings-prod/pause", 403)
    assert only(reported(on, "stopped")) == ("pause", "failed", 200)


def test_a_platforms_next_start_ends_a_pause_by_hand() -> None:
    on = stage(FOLLOWER)
    on.platform_state("main", PlatformState("started", TUESDAY_NOON - 9 * MINUTE))
    act(on, "pause")
    reported(on, "stopped")
    on.now += MINUTE
    reported(on, "started", on.now)
    assert on.hub.state("embeddings-prod") == "running"


def test_a_pause_that_a_start_ended_stays_ended_when_the_platform_stops_again() -> None:
    on = stage(FOLLOWER)
    on.platform_state("main", PlatformState("started", TUESDAY_NOON - 9 * MINUTE))
    act(on, "pause")
    for event in ("stopped", "started", "stopped", "stopped"):
        on.now += MINUTE
        answer = reported(on, event, on.now)
    assert answer.results[0].overrides == ()


def test_a_renewed_start_does_not_end_a_pause_by_hand() -> None:
    on = stage(FOLLOWER)
    on.platform_state("main", PlatformState("started", TUESDAY_NOON - 9 * MINUTE))
    act(on, "pause")
    on.now += MINUTE
    reported(on, "started", on.now)
    assert on.hub.state("embeddings-prod") == "paused"


def test_a_platform_that_nobody_follows_is_warned_of() -> None:
    answer = stage(FREE).run(lambda service: service.platform_event(Message("nobody", "stopped", TUESDAY_NOON)))
    assert (answer.status, list(answer.notes)) == (200, ["no entry follows the platform 'nobody'"])
