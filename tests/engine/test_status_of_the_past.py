"""Costs, budgets and starts in the status."""

from datetime import timedelta
from typing import Any

import pytest

from local.servers.faults import Fault
from support.building import at
from support.hub import Harness
from support.past import monitoring, ran, saw
from support.service import stage

TEXT = "endpoints: {embeddings: {name: embeddings-prod, hours: daily 00:00-24:00%s}}"


def harness(more: str = "") -> Harness:
    on = stage(TEXT % more)
    on.monitoring = monitoring(lambda: on.now)
    return on


def status_of(on: Harness) -> dict[str, Any]:
    return on.run(lambda service: service.status()).answer


def row(on: Harness) -> dict[str, Any]:
    (found,) = status_of(on)["endpoints"]
    return dict(found)


def test_it_says_what_was_billed_this_month() -> None:
    on = harness()
    ran(on.monitoring, on.now - timedelta(hours=40), on.now, 0.5)
    assert row(on)["billed_this_month"] == pytest.approx(20, abs=0.1)


def test_what_was_billed_last_month_is_not_in_it() -> None:
    on = harness()
    on.now = at("2026-12-02T01:00")
    ran(on.monitoring, at("2026-11-20T00:03"), on.now, 0.1)
    assert row(on)["billed_this_month"] == pytest.approx(2.5, abs=0.05)


def test_before_history_began_it_is_null() -> None:
    found = status_of(harness())
    assert (found["endpoints"][0]["billed_this_month"], found["history"]) == (None, None)


def test_it_says_in_how_many_seconds_it_started() -> None:
    on = harness()
    for seconds in (95, 120, 341):
        saw(on.monitoring, on.now - timedelta(days=2), start_seconds=seconds)
    assert row(on)["started_in"] == {"seconds": 350, "starts": 3, "lead_seconds": None}


def test_with_a_learned_lead_it_says_that_too() -> None:
    on = harness(", lead: auto")
    assert row(on)["started_in"] == {"seconds": None, "starts": 0, "lead_seconds": 600}
    for seconds in (95, 120, 200, 250, 341):
        saw(on.monitoring, on.now - timedelta(days=2), start_seconds=seconds)
    assert row(on)["started_in"] == {"seconds": 350, "starts": 5, "lead_seconds": 410}


def test_starts_longer_than_the_longest_bucket_have_no_number() -> None:
    on = harness()
    saw(on.monitoring, on.now - timedelta(days=2), start_seconds=4000)
    assert row(on)["started_in"] == {"seconds": None, "starts": 1, "lead_seconds": None}


def test_a_budget_says_what_was_billed_against_it() -> None:
    on = harness(", budget: {dollars: 20}")
    ran(on.monitoring, on.now - timedelta(hours=41), on.now, 0.5)
    found = row(on)
    assert (found["wanted"], found["budget"]["dollars"]) == ("paused", 20.0)
    assert found["budget"]["billed"] == pytest.approx(20.5, abs=0.1)
    assert found["budget"]["until"] == "2026-11-30T23:00:00Z"


def test_the_budget_over_all_entries_stands_beside_them() -> None:
    on = Harness(f"budget: {{dollars: 100}}\n{TEXT % ''}")
    on.monitoring = monitoring(lambda: on.now)
    on.hub.add("embeddings-prod", "running")
    ran(on.monitoring, on.now - timedelta(hours=41), on.now, 0.5)
    assert status_of(on)["budget"]["billed"] == pytest.approx(20.5, abs=0.1)
    assert row(on)["budget"] is None


@pytest.mark.parametrize("fault", [Fault("status", status=403), Fault("hang"), Fault("html"), Fault("reset-before")])
def test_what_cannot_be_read_is_null_and_said_and_the_rest_is_there(fault: Fault) -> None:
    on = harness(", lead: auto, budget: {dollars: 20}")
    on.monitoring.faults.add(fault)
    found = status_of(on)
    assert found["history"].startswith("Cloud Monitoring: ")
    assert (found["endpoints"][0]["billed_this_month"], found["endpoints"][0]["budget"]["billed"]) == (None, None)
    assert (found["endpoints"][0]["state"], found["endpoints"][0]["wanted"]) == ("running", "running")
    assert on.seconds < 5.0


def test_without_monitoring_there_is_no_history_and_that_is_said() -> None:
    on = harness()
    on.monitoring = None
    found = status_of(on)
    assert (found["history"], found["endpoints"][0]["billed_this_month"]) == ("MONITORING_PARENT is not set", None)
