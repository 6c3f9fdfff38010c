"""Budgets: how many dollars a calendar month may cost, and whether they are spent. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lifecycle.core.model import BudgetRecord
from lifecycle.core.money import Bill
from lifecycle.core.schedule import wall_to_utc
from lifecycle.core.times import format_local, in_words

NEAR = 0.8  # of the dollars: time for a warning
ALL = ""  # the key of the top-level budget


@dataclass(frozen=True)
class Budget:
    """Dollars for a calendar month on the zone's clock."""

    dollars: float
    zone: ZoneInfo

    def month(self, now: datetime) -> str:
        """Such as "2026-11"."""
        return f"{now.astimezone(self.zone):%Y-%m}"

    def begin(self, now: datetime) -> datetime:
        return month_begin(now, self.zone)

    def end(self, now: datetime) -> datetime:
        return month_begin(now, self.zone, later=1)


def month_begin(now: datetime, zone: ZoneInfo, *, later: int = 0) -> datetime:
    """The first instant of the month that is so many after the one of `now`."""
    local = now.astimezone(zone)
    years, month = divmod(local.month - 1 + later, 12)
    first = datetime.combine(date(local.year + years, month + 1, 1), time.min)
    return wall_to_utc(first, zone, fold=0)


@dataclass(frozen=True)
class Spending:
    """A budget and what is known of its month: what is stored, and what was billed.

    `key`: the entry's, or "" for the top-level one. `bill`: that of the month in which `read_at` lies; None: not known,
    and `reason` says why.
    """

    key: str
    budget: Budget
    record: BudgetRecord | None = None
    bill: Bill | None = None
    read_at: datetime | None = None
    reason: str = ""

    def spent_at(self, now: datetime) -> datetime | None:
        """When it was spent, if it is: that holds for the month, unless the settings allow more by now."""
        record, month = self._record(now), self.budget.month(now)
        if record and record.spent_at and record.dollars >= self.budget.dollars:
            return record.spent_at
        if self.bill and self.read_at and self.budget.month(self.read_at) == month:
            return self.read_at if self.bill.dollars >= self.budget.dollars else None
        return None

    def billed(self, now: datetime) -> float | None:
        """In dollars, at least; None: not known."""
        record = self._record(now)
        return self.bill.dollars if self.bill else record.billed if record else None

    @property
    def is_near(self) -> bool:
        return self.bill is not None and self.bill.dollars >= NEAR * self.budget.dollars

    def _record(self, now: datetime) -> BudgetRecord | None:
        return self.record if self.record and self.record.month == self.budget.month(now) else None


def describe(spending: Spending, now: datetime) -> str:
    """Such as "budget of $20.00 for November: $20.13 billed"."""
    whose = "" if spending.key else " over all entries"
    zone = spending.budget.zone
    billed = spending.billed(now)
    amount = f"the billed costs are unknown: {spending.reason}" if billed is None else f"{dollars(billed)} billed"
    gaps = _gaps(spending.bill, spending.budget.begin(now), zone, now) if spending.bill else ""
    return f"budget of {dollars(spending.budget.dollars)} for {now.astimezone(zone):%B}{whose}: {amount}{gaps}"


def _gaps(bill: Bill, begin: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Which part of a month is unknown, and counts as 0."""
    late = (bill.since or now) - begin > timedelta(hours=1)
    since = format_local(bill.since, zone, now) if bill.since else "now"
    before = f"; known since {since}, costs before that count as 0" if late else ""
    return before + (f"; {in_words(bill.unknown)} are unknown and count as 0" if bill.unknown else "")


def dollars(amount: float) -> str:
    return f"${amount:,.2f}"
