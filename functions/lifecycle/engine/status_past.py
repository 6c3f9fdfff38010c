"""The past in a row of the status: what was billed this month, budgets, and how long starts take."""

import math
from datetime import datetime
from typing import Any

from lifecycle.core.budget import Spending, describe, month_begin
from lifecycle.core.lead import SHARE
from lifecycle.core.past import NO_STARTS
from lifecycle.core.rules import Situation
from lifecycle.core.times import format_rfc3339
from lifecycle.engine.past import Readings
from lifecycle.errors import Failure


def of_row(situation: Situation, readings: Readings) -> dict[str, Any]:
    """The fields `billed_this_month`, `budget` and `started_in`; null if unknown."""
    spending = situation.past.spendings.get(situation.entry.key)
    return {
        "billed_this_month": _billed(situation, readings),
        "budget": budget(spending, situation.now) if spending else None,
        "started_in": _started_in(situation),
    }


def _billed(situation: Situation, readings: Readings) -> float | None:
    """Dollars; None also before history begins."""
    bills = readings.bills.get(month_begin(situation.now, situation.entry.zone))
    if bills is None or isinstance(bills, Failure) or situation.endpoint is None:
        return None
    found = bills.get((situation.entry.key, situation.endpoint.name))
    return round(found.dollars, 4) if found and found.since else None


def budget(spending: Spending, now: datetime) -> dict[str, Any]:
    bill = spending.bill
    spent_at = spending.spent_at(now)
    billed = spending.billed(now)
    return {
        "dollars": spending.budget.dollars,
        "billed": None if billed is None else round(billed, 4),
        "spent_at": format_rfc3339(spent_at) if spent_at else None,
        "until": format_rfc3339(spending.budget.end(now)),
        "known_since": format_rfc3339(bill.since) if bill and bill.since else None,
        "unknown_hours": bill.unknown.total_seconds() / 3600 if bill else None,
        "summary": describe(spending, now),
    }


def _started_in(situation: Situation) -> dict[str, Any] | None:
    """The 95th percentile of the starts of the last 30 days, their number, and the lead learned from them."""
    past, bounds = situation.past, situation.entry.auto_lead
    name = situation.endpoint.name if situation.endpoint else None
    starts = past.starts.get(name or "", NO_STARTS) if past.starts is not None else NO_STARTS
    if not starts.count and bounds is None:
        return None
    seconds = starts.percentile(SHARE) if starts.count else math.inf
    return {
        "seconds": seconds if math.isfinite(seconds) else None,
        "starts": starts.count,
        "lead_seconds": past.lead(name, bounds).length.total_seconds() if bounds else None,
    }
