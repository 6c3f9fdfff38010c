"""`lifecycle doctor` finds each defect, shows what to do, and finds none in a healthy system."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from local.servers.faults import Fault
from local.servers.serve import serve
from support.desk import TEXT, Desk, with_jobs
from support.past import monitoring
from support.processes import PARENT, now

INVOKER = "invoker@p.iam.gserviceaccount.com"


def deployed(desk: Desk) -> None:
    """A healthy system: functions, their jobs, and a person with settings and FUNCTIONS_URL."""
    desk.hub["nights"].to("running", now())
    own = dict(desk.variables)
    past = {
        "MONITORING_PARENT": "projects/local",
        "CLOUD_MONITORING_URL": desk.stack.enter_context(serve(monitoring(now))),
    }
    functions = desk.deployed(INVOKER_SERVICE_ACCOUNT=INVOKER, **past)
    kept = ("LIFECYCLE_CONFIG", "CLOUD_SCHEDULER_URL")
    desk.variables |= {name: own[name] for name in kept}
    desk.variables |= {"SCHEDULER_PARENT": PARENT, "INVOKER_SERVICE_ACCOUNT": INVOKER}
    assert functions.asked == []
    assert desk.type("sync").returncode == 0


def reported(desk: Desk) -> dict[str, dict[str, Any]]:
    done = desk.type("doctor", "--json")
    found = {one["about"]: one for one in json.loads(done.stdout)}
    assert done.returncode == (1 if any(one["ok"] is False for one in found.values()) else 0)
    return found


def wrong(desk: Desk) -> dict[str, str]:
    """What is wrong, each with what it says and what to do."""
    bad = {about: one for about, one in reported(desk).items() if one["ok"] is False}
    assert all(one["do"] for one in bad.values())
    return {about: f"{one['found']} | {one['do']}" for about, one in bad.items()}


def test_a_deployed_healthy_system_is_right_in_everything(desk: Desk) -> None:
    deployed(desk)
    done = desk.type("doctor")
    assert done.returncode == 0, done.stdout
    assert {line[0] for line in done.stdout.splitlines()} == {"✓"}


def test_a_healthy_machine_that_acts_directly_is_right_in_everything(desk: Desk) -> None:
    desk.hub["nights"].to("running", now())
    with_jobs(desk)
    assert desk.type("sync").returncode == 0
    del desk.variables["FUNCTIONS_URL"]
    found = reported(desk)
    assert [about for about in ("token", "permission to manage", "permission to call") if found[about]["ok"]] == [
        "token", "permission to manage", "permission to call",
    ]  # fmt: skip


def test_it_changes_nothing_and_wakes_nothing(desk: Desk) -> None:
    desk.hub["nights"].to("scaledToZero", now())
    before = {name: endpoint.state for name, endpoint in desk.hub.endpoints.items()}
    reported(desk)
    assert {name: desk.hub[name].state for name in before} == before
    assert not [line for _, line, code in desk.hub.requests if line.startswith(("POST", "PUT")) and code < 400]


def scopes(*kept: str) -> Callable[[Desk], None]:
    def plant(desk: Desk) -> None:
        desk.hub["nights"].to("running", now())
        desk.hub.tokens = dict.fromkeys(desk.hub.tokens, frozenset(kept))

    return plant


def fault(path: str, status: int) -> Callable[[Desk], None]:
    return lambda desk: desk.hub.faults.faults.append(Fault("status", path, status=status))


def edited(before: str, after: str) -> Callable[[Desk], None]:
    def plant(desk: Desk) -> None:
        desk.config.write_text(TEXT.replace(before, after))

    return plant


def unset(name: str) -> Callable[[Desk], None]:
    def plant(desk: Desk) -> None:
        del desk.variables[name]

    return plant


@pytest.mark.parametrize(
    ("plant", "about", "words"),
    [
        (scopes("write"), "permission to call", "inference.endpoints.infer.write"),
        (fault("POST .*/pause", 403), "permission to manage", "inference.endpoints.write"),
        (unset("HF_TOKEN"), "token", "HF_TOKEN is not set"),
        (fault("GET /v2/endpoint", 401), "token", "no billing"),
        (edited("namespace: acme", "namespace: other"), "token", "correct `namespace`"),
        (edited("embeddings-prod", "embeddings-pord"), "names", "embeddings-pord"),
        (edited("Mon-Fri 08", "Mon-Fry 08"), "settings", "correct the file"),
        (lambda desk: desk.config.unlink(), "settings", "lifecycle init"),
    ],
)
def test_a_fault_of_a_machine_that_acts_directly(
    desk: Desk, plant: Callable[[Desk], None], about: str, words: str
) -> None:
    plant(desk)
    assert words in wrong(desk)[about]


def job(desk: Desk, name: str = "reconcile") -> dict[str, Any]:
    found: dict[str, Any] = desk.scheduler.jobs[f"{PARENT}/jobs/lifecycle-{name}"]
    return found


def test_jobs_of_other_settings(desk: Desk) -> None:
    deployed(desk)
    desk.config.write_text(TEXT.replace("08:00-20:00", "09:00-20:00"))
    found = wrong(desk)
    assert "lifecycle sync" in found["jobs"]
    assert "terraform apply" in found["deployed settings"]


def test_a_paused_reconcile_job(desk: Desk) -> None:
    deployed(desk)
    job(desk)["state"] = "PAUSED"
    assert "PAUSED" in wrong(desk)["reconcile job"]


def test_no_jobs_at_all(desk: Desk) -> None:
    deployed(desk)
    desk.scheduler.jobs.clear()
    assert "is not there" in wrong(desk)["reconcile job"]


def test_a_job_with_a_wrong_audience(desk: Desk) -> None:
    deployed(desk)
    job(desk)["httpTarget"]["oidcToken"]["audience"] = "https://elsewhere.example"
    assert "lifecycle-reconcile: audience" in wrong(desk)["jobs"]


def test_a_job_of_our_name_that_is_not_ours(desk: Desk) -> None:
    deployed(desk)
    job(desk)["httpTarget"]["uri"] = "https://elsewhere.example"
    assert "JOB_PREFIX" in wrong(desk)["names of jobs"]


def test_no_right_to_read_the_jobs(desk: Desk) -> None:
    deployed(desk)
    desk.scheduler.faults.add(Fault("status", "GET .*/jobs", status=403))
    assert "roles/cloudscheduler.viewer" in wrong(desk)["jobs"]


def test_functions_whose_token_is_refused(desk: Desk) -> None:
    deployed(desk)
    desk.hub.faults.add(Fault("status", "GET /v2/endpoint", status=401))
    assert "huggingface" in wrong(desk)["Hugging Face"]


def test_a_job_that_may_not_call_its_function(desk: Desk) -> None:
    deployed(desk)
    job(desk)["status"] = {"code": 7}
    assert "roles/run.invoker" in wrong(desk)["jobs may call functions"]


def test_a_job_of_others_that_is_refused_is_none_of_its_business(desk: Desk) -> None:
    deployed(desk)
    job(desk)["httpTarget"]["uri"] = "https://elsewhere.example/"
    job(desk)["status"] = {"code": 7}
    assert "jobs may call functions" not in wrong(desk)


def test_no_such_address(desk: Desk) -> None:
    deployed(desk)
    desk.variables["FUNCTIONS_URL"] = "http://127.0.0.1:9/{name}"
    assert "FUNCTIONS_URL" in wrong(desk)["functions"]


def test_no_right_to_invoke(desk: Desk) -> None:
    async def forbidden(scope: Any, receive: Any, send: Any) -> None:
        await Response("Forbidden", 403, media_type="text/html")(scope, receive, send)

    deployed(desk)
    with serve(forbidden) as url:
        desk.variables["FUNCTIONS_URL"] = f"{url}/{{name}}"
        assert "people" in wrong(desk)["functions"]


def test_a_clock_five_minutes_off(desk: Desk) -> None:
    async def later(scope: Any, receive: Any, send: Any) -> None:
        answer: dict[str, Any] = {"endpoints": [], "unmanaged": [], "platforms": {}, "unknown": [], "history": None}
        answer |= {"now": "2026-01-01T00:00:00Z", "settings_sha256": "", "jobs_settings_sha256": None}
        await JSONResponse(answer)(scope, receive, send)

    deployed(desk)
    with serve(later) as url:
        desk.variables["FUNCTIONS_URL"] = f"{url}/{{name}}"
        assert "NTP" in wrong(desk)["clock"]


def test_no_quota_project(desk: Desk, tmp_path: Path) -> None:
    deployed(desk)
    (tmp_path / "adc.json").write_text(json.dumps({"type": "authorized_user"}))
    script = """
import os
from lifecycle.cli.checkup import _quota_project
from lifecycle.config import environment
found = _quota_project(environment.read(os.environ))
print(found.ok, found.do)
"""
    env = {"SCHEDULER_PARENT": PARENT, "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "adc.json")}
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("False `gcloud auth application-default set-quota-project p`"), done.stderr
