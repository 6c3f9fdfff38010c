"""`Retry-After` of `resume`: from how long earlier starts took."""

import json

import pytest

from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Answer
from local.servers.faults import Fault
from local.servers.logging import Logging
from support.hub import Harness, status
from support.service import FREE, stage


def harness(*seconds: float, name: str = "embeddings-prod") -> Harness:
    """An endpoint that is starting, and how long its earlier starts took, oldest first."""
    on = stage(FREE, "initializing")
    on.logging = Logging(lambda: on.now)
    for one in seconds:
        line = {"event": "endpoint", "endpoint": "embeddings", "name": name, "start_seconds": one}
        on.logging.line("reconcile", json.dumps(line))
    on.logging.line("reconcile", json.dumps({"event": "endpoint", "name": name, "start_seconds": None}))
    on.logging.now = lambda: on.now
    for entry in on.logging.entries:  # a day ago, in this order
        entry["timestamp"] = entry["timestamp"].replace("2026-11-24", "2026-11-23")
    return on


def resume(on: Harness) -> Answer:
    return on.run(lambda service: service.handle("resume", b'{"endpoints": ["embeddings"]}', Caller()))


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        ((90,), 90),
        ((90, 120), 105),
        ((100, 200, 300.5, 90, 80), 100),
        ((1,), 5),
        ((4000,), 600),
        ((), 60),
        ((10**400,), 60),
    ],
)
def test_it_is_the_median_of_the_last_five_within_bounds(seconds: tuple[float, ...], wait: int) -> None:
    answer = resume(harness(*seconds))
    assert (answer.status, answer.retry_after) == (202, wait)


def test_older_starts_do_not_count() -> None:
    assert resume(harness(500, 500, 500, 500, 500, 90, 90, 90, 90, 90)).retry_after == 90


def test_another_endpoints_starts_do_not_count() -> None:
    assert resume(harness(90, name="other")).retry_after == 60


@pytest.mark.parametrize("fault", [Fault("status", status=403), Fault("hang"), Fault("html"), Fault("reset-before")])
def test_what_cannot_be_read_is_a_minute_and_delays_by_two_seconds_at_most(fault: Fault) -> None:
    on = harness(90)
    on.logging.faults.add(fault)
    assert resume(on).retry_after == 60
    assert on.seconds <= 2.0


def test_without_logging_it_is_a_minute() -> None:
    on = harness(90)
    on.logging = None
    assert resume(on).retry_after == 60


def test_nothing_is_read_where_nothing_is_starting() -> None:
    on = harness(90)
    on.hub.endpoints["embeddings-prod"]["status"]["state"] = "running"
    assert resume(on).status == 200
    assert on.logging.lists == 0


def test_nothing_is_read_for_what_failed() -> None:
    on = harness(90)
    on.hub.endpoints["embeddings-prod"]["status"]["state"] = "paused"
    on.hub.script("POST embeddings-prod/resume", status(403))
    assert resume(on).status == 502
    assert on.logging.lists == 0
