"""The status: what each row says, what could not be read, and how long it takes."""

import asyncio

import httpx
import pytest

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from support.hub import CATALOG, TUESDAY_NOON, Harness, hangs, prices
from support.service import FREE, OFFICE, body, stage


def status_of(on: Harness) -> Status:
    return on.run(lambda service: service.status())


def test_status_has_the_present_and_the_next_change() -> None:
    (row,) = status_of(stage(OFFICE)).answer["endpoints"]
    assert (row["state"], row["wanted"], row["next"]["at"]) == ("running", "running", "2026-11-24T19:00:00Z")
    assert row["next"]["wanted"] == "paused"


def test_status_changes_and_wakes_nothing() -> None:
    on = stage(OFFICE, "scaledToZero")
    status_of(on)
    assert on.hub.actions() == []


def test_status_says_what_it_could_not_read() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf.refuse = frozenset({"list"})
    on.hub.script("GET /", 403)
    assert status_of(on).answer["unknown"] == ["huggingface", "prices", "scheduler"]


def test_a_row_has_the_promised_fields_and_none_of_an_answers() -> None:
    (row,) = status_of(stage(OFFICE)).answer["endpoints"]
    assert {*row} == {
        *("endpoint", "name", "time_zone", "type", "tags", "state", "wanted", "reason", "url", "error", "next"),
        *("override", "overrides", "replicas", "price_per_hour", "last_used_at", "updated_at", "updated_by"),
        *("billed_this_month", "budget", "started_in"),
    }


def test_a_row_says_the_type_that_decides_who_can_wake_it() -> None:
    on = stage(OFFICE)
    on.hub.endpoints["embeddings-prod"]["type"] = "protected"
    assert status_of(on).answer["endpoints"][0]["type"] == "protected"


def test_an_endpoint_that_is_not_there_has_the_same_fields() -> None:
    on = stage(OFFICE)
    (there,) = status_of(on).answer["endpoints"]
    on.hub.endpoints.clear()
    (missing,) = status_of(on).answer["endpoints"]
    assert missing.keys() == there.keys()
    assert missing["state"] is missing["type"] is None


def test_prices_that_cannot_be_read_are_unknown_though_earlier_calls_read_them() -> None:
    on = stage(FREE)
    on.hub.script(CATALOG, prices, prices, hangs)

    async def again(service: Service) -> tuple[Status, Status]:
        await service.handle("reconcile", body("*"), Caller("schedule"))
        return await service.status(), await service.status()

    before, after = on.run(again)
    assert (before.answer["endpoints"][0]["price_per_hour"], before.answer["unknown"]) == (0.8, [])
    assert (after.answer["endpoints"][0]["price_per_hour"], after.answer["unknown"]) == (None, ["prices"])


@pytest.mark.parametrize(("slow", "unknown"), [(CATALOG, "prices"), ("GET /", "huggingface")])
def test_what_hangs_does_not_make_unknown_what_was_read(slow: str, unknown: str) -> None:
    on = stage(OFFICE)
    on.override("embeddings", Override("paused", TUESDAY_NOON, None))
    shelf = on.shelf
    assert shelf is not None

    async def hangs_until_no_time_is_left(_: httpx.Request) -> None:
        await asyncio.sleep(1)
        shelf.refuse = frozenset({"list"})
        await asyncio.sleep(1e6)

    on.hub.script(slow, hangs_until_no_time_is_left)  # type: ignore[arg-type] # a coroutine is awaited
    answer = status_of(on).answer
    assert "scheduler" not in answer["unknown"]
    assert unknown in answer["unknown"]
    assert len(answer["endpoints"][0]["overrides"]) == 1


def test_everything_that_hangs_is_unknown_within_five_seconds() -> None:
    on = stage(OFFICE)
    assert on.shelf is not None
    on.shelf.hang = frozenset({"list"})
    on.hub.script("GET /", hangs)
    on.hub.script(CATALOG, hangs)
    assert status_of(on).answer["unknown"] == ["huggingface", "prices", "scheduler"]
    assert on.seconds < 5.0
