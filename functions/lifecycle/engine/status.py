"""The status as JSON: what is, what is wanted and why, what comes next, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lifecycle.core.budget import ALL
from lifecycle.core.entries import Entry
from lifecycle.core.model import Endpoint, Prices, StoredState
from lifecycle.core.overrides import ended_at
from lifecycle.core.rules import Situation, decide
from lifecycle.core.timeline import next_change
from lifecycle.core.times import format_rfc3339
from lifecycle.engine import known
from lifecycle.engine.call import Call
from lifecycle.engine.past import Readings
from lifecycle.errors import Failure
from lifecycle.gcp import jobs


@dataclass(frozen=True)
class Status:
    """The answer of `status`; for its page what each of its rows was made from, in their order; and what failed."""

    told: dict[str, Any]
    situations: Sequence[Situation]
    prices: Prices
    failures: Sequence[Failure]


def build_status(call: Call, prices: Prices | Failure) -> Status:
    """The status (design, "Functions"). Prices are dollars an hour for one replica."""
    priced = prices if not isinstance(prices, Failure) else {}
    memory = call.memory if isinstance(call.memory, StoredState) else StoredState()
    followed = [entry.platform for entry in call.settings.entries.values() if entry.platform]
    observed = [found for entry in call.settings.entries.values() for found in _observed(call, entry)]
    seen = call.store.seen if call.store else {}
    told = {
        "now": format_rfc3339(call.now()),
        "settings_sha256": call.settings.sha256,
        "jobs_settings_sha256": jobs.settings_sha256_of(seen.get(jobs.reconcile_id(call.prefix))),
        "endpoints": [_row(situation, error, priced, call.readings) for situation, error in observed],
        "unmanaged": [_unmanaged(endpoint, priced) for endpoint in call.unmanaged()],
        "platforms": {name: _platform(memory, name) for name in dict.fromkeys([*call.settings.platforms, *followed])},
        "history": call.readings.reason,
        "budget": _budget(call),
        "unknown": _unknown(call, prices),
    }
    failures = [failure for failure in (call.endpoints, call.memory, prices) if isinstance(failure, Failure)]
    return Status(told, [situation for situation, _ in observed], priced, failures)


def _budget(call: Call) -> dict[str, Any] | None:
    """The one over all entries."""
    spending = call.past.spendings.get(ALL)
    return known.budget(spending, call.now()) if spending else None


def _observed(call: Call, entry: Entry) -> list[tuple[Situation, str | None]]:
    """The endpoints of an entry, each with what is wrong; where none was seen, the entry alone."""
    if isinstance(call.endpoints, Failure):
        return [(call.situation(entry, None), str(call.endpoints))]
    situations = call.situations(entry)
    if not situations and not entry.is_pattern:
        return [(call.situation(entry, None), f"Hugging Face has no endpoint {entry.name}")]
    return [(situation, None) for situation in situations]


def _row(situation: Situation, error: str | None, prices: Prices, readings: Readings) -> dict[str, Any]:
    entry, found = situation.entry, situation.endpoint
    wanted, following = decide(situation), next_change(situation)
    override = situation.memory.overrides.get(entry.key)
    if override and ended_at(override, situation.memory, situation.now):
        override = None
    next_ = (
        {"at": format_rfc3339(following.at), "wanted": following.wanted, "reason": following.reason}
        if following
        else None
    )
    return {
        "endpoint": entry.key,
        "name": found.name if found else entry.name or entry.key,
        "time_zone": entry.zone.key,
        "before": found.state if found else None,
        "after": found.state if found else None,
        "wanted": wanted.wanted,
        "reason": wanted.reason,
        "url": found.url if found else None,
        "error": error or (found.message if found and found.state in ("failed", "updateFailed") else None),
        "duration_ms": 0,
        "until": format_rfc3339(following.at) if following else None,
        "next": next_,
        "override": jobs.override_json(override) if override else None,
        "replicas": {
            "ready": found.ready_replicas if found else None,
            "target": found.target_replicas if found else None,
            "min": found.min_replicas if found else None,
            "max": found.max_replicas if found else None,
        },
        "price_per_hour": _price(found, prices),
        "last_used_at": format_rfc3339(found.last_used_at) if found and found.last_used_at else None,
        "updated_at": format_rfc3339(found.updated_at) if found and found.updated_at else None,
        **known.of_row(situation, readings),
    }


def _unmanaged(endpoint: Endpoint, prices: Prices) -> dict[str, Any]:
    return {"name": endpoint.name, "state": endpoint.state, "price_per_hour": _price(endpoint, prices)}


def _price(endpoint: Endpoint | None, prices: Prices) -> float | None:
    return prices.get(endpoint.hardware) if endpoint and endpoint.hardware else None


def _platform(memory: StoredState, name: str) -> dict[str, Any]:
    news = memory.platforms.get(name)
    return {"state": news.state if news else None, "since": format_rfc3339(news.since) if news else None}


def _unknown(call: Call, prices: Prices | Failure) -> list[str]:
    failures = [failure for failure in (call.endpoints, prices) if isinstance(failure, Failure)]
    unread = {
        "token": any(failure.code == "token_unreadable" for failure in failures),
        "huggingface": isinstance(call.endpoints, Failure),
        "prices": isinstance(prices, Failure),
        "scheduler": call.store is None or isinstance(call.memory, Failure),
    }
    return [name for name, is_so in unread.items() if is_so]
