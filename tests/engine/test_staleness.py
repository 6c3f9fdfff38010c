"""What was read some time ago is read again before an endpoint is changed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Service
from lifecycle.errors import Failure
from support.hub import TUESDAY_NOON, FakeJobs, Harness, status
from support.service import (
    ANNA,
    FOLLOWER,
    FREE,
    MINUTE,
    NIGHTS,
    OFFICE,
    act,
    body,
    kept,
    only,
    reconcile,
    reported,
    stage,
)

HELD = Override("running", TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=2), holder="ben@example.com")


def waits(on: Harness, request: str, meanwhile: Callable[[], None], seconds: int = 20) -> None:
    """The first such request is answered 429 with so many seconds to wait; something happens meanwhile."""

    def throttled(sent: httpx.Request) -> httpx.Response:
        meanwhile()
        return status(429, **{"Retry-After": str(seconds)})(sent)

    on.hub.script(request, throttled)


def test_a_request_made_while_the_list_waits_is_not_paused_under() -> None:
    on = stage(NIGHTS)
    waits(on, "GET /", lambda: on.override("embeddings", HELD))
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.state("embeddings-prod") == "running"


@pytest.mark.parametrize("seconds", [1, 9, 20])
def test_a_request_made_while_a_pause_waits_is_not_paused_under(seconds: int) -> None:
    on = stage(NIGHTS)
    waits(on, "POST embeddings-prod/pause", lambda: on.override("embeddings", HELD), seconds)
    assert only(reconcile(on)) == ("none", "unchanged", 200)
    assert on.hub.actions() == ["POST embeddings-prod/pause"]


def test_a_request_made_while_a_pause_is_slow_is_followed_after_it() -> None:
    on = stage(NIGHTS)

    async def slow(_: httpx.Request) -> httpx.Response:
        on.override("embeddings", HELD)
        await asyncio.sleep(6)
        on.hub.endpoints["embeddings-prod"]["status"]["state"] = "paused"
        return httpx.Response(200, json=on.hub.endpoints["embeddings-prod"])

    on.hub.script("POST embeddings-prod/pause", slow)  # type: ignore[arg-type] # a coroutine is awaited
    assert only(reconcile(on)) == ("resume", "done", 200)


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


@pytest.mark.parametrize("text", [NIGHTS, OFFICE], ids=["stores an override", "stores none"])
def test_a_pause_that_a_slow_list_did_not_show_refuses_a_resume(text: str) -> None:
    on = stage(text, "paused")
    earlier = Override("paused", TUESDAY_NOON - MINUTE, None, holder="ben@example.com", endpoint="embeddings-prod")
    waits(on, "POST embeddings-prod/resume", lambda: on.override("embeddings", earlier))
    answer = act(on, "resume", ANNA)
    assert (answer.status, answer.results[0].code, kept(on)) == (409, "held", earlier)
    assert on.hub.actions() == ["POST embeddings-prod/resume"]


@pytest.mark.parametrize(("holder", "asked"), [(None, {}), ("ben@example.com", {"force": True})])
def test_a_pause_that_a_slow_list_did_not_show_and_that_may_be_overruled_does_not(
    holder: str | None, asked: dict[str, bool]
) -> None:
    on = stage(NIGHTS, "paused")
    earlier = Override("paused", TUESDAY_NOON - MINUTE, None, holder=holder)
    waits(on, "POST embeddings-prod/resume", lambda: on.override("embeddings", earlier))
    assert only(act(on, "resume", ANNA, **asked)) == ("resume", "done", 200)


@pytest.mark.parametrize("tags", [[], ["dev", "mine"]], ids=["to none", "to another entry"])
@pytest.mark.parametrize("verb", ["reconcile", "pause"])
def test_an_endpoint_whose_tags_change_while_a_pause_waits_is_left_to_its_new_entry(verb: str, tags: list[str]) -> None:
    on = Harness("endpoints: {mine: {tags: [mine], hours: always}, nights: {tags: [dev], hours: daily 22:00-06:00}}")
    on.hub.add("embeddings-prod", "running", tags=("dev",))
    waits(on, "POST embeddings-prod/pause", lambda: on.hub.endpoints["embeddings-prod"].update(tags=tags))
    answer = reconcile(on, ANNA, "nights") if verb == "reconcile" else act(on, "pause", ANNA, "nights")
    assert on.hub.state("embeddings-prod") == "running"
    assert answer.status == (200 if verb == "reconcile" else 503)
    assert "nights no longer covers it" in f"{answer.results[0].reason} {answer.results[0].error}"


def cannot_list_jobs(on: Harness) -> None:
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"list"})


def test_a_pause_does_not_wait_for_the_stored_state() -> None:
    on = stage(OFFICE)
    waits(on, "POST embeddings-prod/pause", lambda: cannot_list_jobs(on))
    assert only(act(on, "pause", ANNA)) == ("pause", "done", 200)
    assert kept(on) is not None


def test_a_reconcile_run_that_can_no_longer_read_the_stored_state_pauses_nothing() -> None:
    on = stage(NIGHTS)
    waits(on, "POST embeddings-prod/pause", lambda: cannot_list_jobs(on))
    assert only(reconcile(on)) == ("pause", "failed", 503)
    assert on.hub.state("embeddings-prod") == "running"


def dev(state: str) -> Harness:
    on = Harness("endpoints: {dev: {name: dev-*}}")
    on.hub.add("dev-a", state)
    return on


def without(on: Harness, name: str) -> None:
    """The list misses an endpoint, as where it moves between pages while they are read."""
    items = [found for key, found in on.hub.endpoints.items() if key != name]
    on.hub.script("GET /", lambda _: httpx.Response(200, json={"items": items, "nextCursor": None}))


def test_an_endpoint_that_the_list_does_not_show_is_asked_for_by_itself() -> None:
    on = stage(NIGHTS)
    without(on, "embeddings-prod")
    assert only(reconcile(on)) == ("pause", "done", 200)


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
    reconcile(on, Caller("schedule"), "*")
    assert on.shelf is not None
    assert [id for id in on.shelf.jobs if "-override-" in id]


RAN = Override("running", TUESDAY_NOON - 9 * MINUTE, TUESDAY_NOON - MINUTE, found_at_rest=frozenset({"dev-a"}))


@pytest.mark.parametrize("ended", [RAN, replace(RAN, endpoint="dev-a")])
def test_an_ended_override_stays_until_what_it_has_to_stop_was_seen(ended: Override) -> None:
    on = dev("running")
    on.hub.add("dev-b", "running")
    on.override("dev", ended)
    without(on, "dev-a")
    on.hub.script("GET /dev-a", *[503] * 40)
    answer = reconcile(on, Caller("schedule"), "*")
    assert kept(on) is not None
    found = {result.name: (result.outcome, result.before) for result in answer.results}
    assert (answer.status, found["dev-a"]) == (503, ("failed", None))
    on.hub.answers.clear()
    reconcile(on, Caller("schedule"), "*")
    assert (on.hub.state("dev-a"), on.hub.state("dev-b"), kept(on)) == ("paused", "running", None)


def test_a_release_stops_what_the_list_does_not_show() -> None:
    on = dev("running")
    on.override("dev", replace(RAN, until=TUESDAY_NOON + 60 * MINUTE, endpoint="dev-a"))
    without(on, "dev-a")
    assert only(reconcile(on, Caller(), "dev", clear_override=True)) == ("pause", "done", 200)
    assert kept(on) is None


class SlowDeletions(FakeJobs):
    """The first deletion takes five seconds."""

    async def delete(self, id: str) -> None:
        slow = not any(call.startswith("delete ") for call in self.calls)
        self.calls.append(f"delete {id}")
        if slow:
            await asyncio.sleep(5)
        self.jobs.pop(id, None)


def test_a_request_made_while_a_deletion_is_slow_stays() -> None:
    on = stage(FREE)
    assert on.shelf is not None
    on.shelf = SlowDeletions(on.shelf.jobs)
    ended = Override("running", TUESDAY_NOON - 2 * MINUTE, TUESDAY_NOON - MINUTE, holder=ANNA.email)
    on.override("embeddings", ended)

    async def meanwhile(service: Service) -> None:
        deleting = asyncio.create_task(service.handle("reconcile", body("*"), Caller("schedule")))
        await asyncio.sleep(1)
        await service.handle("resume", body("embeddings"), ANNA)  # which deletes the ended one, too
        await service.handle("resume", body("embeddings", **{"for": "1h"}), ANNA)
        await deleting

    on.run(meanwhile)
    assert kept(on) is not None


def test_two_runs_at_once_delete_an_ended_override_one_after_the_other() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf = SlowDeletions(on.shelf.jobs)
    on.override("embeddings", Override("paused", TUESDAY_NOON - 2 * MINUTE, TUESDAY_NOON - MINUTE))

    async def twice(service: Service) -> None:
        runs = [service.handle("reconcile", body(names), Caller("schedule")) for names in ("*", "embeddings")]
        await asyncio.gather(*runs)

    on.run(twice)
    assert len([call for call in on.shelf.calls if call.startswith("delete ")]) == 1


def test_a_platform_message_leaves_ended_overrides_to_the_next_reconcile_run() -> None:
    on = stage(FOLLOWER)
    on.override("embeddings", Override("paused", TUESDAY_NOON - 2 * MINUTE, None, or_started="main"))
    reported(on, "started")
    assert kept(on) is not None
