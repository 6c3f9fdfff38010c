"""Structured logs: one JSON object a line on standard output, as Cloud Logging reads them.

One line for each endpoint and call (`event` "endpoint"), one for each call ("call"), and what else must be seen.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.core.model import FREE, Endpoint, Level, Result
from lifecycle.core.text import did, visible
from lifecycle.core.times import format_rfc3339

# Cloud Trace: `traceparent` (W3C), or Google's own older header.
_TRACES = (("traceparent", r"[0-9a-f]{2}-([0-9a-f]{32})-"), ("x-cloud-trace-context", r"([0-9a-f]{32})"))


def trace_of(headers: Mapping[str, str], project: str | None) -> str | None:
    """`projects/P/traces/ID` of a request, by lower-case header names."""
    for name, pattern in _TRACES:
        found = re.match(pattern, headers.get(name, ""))
        if found and project:
            return f"projects/{project}/traces/{found[1]}"
    return None


def _print(line: str) -> None:
    # One write, so that lines of calls side by side do not mix.
    sys.stdout.write(line)
    sys.stdout.flush()


@dataclass(frozen=True)
class Log:
    """The log of one call. `redact` keeps the token out of every line."""

    redact: Callable[[str], str]
    function: str
    trace: str | None = None
    write: Callable[[str], None] = _print

    def line(self, event: str, message: str, level: Level = "INFO", **fields: Any) -> None:
        shown = visible(message)  # `gcloud logging read --format value(jsonPayload.message)` prints it as it is
        entry: dict[str, Any] = {"severity": level, "message": shown, "event": event, "function": self.function}
        if self.trace:
            entry["logging.googleapis.com/trace"] = self.trace
        self.write(self.redact(json.dumps(entry | fields, default=str)) + "\n")

    def result(self, result: Result, *, trigger: str, by: str | None, dry_run: bool) -> None:
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
            rule=result.rule,
            **_history(result),
        )

    def unmanaged(self, endpoint: Endpoint) -> None:
        billing = endpoint.may_bill
        told = f"{endpoint.name}: {endpoint.state}, in no entry"
        level: Level = "WARNING" if billing else "INFO"
        self.line("unmanaged", told, level, name=endpoint.name, state=endpoint.state, billing=billing)


def _history(result: Result) -> dict[str, Any]:
    """What history and money are made from; what is not known is null."""
    seen, begin = result.seen, result.hours_begin
    return {
        "replicas": seen.target_replicas if seen else None,
        "dollars_per_hour": result.dollars_per_hour,
        "start_seconds": result.start_seconds,
        "updated_by": seen.updated_by if seen else None,
        "updated_at": format_rfc3339(seen.updated_at) if seen and seen.updated_at else None,
        "recently_updated": result.recently_updated,
        "hours_begin": format_rfc3339(begin) if begin else None,
        "on_time": result.before == "running" if begin else None,
    }
