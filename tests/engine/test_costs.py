"""What a reconcile run logs for history and money."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lifecycle.core.times import parse_rfc3339
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Answer
from lifecycle.web.handler import log_results
from lifecycle.web.logs import Log
from support.building import at
from support.hub import CATALOG, TUESDAY_NOON, Harness, hangs, prices, status
from support.hub import Answer as Scripted
from support.service import NIGHTS, OFFICE, body, reconcile, stage

SCHEDULER = Caller("schedule")


def run(on: Harness, *, names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The lines of a run for everything, or for these entries."""
    answer = reconcile(on, SCHEDULER, *(names or ("*",)))
    lines: list[dict[str, Any]] = []
    log_results(answer, SCHEDULER, Log(str, "reconcile", write=lambda line: lines.append(json.loads(line))))
    return lines


def priced(text: str, state: str, *answers: Scripted, **more: Any) -> Harness:
    on = stage(text, state, **more)
    on.hub.answers[CATALOG] = list(answers or [prices])
    on.hub.endpoints["embeddings-prod"]["status"]["targetReplica"] = 1
    return on


def test_each_run_says_what_an_endpoint_costs_now() -> None:
    (line,) = run(priced(OFFICE, "running"))
    assert (line["dollars_per_hour"], line["replicas"], line["rule"]) == (0.8, 1, "hours")


def test_what_the_run_pauses_costs_nothing_from_then_on() -> None:
    (line,) = run(priced(NIGHTS, "running"))
    assert (line["action"], line["dollars_per_hour"]) == ("pause", 0.0)


def test_without_prices_the_cost_is_null_and_that_is_reported() -> None:
    line, note = run(priced(OFFICE, "running", status(403)))
    assert line["dollars_per_hour"] is None
    assert (note["severity"], note["message"][:18]) == ("WARNING", "prices are unknown")


def test_a_stopped_endpoint_costs_nothing_also_without_prices() -> None:
    line, _ = run(priced(NIGHTS, "paused", status(403)))
    assert line["dollars_per_hour"] == 0.0


def test_a_run_for_some_does_not_read_prices() -> None:
    on = priced(OFFICE, "running")
    (line,) = run(on, names=("embeddings",))
    assert line["dollars_per_hour"] is None
    assert CATALOG not in on.hub.requests


def test_prices_that_hang_delay_a_run_by_five_seconds_at_most() -> None:
    on = priced(OFFICE, "running", hangs)
    assert run(on)[0]["dollars_per_hour"] is None
    assert on.seconds <= 5.0


def test_runs_that_wait_for_the_same_prices_wait_no_longer() -> None:
    on = priced(OFFICE, "running", hangs, hangs)

    async def two(service: Any) -> None:
        await asyncio.gather(*(service.handle("reconcile", body("*"), SCHEDULER) for _ in range(2)))

    on.run(two)
    assert on.seconds <= 5.0


@pytest.mark.parametrize(("minutes", "reads"), [(59, 1), (60, 2)])
def test_prices_are_read_at_most_once_an_hour_and_process(minutes: int, reads: int) -> None:
    on = priced(OFFICE, "running", prices, prices)

    async def twice(service: Any) -> None:
        await service.handle("reconcile", body("*"), SCHEDULER)
        on.now += timedelta(minutes=minutes)
        await service.handle("reconcile", body("*"), SCHEDULER)

    on.run(twice)
    assert on.hub.requests.count(CATALOG) == reads


def test_old_prices_are_used_while_new_ones_cannot_be_read() -> None:
    on = priced(OFFICE, "running", prices, status(403))

    async def twice(service: Any) -> Answer:
        await service.handle("reconcile", body("*"), SCHEDULER)
        on.now += timedelta(hours=2)
        answer: Answer = await service.handle("reconcile", body("*"), SCHEDULER)
        return answer

    assert on.run(twice).results[0].dollars_per_hour == 0.8


def test_a_start_that_was_waited_for_has_its_seconds() -> None:
    on = priced(OFFICE, "paused")
    on.hub.answers["OWN GET embeddings-prod/health"] = [status(503)] * 3
    (line,) = run(on)
    assert (line["action"], line["outcome"]) == ("resume", "done")
    assert 0 < line["start_seconds"] <= on.seconds


def test_what_runs_already_is_no_start() -> None:
    assert run(priced(OFFICE, "running"))[0]["start_seconds"] is None


def test_a_start_that_fails_has_no_seconds() -> None:
    on = priced(OFFICE, "paused")
    on.hub.answers["OWN GET embeddings-prod/health"] = [status(403)]
    (line,) = run(on)
    assert (line["outcome"], line["start_seconds"]) == ("failed", None)


def test_who_changed_it_at_hugging_face_and_when_is_logged() -> None:
    on = priced(OFFICE, "running")
    recently = TUESDAY_NOON.astimezone(UTC) - timedelta(minutes=19)
    on.hub.endpoints["embeddings-prod"]["status"] |= {
        "updatedAt": recently.isoformat(), "updatedBy": {"id": "1", "name": "anna"}
    }  # fmt: skip
    (line,) = run(on)
    assert datetime.fromisoformat(line["updated_at"]) == recently
    assert (line["updated_by"], line["recently_updated"]) == ("anna", True)


def test_changes_before_the_last_run_are_not_recent() -> None:
    on = priced(OFFICE, "running")
    earlier = TUESDAY_NOON.astimezone(UTC) - timedelta(minutes=20)
    on.hub.endpoints["embeddings-prod"]["status"] |= {"updatedAt": earlier.isoformat()}
    assert run(on)[0]["recently_updated"] is False


@pytest.mark.parametrize(("minutes", "recent"), [(79, True), (80, False)])
def test_an_endpoint_that_scaled_itself_to_zero_since_the_last_runs_says_when(minutes: int, recent: bool) -> None:
    on = priced(OFFICE, "scaledToZero")
    used = TUESDAY_NOON.astimezone(UTC) - timedelta(minutes=minutes)
    on.hub.endpoints["embeddings-prod"]["status"]["lastUsedAt"] = used.isoformat()
    on.hub.endpoints["embeddings-prod"]["compute"]["scaling"] |= {"minReplica": 0, "scaleToZeroTimeout": 60}
    (line,) = run(on)
    assert parse_rfc3339(line["slept_at"]) == (used + timedelta(hours=1) if recent else None)


@pytest.mark.parametrize(
    ("state", "minutes", "on_time"),
    [("running", 0, True), ("paused", 0, False), ("running", 9, True), ("running", 10, None), ("running", -1, None)],
)
def test_the_first_run_of_the_hours_says_whether_it_was_ready(state: str, minutes: int, on_time: bool | None) -> None:
    on = priced(OFFICE, state)
    on.now = at("Tue 08:00") + timedelta(minutes=minutes)
    (line,) = run(on)
    assert line["on_time"] == on_time
