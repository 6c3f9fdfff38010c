"""What was read long ago is read again before anything is done."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Caller
from lifecycle.errors import Failure
from support.hub import TUESDAY_NOON, Harness, status
from support.service import ANNA, MINUTE, NIGHTS, OFFICE, act, kept, only, reconcile, stage

HELD = Override("running", TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=2), holder="ben@example.com")


def waits(on: Harness, request: str, meanwhile: object) -> None:
    """The first such request is answered 429 with 20 seconds to wait; something happens meanwhile."""

    def throttled(sent: httpx.Request) -> httpx.Response:
        meanwhile()  # type: ignore[operator]
        return status(429, **{"Retry-After": "20"})(sent)

    on.hub.script(request, throttled)


def test_a_request_made_while_the_list_waits_is_not_paused_under() -> None:
    on = stage(NIGHTS)
    waits(on, "GET /", lambda: on.override("embeddings", HELD))
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.state("embeddings-prod") == "running"


def test_a_request_made_while_a_pause_waits_is_not_paused_under() -> None:
    on = stage(NIGHTS)
    waits(on, "POST embeddings-prod/pause", lambda: on.override("embeddings", HELD))
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.actions() == ["POST embeddings-prod/pause"]


def test_what_somebody_else_paused_while_a_resume_waits_is_followed_by_the_rules_again() -> None:
    on = stage(OFFICE, "paused")
    pause = Override("paused", TUESDAY_NOON, None, holder="ben@example.com")
    waits(on, "POST embeddings-prod/resume", lambda: on.override("embeddings", pause))
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.actions() == ["POST embeddings-prod/resume"]


def test_what_somebody_else_resumed_meanwhile_is_not_resumed_again() -> None:
    on = stage(OFFICE, "paused")

    def resumed() -> None:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "initializing"

    waits(on, "GET /", resumed)
    on.hub.script("GET /embeddings-prod", *[lambda _: httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])])
    answer = act(on, "resume", ANNA)
    assert (answer.status, on.hub.actions()) == (202, [])


def test_a_manual_request_that_another_holder_overrules_meanwhile_is_refused() -> None:
    on = stage(NIGHTS, "paused")
    newer = Override("paused", TUESDAY_NOON + MINUTE, None, holder="ben@example.com")
    waits(on, "POST embeddings-prod/resume", lambda: on.override("embeddings", newer))
    answer = act(on, "resume", ANNA)
    assert (answer.status, answer.results[0].code) == (409, "held")
    assert "ben@example.com" in (answer.results[0].error or "")


def test_a_pause_does_not_wait_for_the_stored_state() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    shelf = on.shelf

    def lost() -> None:
        shelf.refuse = frozenset({"list"})

    waits(on, "POST embeddings-prod/pause", lost)
    assert only(act(on, "pause", ANNA)) == ("pause", "done", 200)
    assert kept(on) is not None


def test_a_reconcile_run_that_can_no_longer_read_the_stored_state_pauses_nothing() -> None:
    on = stage(NIGHTS)
    assert on.shelf is not None
    shelf = on.shelf

    def lost() -> None:
        shelf.refuse = frozenset({"list"})

    waits(on, "POST embeddings-prod/pause", lost)
    assert only(reconcile(on)) == ("pause", "failed", 503)
    assert on.hub.state("embeddings-prod") == "running"


def test_an_endpoint_that_the_list_does_not_show_is_asked_for_by_itself() -> None:
    on = stage(NIGHTS)
    on.hub.script("GET /", lambda _: httpx.Response(200, json={"items": [], "nextCursor": None}))
    assert only(reconcile(on)) == ("pause", "done", 200)


def dev(state: str) -> Harness:
    on = Harness("endpoints: {dev: {name: dev-*}}")
    on.hub.add("dev-a", state)
    return on


def without(on: Harness, name: str) -> None:
    """The list misses an endpoint, as where it moves between pages while they are read."""
    items = [found for key, found in on.hub.endpoints.items() if key != name]
    on.hub.script("GET /", lambda _: httpx.Response(200, json={"items": items, "nextCursor": None}))


def test_an_endpoint_of_a_pattern_that_the_list_does_not_show_is_asked_for_before_it_is_unknown() -> None:
    on = dev("paused")
    without(on, "dev-a")
    assert only(act(on, "resume", ANNA, "dev-a")) == ("resume", "done", 200)


def test_a_name_that_cannot_be_looked_up_is_not_called_unknown() -> None:
    on = dev("paused")
    without(on, "dev-a")
    on.hub.script("GET /dev-a", *[503] * 40)
    with pytest.raises(Failure) as failed:
        act(on, "resume", ANNA, "dev-a")
    assert failed.value.retryable


@pytest.mark.parametrize("answers", [[], [503] * 40])
def test_the_override_of_an_endpoint_that_the_list_does_not_show_stays(answers: list[int]) -> None:
    on = dev("running")
    on.override("dev", replace(HELD, endpoint="dev-a"))
    without(on, "dev-a")
    on.hub.script("GET /dev-a", *answers)
    reconcile(on, Caller("schedule"), "dev")
    assert on.shelf is not None
    assert [id for id in on.shelf.jobs if "-override-" in id]
