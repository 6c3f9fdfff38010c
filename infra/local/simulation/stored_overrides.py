"""The overrides that Cloud Scheduler's jobs store; read without the product."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from local.simulation.oracle import Decision


def stored_overrides(jobs: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Decision]:
    """Those of an entry, by holder."""
    found = {}
    for name, job in jobs.items():
        if "/lifecycle-override-" not in name:
            continue
        entries, holder, decision = _kept(job["httpTarget"]["body"])
        if decision and entries == [key]:
            found[holder] = decision
    return found


@lru_cache(maxsize=1000)  # the same bodies are looked at in every minute
def _kept(body: str) -> tuple[list[str], str, Decision | None]:
    """The entries, the holder and the override that a job's body keeps."""
    request = json.loads(base64.b64decode(body))
    override = request.get("memory", {}).get("override")
    if not override:
        return request["endpoints"], "", None
    until = override["until"]
    decision = Decision(
        override["state"],
        datetime.fromisoformat(override["since"]),
        datetime.fromisoformat(until) if until else None,
        override["or_started"],
        override.get("force", False),
        frozenset(override.get("found_at_rest", ["*"]) if override.get("rests") else []),
    )
    return request["endpoints"], override.get("holder") or "", decision
