"""Budgets in a `["*"]` reconcile run: stores that one is spent, and reports on all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lifecycle.core.budget import Spending, describe
from lifecycle.core.model import BudgetRecord, Level
from lifecycle.engine.observation import Observation
from lifecycle.errors import catch_failure

MOST_AT_ONCE = 4  # writes under way: others of the same run need Cloud Scheduler, too
SPENT, NEAR, UNKNOWN = "budget_spent", "budget_near", "budget_unknown"


@dataclass(frozen=True)
class BudgetReport:
    """A line of the log about a budget."""

    message: str
    level: Level
    fields: Mapping[str, Any]


async def settle(run: Observation) -> list[BudgetReport]:
    """Stores which budgets are spent, so that they stay spent until the month ends; a report on each budget."""
    slots = asyncio.Semaphore(MOST_AT_ONCE)

    async def one(spending: Spending) -> BudgetReport:
        async with slots:
            return await _settle(run, spending)

    return await asyncio.gather(*map(one, run.past.spendings.values()))


async def _settle(run: Observation, spending: Spending) -> BudgetReport:
    now, budget = run.now(), spending.budget
    record, month = spending.record, budget.month(now)
    if record is None or record.month != month or record.dollars < budget.dollars:
        record = BudgetRecord(month, budget.dollars)
    spent_at, today = spending.spent_at(now), f"{now.astimezone(budget.zone):%Y-%m-%d}"
    warns = spent_at is None and spending.is_near and record.warned != today
    updated = replace(record, warned=today) if warns else record
    if spent_at and not record.spent_at:
        updated = replace(updated, spent_at=spent_at, billed=round(spending.billed(now) or 0, 4))
    if updated != record and not run.dry:
        if run.store:
            run.note(
                f"the budget of {_name(spending)} is not stored",
                await catch_failure(run.store.put_budget(spending.key, updated, spending.record)),
            )
        else:
            run.notes.append(f"the budget of {_name(spending)} is not stored: SCHEDULER_PARENT is not set")
    code = SPENT if spent_at else UNKNOWN if spending.bill is None else NEAR if warns else None
    return BudgetReport(_message(spending, run), "WARNING" if code else "INFO", _fields(spending, code, run))


def _message(spending: Spending, run: Observation) -> str:
    now, entry = run.now(), run.settings.entries.get(spending.key)
    effect = ""
    if spending.spent_at(now):
        effect = "; protected: it runs on" if entry and entry.protected else "; it is spent until the month ends"
    return f"{_name(spending)}: {describe(spending, now)}{effect}"


def _name(spending: Spending) -> str:
    return spending.key or "all entries"


def _fields(spending: Spending, code: str | None, run: Observation) -> dict[str, Any]:
    bill, now = spending.bill, run.now()
    return {
        "endpoint": spending.key or "*",
        "name": spending.key or "*",
        "dollars": spending.budget.dollars,
        "billed": spending.billed(now),
        "unknown_hours": bill.unknown.total_seconds() / 3600 if bill else None,
        "known_since": bill.since if bill else None,
        "spent_at": spending.spent_at(now),
        "code": code,
        "dry_run": run.dry,
    }
