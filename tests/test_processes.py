"""End to end: function processes, the token from Secret Manager, the state in Cloud Scheduler."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.servers.endpoints import Durations
from local.servers.faults import Fault
from support.processes import MAIN, PARENT, SECRET, Deployment, now
from support.secret import TOKEN

QUICK = Durations(pending=0, resume=0.3, wake=0.3, update=0.2, load=0.2)
TEXT = """
namespace: acme
time_zone: Europe/Berlin
platforms: {main: {max_started: 24h}}
endpoints:
  embeddings: {name: embeddings-prod, platform: main}
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with ExitStack() as stack:
        made = Deployment(tmp_path_factory.mktemp("deployed"), stack)
        made.start(TEXT, "pause", "resume", "warm", "reconcile", "platform_event", "status")
        yield made


@pytest.fixture
def world(deployed: Deployment) -> Deployment:
    """The deployment with nothing in it but one paused endpoint."""
    deployed.empty()
    deployed.hub.add("embeddings-prod", "paused", durations=QUICK)
    return deployed


def push(event: str, **more: Any) -> dict[str, Any]:
    message = {"attributes": {"platform": "main", "event": event}, "messageId": "1", "publishTime": now().isoformat()}
    return {"message": {**message, **more}, "subscription": "s"}


def row(world: Deployment, name: str = "embeddings-prod") -> Any:
    return next(row for row in world.status()["endpoints"] if row["name"] == name)


def test_resume_starts_and_pause_stops(world: Deployment) -> None:
    assert world.ask("resume", {"endpoints": ["embeddings"]}).status_code == 202
    assert world.ask("pause", {"endpoints": ["embeddings"]}).status_code == 200
    assert row(world)["state"] == "paused"


def test_warm_returns_when_it_answered(world: Deployment) -> None:
    response = world.ask("warm", {"endpoints": ["embeddings"]})
    assert response.status_code == 200
    assert response.json()["results"][0]["after"] == "running"
    assert any(shown.endswith("/own/embeddings-prod/health") for _, shown, code in world.hub.requests if code == 200)


def test_a_platforms_stop_and_start_are_followed(world: Deployment) -> None:
    world.hub["embeddings-prod"].to("running", now())
    assert world.ask("platform_event", push("stopped")).status_code == 200
    assert row(world)["state"] == "paused"
    assert world.ask("platform_event", push("started")).status_code == 200
    assert row(world)["state"] in ("pending", "initializing", "running")
    assert world.status()["platforms"]["main"]["state"] == "started"


def test_an_override_is_a_job_that_ends_it(world: Deployment) -> None:
    world.ask("platform_event", push("stopped"))
    world.ask("resume", {"endpoints": ["embeddings"], "for": "1h"})
    job = world.scheduler.get(f"{PARENT}/jobs/lifecycle-override-embeddings")
    due = now() + timedelta(hours=1)
    assert job["schedule"] in {
        f"{at.minute} {at.hour} {at.day} {at.month} *" for at in (due, due + timedelta(minutes=1))
    }
    assert row(world)["override"]["state"] == "running"


def test_an_override_until_released_is_a_job_that_stands_still(world: Deployment) -> None:
    world.ask("pause", {"endpoints": ["embeddings"], "until": "released"})
    assert world.scheduler.get(f"{PARENT}/jobs/lifecycle-override-embeddings")["state"] == "PAUSED"


def test_release_gives_it_back_to_the_rules(world: Deployment) -> None:
    world.ask("pause", {"endpoints": ["embeddings"], "until": "released"})
    world.ask("reconcile", {"endpoints": ["embeddings"], "clear_override": True})
    assert f"{PARENT}/jobs/lifecycle-override-embeddings" not in world.scheduler.jobs


def test_a_message_that_cannot_be_stored_is_503_and_nothing_is_done(world: Deployment) -> None:
    world.scheduler.faults.add(Fault("status", "PATCH", status=403))
    world.hub["embeddings-prod"].to("running", now())
    assert world.ask("platform_event", push("stopped")).status_code == 503
    assert world.hub["embeddings-prod"].state == "running"


def test_a_new_token_is_used_as_soon_as_the_old_one_is_refused(world: Deployment) -> None:
    rotated = TOKEN + "Two"
    scopes = world.hub.tokens.pop(TOKEN)
    world.hub.tokens[rotated] = scopes
    world.secrets.add(SECRET, rotated)
    try:
        assert world.ask("pause", {"endpoints": ["embeddings"]}).status_code == 200
    finally:
        world.hub.tokens[TOKEN] = scopes
        world.secrets.add(SECRET, TOKEN)


def test_nothing_to_do_costs_one_list_call(world: Deployment) -> None:
    world.ask("pause", {"endpoints": ["*"]})
    assert [shown for _, shown, _ in world.hub.requests] == ["GET /v2/endpoint/acme"]


def test_status_answers_within_seconds_though_neither_hugging_face_nor_cloud_scheduler_does(world: Deployment) -> None:
    for server in (world.hub, world.scheduler):
        server.faults.add(Fault("hang", ".*", seconds=60))
    begun = now()
    assert world.status()["unknown"] == ["huggingface", "prices", "scheduler"]
    assert now() - begun < timedelta(seconds=5.5)


def test_bad_settings_keep_a_process_from_starting(tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text("namespace: acme\nendpoints: {a: {hours: Mon-Fry 08:00-20:00, led: 5m}}")
    command = [sys.executable, "-m", "functions_framework", "--source", str(MAIN), "--target", "pause", "--port", "0"]
    env = {"LIFECYCLE_CONFIG": str(config)}
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert 'unknown day \\"Fry\\"' in line
    assert "endpoints.a.led" in line


def test_the_token_is_in_no_output_of_the_functions(world: Deployment) -> None:
    world.hub.faults.add(Fault("html", "pause", status=502, times=2))
    world.ask("pause", {"endpoints": ["*"]}, Authorization=f"Bearer {TOKEN}")
    assert world.output
    assert TOKEN not in world.output


def test_a_body_of_exactly_64_kib_is_taken(world: Deployment) -> None:
    body = b'{"endpoints": ["nobody"]}'.ljust(65_536)
    response = httpx.post(world.urls["pause"], content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 404


@pytest.mark.parametrize(("length", "status"), [(65_536, 404), (65_537, 413)])
def test_a_body_that_comes_in_chunks_is_measured(world: Deployment, length: int, status: int) -> None:
    body = b'{"endpoints": ["nobody"]}'.ljust(length)
    chunks = (body[at : at + 1000] for at in range(0, length, 1000))
    response = httpx.post(world.urls["pause"], content=chunks, headers={"Content-Type": "application/json"})
    assert response.status_code == status
