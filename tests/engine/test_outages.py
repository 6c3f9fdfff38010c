"""Failures in a call: what is retried, what is reported, and what stays unchanged."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Verb
from lifecycle.engine.service import Answer, Service
from support.hub import TUESDAY_NOON, Harness, breaks, hangs, status
from support.service import ANNA, FREE, MINUTE, NIGHTS, OFFICE, act, body, kept, only, reconcile, stage

HOUR = timedelta(hours=1)

# failures


def test_a_broken_connection_is_followed_by_a_look_before_anything_is_repeated() -> None:
    on = stage(NIGHTS)
    pause = on.hub

    def takes_effect(request: Any) -> Any:
        pause.endpoints["embeddings-prod"]["status"]["state"] = "paused"
        return breaks(request)

    on.hub.script("POST embeddings-prod/pause", takes_effect)
    assert only(reconcile(on)) == ("pause", "done", 200)
    assert on.hub.actions() == ["POST embeddings-prod/pause"]


def test_already_running_is_as_good_as_resumed() -> None:
    on = stage(OFFICE, "paused")

    def already(request: Any) -> Any:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
        return status(400)(request)

    on.hub.script("POST embeddings-prod/resume", already)
    assert only(reconcile(on)) == ("resume", "done", 200)


def test_403_is_never_retried() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", 403)
    assert only(reconcile(on)) == ("pause", "failed", 502)
    assert on.hub.actions() == ["POST embeddings-prod/pause"]


def test_a_token_refused_twice_is_final() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", 401, 401)
    assert only(reconcile(on)) == ("pause", "failed", 502)


@pytest.mark.parametrize("verb", ["resume", "warm"])
def test_a_request_that_must_wait_for_half_a_minute_waits_and_still_reads_what_is_stored(verb: Verb) -> None:
    on = stage(FREE, "paused")
    on.hub.script("POST embeddings-prod/resume", status(429, **{"Retry-After": "30"}))
    assert only(act(on, verb, until=TUESDAY_NOON + HOUR)) == ("resume", "done", 200)


@pytest.mark.parametrize("verb", ["resume", "warm"])
def test_a_list_that_must_wait_for_half_a_minute_leaves_time_to_store_the_request(verb: Verb) -> None:
    on = stage(FREE, "paused")
    on.hub.script("GET /", status(429, **{"Retry-After": "30"}))
    assert only(act(on, verb, until=TUESDAY_NOON + HOUR)) == ("resume", "done", 200)
    assert kept(on) is not None


def test_an_override_whose_action_failed_for_good_after_half_a_minute_is_deleted_again() -> None:
    on = stage(FREE, "paused")
    on.hub.script("POST embeddings-prod/resume", status(429, **{"Retry-After": "30"}), 403)
    assert only(act(on, "warm", until=TUESDAY_NOON + HOUR)) == ("resume", "failed", 502)
    assert kept(on) is None


def test_a_long_retry_after_is_reported_to_the_caller() -> None:
    on = stage(NIGHTS)
    on.hub.script("POST embeddings-prod/pause", status(429, **{"Retry-After": "5500"}))
    answer = reconcile(on)
    assert (only(answer), answer.retry_after) == (("pause", "failed", 503), 5500)


def test_the_token_goes_to_no_url_outside_of_hugging_face() -> None:
    on = stage(FREE)
    on.hub.endpoints["embeddings-prod"]["status"]["url"] = "https://endpoints.huggingface.cloud.evil.example"
    assert only(act(on, "warm")) == ("warm", "failed", 502)
    assert on.hub.actions() == []


# What goes wrong on the way.


def test_a_pause_does_not_wait_for_a_cloud_scheduler_that_hangs() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf.hang = frozenset({"list"})
    assert only(act(on, "pause")) == ("pause", "failed", 503)
    assert on.hub.state("embeddings-prod") == "paused"
    assert on.seconds <= 24.0  # the other half of the call's time is for the pause


def test_an_override_that_another_instance_deleted_and_that_cannot_be_written_again_is_a_failure() -> None:
    on = stage(NIGHTS, "paused")
    ended = Override("running", TUESDAY_NOON - 2 * MINUTE, TUESDAY_NOON - MINUTE, holder=ANNA.email)
    on.override("embeddings", ended)
    assert on.shelf is not None
    shelf = on.shelf

    def deleted(request: httpx.Request) -> httpx.Response:
        for id in [id for id in shelf.jobs if "-override-" in id]:
            del shelf.jobs[id]
        shelf.refuse = frozenset({"put"})
        return on.hub(request)

    on.hub.script("POST embeddings-prod/resume", deleted)
    assert only(act(on, "resume", ANNA)) == ("resume", "failed", 503)
    assert on.hub.state("embeddings-prod") == "running"


@pytest.mark.parametrize("trouble", [429, 500, breaks])
def test_a_request_that_should_wake_is_sent_again_when_it_failed(trouble: Any) -> None:
    on = stage(FREE, "scaledToZero", min_replica=0)
    on.hub.script("OWN GET embeddings-prod/health", trouble)
    assert only(act(on, "resume")) == ("wake", "done", 200)


def test_a_request_that_woke_it_before_it_broke_is_not_sent_again() -> None:
    on = stage(FREE, "scaledToZero", min_replica=0)

    def wakes_and_breaks(request: httpx.Request) -> httpx.Response:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
        return breaks(request)

    on.hub.script("OWN GET embeddings-prod/health", wakes_and_breaks)
    act(on, "resume")
    assert on.hub.actions() == ["OWN GET embeddings-prod/health"]


def test_one_without_a_url_is_not_said_to_be_waking() -> None:
    on = stage(FREE, "scaledToZero", min_replica=0, url=None)
    assert only(act(on, "resume")) == ("wake", "failed", 503)


@pytest.mark.parametrize(("state", "status"), [("failed", 502), ("paused", 503)])
def test_warming_ends_when_it_fails_or_is_paused_behind_its_url(state: str, status: int) -> None:
    on = stage(FREE, "running")

    def gives_up(_: httpx.Request) -> httpx.Response:
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = state
        return httpx.Response(503)

    on.hub.script("OWN GET embeddings-prod/health", gives_up)
    assert only(act(on, "warm")) == ("warm", "failed", status)
    assert on.seconds < 10


def test_one_that_stays_failed_after_a_manual_resume_is_a_final_failure() -> None:
    on = stage(FREE, "failed")
    on.hub.script(
        "POST embeddings-prod/resume", lambda _: httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])
    )
    assert only(act(on, "resume")) == ("resume", "failed", 502)


@pytest.mark.parametrize("refusals", [[400], [409] * 5, [500] * 5])
def test_scaling_that_may_not_be_changed_while_it_starts_is_written_when_it_is_up(refusals: list[int]) -> None:
    on = stage(FREE.replace("}}", ", scaling: {max_replicas: 1}}}"), "paused")
    on.hub.script("PUT embeddings-prod", *refusals)
    assert only(act(on, "warm")) == ("resume", "done", 200)
    assert on.hub.endpoints["embeddings-prod"]["compute"]["scaling"]["maxReplica"] == 1


@pytest.mark.parametrize("route", ["/he\nalth", "/\x00"])
def test_a_health_route_that_is_none_fails_alone(route: str) -> None:
    on = Harness("endpoints: {embeddings: {name: dev-*}}")
    for name in ("dev-a", "dev-b"):
        on.hub.add(name, "scaledToZero", min_replica=0)
    on.hub.endpoints["dev-a"]["healthRoute"] = route
    assert [result.outcome for result in act(on, "resume").results] == ["failed", "done"]


def test_a_charset_that_nobody_knows_is_no_obstacle() -> None:
    on = stage(FREE)
    headers = {"Content-Type": "application/json; charset=hex"}
    on.hub.script("GET /", lambda _: httpx.Response(200, json={"items": []}, headers=headers))
    on.hub.endpoints = {}
    assert only(act(on, "pause")) == ("none", "failed", 502)


def test_a_list_that_goes_in_circles_is_a_retryable_failure() -> None:
    on = stage(FREE)
    on.hub.script("GET /", *[lambda _: httpx.Response(200, json={"items": [], "nextCursor": "again"})] * 20)
    assert only(act(on, "pause")) == ("none", "failed", 503)


def test_a_replica_that_still_serves_after_a_failed_update_is_asked_until_it_answers() -> None:
    on = stage(FREE, "updateFailed", readyReplica=1)
    unchanged = on.hub.endpoints["embeddings-prod"]
    on.hub.script("POST embeddings-prod/resume", lambda _: httpx.Response(200, json=unchanged))
    on.hub.script("OWN GET embeddings-prod/health", 503, 503, 200)
    assert only(act(on, "warm")) == ("resume", "done", 200)


def test_of_fifty_endpoints_three_fail_and_the_others_are_done_within_five_seconds() -> None:
    on = Harness("endpoints: {many: {name: many-*}}")
    names = [f"many-{number:02}" for number in range(50)]
    for name in names:
        on.hub.add(name, "running")
    on.hub.script("POST many-07/pause", *[500] * 100)
    on.hub.script("POST many-08/pause", 403)
    on.hub.script("POST many-09/pause", *[hangs] * 100)

    async def paused_after(seconds: float) -> list[str]:
        await asyncio.sleep(seconds)
        return [name for name in names if on.hub.state(name) == "paused"]

    async def pause(service: Service) -> tuple[Answer, list[str]]:
        early = asyncio.create_task(paused_after(5))
        return await service.handle("pause", body("many"), ANNA), await early

    answer, early = on.run(pause)
    bad = {result.name: result.error or "" for result in answer.results if result.outcome == "failed"}
    assert sorted(bad) == ["many-07", "many-08", "many-09"]
    assert ("500" in bad["many-07"], "403" in bad["many-08"], "no answer in time" in bad["many-09"]) == (True,) * 3
    assert (answer.status, len(early)) == (503, 47)
    assert answer.retry_after is not None
    assert on.seconds < 50
