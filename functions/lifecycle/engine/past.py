"""Reads the past for one call: what was billed this month, and how long starts took. Each is read at most once."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lifecycle.core.budget import ALL, Budget, Spending, month_begin
from lifecycle.core.entries import Settings
from lifecycle.core.lead import Starts
from lifecycle.core.model import Endpoint, Prices, StoredState
from lifecycle.core.money import Bill, bill, dollars_per_hour, together
from lifecycle.core.past import Past
from lifecycle.errors import Failure
from lifecycle.gcp.monitoring import Monitoring, Series, covered_until

PATIENCE = 4.0  # seconds; what is not known by then is not known in this call
UNSET = Failure("MONITORING_PARENT is not set", code="history_unavailable", retryable=False)
Bills = Mapping[Series, Bill]


@dataclass(frozen=True)
class Readings:
    """What was read from Cloud Monitoring. `bills`: by the beginning of their month. `starts` None: not read."""

    bills: Mapping[datetime, Bills | Failure] = field(default_factory=dict)
    starts: Mapping[str, Starts] | Failure | None = None

    @property
    def reason(self) -> str | None:
        """Why the past is unknown; None: it is known."""
        every = [*self.bills.values(), self.starts]
        return next((str(one) for one in every if isinstance(one, Failure)), None)


NOT_READ = Readings()


def budgets(settings: Settings) -> dict[str, Budget]:
    """Every budget by its key."""
    found = {key: entry.budget for key, entry in settings.entries.items() if entry.budget}
    return {ALL: settings.budget, **found} if settings.budget else found


async def for_rules(
    source: Monitoring | None, settings: Settings, entries: Iterable[str], now: datetime, *, everything: bool
) -> Readings:
    """The readings that the rules of these entries need. Budgets are only read for `["*"]` runs (`everything`): other
    calls use what these runs have stored."""
    months = [budget.begin(now) for budget in budgets(settings).values()] if everything else []
    starts = any(settings.entries[key].auto_lead for key in entries)
    return await read(source, months, settings.reconcile_every, now, starts=starts)


async def for_status(source: Monitoring | None, settings: Settings, now: datetime) -> Readings:
    months = [month_begin(now, entry.zone) for entry in settings.entries.values()]
    months += [budget.begin(now) for budget in budgets(settings).values()]
    return await read(source, months, settings.reconcile_every, now, starts=True)


async def read(
    source: Monitoring | None, months: Iterable[datetime], every: timedelta, now: datetime, *, starts: bool
) -> Readings:
    """The bills of the months that begin then, and how long starts took, where that is asked for."""
    wanted = list(dict.fromkeys(months))
    if source is None:
        return Readings(dict.fromkeys(wanted, UNSET), UNSET if starts else None)
    deadline = asyncio.get_running_loop().time() + PATIENCE

    async def month(begin: datetime) -> Bills | Failure:
        try:
            found = await source.costs(begin, now, every, deadline)
        except Failure as failure:
            return failure
        return {series: bill(windows, every) for series, windows in found.items()}

    async def learned() -> Mapping[str, Starts] | Failure | None:
        try:
            return await source.starts(now, deadline) if starts else None
        except Failure as failure:
            return failure

    known, bills = await asyncio.gather(learned(), asyncio.gather(*map(month, wanted)))
    return Readings(dict(zip(wanted, bills, strict=True)), known)


def past(
    settings: Settings, stored: StoredState, readings: Readings, running: Mapping[str, list[Endpoint]], prices: Prices,
    now: datetime,
) -> Past:  # fmt: skip
    """The past as the rules get it, from the stored state and the readings. `running`: the endpoints of each entry."""

    def spending(key: str, budget: Budget) -> Spending:
        begin, known = budget.begin(now), Spending(key, budget, stored.budgets.get(key))
        bills = readings.bills.get(begin)
        if bills is None or isinstance(bills, Failure):
            return replace(known, reason=str(bills) if bills else "")
        entries = [key] if key else list(settings.entries)
        there = {(entry, endpoint.name) for entry in entries for endpoint in running.get(entry, ())}
        found = together([
            one if series in there or not there else one.of_gone
            for series, one in bills.items() if series[0] in entries
        ])  # fmt: skip
        # Points arrive late: since then it is taken to cost what is seen now.
        rates = [dollars_per_hour(endpoint, prices) for entry in entries for endpoint in running.get(entry, ())]
        if found.since is None and None in rates:
            return replace(known, reason="prices or replicas are unknown")
        late = (now - covered_until(begin, now, settings.reconcile_every)) / timedelta(hours=1)
        newest = late * sum(rate for rate in rates if rate is not None)
        return replace(known, bill=replace(found, dollars=found.dollars + newest), read_at=now)

    starts = readings.starts
    return Past(
        {key: spending(key, budget) for key, budget in budgets(settings).items()},
        None if isinstance(starts, Failure) else starts,
    )
