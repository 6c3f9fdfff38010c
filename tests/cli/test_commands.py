"""The command line: its output and its exit codes."""

import json
import tomllib
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import JSONResponse

from local.servers.faults import Fault
from local.servers.serve import serve
from support.desk import TEXT, Desk, with_jobs
from support.processes import PARENT, now
from support.secret import TOKEN


def test_version_is_the_one_of_the_project(desk: Desk) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert desk.type("--version").stdout == f"lifecycle, version {project['version']}\n"


def test_check_says_that_nothing_is_wrong(desk: Desk) -> None:
    done = desk.type("check")
    assert (done.returncode, done.stdout.splitlines()[0].endswith(", OK")) == (0, True)


def test_check_says_everything_that_is_wrong(desk: Desk, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("namespace: acme\nendpoints: {a: {hours: Mon-Fry 08:00-20:00, led: 5m}}")
    done = desk.type("check", str(bad))
    assert done.returncode == 1
    assert 'endpoints.a.hours: "Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun' in done.stderr
    assert "endpoints.a.led: did you mean lead?" in done.stderr


def test_check_of_a_file_that_is_not_there_is_wrong_use(desk: Desk) -> None:
    assert desk.type("check", "nowhere.yaml").returncode == 2


@pytest.mark.parametrize("command", [("plan",), ("explain", "embeddings"), ("report",), ("check",), ("status",)])
def test_settings_that_are_not_there_are_wrong_use_with_what_to_do(desk: Desk, command: tuple[str, ...]) -> None:
    desk.config.unlink()
    done = desk.type(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{desk.config}: cannot be read: No such file or directory. Set LIFECYCLE_CONFIG to the settings' path, "
        "or write settings with `lifecycle init NAMESPACE`\n"
    )


def test_schema_is_what_is_in_the_repository(desk: Desk) -> None:
    kept = Path(__file__).parents[2] / "functions" / "lifecycle.schema.json"
    assert json.loads(desk.type("schema").stdout) == json.loads(kept.read_text())


def test_an_end_that_nobody_keeps_is_refused(desk: Desk) -> None:
    done = desk.type("warm", "embeddings", "--for", "2h")
    assert (done.returncode, "SCHEDULER_PARENT is not set" in done.stderr) == (2, True)


def test_warm_returns_when_it_answers_and_prints_the_url(desk: Desk) -> None:
    done = desk.type("warm", "embeddings")
    assert (done.returncode, f"{desk.hub.url}/own/embeddings-prod" in done.stdout) == (0, True)


def test_pause_pauses(desk: Desk) -> None:
    desk.hub["nights"].to("running", now())
    assert desk.type("pause", "nights").returncode == 0
    assert desk.hub["nights"].state == "paused"


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    done = desk.type("resume", "embeddings", "--dry-run")
    assert (done.returncode, "embeddings (embeddings-prod): would resume, paused: " in done.stdout) == (0, True)
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
    ("words", "reported"),
    [
        (["warm", "nobody"], "unknown: nobody; known are embeddings, nights"),
        (["warm", "embeddings", "--for", "2 hours"], "durations"),
        (["warm", "embeddings", "--until", "tomorrow"], "an offset"),
        (["warm", "embeddings", "--until", "9999-12-31 23:30"], "at most 7 days"),
        (["warm", "embeddings", "--until", "0001-01-01 00:10"], "at most 7 days"),
        (["resume", "embeddings", "--until", "released"], "only pause"),
        (["warm", "embeddings", "--for", "2h", "--until", "23:00"], "until"),
        (["warm"], "Missing argument"),
        (["sync"], "SCHEDULER_PARENT"),
        (["plan", "--days", "x"], "x"),
    ],
)
def test_wrong_use_says_what_is_right_and_exits_with_2(desk: Desk, words: list[str], reported: str) -> None:
    done = desk.type(*words)
    assert done.returncode == 2
    assert reported.replace("durations", "2d") in done.stderr


def test_a_wrong_token_is_reported_and_exits_with_1(desk: Desk) -> None:
    done = desk.type("pause", "nights", HF_TOKEN="hf_wrong")
    assert (done.returncode, "401" in done.stdout) == (1, True)


def test_the_token_in_a_note_is_not_printed(desk: Desk) -> None:
    done = desk.type("pause", "nights", "--note", TOKEN)
    assert TOKEN not in done.stdout + done.stderr
    assert "[token]" in done.stdout


def test_no_network_is_reported_and_exits_with_1(desk: Desk) -> None:
    done = desk.type("status", FUNCTIONS_URL="http://127.0.0.1:9/{name}")
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def test_sync_shows_the_difference_makes_it_and_has_nothing_to_do_then(desk: Desk) -> None:
    with_jobs(desk)
    first, again = desk.type("sync"), desk.type("sync")
    assert "+ lifecycle-reconcile" in first.stdout
    assert (first.returncode, again.returncode, again.stdout) == (0, 0, "nothing to do\n")


def test_sync_as_json_lists_the_changes(desk: Desk) -> None:
    with_jobs(desk)
    made = json.loads(desk.type("sync", "--json").stdout)
    assert {"do": "create", "job": "lifecycle-reconcile", "differs": {}} in made
    desk.config.write_text(TEXT.replace("08:00-20:00", "09:00-20:00"))
    would = json.loads(desk.type("sync", "--json", "--dry-run").stdout)
    assert [one["do"] for one in would if "-0800-" in one["job"] or "-0900-" in one["job"]] == ["delete", "create"]
    assert json.loads(desk.type("sync", "--json").stdout) == would
    assert json.loads(desk.type("sync", "--json").stdout) == []


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


def test_bad_settings_are_reported_without_a_traceback_when_acting(desk: Desk) -> None:
    desk.config.write_text("namespace: 5")
    done = desk.type("pause", "embeddings")
    assert (done.returncode, "namespace: 5: must be text" in done.stderr) == (1, True)


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


@pytest.mark.parametrize("words", [["pause", "*"], ["resume", "nights"], ["warm", "nights"], ["release", "*"]])
def test_no_dry_run_says_skipped_or_done_of_what_it_would_do(desk: Desk, words: list[str]) -> None:
    desk.hub["nights"].to("running" if words[0] in ("pause", "release") else "paused", now())
    output = desk.type(*words, "--dry-run").stdout
    assert "would" in output
    assert "skipped" not in output
    assert "done" not in output


def test_until_needs_no_settings_because_the_functions_know_names_and_zones(desk: Desk) -> None:
    deployed = desk.deployed()
    done = desk.type("pause", "nights", "--until", "18:00")
    assert done.returncode != 2, done.stderr
    (body,) = [body for function, body in deployed.asked if function == "pause"]
    until = datetime.fromisoformat(body["until"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert (body["endpoints"], until.hour, until.minute) == (["nights"], 18, 0)


def test_until_for_all_asks_once_for_each_zone(desk: Desk) -> None:
    desk.config.write_text(TEXT.replace("nights: {", "nights: {time_zone: America/New_York, "))
    deployed = desk.deployed()
    desk.type("pause", "*", "--until", "18:00")
    asked = [body["endpoints"] for function, body in deployed.asked if function == "pause"]
    assert asked == [["embeddings"], ["nights"]]


def test_until_of_a_name_that_nobody_knows_is_wrong_use(desk: Desk) -> None:
    desk.deployed()
    done = desk.type("pause", "nobody", "--until", "18:00")
    assert (done.returncode, "unknown: nobody; known are embeddings, nights" in done.stderr) == (2, True)


def test_an_answer_for_machines_is_that_of_the_function(desk: Desk) -> None:
    reported = json.loads(desk.type("pause", "*", "--json").stdout)
    assert [row["name"] for row in reported["results"]] == ["embeddings-prod", "nights"]


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["resume", "nights", "--holder", "ci-42"], "holder", "ci-42"),
        (["warm", "nights", "--force"], "force", True),
        (["release", "nights", "--all-holders"], "holders", "all"),
    ],
)
def test_holders_and_force_are_asked_of_the_functions(desk: Desk, words: list[str], key: str, value: object) -> None:
    deployed = desk.deployed()
    desk.type(*words)
    assert deployed.asked[-1][1][key] == value


HOSTILE = "\x1b[2J\u202eevil\x9b31m\nsecond"


@pytest.mark.parametrize("words", [["status"], ["plan"], ["pause", "*"], ["resume", "*"]])
def test_control_characters_from_outside_never_reach_the_terminal(desk: Desk, words: list[str]) -> None:
    """Of names, states and messages of Hugging Face, and of its errors."""
    desk.hub.add(f"un{HOSTILE}", "running")
    desk.hub.add(f"st{HOSTILE}", f"ru{HOSTILE}")
    desk.hub["nights"].to("failed", now())
    desk.hub.faults.error = lambda status: {"error": HOSTILE}
    desk.hub.faults.add(Fault("status", "POST .*/(pause|resume)", status=400))
    done = desk.type(*words)
    left = {char for char in done.stdout + done.stderr if unicodedata.category(char) in ("Cc", "Cf")} - {"\n"}
    assert left == set()
    assert "\nsecond" not in done.stdout + done.stderr
