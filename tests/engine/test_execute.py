"""Executing a step: refusals because the goal is reached, endpoints that cannot be reached, replica bounds, retries."""

from typing import Any

import httpx
import pytest

from support.hub import Harness, status
from support.service import FREE, NIGHTS, OFFICE, act, only, reconcile, stage

# Refusals that say that it is so already.


def already(words: str, code: int = 400) -> Any:
    return lambda _: httpx.Response(code, json={"error": words})


@pytest.mark.parametrize("code", [400, 409, 422])
def test_already_running_while_the_state_lags_is_pending_and_says_both(code: int) -> None:
    on = stage(FREE, "paused")
    on.hub.script("POST embeddings-prod/resume", *[already("Endpoint is already running", code)] * 9)
    answer = act(on, "resume")
    assert only(answer) == ("resume", "pending", 202)
    assert "its state is still paused" in answer.results[0].reason
    assert "already running" in answer.results[0].reason


@pytest.mark.parametrize("verb", ["warm", "reconcile"])
def test_where_it_is_waited_for_it_stays_pending(verb: Any) -> None:
    on = stage(OFFICE, "paused")
    on.hub.script("POST embeddings-prod/resume", *[already("Endpoint is already running")] * 9)
    answer = reconcile(on) if verb == "reconcile" else act(on, verb)
    assert only(answer) == ("resume", "pending", 202)


def test_a_state_that_lags_is_looked_at_again() -> None:
    on = stage(OFFICE, "paused")
    on.hub.script("POST embeddings-prod/resume", already("Endpoint is already running"))
    looks = 0

    def catches_up(_: httpx.Request) -> httpx.Response:
        nonlocal looks
        looks += 1
        if looks == 3:
            on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
        return httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])

    on.hub.script("GET /embeddings-prod", *[catches_up] * 5)
    assert only(reconcile(on)) == ("resume", "done", 200)


def test_already_paused_while_the_state_lags_is_pending() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", already("the endpoint is already paused"))
    assert only(reconcile(on)) == ("pause", "pending", 202)


def test_another_refusal_is_a_failure() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", already("Cannot pause: endpoint is initializing"))
    assert only(reconcile(on)) == ("pause", "failed", 502)


def test_a_resume_that_was_accepted_may_lag_for_half_a_minute() -> None:
    on = stage(OFFICE, "paused")
    since = 0

    def lags(_: httpx.Request) -> httpx.Response:
        nonlocal since
        since += 1
        if since == 10:  # after 5 looks, a second apart, and 4 more at growing distances
            on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
        return httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])

    on.hub.script("POST embeddings-prod/resume", lags)
    on.hub.script("GET /embeddings-prod", *[lags] * 10)
    assert only(reconcile(on)) == ("resume", "done", 200)


# What runs, but cannot be reached from here.


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused") from ConnectionRefusedError()


@pytest.mark.parametrize("kind", ["public", "authenticated", "private", None])
def test_without_a_url_running_is_done_and_said_to_be_unproved(kind: str | None) -> None:
    on = stage(OFFICE, "paused", url=None)
    on.hub.endpoints["embeddings-prod"]["type"] = kind
    answer = reconcile(on)
    assert only(answer) == ("resume", "done", 200)
    assert "not proved" in answer.results[0].reason
    assert on.seconds < 30


def test_a_url_that_refuses_connections_is_tried_three_times() -> None:
    on = stage(FREE)
    on.hub.script("OWN GET embeddings-prod/health", *[unreachable] * 9)
    answer = act(on, "warm")
    assert only(answer) == ("warm", "done", 200)
    assert "not proved" in answer.results[0].reason
    assert on.hub.actions().count("OWN GET embeddings-prod/health") == 3


def test_a_connection_that_is_refused_once_is_tried_again() -> None:
    on = stage(FREE)
    on.hub.script("OWN GET embeddings-prod/health", unreachable)
    answer = act(on, "warm")
    assert "not proved" not in answer.results[0].reason


@pytest.mark.parametrize("code", [500, 503])
def test_an_http_answer_is_judged_at_a_private_endpoint_too(code: int) -> None:
    on = stage(FREE)
    on.hub.endpoints["embeddings-prod"]["type"] = "private"
    on.hub.script("OWN GET embeddings-prod/health", *[code] * 2000)
    assert only(act(on, "warm"))[1] == "failed"


@pytest.mark.parametrize("state", ["paused", "running"])
def test_with_warm_false_running_is_enough(state: str) -> None:
    on = stage(FREE.replace("}}", ", warm: false}}"), state)
    assert only(act(on, "warm"))[1:] == ("done" if state == "paused" else "unchanged", 200)
    assert not [request for request in on.hub.requests if request.startswith("OWN")]


# Replica bounds.


def bounds(on: Harness, least: int, most: int) -> dict[str, Any]:
    scaling: dict[str, Any] = on.hub.endpoints["embeddings-prod"]["compute"]["scaling"]
    scaling.update(minReplica=least, maxReplica=most)
    return on.hub.endpoints["embeddings-prod"]


def test_a_pause_that_changes_the_bounds_is_reported_with_the_lines_that_keep_them() -> None:
    on = stage(NIGHTS)
    bounds(on, 1, 4)

    def pauses(_: httpx.Request) -> httpx.Response:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "paused"
        return httpx.Response(200, json=bounds(on, 0, 0))

    on.hub.script("POST embeddings-prod/pause", pauses)
    (result,) = reconcile(on).results
    assert "scaling: {min_replicas: 1, max_replicas: 4}" in result.reason
    assert (result.outcome, result.level) == ("done", "WARNING")


def test_one_that_comes_back_with_other_bounds_than_it_had_before_its_rest_is_reported() -> None:
    on = stage(OFFICE, "paused")
    bounds(on, 0, 0)

    def resumes(_: httpx.Request) -> httpx.Response:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
        return httpx.Response(200, json=bounds(on, 1, 1))

    on.hub.script("POST embeddings-prod/resume", resumes)
    (result,) = reconcile(on).results
    assert "1 to 1 after a pause that set them to 0 to 0" in result.reason
    assert result.level == "WARNING"


DECLARED = FREE.replace("}}", ", scaling: {max_replicas: 1}}}")


@pytest.mark.parametrize("lost", [1, 2])
def test_scaling_that_is_not_taken_over_is_written_again(lost: int) -> None:
    on = stage(DECLARED, "paused")
    on.hub.script(
        "PUT embeddings-prod", *[lambda _: httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])] * lost
    )
    assert only(act(on, "warm")) == ("resume", "done", 200)
    assert on.hub.endpoints["embeddings-prod"]["compute"]["scaling"]["maxReplica"] == 1


def test_scaling_that_is_never_taken_over_is_reported_and_not_written_for_ever() -> None:
    on = stage(DECLARED, "paused")
    on.hub.script("PUT embeddings-prod", *[lambda _: httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])] * 9)
    (result,) = act(on, "warm").results
    assert on.hub.actions().count("PUT embeddings-prod") == 3
    assert ("scaling differs" in result.reason, result.level) == (True, "WARNING")


def test_a_difference_on_a_serving_endpoint_is_a_warning() -> None:
    on = stage(OFFICE.replace("}}", ", scaling: {max_replicas: 1}}}"))
    (result,) = reconcile(on).results
    assert (result.outcome, result.level, "scaling differs" in result.reason) == ("unchanged", "WARNING", True)


def test_a_name_that_cannot_be_looked_up_is_not_said_to_be_unknown() -> None:
    on = stage(FREE)
    on.hub.script("GET /", lambda _: httpx.Response(200, json={"items": []}))
    on.hub.script("GET /embeddings-prod", *[status(500)] * 9)
    assert only(act(on, "pause")) == ("none", "failed", 503)
