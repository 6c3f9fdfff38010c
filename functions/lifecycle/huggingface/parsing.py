"""Hugging Face's JSON into values. Tolerant: fields may be absent, null, of another type, or new."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from lifecycle.core.model import Endpoint, Hardware
from lifecycle.core.times import parse_rfc3339

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")  # what may stand in a path of the API

MOST_DEAR = 1_000_000  # dollars an hour; what is not a number is not below it


def endpoint_of(body: Any) -> Endpoint | None:
    """An endpoint as the API tells of it; None when it has no name."""
    name = _get(body, "name", str)
    if not name:
        return None
    status, compute, provider = (_get(body, key, dict) or {} for key in ("status", "compute", "provider"))
    scaling = _get(compute, "scaling", dict) or {}
    minutes = _get(scaling, "scaleToZeroTimeout", int)
    where = (_get(provider, "vendor", str), _get(provider, "region", str))
    what = (_get(compute, "instanceType", str), _get(compute, "instanceSize", str))
    return Endpoint(
        name=name,
        state=_get(status, "state", str) or "unknown",
        tags=frozenset(tag for tag in _get(body, "tags", list) or () if isinstance(tag, str)),
        url=_get(status, "url", str),
        health_route=_get(body, "healthRoute", str),
        message=prose(_get(status, "errorMessage", str) or _get(status, "message", str) or "") or None,
        ready_replicas=_get(status, "readyReplica", int),
        target_replicas=_get(status, "targetReplica", int),
        min_replicas=_get(scaling, "minReplica", int),
        max_replicas=_get(scaling, "maxReplica", int),
        scale_to_zero_after=timedelta(minutes=minutes) if minutes and 0 < minutes < 1_000_000 else None,
        last_used_at=parse_rfc3339(_get(status, "lastUsedAt", str)),
        updated_at=parse_rfc3339(_get(status, "updatedAt", str)),
        updated_by=_get(_get(status, "updatedBy", dict), "name", str),
        hardware=(where[0], where[1], what[0], what[1]) if where[0] and where[1] and what[0] and what[1] else None,
    )


def addressable(name: str) -> bool:
    """Whether it may stand in a path of the API. An endpoint whose name may not is told of, and never acted on."""
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


def prose(text: str, content_type: str | None = None) -> str:
    """What a body says, in at most 300 characters on one line: of JSON its error, of HTML only that it is HTML."""
    if "html" in (content_type or "") or text.lstrip()[:1] == "<":
        return "(an HTML page)"
    error = re.search(r'"(?:error|message|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"', text[:10_000])
    line = " ".join((error[1] if error else text[:1000]).split())
    return line if len(line) <= 300 else line[:299] + "…"


def _get(body: Any, key: str, kind: type | tuple[type, ...]) -> Any:
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _dicts(body: Any, key: str) -> list[dict[str, Any]]:
    return [item for item in _get(body, key, list) or () if isinstance(item, dict)]
