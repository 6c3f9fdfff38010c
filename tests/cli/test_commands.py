"""The command line, as it is typed: what it prints, and its exit codes."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import JSONResponse

from local.servers.endpoints import Durations
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.serve import serve
from support.processes import PARENT, now
from support.secret import TOKEN

TEXT = """
namespace: acme
time_zone: Europe/Berlin
holidays: [2026-12-25]
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00}
  nights: {hours: daily 22:00-06:00}
"""
QUICK = Durations(pending=0, resume=0.2, wake=0.2)


class Desk:
    """A person's machine: the settings, and the variables that are set."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "lifecycle.yaml"
        self.config.write_text(TEXT)
        self.variables = {"LIFECYCLE_CONFIG": str(self.config), "HF_TOKEN": TOKEN, "HOME": str(folder)}
        self.hub = HuggingFace(now, tokens={TOKEN: ALL_SCOPES})
        self.scheduler = Scheduler(now)

    def type(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "lifecycle.cli", *words]
        env = {**self.variables, **variables}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with ExitStack() as stack:
        desk.hub.url = stack.enter_context(serve(desk.hub))
        desk.variables["HF_ENDPOINTS_URL"] = f"{desk.hub.url}/v2"
        desk.variables["CLOUD_SCHEDULER_URL"] = stack.enter_context(serve(desk.scheduler))
        for name in ("embeddings-prod", "nights"):
            desk.hub.add(name, "paused", durations=QUICK)
        yield desk


def with_jobs(desk: Desk) -> None:
    desk.variables |= {"SCHEDULER_PARENT": PARENT, "FUNCTIONS_URL": "http://127.0.0.1:9/{name}"}


def test_version_is_the_one_of_the_project(desk: Desk) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert desk.type("--version").stdout == f"lifecycle, version {project['version']}\n"


def test_check_says_that_nothing_is_wrong(desk: Desk) -> None:
    done = desk.type("check")
    assert (done.returncode, "nothing wrong" in done.stdout) == (0, True)


def test_check_says_everything_that_is_wrong(desk: Desk, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("namespace: acme\nendpoints: {a: {hours: Mon-Fry 08:00-20:00, led: 5m}}")
    done = desk.type("check", str(bad))
    assert done.returncode == 1
    assert 'endpoints.a.hours: "Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun' in done.stderr
    assert "endpoints.a.led: did you mean lead?" in done.stderr


def test_check_of_a_file_that_is_not_there_is_wrong_use(desk: Desk) -> None:
    assert desk.type("check", "nowhere.yaml").returncode == 2


def test_schema_is_what_is_in_the_repository(desk: Desk) -> None:
    kept = Path(__file__).parents[2] / "functions" / "lifecycle.schema.json"
    assert json.loads(desk.type("schema").stdout) == json.loads(kept.read_text())


def test_warm_returns_when_it_answers_and_prints_the_url(desk: Desk) -> None:
    done = desk.type("warm", "embeddings", "--for", "2h")
    assert (done.returncode, f"{desk.hub.url}/own/embeddings-prod" in done.stdout) == (0, True)


def test_pause_pauses(desk: Desk) -> None:
    desk.hub["nights"].to("running", now())
    assert desk.type("pause", "nights").returncode == 0
    assert desk.hub["nights"].state == "paused"


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    done = desk.type("resume", "embeddings", "--dry-run")
    assert (done.returncode, "resume skipped" in done.stdout) == (0, True)
    assert desk.hub["embeddings-prod"].state == "paused"


def test_until_takes_the_next_such_time_in_the_entrys_zone(desk: Desk) -> None:
    with_jobs(desk)
    desk.type("sync")
    del desk.variables["FUNCTIONS_URL"]
    assert desk.type("pause", "embeddings", "--until", "04:30").returncode == 0
    (job,) = [job for name, job in desk.scheduler.jobs.items() if "override" in name]
    fires = datetime.fromisoformat(job["scheduleTime"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert (fires.hour, fires.minute) == (4, 30)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["warm", "nobody"], "unknown: nobody; known are embeddings, nights"),
        (["warm", "embeddings", "--for", "2 hours"], "durations"),
        (["warm", "embeddings", "--until", "tomorrow"], "an offset"),
        (["resume", "embeddings", "--until", "released"], "only pause"),
        (["warm", "embeddings", "--for", "2h", "--until", "23:00"], "until"),
        (["warm"], "Missing argument"),
        (["sync"], "SCHEDULER_PARENT"),
        (["plan", "--days", "x"], "x"),
    ],
)
def test_wrong_use_says_what_is_right_and_exits_with_2(desk: Desk, words: list[str], told: str) -> None:
    done = desk.type(*words)
    assert done.returncode == 2
    assert told.replace("durations", "2d") in done.stderr


def test_a_wrong_token_is_told_and_exits_with_1(desk: Desk) -> None:
    done = desk.type("pause", "nights", HF_TOKEN="hf_wrong")
    assert (done.returncode, "401" in done.stdout) == (1, True)


def test_no_network_is_told_and_exits_with_1(desk: Desk) -> None:
    done = desk.type("status", FUNCTIONS_URL="http://127.0.0.1:9/{name}")
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def test_status_shows_first_what_bills_and_is_in_no_entry(desk: Desk) -> None:
    desk.hub.add("forgotten", "running")
    done = desk.type("status")
    assert done.stdout.splitlines()[1].split() == ["forgotten", "running", "$0.8/h"]


def test_status_for_machines_is_the_functions_answer(desk: Desk) -> None:
    told = json.loads(desk.type("status", "--json").stdout)
    assert {row["endpoint"] for row in told["endpoints"]} == {"embeddings", "nights"}


def test_nothing_is_wider_than_80_columns_or_coloured_in_a_pipe(desk: Desk) -> None:
    text = desk.type("status").stdout + desk.type("plan").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


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


def test_plan_without_a_token_still_tells_hours(desk: Desk) -> None:
    done = desk.type("plan", HF_TOKEN="")
    assert (done.returncode, "no Hugging Face token" in done.stdout) == (0, True)


def test_sync_shows_the_difference_makes_it_and_has_nothing_to_do_then(desk: Desk) -> None:
    with_jobs(desk)
    first, again = desk.type("sync"), desk.type("sync")
    assert "+ lifecycle-reconcile" in first.stdout
    assert (first.returncode, again.returncode, again.stdout) == (0, 0, "nothing to do\n")


def test_sync_after_an_edit_changes_what_was_edited(desk: Desk) -> None:
    with_jobs(desk)
    desk.type("sync")
    desk.config.write_text(TEXT.replace("08:00-20:00", "09:00-20:00"))
    done = desk.type("sync")
    assert "+ lifecycle-hours-0900-mon-fri-europe-berlin" in done.stdout
    assert "- lifecycle-hours-0800-mon-fri-europe-berlin" in done.stdout


def test_sync_leaves_a_job_that_is_not_ours_makes_the_rest_and_fails(desk: Desk) -> None:
    with_jobs(desk)
    desk.type("sync")
    id = f"{PARENT}/jobs/lifecycle-hours-0800-mon-fri-europe-berlin"
    desk.scheduler.jobs[id]["httpTarget"]["uri"] = "https://elsewhere.example"
    del desk.scheduler.jobs[f"{PARENT}/jobs/lifecycle-reconcile"]
    done = desk.type("sync")
    assert (done.returncode, "https://elsewhere.example" in done.stderr) == (1, True)
    assert desk.scheduler.jobs[id]["httpTarget"]["uri"] == "https://elsewhere.example"
    assert f"{PARENT}/jobs/lifecycle-reconcile" in desk.scheduler.jobs


def test_bad_settings_are_told_without_a_traceback_when_acting(desk: Desk) -> None:
    desk.config.write_text("namespace: 5")
    done = desk.type("pause", "embeddings")
    assert (done.returncode, "namespace: 5: must be text" in done.stderr) == (1, True)


def test_a_plan_from_beyond_the_calendar_is_wrong_use(desk: Desk) -> None:
    assert desk.type("plan", "--from", "9999-12-30").returncode == 2


def test_without_prices_there_is_no_total(desk: Desk) -> None:
    plan = json.loads(desk.type("plan", "--json", HF_TOKEN="").stdout)
    assert plan["total"] == {"cost": None, "cost_always_on": None}


@pytest.mark.parametrize("until", ["22", "2200", "25:00", "noon"])
def test_until_is_a_time_of_day_in_full(desk: Desk, until: str) -> None:
    assert desk.type("pause", "embeddings", "--until", until).returncode == 2


def test_the_functions_are_called_with_the_callers_identity_token(desk: Desk, tmp_path: Path) -> None:
    gcloud = tmp_path / "gcloud"
    gcloud.write_text("#!/bin/sh\necho identity-of-anna\n")
    gcloud.chmod(0o755)
    seen: list[str] = []

    async def functions(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        await JSONResponse({"trigger": "manual", "dry_run": False, "results": []})(scope, receive, send)

    with serve(functions) as url:
        desk.type("pause", "embeddings", FUNCTIONS_URL=f"{url}/{{name}}", PATH=str(tmp_path))
    assert seen == ["Bearer identity-of-anna"]


def test_a_dry_sync_changes_nothing(desk: Desk) -> None:
    with_jobs(desk)
    assert desk.type("sync", "--dry-run").returncode == 0
    assert desk.scheduler.jobs == {}
