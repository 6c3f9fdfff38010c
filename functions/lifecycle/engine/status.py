"""The status as JSON: states, desired states, reasons, next changes, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.core.budget import ALL
from lifecycle.core.entries import Entry
from lifecycle.core.model import Endpoint, Prices, StoredState
from lifecycle.core.overrides import deciding
from lifecycle.core.rules import Situation, decide
from lifecycle.core.timeline import next_change
from lifecycle.core.times import format_rfc3339
from lifecycle.engine import status_past
from lifecycle.engine.observation import Observation
from lifecycle.engine.past import Readings
from lifecycle.errors import Failure
from lifecycle.gcp import jobs


@dataclass(frozen=True)
class Status:
    """The answer of `status`, and for the page: the situation of each row, the prices, what could not be read, and when
    the reconcile job last fired (None: never, or unknown)."""

    answer: dict[str, Any]
    situations: Sequence[Situation]
    prices: Prices
    failures: Sequence[Failure]
    reconciled_at: datetime | None = None


def build_status(run: Observation, prices: Prices | Failure) -> Status:
    """The status (docs/http.md, "Status"). Prices are dollars an hour for one replica."""
    priced = prices if not isinstance(prices, Failure) else {}
    followed = run.settings.platforms_followed
    observed = [found for entry in run.settings.entries.values() for found in _observed(run, entry)]
    reconcile = run.store.seen.get(jobs.reconcile_id(run.prefix)) if run.store else None
    answer = {
        "now": format_rfc3339(run.now()),
        "settings_sha256": run.settings.sha256,
        "jobs_settings_sha256": jobs.settings_sha256_of(reconcile),
        "endpoints": [_row(situation, error, priced, run.readings) for situation, error in observed],
        "unmanaged": [_unmanaged(endpoint, priced) for endpoint in run.unmanaged()],
        "platforms": {name: _platform(run.state, name) for name in dict.fromkeys([*run.settings.platforms, *followed])},
        "history": run.readings.reason,
        "budget": _budget(run),
        "unknown": _unknown(run, prices),
    }
    failures = [run.endpoints_failure, run.state_failure, prices if isinstance(prices, Failure) else None]
    return Status(
        answer,
        [situation for situation, _ in observed],
        priced,
        [*filter(None, failures)],
        reconcile.attempted_at if reconcile else None,
    )


def _budget(run: Observation) -> dict[str, Any] | None:
    spending = run.past.spendings.get(ALL)
    return status_past.budget(spending, run.now()) if spending else None


def _observed(run: Observation, entry: Entry) -> list[tuple[Situation, str | None]]:
    """The endpoints of an entry, each with what is wrong; where none was seen, the entry alone."""
    if run.endpoints_failure:
        return [(run.situation(entry, None), str(run.endpoints_failure))]
    situations = run.situations(entry)
    if not situations and not entry.is_pattern:
        missing = run.unread.get(entry.name or entry.key) or f"Hugging Face has no endpoint {entry.name}"
        return [(run.situation(entry, None), str(missing))]
    return [(situation, None) for situation in situations]


def _row(situation: Situation, error: str | None, prices: Prices, readings: Readings) -> dict[str, Any]:
    entry, found = situation.entry, situation.endpoint
    wanted, following = decide(situation), next_change(situation)
    held = situation.in_force
    override = deciding(held)
    next_ = (
        {"at": format_rfc3339(following.at), "wanted": following.wanted, "reason": following.reason}
        if following
        else None
    )
    return {
        "endpoint": entry.key,
        "name": found.name if found else entry.name or entry.key,
        "time_zone": entry.zone.key,
        "state": found.state if found else None,
        "wanted": wanted.wanted,
        "reason": wanted.reason,
        "url": found.url if found else None,
        "error": error or (found.message if found and found.state in ("failed", "updateFailed") else None),
        "next": next_,
        "override": override.as_json() if override else None,
        "overrides": [one.as_json() for one in held],
        "replicas": {
            "ready": found.ready_replicas if found else None,
            "target": found.target_replicas if found else None,
            "min": found.min_replicas if found else None,
            "max": found.max_replicas if found else None,
        },
        "price_per_hour": _price(found, prices),
        "last_used_at": format_rfc3339(found.last_used_at) if found and found.last_used_at else None,
        "updated_at": format_rfc3339(found.updated_at) if found and found.updated_at else None,
        "updated_by": found.updated_by if found else None,
        "type": found.type if found else None,
        "tags": sorted(found.tags) if found else [],
        **status_past.of_row(situation, readings),
    }


def _unmanaged(endpoint: Endpoint, prices: Prices) -> dict[str, Any]:
    return {"name": endpoint.name, "state": endpoint.state, "price_per_hour": _price(endpoint, prices)}


def _price(endpoint: Endpoint | None, prices: Prices) -> float | None:
    return prices.get(endpoint.hardware) if endpoint and endpoint.hardware else None


def _platform(memory: StoredState, name: str) -> dict[str, Any]:
    platform = memory.platforms.get(name)
    return {
        "state": platform.state if platform else None,
        "since": format_rfc3339(platform.since) if platform else None,
    }


def _unknown(run: Observation, prices: Prices | Failure) -> list[str]:
    failures = [run.endpoints_failure, prices if isinstance(prices, Failure) else None]
    unread = {
        "token": any(failure and failure.code == "token_unreadable" for failure in failures),
        "huggingface": run.endpoints_failure is not None,
        "prices": isinstance(prices, Failure),
        "scheduler": run.store is None or run.state_failure is not None,
    }
    return [name for name, is_so in unread.items() if is_so]
