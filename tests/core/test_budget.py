"""Budgets: when they are spent, and what the rules decide then."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.budget import Budget, Spending, describe
from lifecycle.core.model import BudgetRecord
from lifecycle.core.money import Bill
from lifecycle.core.past import Past
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.core.timeline import next_change
from support.building import BERLIN, NOON, OFFICE, at, entry, situation

BUDGET = Budget(20.0, BERLIN)
NOVEMBER, DECEMBER = at("2026-11-01T00:00"), at("2026-12-01T00:00")
FULL = Bill(20.0, NOVEMBER)


def spending(bill: Bill | None = None, record: BudgetRecord | None = None, key: str = "embeddings") -> Spending:
    return Spending(key, BUDGET, record, bill, NOON if bill else None)


def decided(*spendings: Spending, text: str = OFFICE, now: datetime = NOON) -> Decision:
    return decide(
        Situation(entry(text), None, situation(OFFICE).memory, now, Past({one.key: one for one in spendings}))
    )


SPENT = BudgetRecord("2026-11", 20.0, at("Tue 10:03"), 20.13)


def test_a_spent_budget_rests_until_the_month_ends() -> None:
    found = decided(spending(FULL))
    assert (found.wanted, found.rule, found.until) == ("paused", "budget", DECEMBER)
    assert (
        found.reason
        == "budget of $20.00 for November: $20.00 billed; it rests until Tue 2026-12-01 00:00 Europe/Berlin"
    )


def test_it_rests_as_the_entry_does() -> None:
    assert decided(spending(FULL), text=f"{OFFICE}, rest: scaledToZero").wanted == "scaledToZero"


@pytest.mark.parametrize("bill", [Bill(19.99, NOVEMBER), Bill(), None])
def test_before_that_the_hours_decide(bill: Bill | None) -> None:
    assert decided(spending(bill)).rule == "hours"


def test_once_spent_it_stays_so_whatever_is_read_later() -> None:
    assert decided(spending(Bill(1.0, NOVEMBER), SPENT)).rule == "budget"
    assert decided(spending(None, SPENT)).rule == "budget"


def test_in_the_next_month_the_hours_decide_again() -> None:
    for past in (spending(None, SPENT), spending(FULL)):
        assert decided(past, now=DECEMBER).rule == "hours"
        assert decided(past, now=DECEMBER - timedelta(microseconds=1)).rule == "budget"


def test_a_higher_budget_in_the_settings_is_not_spent_by_the_old_one() -> None:
    assert decided(spending(None, BudgetRecord("2026-11", 19.0, NOON, 19.5))).rule == "hours"
    assert decided(spending(None, BudgetRecord("2026-11", 25.0, NOON, 25.5))).rule == "budget"


def test_the_budget_over_all_entries_covers_each() -> None:
    found = decided(spending(FULL, key=""))
    assert found.rule == "budget"
    assert "over all entries" in found.reason


def test_another_entrys_budget_does_not() -> None:
    assert decided(spending(FULL, key="others")).rule == "hours"


def test_what_comes_next_is_the_month_after() -> None:
    past = Past({"embeddings": spending(FULL)})
    found = next_change(Situation(entry("hours: daily 00:00-24:00"), None, situation(OFFICE).memory, NOON, past))
    assert found is not None
    assert (found.at, found.wanted) == (DECEMBER, "running")


@pytest.mark.parametrize(
    ("now", "begin", "end"),
    [
        ("2026-11-24T12:00+01:00", "2026-11-01T00:00+01:00", "2026-12-01T00:00+01:00"),
        ("2026-10-31T23:30+00:00", "2026-11-01T00:00+01:00", "2026-12-01T00:00+01:00"),
        ("2026-10-01T00:00+02:00", "2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00"),
        ("2026-12-31T22:59+00:00", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
    ],
)
def test_a_month_is_one_on_the_zones_clock(now: str, begin: str, end: str) -> None:
    when = datetime.fromisoformat(now)
    assert BUDGET.begin(when) == datetime.fromisoformat(begin)
    assert BUDGET.end(when) == datetime.fromisoformat(end)


def test_a_month_may_begin_where_midnight_does_not_exist() -> None:
    # Paraguay put its clocks forward at midnight of 1 October 2023.
    budget = Budget(1.0, ZoneInfo("America/Asuncion"))
    assert budget.begin(datetime.fromisoformat("2023-10-01T12:00-03:00")).isoformat() == "2023-10-01T04:00:00+00:00"


@pytest.mark.parametrize(
    ("bill", "words"),
    [
        (Bill(12.5, NOVEMBER), "$12.50 billed"),
        (Bill(12.5, NOVEMBER, timedelta(hours=6)), "$12.50 billed; 6h are unknown and count as 0"),
        (
            Bill(1.0, at("Mon 08:00")),
            "$1.00 billed; known since Mon 2026-11-23 08:00 Europe/Berlin, costs before that count as 0",
        ),
        (Bill(), "$0.00 billed; known since now, costs before that count as 0"),
        (Bill(1.0, NOVEMBER + timedelta(minutes=50)), "$1.00 billed"),
    ],
)
def test_what_is_not_known_is_said(bill: Bill, words: str) -> None:
    assert describe(spending(bill), NOON) == f"budget of $20.00 for November: {words}"


def test_why_nothing_is_known_is_said() -> None:
    unread = Spending("embeddings", BUDGET, reason="Cloud Monitoring: no answer in time")
    reported = "the billed costs are unknown: Cloud Monitoring: no answer in time"
    assert describe(unread, NOON) == f"budget of $20.00 for November: {reported}"


def test_a_protected_one_is_reported_only() -> None:
    assert decided(spending(FULL), text=f"{OFFICE}, protected: true").rule == "hours"


def test_when_a_month_has_just_begun_there_is_nothing_to_say() -> None:
    now = NOVEMBER + timedelta(minutes=10)
    assert describe(Spending("embeddings", BUDGET, bill=Bill(), read_at=now), now).endswith("$0.00 billed")
