"""Structured logs: one JSON object a line on standard output, as Cloud Logging reads them.

Each call writes a line for each endpoint (`event` "endpoint"), one for itself ("call"), and others if needed.
"""

import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lifecycle.core.model import FREE, Endpoint, Level, Result
from lifecycle.core.text import did, visible
from lifecycle.core.times import format_rfc3339

LONGEST = 100_000  # bytes of a line; Cloud Logging accepts 256 KiB
_MOST_OF_A_VALUE = (48_000, 12_000, 2_400)  # tried in turn; a line has fewer than 40 fields
_WRITING = threading.Lock()

# Cloud Trace: `traceparent` (W3C), or Google's own older header.
_TRACES = (("traceparent", r"[0-9a-f]{2}-([0-9a-f]{32})-"), ("x-cloud-trace-context", r"([0-9a-f]{32})"))


def trace_of(headers: Mapping[str, str], project: str | None) -> str | None:
    """`projects/P/traces/ID` of a request, by lower-case header names."""
    for name, pattern in _TRACES:
        found = re.match(pattern, headers.get(name, ""))
        if found and project:
            return f"projects/{project}/traces/{found[1]}"
    return None


def write_line(line: str) -> None:
    """Writes a whole line to standard output. It does not use `sys.stdout`: with LOG_EXECUTION_ID the functions
    framework replaces that by a stream that writes a line in two pieces, so lines of concurrent calls would mix."""
    data = line.encode()
    with _WRITING:  # a pipe splits data that is longer than PIPE_BUF
        while data:
            data = data[os.write(1, data) :]


def shortened(text: str) -> str:
    """A line of JSON whose longest values are cut, so that the line is not longer than `LONGEST`."""
    entry = json.loads(text) if len(text) > LONGEST else {}
    for most in _MOST_OF_A_VALUE:
        if len(text) <= LONGEST:
            break
        text = json.dumps({name: _cut(value, most) for name, value in entry.items()})
    return text


def _cut(value: Any, most: int) -> Any:
    """A value of at most `most` bytes of JSON; a longer one becomes text that ends with a mark."""
    if len(json.dumps(value)) <= most:
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[: most // 12]}… (cut)"  # a character takes up to 12 bytes, as two escaped surrogates


@dataclass(frozen=True)
class Log:
    """The log of one call. `redact` keeps the token out of every line."""

    redact: Callable[[str], str]
    function: str
    trace: str | None = None
    write: Callable[[str], None] = write_line

    def line(self, event: str, message: str, level: Level | Literal["CRITICAL"] = "INFO", **fields: Any) -> None:
        shown = visible(message)  # `gcloud logging read --format value(jsonPayload.message)` prints it unchanged
        entry: dict[str, Any] = {"severity": level, "message": shown, "event": event, "function": self.function}
        if self.trace:
            entry["logging.googleapis.com/trace"] = self.trace
        # Cut after the token is removed: half a token is not found.
        self.write(shortened(self.redact(json.dumps(entry | fields, default=str))) + "\n")

    def result(
        self, result: Result, *, trigger: str, by: str | None, dry_run: bool, holder: str | None = None,
        released: bool = False,
    ) -> None:  # fmt: skip
        done = did(result.action, result.outcome, dry_run=dry_run)
        error = f"; {result.error}" if result.error else ""
        message = (
            f"{result.name}: {done}: {result.before} -> {result.after}, wanted {result.wanted}: {result.reason}{error}"
        )
        self.line(
            "endpoint",
            message,
            result.level,
            **result.answer(),
            trigger=trigger,
            code=result.code,
            billing=result.after is not None and result.after not in FREE,
            unready=result.unready,
            dry_run=dry_run,
            by=by,
            holder=holder,
            released=released,
            rule=result.rule,
            **_history(result),
        )

    def unmanaged(self, endpoint: Endpoint) -> None:
        billing = endpoint.may_bill
        message = f"{endpoint.name}: {endpoint.state}, unmanaged: no entry covers it"
        level: Level = "WARNING" if billing else "INFO"
        self.line("unmanaged", message, level, name=endpoint.name, state=endpoint.state, billing=billing)


def _history(result: Result) -> dict[str, Any]:
    """The fields from which history and costs are read; null: unknown."""
    seen, begin = result.seen, result.hours_begin
    return {
        "replicas": seen.target_replicas if seen else None,
        "dollars_per_hour": result.dollars_per_hour,
        "start_seconds": result.start_seconds,
        "updated_by": seen.updated_by if seen else None,
        "updated_at": format_rfc3339(seen.updated_at) if seen and seen.updated_at else None,
        "recently_updated": result.recently_updated,
        "slept_at": format_rfc3339(result.slept_at) if result.slept_at else None,
        "hours_begin": format_rfc3339(begin) if begin else None,
        "on_time": result.before == "running" if begin else None,
    }
