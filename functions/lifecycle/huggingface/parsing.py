"""Hugging Face's JSON as values. Fields may be absent, null, of another type, or new."""

import json
import re
from datetime import timedelta
from typing import Any, cast

from lifecycle.core.model import MOST_REPLICAS, Endpoint, Hardware
from lifecycle.core.times import parse_rfc3339

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")  # what may stand in a path of the API

MOST_DEAR = 1_000_000  # dollars an hour; a higher price is a mistake
LONGEST_TEXT = 2000  # characters of a name, URL or route; longer ones are unknown
LONGEST_WHOLE_NUMBER = 18  # digits; Python refuses to read thousands of them


def as_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, RecursionError."""
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= LONGEST_WHOLE_NUMBER else None)


def endpoint_of(body: Any) -> Endpoint | None:
    """An endpoint in the API's JSON; None: it has no name."""
    name = _text(body, "name")
    if not name:
        return None
    status, compute, provider = (_get(body, key, dict) or {} for key in ("status", "compute", "provider"))
    scaling = _get(compute, "scaling", dict) or {}
    minutes = _get(scaling, "scaleToZeroTimeout", int)
    where = (_text(provider, "vendor"), _text(provider, "region"))
    what = (_text(compute, "instanceType"), _text(compute, "instanceSize"))
    return Endpoint(
        name=name,
        state=_text(status, "state", most=50) or "unknown",
        type=_text(body, "type", most=50),
        tags=frozenset(tag for tag in _get(body, "tags", list) or () if isinstance(tag, str)),
        url=_text(status, "url"),
        health_route=_text(body, "healthRoute"),
        message=prose(_get(status, "errorMessage", str) or _get(status, "message", str) or "") or None,
        ready_replicas=_replicas(status, "readyReplica"),
        target_replicas=_replicas(status, "targetReplica"),
        min_replicas=_replicas(scaling, "minReplica"),
        max_replicas=_replicas(scaling, "maxReplica"),
        scale_to_zero_after=timedelta(minutes=minutes) if minutes and 0 < minutes < 1_000_000 else None,
        last_used_at=parse_rfc3339(_get(status, "lastUsedAt", str)),
        updated_at=parse_rfc3339(_get(status, "updatedAt", str)),
        updated_by=_text(_get(status, "updatedBy", dict), "name", most=200),
        hardware=(where[0], where[1], what[0], what[1]) if where[0] and where[1] and what[0] and what[1] else None,
    )


def addressable(name: str) -> bool:
    """Whether it may stand in a path of the API. An endpoint whose name may not is reported and never changed."""
    return NAME.fullmatch(name) is not None


def prices_of(body: Any) -> dict[Hardware, float]:
    """Dollars an hour for one replica, by vendor, region, instance type and size, from `GET /provider/{namespace}`."""
    prices: dict[Hardware, float] = {}
    for vendor in _dicts(body, "vendors"):
        for region in _dicts(vendor, "regions"):
            for compute in _dicts(region, "computes"):
                named = (
                    _get(vendor, "name", str),
                    _get(region, "name", str),
                    _get(compute, "instanceType", str),
                    _get(compute, "instanceSize", str),
                )
                price = _get(compute, "pricePerHour", (int, float))
                if price is not None and all(named) and 0 <= price < MOST_DEAR:
                    prices[cast(Hardware, named)] = float(price)
    return prices


def prose(text: str, content_type: str | None = None, most: int = 300) -> str:
    """A body as one line of at most `most` printable characters: of JSON its error, of HTML only that it is HTML. The
    token must have been removed before, because the text is cut."""
    if "html" in (content_type or "") or text.lstrip()[:1] == "<":
        return "(an HTML page)"
    error = re.search(r'"(?:error|message|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"', text[:10_000])
    said = error[1] if error else text[:1000]
    printable = said if said.isprintable() else "".join(char if char.isprintable() else " " for char in said)
    line = " ".join(printable.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _text(body: Any, key: str, most: int = LONGEST_TEXT) -> str | None:
    value = _get(body, key, str)
    return value if value is not None and len(value) <= most else None


def _replicas(body: Any, key: str) -> int | None:
    value = _get(body, key, int)
    return value if value is not None and 0 <= value <= MOST_REPLICAS else None


def _get(body: Any, key: str, kind: type | tuple[type, ...]) -> Any:
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _dicts(body: Any, key: str) -> list[dict[str, Any]]:
    return [item for item in _get(body, key, list) or () if isinstance(item, dict)]
