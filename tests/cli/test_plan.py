"""`lifecycle plan`: what will happen, hours and costs, from the answer of `status`."""

import json
import re

import pytest

from lifecycle.cli.observed import observed
from lifecycle.core.lead import LeadBounds
from lifecycle.core.rules import decide
from support.building import NOON, read
from support.desk import TEXT, Desk, with_jobs
from support.processes import now


def with_reconcile_job(desk: Desk) -> None:
    with_jobs(desk)
    assert desk.type("sync").returncode == 0
    del desk.variables["FUNCTIONS_URL"]


def test_plan_marks_holidays_and_adds_up_to_the_cent(desk: Desk) -> None:
    plan = json.loads(desk.type("plan", "--from", "2026-12-21", "--days", "7", "--json").stdout)
    office = plan["endpoints"][0]
    assert office["holidays"] == ["2026-12-25"]
    # Monday to Thursday, twelve hours each; an L4 costs $0.80 an hour.
    assert (office["hours_running"], office["cost"], office["cost_always_on"]) == (48.0, 38.4, 134.4)


def test_plan_marks_a_clock_change_and_counts_its_hour(desk: Desk) -> None:
    plan = json.loads(desk.type("plan", "--from", "2026-10-19", "--days", "7", "--json").stdout)
    office, nights = plan["endpoints"]
    assert office["clock_changes"] == ["2026-10-25T02:00:00+01:00"]
    # Sunday has 25 hours: 7 nights of 8 hours and one more; from midnight to midnight.
    assert (nights["hours_running"], nights["hours_always_on"]) == (57.0, 169.0)


def test_plan_without_a_token_still_shows_hours(desk: Desk) -> None:
    done = desk.type("plan", HF_TOKEN="")
    assert (done.returncode, "no Hugging Face token" in done.stdout) == (0, True)


def test_a_plan_from_beyond_the_calendar_is_wrong_use(desk: Desk) -> None:
    assert desk.type("plan", "--from", "9999-12-30").returncode == 2


def test_without_prices_there_is_no_total(desk: Desk) -> None:
    plan = json.loads(desk.type("plan", "--json", HF_TOKEN="").stdout)
    assert plan["total"] == {"cost": None, "cost_always_on": None}


def test_plan_through_the_functions_knows_prices_and_overrides(desk: Desk) -> None:
    with_reconcile_job(desk)
    assert desk.type("pause", "nights", "--until", "released").returncode == 0
    settings = desk.variables["LIFECYCLE_CONFIG"]
    desk.deployed()
    plan = json.loads(desk.type("plan", "--json", LIFECYCLE_CONFIG=settings).stdout)
    office, nights = plan["endpoints"]
    assert (office["price_per_hour"], nights["hours_running"]) == (0.8, 0.0)
    assert "until released" in nights["changes"][0]["reason"]


def test_plan_says_when_the_functions_run_with_other_settings(desk: Desk) -> None:
    settings = desk.variables["LIFECYCLE_CONFIG"]
    desk.deployed()
    desk.config.write_text(TEXT + "  more: {}\n")
    assert "other settings" in desk.type("plan", LIFECYCLE_CONFIG=settings).stdout


def test_plan_has_a_total_over_what_has_a_price_and_names_the_rest(desk: Desk) -> None:
    desk.hub["nights"].instance = ("unheard-of", "x9")
    lines = desk.type("plan", "--from", "2026-12-21").stdout.splitlines()
    (total,) = [line for line in lines if line.startswith("total")]
    assert total.split() == ["total", "$38.40", "$134.40", "$96.00"]
    assert any("price is unknown: nights" in line for line in lines)


def test_plan_of_what_may_be_used_is_a_range(desk: Desk) -> None:
    desk.config.write_text(TEXT + "  play: {idle_after: 45m}\n")
    desk.hub.add("play", "running", last_used=now())
    play = json.loads(desk.type("plan", "--json").stdout)["endpoints"][2]
    assert 0.7 < play["hours_running"] <= 0.75
    assert (play["hours_at_most"], play["cost_at_most"]) == (168.0, 134.4)
    lines = desk.type("plan").stdout.splitlines()
    (row,) = [line for line in lines if line.startswith("play") and "$" in line]
    assert re.fullmatch(r"\$0\.[56][0-9]–134\.40 +\$134\.40 +\$0\.00–133\.[78][0-9]", row.split(maxsplit=5)[-1])
    assert any("future use is unknown: play" in line for line in lines)


def test_plan_calls_itself_a_forecast(desk: Desk) -> None:
    text = desk.type("plan").stdout
    assert "forecast" in text
    assert "A forecast: " in text


def test_plan_of_some_names(desk: Desk) -> None:
    plan = json.loads(desk.type("plan", "nights", "--json").stdout)
    assert [row["endpoint"] for row in plan["endpoints"]] == ["nights"]


@pytest.mark.parametrize("words", [["plan", "--days", "30"], ["status"], ["check"], ["pause", "*", "--dry-run"]])
@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_in_a_pipe_nothing_is_wrapped_whatever_the_columns(desk: Desk, words: list[str], columns: str) -> None:
    text = desk.type(*words, COLUMNS=columns).stdout
    assert [line for line in text.splitlines() if line.startswith("    ")] == []
    assert "\x1b" not in text


def test_plan_knows_a_spent_budget_and_a_learned_lead() -> None:
    now = NOON
    row = {
        "endpoint": "a", "name": "a", "state": None, "price_per_hour": None, "override": None,
        "budget": {"dollars": 20.0, "spent_at": NOON.isoformat(), "billed": 20.5},
        "started_in": {"seconds": 300, "starts": 12},
    }  # fmt: skip
    settings = read("endpoints: {a: {hours: Mon-Fri 08:00-20:00, lead: auto, budget: {dollars: 20}}}")
    reported = {"now": now.isoformat(), "settings_sha256": settings.sha256, "endpoints": [row], "platforms": {}}
    (situation,) = observed(settings, reported, []).situations
    assert decide(situation).rule == "budget"
    assert situation.past.lead("a", LeadBounds()).starts == 12
