"""The answer of `status` as the values that the rules use, for commands that compute on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lifecycle.core.budget import ALL, Budget, Spending
from lifecycle.core.entries import Entry, Settings
from lifecycle.core.lead import Starts
from lifecycle.core.model import BudgetRecord, Endpoint, Hardware, Override, PlatformState, Prices, StoredState
from lifecycle.core.past import Past
from lifecycle.core.rules import Situation
from lifecycle.core.times import parse_rfc3339


@dataclass(frozen=True)
class Observed:
    """`rows`: those of the status, or made from the settings if there is no status. `situations`: one for each row."""

    now: datetime
    rows: list[dict[str, Any]]
    situations: list[Situation]
    prices: Prices
    notes: list[str]


def observed(settings: Settings, answer: Mapping[str, Any] | None, why: Sequence[str]) -> Observed:
    """The rows of the status for the entries of this machine's settings. `answer` None: there is no status.

    `why`: what is unknown, in words.
    """
    status = answer or {"endpoints": [], "platforms": {}}
    now = parse_rfc3339(status.get("now")) or datetime.now(UTC)
    rows = [row for row in status["endpoints"] if row["endpoint"] in settings.entries]
    seen = {row["endpoint"] for row in rows}
    rows += [_unseen(entry) for key, entry in settings.entries.items() if key not in seen]
    order = {key: number for number, key in enumerate(settings.entries)}
    rows.sort(key=lambda row: order[row["endpoint"]])
    platforms = {name: found for name, row in status["platforms"].items() if (found := _platform(row))}
    notes = [f"{text[:1].upper()}{text[1:]}." for text in why]
    if answer and answer["settings_sha256"] != settings.sha256:
        notes.append("The functions run with other settings than this file.")
    overall = _spending(ALL, settings.budget, status.get("budget"), now)
    situations = [_situation(settings.entries[row["endpoint"]], row, platforms, overall, now) for row in rows]
    prices = {_hardware(row): row["price_per_hour"] for row in rows if row["price_per_hour"] is not None}
    return Observed(now, rows, situations, prices, notes)


def _situation(
    entry: Entry, row: Mapping[str, Any], platforms: Mapping[str, PlatformState], overall: list[Spending], now: datetime
) -> Situation:
    spendings = [*_spending(entry.key, entry.budget, row.get("budget"), now), *overall]
    started = row.get("started_in") or {}
    starts = None
    if started.get("seconds") and started.get("starts"):
        starts = {row["name"]: Starts((started["seconds"],), (started["starts"],))}
    past = Past({spending.key: spending for spending in spendings}, starts)
    return Situation(entry, _endpoint(row), _memory(row, platforms), now, past)


def _spending(key: str, budget: Budget | None, row: Mapping[str, Any] | None, now: datetime) -> list[Spending]:
    """A budget, and since when it is spent, if it is."""
    if budget is None or row is None:
        return []
    record = BudgetRecord(budget.month(now), row["dollars"], parse_rfc3339(row["spent_at"]), row["billed"])
    return [Spending(key, budget, record)]


def _unseen(entry: Entry) -> dict[str, Any]:
    name = entry.name or entry.key
    return {"endpoint": entry.key, "name": name, "state": None, "price_per_hour": None, "override": None}


def _hardware(row: Mapping[str, Any]) -> Hardware:
    """A placeholder: the status has the price, but not the hardware."""
    return ("", "", "", row["name"])


def _endpoint(row: Mapping[str, Any]) -> Endpoint | None:
    state = row["state"]
    if state is None:
        return None
    replicas = row["replicas"]
    return Endpoint(
        name=row["name"],
        state=state,
        url=row["url"],
        ready_replicas=replicas["ready"],
        target_replicas=replicas["target"],
        min_replicas=replicas["min"],
        max_replicas=replicas["max"],
        last_used_at=parse_rfc3339(row["last_used_at"]),
        updated_at=parse_rfc3339(row.get("updated_at")),
        hardware=_hardware(row),
    )


def _memory(row: Mapping[str, Any], platforms: Mapping[str, PlatformState]) -> StoredState:
    return StoredState({row["endpoint"]: tuple(map(_override, row.get("overrides", ())))}, platforms)


def _override(stored: Mapping[str, Any]) -> Override:
    return Override(
        stored["state"],
        datetime.fromisoformat(stored["since"]),
        parse_rfc3339(stored["until"]),
        stored["or_started"],
        stored["by"],
        stored["note"],
        holder=stored["holder"],
        endpoint=stored["endpoint"],
        force=stored["force"],
    )


def _platform(row: Mapping[str, Any]) -> PlatformState | None:
    since = parse_rfc3339(row["since"])
    return PlatformState(row["state"], since) if row["state"] and since else None
