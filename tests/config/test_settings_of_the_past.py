"""Settings that depend on the past: `lead: auto` and `budget`."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from lifecycle.core.budget import Budget
from lifecycle.core.lead import LeadBounds
from support.building import BERLIN, entry, read

MINUTE = timedelta(minutes=1)
HOURS = "hours: Mon-Fri 08:00-20:00"


def test_a_learned_lead_has_bounds() -> None:
    found = entry(f"{HOURS}, lead: auto")
    assert found.auto_lead == LeadBounds(2 * MINUTE, 30 * MINUTE, 10 * MINUTE)
    assert found.hours is not None
    assert found.hours.lead == 30 * MINUTE  # boundary jobs fire at the longest


def test_one_bound_may_be_left_out() -> None:
    assert entry(f"{HOURS}, lead: {{auto: {{at_most: 1h}}}}").auto_lead == LeadBounds(2 * MINUTE, 60 * MINUTE)


def test_it_knows_when_reconcile_runs() -> None:
    found = read(f"reconcile_every: 5m\nendpoints: {{a: {{{HOURS}, lead: auto}}}}").entries["a"].auto_lead
    assert found == LeadBounds(every=5 * MINUTE)


def test_a_fixed_lead_learns_nothing() -> None:
    assert entry(f"{HOURS}, lead: 10m").auto_lead is None


def test_a_budget_is_for_a_month_in_its_zone() -> None:
    assert entry("budget: {dollars: 200}").budget == Budget(200.0, BERLIN)
    assert entry("budget: {dollars: 0.5}, time_zone: Asia/Tokyo").budget == Budget(0.5, ZoneInfo("Asia/Tokyo"))


def test_there_may_be_one_over_all_entries() -> None:
    found = read("budget: {dollars: 1000}\nendpoints: {a: {}}")
    assert (found.budget, found.entries["a"].budget) == (Budget(1000.0, BERLIN), None)
