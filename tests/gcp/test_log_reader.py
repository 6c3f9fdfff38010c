"""The functions' lines, read back from the local Cloud Logging."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lifecycle.core import report
from lifecycle.core.history import CONDITION, LogLine
from lifecycle.engine.history import history
from lifecycle.errors import Failure
from lifecycle.gcp.log_reader import LogReader
from lifecycle.gcp.rest import Rest
from local.servers.faults import Fault
from local.servers.logging import Logging
from local.simulation.simulated_time import SimulatedLoop, play

VIEW = "projects/local/locations/l/buckets/lifecycle/views/lifecycle"
BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Server(Logging):
    """A local Cloud Logging whose clock is set."""

    def __init__(self) -> None:
        self.at = BEGIN
        super().__init__(lambda: self.at, parents=[VIEW])

    def wrote(self, hours: float, **fields: Any) -> None:
        self.at = BEGIN + hours * HOUR
        line = {"severity": "INFO", "event": "endpoint", "endpoint": "embeddings", "name": "embeddings-prod"}
        self.line("reconcile", json.dumps(line | fields))


def ask(app: Any, work: Any, seconds: list[float] | None = None) -> Any:
    async def once() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:
            return await work(LogReader(VIEW, Rest("Cloud Logging", "http://127.0.0.1", http, None), "lifecycle"))

    loop = SimulatedLoop(BEGIN)
    try:
        return play(loop, once())
    finally:
        if seconds is not None:
            seconds.append(loop.elapsed)


def every(source: LogReader) -> Any:
    return source.lines('jsonPayload.event="endpoint"', BEGIN, BEGIN + 24 * HOUR)


def test_lines_come_with_their_time_and_fields_oldest_first() -> None:
    local = Server()
    local.wrote(1, action="pause")
    local.wrote(2, action="resume")
    found: list[LogLine] = ask(local, every)
    assert [(line.at, line.fields["action"]) for line in found] == [
        (BEGIN + HOUR, "pause"), (BEGIN + 2 * HOUR, "resume")
    ]  # fmt: skip


def test_lines_before_and_after_are_left_out() -> None:
    local = Server()
    for hours in (0, 1, 2, 3):
        local.wrote(hours)
    found = ask(local, lambda source: source.lines('jsonPayload.event="endpoint"', BEGIN + HOUR, BEGIN + 3 * HOUR))
    assert [line.at for line in found] == [BEGIN + HOUR, BEGIN + 2 * HOUR]


def test_lines_of_other_functions_are_not_ours() -> None:
    local = Server()
    local.wrote(1)
    local.entries[-1]["resource"]["labels"]["service_name"] = "somebody-elses"
    assert ask(local, every) == []


def test_many_lines_come_in_pages() -> None:
    local = Server()
    for _ in range(2500):
        local.wrote(1)
    assert len(ask(local, every)) == 2500
    assert local.lists == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("status", status=403), "Cloud Logging: 403 on purpose"),
        (Fault("html", status=200), "the answer is not understood"),
        (Fault("reset-before"), "no answer"),
        (Fault("hang"), "no answer in time"),
    ],
)
def test_failures_are_reported_as_they_are_within_five_seconds(fault: Fault, message: str) -> None:
    local, seconds = Server(), list[float]()
    local.faults.add(fault)
    with pytest.raises(Failure, match=message):
        ask(local, every, seconds)
    assert seconds[0] <= 5.0


@pytest.mark.parametrize(
    "body",
    [
        {"entries": 1}, {"entries": [1, {"jsonPayload": 1}, {"timestamp": 5}]}, {"nextPageToken": "again"},
        {"entries": [{"timestamp": 5, "jsonPayload": {}}]},
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_failure_or_has_no_lines(body: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import JSONResponse

        await JSONResponse(body)(scope, receive, send)

    if "nextPageToken" in body or body["entries"] == 1:
        with pytest.raises(Failure, match="Cloud Logging"):
            ask(app, every)
    else:
        assert ask(app, every) == []


def test_a_page_that_comes_again_ends_the_list() -> None:
    asked = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import JSONResponse

        asked.append(1)
        await JSONResponse({"entries": [], "nextPageToken": "again"})(scope, receive, send)

    with pytest.raises(Failure, match="does not end"):
        ask(app, every)
    assert len(asked) == 2


def test_history_asks_for_what_changed_alone() -> None:
    local = Server()
    local.wrote(1, action="none", outcome="unchanged", trigger="schedule")
    local.wrote(2, action="pause", outcome="done", trigger="schedule")
    local.wrote(3, action="none", outcome="unchanged", trigger="manual", function="resume")
    found = ask(local, lambda source: source.lines(CONDITION, BEGIN, BEGIN + 24 * HOUR))
    assert [line.at for line in found] == [BEGIN + 2 * HOUR, BEGIN + 3 * HOUR]


def test_history_may_be_of_some() -> None:
    local = Server()
    local.wrote(1, action="pause", outcome="done", name="a")
    local.wrote(2, action="pause", outcome="done", name="b", endpoint="other")
    for names, found in ((["a"], ["a"]), (["other"], ["b"]), (["embeddings", "b"], ["a", "b"]), ([], ["a", "b"])):
        events = ask(local, lambda source, names=names: history(source, names, BEGIN, BEGIN + 24 * HOUR))
        assert [event.name for event in events] == found


def test_a_name_cannot_change_what_is_asked() -> None:
    local = Server()
    local.wrote(1, action="pause", outcome="done")
    names = ['x" OR jsonPayload.event:*']
    assert ask(local, lambda source: history(source, names, BEGIN, BEGIN + 24 * HOUR)) == []


def test_the_first_line_about_a_morning_says_whether_it_was_on_time() -> None:
    local = Server()
    begin = (BEGIN + 7 * HOUR).isoformat()
    local.wrote(7, hours_begin=begin, on_time=False)
    local.wrote(7.05, hours_begin=begin, on_time=True)
    local.wrote(8, hours_begin=None, on_time=None)
    (morning,) = report.mornings(ask(local, lambda source: source.lines(report.CONDITION, BEGIN, BEGIN + 24 * HOUR)))
    assert (morning.name, morning.begin, morning.on_time) == ("embeddings-prod", BEGIN + 7 * HOUR, False)
