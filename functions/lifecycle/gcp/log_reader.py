"""Reads the functions' log lines from Cloud Logging.

Source: Cloud Logging API v2, `entries.list`.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.core.history import LogLine
from lifecycle.core.times import format_rfc3339, parse_rfc3339
from lifecycle.errors import Failure
from lifecycle.gcp.rest import CODE, PER_CALL, Api, Json

PAGE = 1000
MOST_PAGES = 100


@dataclass(frozen=True)
class LogReader:
    """Reads the lines of the functions with this prefix. `parent`: a log view's full name, or `projects/P`."""

    parent: str
    api: Api
    prefix: str

    async def lines(self, condition: str, since: datetime, until: datetime) -> list[LogLine]:
        """The lines in [since, until) that meet a condition of the query language, oldest first. Raises `Failure`."""
        asked = self._asked(condition, since, until, "asc", PAGE)
        found: list[LogLine] = []
        for _ in range(MOST_PAGES):
            deadline = asyncio.get_running_loop().time() + PER_CALL
            body = await self.api("POST", "/v2/entries:list", deadline=deadline, body=asked)
            found += _lines(body)
            token, before = body.get("nextPageToken"), asked.get("pageToken")
            if not token:
                return found
            if token == before:
                raise Failure("Cloud Logging: the list does not end", code=CODE, retryable=True)
            asked = {**asked, "pageToken": token}
        raise Failure(f"Cloud Logging: more than {MOST_PAGES * PAGE:,} lines; ask for less", code=CODE, retryable=False)

    async def latest(
        self, condition: str, since: datetime, until: datetime, *, most: int, seconds: float
    ) -> list[LogLine]:
        """At most `most` of the latest lines, newest first. Raises `Failure` if they do not come within `seconds`."""
        asked = self._asked(condition, since, until, "desc", most)
        deadline = asyncio.get_running_loop().time() + seconds
        return [*_lines(await self.api("POST", "/v2/entries:list", deadline=deadline, body=asked))]

    def _asked(self, condition: str, since: datetime, until: datetime, order: str, size: int) -> Json:
        filters = (
            'resource.type="cloud_run_revision"',
            f'resource.labels.service_name=~"^{self.prefix}-"',
            f'timestamp>="{format_rfc3339(since)}"',
            f'timestamp<"{format_rfc3339(until)}"',
            f"({condition})",
        )
        return {
            "resourceNames": [self.parent],
            "filter": " AND ".join(filters),
            "orderBy": f"timestamp {order}",
            "pageSize": size,
        }


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _lines(body: Mapping[str, Any]) -> Iterator[LogLine]:
    entries = body.get("entries", [])
    if not isinstance(entries, list):
        raise Failure("Cloud Logging: the answer is not understood", code=CODE, retryable=True)
    for entry in entries:
        payload, at = (entry.get("jsonPayload"), entry.get("timestamp")) if isinstance(entry, dict) else (None, None)
        if isinstance(payload, dict) and isinstance(at, str) and (when := parse_rfc3339(at)):
            yield LogLine(when, {"severity": entry.get("severity"), **payload})
