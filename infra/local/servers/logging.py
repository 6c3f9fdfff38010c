"""A local Cloud Logging: its REST API v2 as far as it is used, and what Cloud Run does with a function's lines.

Source: Cloud Logging API v2 (entries.list, entries.write), and "Structured logging". Entries are kept as its JSON.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.servers.faults import Faults, google_error
from local.servers.log_filter import Test, parse

Json = dict[str, Any]
PAGE, LONGEST_PAGE = 50, 1000
VIEW = r"projects/[^/]+/locations/[^/]+/buckets/[^/]+/views/[^/]+"
# Fields of a line that become fields of the entry; the rest is its payload.
_SPECIAL = {"severity": "severity", "logging.googleapis.com/trace": "trace", "time": "timestamp"}


@dataclass
class Logging:
    """`parents`: the projects and views that may be read. `routes`: what else gets each entry, as metrics do."""

    now: Callable[[], datetime]
    project: str = "local"
    parents: Sequence[str] = ()
    routes: Sequence[Callable[[Json], None]] = ()
    entries: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.faults = Faults(self.now, google_error)
        self.lists = 0  # how many pages were read

    def line(self, function: str, text: str) -> None:
        """Takes one line that a function wrote to its standard output."""
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        entry: Json = {"textPayload": text} if not isinstance(parsed, dict) else {}
        if isinstance(parsed, dict):
            entry |= {_SPECIAL[key]: parsed.pop(key) for key in _SPECIAL if key in parsed}
            entry["jsonPayload"] = parsed
        service = function.replace("_", "-")
        labels = {"service_name": f"lifecycle-{service}", "revision_name": f"lifecycle-{service}-1"}
        entry["resource"] = {"type": "cloud_run_revision", "labels": {**labels, "project_id": self.project}}
        entry["logName"] = f"projects/{self.project}/logs/run.googleapis.com%2Fstdout"
        self._keep(entry)

    def _keep(self, entry: Json) -> None:
        now = _stamp(self.now())
        entry = {"timestamp": now, "severity": "DEFAULT", "insertId": f"{len(self.entries):012}", **entry}
        entry["receiveTimestamp"] = now
        self.entries.append(entry)
        for route in self.routes:
            route(entry)

    # The API.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        response = await self.faults.around(Request(scope, receive), self._answer)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            match (request.method, request.url.path):
                case ("POST", "/v2/entries:list"):
                    return self._list(body)
                case ("POST", "/v2/entries:write"):
                    return self._write(body)
        except (ValueError, re.error) as error:
            return _refused(400, "INVALID_ARGUMENT", f"Unparseable filter or request: {error}")
        return _refused(404, "NOT_FOUND", f"no such method: {request.method} {request.url.path}")

    def _list(self, body: Json) -> Response:
        names = body.get("resourceNames") or []
        if not names:
            return _refused(400, "INVALID_ARGUMENT", "resourceNames is required")
        if unknown := [name for name in names if name not in (f"projects/{self.project}", *self.parents)]:
            return _refused(403, "PERMISSION_DENIED", f"Permission denied for {unknown[0]}")
        order = body.get("orderBy") or "timestamp asc"
        if order not in ("timestamp", "timestamp asc", "timestamp desc"):
            return _refused(400, "INVALID_ARGUMENT", f"orderBy: {order}")
        self.lists += 1
        found = self.select(parse(body.get("filter") or ""))
        if order.endswith("desc"):
            found.reverse()
        start = int(body.get("pageToken") or 0)
        end = start + min(int(body.get("pageSize") or PAGE), LONGEST_PAGE)
        more = {"nextPageToken": str(end)} if end < len(found) else {}
        return JSONResponse(({"entries": found[start:end]} if found[start:end] else {}) | more)

    def select(self, test: Test) -> list[Json]:
        return sorted((entry for entry in self.entries if test(entry)), key=lambda entry: _time(entry["timestamp"]))

    def _write(self, body: Json) -> Response:
        for entry in body.get("entries", []):
            name, resource = body.get("logName"), body.get("resource") or {"type": "global"}
            kept = {"logName": name, "resource": resource, **entry}
            if not re.fullmatch(r"projects/[^/]+/logs/[^/]+", str(kept["logName"])):
                return _refused(400, "INVALID_ARGUMENT", f"logName: {kept['logName']}")
            self._keep(kept)
        return JSONResponse({})


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())


def _refused(code: int, status: str, message: str) -> Response:
    return JSONResponse(google_error(code, message, status), code)
