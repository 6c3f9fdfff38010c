"""The log: one JSON object a line, as Cloud Logging reads it, without the token."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lifecycle.core.model import Endpoint, Result
from lifecycle.web.logs import Log, trace_of, write_line
from support.secret import TOKEN

RESULT = Result(
    endpoint="embeddings",
    name="embeddings-prod",
    action="resume",
    outcome="pending",
    before="paused",
    after="initializing",
    wanted="running",
    reason="asked by hand until 22:00 Europe/Berlin",
    url="https://x.aws.endpoints.huggingface.cloud",
    duration_ms=412,
)
ID = "0af7651916cd43dd8448eb211c80319c"
TRACE = f"projects/p/traces/{ID}"


@dataclass
class Written:
    """The lines of a log."""

    text: str = ""
    trace: str | None = None
    log: Log = field(init=False)

    def __post_init__(self) -> None:
        self.log = Log(lambda text: text.replace(TOKEN, "[token]"), "reconcile", self.trace, self._write)

    def _write(self, line: str) -> None:
        self.text += line

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.text.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


def of(result: Result, *, dry_run: bool = False) -> dict[str, Any]:
    written = Written()
    written.log.result(result, trigger="schedule", by="anna@example.com", dry_run=dry_run)
    return written.line


def test_a_result_is_a_line_with_all_that_matters() -> None:
    reported = {
        "endpoint": "embeddings",
        "name": "embeddings-prod",
        "action": "resume",
        "outcome": "pending",
        "before": "paused",
        "after": "initializing",
        "wanted": "running",
        "reason": "asked by hand until 22:00 Europe/Berlin",
        "duration_ms": 412,
        "trigger": "schedule",
        "by": "anna@example.com",
    }
    assert reported.items() <= of(RESULT).items()


def test_a_line_can_be_read_without_its_fields() -> None:
    message = of(RESULT)["message"]
    assert [
        word for word in ("embeddings-prod", "resume", "paused", "initializing", "asked by hand") if word not in message
    ] == []


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
def test_the_severity_is_that_of_the_result(level: Any) -> None:
    assert of(replace(RESULT, level=level))["severity"] == level


def test_an_error_is_reported_with_its_code() -> None:
    line = of(replace(RESULT, outcome="failed", error="missing permissions", code="forbidden", level="ERROR"))
    assert (line["error"], line["code"]) == ("missing permissions", "forbidden")
    assert "missing permissions" in line["message"]


def test_a_dry_run_is_reported() -> None:
    assert of(RESULT, dry_run=True)["dry_run"] is True


def test_a_dry_run_says_what_would_be_done() -> None:
    skipped = replace(RESULT, action="pause", outcome="skipped")
    assert of(skipped, dry_run=True)["message"].startswith("embeddings-prod: would pause: ")


def test_control_characters_from_outside_are_escaped_in_the_message() -> None:
    assert "by a\\x1b[2Jb" in of(replace(RESULT, reason="asked by a\x1b[2Jb"))["message"]


def test_whatever_a_text_holds_the_line_stays_one() -> None:
    assert (
        of(replace(RESULT, reason='two\nlines\r\n "quoted" \u2028 ä'))["reason"] == 'two\nlines\r\n "quoted" \u2028 ä'
    )


def test_every_line_ends() -> None:
    written = Written()
    written.log.line("note", "one")
    written.log.line("note", "two")
    assert [json.loads(line)["message"] for line in written.text.split("\n")[:-1]] == ["one", "two"]


def test_a_value_that_json_cannot_say_is_said_as_text() -> None:
    written = Written()
    written.log.line("note", "x", value={1, 2})
    assert isinstance(written.line["value"], str)


def test_the_token_is_in_no_line() -> None:
    written = Written()
    written.log.line("note", f"Bearer {TOKEN}", "ERROR", stack_trace=f"File x\n{TOKEN}", more={"deep": [TOKEN]})
    assert TOKEN not in written.text


@pytest.mark.parametrize(
    ("state", "billing"),
    [("running", True), ("initializing", True), ("migrating", True), ("paused", False), ("scaledToZero", False)],
)
def test_an_unmanaged_endpoint_is_a_warning_while_it_may_cost_money(state: str, billing: bool) -> None:
    written = Written()
    written.log.unmanaged(Endpoint("forgotten", state))
    assert (written.line["severity"] == "WARNING", written.line["name"], written.line["state"]) == (
        billing,
        "forgotten",
        state,
    )


@pytest.mark.parametrize("character", ["x", '"', "é", "😀", "\n", "\x1b"])
def test_a_long_line_is_cut_and_keeps_what_filters_look_at(character: str) -> None:
    long = character * 200_000
    written = Written(trace=TRACE)
    result = replace(RESULT, outcome="failed", reason=long, error=long, url=long, level="ERROR")
    written.log.result(result, trigger="schedule", by=long, dry_run=False)
    assert len(written.text.encode()) <= 100_001
    assert (
        written.line.items()
        >= {
            "severity": "ERROR",
            "event": "endpoint",
            "function": "reconcile",
            "endpoint": "embeddings",
            "name": "embeddings-prod",
            "outcome": "failed",
            "dry_run": False,
            "logging.googleapis.com/trace": TRACE,
        }.items()
    )


def test_a_long_value_that_is_no_text_is_cut() -> None:
    written = Written()
    written.log.line("note", "x", holders=[{"note": "n" * 500}] * 1000)
    assert len(written.text) <= 100_001
    assert written.line["holders"].endswith("… (cut)")


@pytest.mark.parametrize("before", range(3_980, 4_001, 5))
def test_a_token_where_a_line_is_cut_is_not_left_in_part(before: int) -> None:
    written = Written()
    written.log.line("note", "x", error=f"{'x' * before}{TOKEN}{'x' * 200_000}")
    assert TOKEN[:8] not in written.text


def test_a_line_longer_than_a_pipe_takes_at_once_is_written_whole(capfd: pytest.CaptureFixture[str]) -> None:
    write_line("x" * 200_000 + "\n")
    assert capfd.readouterr().out == "x" * 200_000 + "\n"


def test_a_line_goes_past_what_stands_for_standard_output(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    write_line("{}\n")
    assert capfd.readouterr().out == "{}\n"


# Traces.


def test_a_line_belongs_to_its_trace() -> None:
    written = Written(trace=TRACE)
    written.log.line("note", "x")
    assert written.line["logging.googleapis.com/trace"] == TRACE


def test_without_a_trace_none_is_named() -> None:
    written = Written()
    written.log.line("note", "x")
    assert "logging.googleapis.com/trace" not in written.line


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{ID}-b7ad6b7169203331-01"},
        {"x-cloud-trace-context": f"{ID}/123;o=1"},
        {"x-cloud-trace-context": ID},
        {"traceparent": f"00-{ID}-b7ad6b7169203331-01", "x-cloud-trace-context": f"{'1' * 32}/1"},
        {"traceparent": "garbage", "x-cloud-trace-context": f"{ID}/123"},
    ],
)
def test_the_trace_is_that_of_the_request(headers: dict[str, str]) -> None:
    assert trace_of(headers, "p") == TRACE


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": ""}, {"traceparent": "00-abc-def-01"}, {"x-cloud-trace-context": "x"}]
)
def test_what_names_no_trace_has_none(headers: dict[str, str]) -> None:
    assert trace_of(headers, "p") is None


def test_without_a_project_there_is_no_trace() -> None:
    assert trace_of({"traceparent": f"00-{ID}-b7ad6b7169203331-01"}, None) is None
