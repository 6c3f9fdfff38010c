"""Budgets and learned leads in calls: what is read, stored, reported and done."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from lifecycle.core.model import BudgetRecord
from lifecycle.engine.dependencies import Caller, Verb
from lifecycle.gcp.job_state import budget_in
from lifecycle.gcp.jobs import Job
from lifecycle.web.handler import log_results
from lifecycle.web.logs import Log
from local.servers.faults import Fault
from support.building import at
from support.hub import Harness
from support.past import monitoring, ran, saw
from support.service import act, reconcile, stage

SCHEDULER = Caller("schedule")
NOVEMBER = at("2026-11-01T00:03")
DAYS = "{name: embeddings-prod, hours: daily 00:00-24:00%s}"
BUDGET = "endpoints: {embeddings: %s}" % (DAYS % ", budget: {dollars: 20}")
JOB = "lifecycle-budget_embeddings"


def harness(text: str = BUDGET, state: str = "running", jobs: tuple[str, ...] = (JOB,)) -> Harness:
    on = stage(text, state)
    on.monitoring = monitoring(lambda: on.now)
    assert on.shelf is not None
    for id in jobs:
        on.shelf.jobs[id] = Job(id, "0 0 1 * *", "Europe/Berlin", "https://reconcile", b'{"endpoints": ["embeddings"]}')
    return on


def run(on: Harness, *, everything: bool = True) -> list[dict[str, Any]]:
    """The lines of a reconcile run."""
    answer = reconcile(on, SCHEDULER, *(["*"] if everything else on.settings.entries))
    lines: list[dict[str, Any]] = []
    log_results(answer, SCHEDULER, Log(str, "reconcile", write=lambda line: lines.append(json.loads(line))))
    return lines


def line(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"] == event]
    return found


def stored(on: Harness, id: str = JOB) -> BudgetRecord | None:
    assert on.shelf is not None
    return budget_in(on.shelf.jobs.get(id))


def spent(on: Harness) -> None:
    """Forty hours at half a dollar, up to the run before."""
    ran(on.monitoring, on.now - timedelta(hours=40, minutes=7), on.now, 0.5)


def test_a_spent_budget_rests_the_endpoint_and_is_stored() -> None:
    on = harness()
    spent(on)
    endpoint = line(run(on), "endpoint")
    assert (endpoint["action"], endpoint["rule"]) == ("pause", "budget")
    assert "budget of $20.00 for November: $20" in endpoint["reason"]
    record = stored(on)
    assert record is not None
    assert (record.month, record.dollars, record.spent_at) == ("2026-11", 20.0, on.now)


def test_it_is_reported_at_a_level_that_raises_an_alert() -> None:
    on = harness()
    spent(on)
    found = line(run(on), "budget")
    assert (found["severity"], found["code"], found["endpoint"]) == ("WARNING", "budget_spent", "embeddings")
    assert found["billed"] == pytest.approx(20, abs=0.1)


def test_what_is_stored_holds_for_every_call_and_nothing_is_read_for_it() -> None:
    on = harness(state="paused")
    spent(on)
    run(on)
    reads = on.monitoring.lists
    found = line(run(on, everything=False), "endpoint")
    assert (found["rule"], found["outcome"], on.monitoring.lists) == ("budget", "unchanged", reads)


def test_it_also_holds_when_the_past_cannot_be_read_any_more() -> None:
    on = harness()
    spent(on)
    run(on)
    on.monitoring.faults.add(Fault("status", status=503))
    assert line(run(on), "endpoint")["rule"] == "budget"


def test_in_the_next_months_first_minute_it_runs_again() -> None:
    on = harness()
    spent(on)
    run(on)
    on.now = at("2026-12-01T00:00:01")
    found = line(run(on, everything=False), "endpoint")
    assert (found["action"], found["wanted"]) == ("resume", "running")


def test_nothing_is_read_where_no_entry_asks_for_it() -> None:
    on = harness("endpoints: {embeddings: %s}" % (DAYS % ""))
    run(on)
    assert on.monitoring.lists == 0


def test_one_read_serves_all_entries() -> None:
    one = harness("budget: {dollars: 9}\nendpoints: {embeddings: %s}" % (DAYS % ""), jobs=("lifecycle-budget",))
    many = harness(BUDGET.replace("}}}", "}}, b: {budget: {dollars: 3}}, c: {budget: {dollars: 5}}}"))
    for on in (one, many):
        ran(on.monitoring, NOVEMBER, on.now, 0.01)
        run(on)
    assert one.monitoring.lists == many.monitoring.lists > 0


def test_the_budget_over_all_entries_rests_all() -> None:
    text = "budget: {dollars: 20}\nendpoints: {embeddings: %s, other: {hours: daily 00:00-24:00}}" % (DAYS % "")
    on = harness(text, jobs=("lifecycle-budget",))
    on.hub.add("other", "running")
    half = on.now - timedelta(hours=20, minutes=7)
    ran(on.monitoring, half, on.now, 0.5)
    ran(on.monitoring, half, on.now, 0.5, entry="other")
    lines = run(on)
    assert {found["name"]: found["action"] for found in lines if found["event"] == "endpoint"} == {
        "embeddings-prod": "pause", "other": "pause"
    }  # fmt: skip
    assert stored(on, "lifecycle-budget") is not None


# Not known


@pytest.mark.parametrize("fault", [Fault("status", status=403), Fault("hang"), Fault("html"), Fault("reset-before")])
def test_where_what_was_billed_is_not_known_the_rule_does_not_apply_and_that_is_reported(fault: Fault) -> None:
    on = harness()
    spent(on)
    on.monitoring.faults.add(fault)
    lines = run(on)
    endpoint, budget = line(lines, "endpoint"), line(lines, "budget")
    assert (endpoint["rule"], endpoint["outcome"]) == ("hours", "unchanged")
    assert "its budget is not applied, because the billed costs are unknown: Cloud Monitoring" in endpoint["reason"]
    assert (budget["severity"], budget["code"], budget["billed"]) == ("WARNING", "budget_unknown", None)
    assert on.seconds <= 5.0


def test_without_monitoring_that_is_reported_too() -> None:
    on = harness()
    on.monitoring = None
    lines = run(on)
    assert "MONITORING_PARENT is not set" in line(lines, "endpoint")["reason"]
    assert line(lines, "budget")["code"] == "budget_unknown"


def test_without_its_job_it_still_rests_and_says_what_to_do() -> None:
    on = harness(jobs=())
    spent(on)
    lines = run(on)
    assert line(lines, "endpoint")["rule"] == "budget"
    notes = [found["message"] for found in lines if found["event"] == "note"]
    assert any("there is no job lifecycle-budget_embeddings; has `lifecycle sync` run?" in note for note in notes)


def test_a_dry_run_stores_nothing() -> None:
    on = harness("dry_run: true\n" + BUDGET)
    spent(on)
    assert line(run(on), "endpoint")["action"] == "pause"
    assert stored(on) is None


# Near


def near(on: Harness) -> None:
    ran(on.monitoring, on.now - timedelta(hours=33), on.now, 0.5)


def test_at_80_percent_there_is_one_warning_a_day() -> None:
    on = harness()
    near(on)
    assert line(run(on), "budget")["code"] == "budget_near"
    assert line(run(on), "budget")["code"] is None
    on.now += timedelta(hours=12)  # past midnight
    assert line(run(on), "budget")["code"] == "budget_near"


def test_a_warning_stops_nothing() -> None:
    on = harness()
    near(on)
    assert line(run(on), "endpoint")["rule"] == "hours"


def test_below_that_there_is_none() -> None:
    on = harness()
    ran(on.monitoring, on.now - timedelta(hours=31), on.now, 0.5)
    assert line(run(on), "budget")["severity"] == "INFO"
    assert stored(on) is None


# Learned leads

AUTO = "endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, lead: auto}}"


def started(on: Harness, *seconds: int) -> None:
    for index, one in enumerate(seconds):
        saw(on.monitoring, on.now - timedelta(days=1 + index), start_seconds=one)


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize(("clock", "action"), [("07:43", "none"), ("07:53", "resume")])
def test_a_learned_lead_decides_when_it_is_started(clock: str, action: str, everything: bool) -> None:
    on = harness(AUTO, "paused")
    on.now = at(f"Tue {clock}")
    started(on, 95, 120, 200, 240, 300)
    assert line(run(on, everything=everything), "endpoint")["action"] == action


def test_starts_that_cannot_be_read_make_it_ten_minutes() -> None:
    on = harness(AUTO, "paused")
    on.now = at("Tue 07:43")
    started(on, 95, 120, 200, 240, 300)
    on.monitoring.faults.add(Fault("hang"))
    found = line(run(on), "endpoint")
    assert (found["action"], found["reason"]) == (
        "resume", "hours begin at 08:00 Europe/Berlin, lead 10m (starts are unknown)"
    )  # fmt: skip


def test_pause_resume_and_warm_read_nothing_of_the_past() -> None:
    on = harness(AUTO.replace("lead: auto", "lead: auto, budget: {dollars: 20}"), "paused")
    verbs: tuple[Verb, ...] = ("pause", "resume", "warm")
    for verb in verbs:
        act(on, verb, Caller())
    assert on.monitoring.lists == 0


def test_a_later_month_has_a_budget_of_its_own() -> None:
    on = harness()
    spent(on)
    on.now = datetime.fromisoformat("2026-12-02T00:00:00+00:00")
    assert line(run(on), "endpoint")["rule"] == "hours"


def test_what_runs_without_a_price_and_was_never_seen_with_one_is_not_known() -> None:
    found = line(run(harness()), "budget")  # its hardware is in no catalog
    assert (found["code"], found["billed"]) == ("budget_unknown", None)
    assert "prices or replicas are unknown" in found["message"]


def test_an_endpoint_that_is_gone_leaves_nothing_unknown() -> None:
    on = harness()
    ran(on.monitoring, on.now - timedelta(hours=40), on.now, 0.1)
    ran(on.monitoring, on.now - timedelta(hours=40), on.now - timedelta(hours=30), 0.1, name="deleted")
    assert line(run(on), "budget")["unknown_hours"] == 0


def test_a_budget_that_is_not_stored_in_time_holds_up_no_endpoint() -> None:
    on = harness()
    spent(on)
    assert on.shelf is not None
    on.shelf.hang = frozenset({"set_body"})
    times: list[float] = []

    def noted(request: httpx.Request) -> httpx.Response:
        times.append(asyncio.get_running_loop().time())
        return on.hub(request)

    for asked in ("GET /", "POST embeddings-prod/pause"):
        on.hub.script(asked, noted)
    lines = run(on)
    listed, paused = times
    assert paused - listed < 15
    assert any("is not stored" in found["message"] for found in lines if found["event"] == "note")
