"""The GitHub Action that warms endpoints for a job: its shell scripts, run as by a runner, and its schema."""

import subprocess
from pathlib import Path

import pytest

from support.desk import TEXT, Desk, with_jobs
from support.programs import BIN, path_without_gcloud

ACTION = Path(__file__).parents[2] / ".github/actions/warm"


class Job:
    """A job on a runner: its steps share a folder and two files."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.folder = folder
        for name in ("output", "env"):
            (folder / name).touch()
        self.variables = {
            **desk.variables, "PATH": path_without_gcloud(folder), "RUNNER_TEMP": str(folder), "ENDPOINTS": "play",
            "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_ENV": str(folder / "env"), "HOLD": "5m", "HOLDER": "",
        }  # fmt: skip

    def step(self, script: str, **more: str) -> "subprocess.CompletedProcess[str]":
        env = {**self.variables, **more}
        return subprocess.run([ACTION / script], env=env, capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture
def job(desk: Desk, tmp_path: Path) -> Job:
    desk.config.write_text(TEXT + "  play: {}\n")
    desk.hub.add("play", "paused", durations=desk.hub["nights"].durations)
    with_jobs(desk)
    assert desk.type("sync").returncode == 0
    desk.deployed()
    return Job(desk, tmp_path)


def test_it_warms_gives_the_url_and_releases(desk: Desk, job: Job) -> None:
    held = job.step("hold", HOLDER="ci-42")
    assert held.returncode == 0, held.stdout + held.stderr
    url = f"{desk.hub.url}/own/play"
    assert (job.folder / "output").read_text() == f"url={url}\n"
    assert f"HF_ENDPOINT_URL_PLAY={url}\n" in (job.folder / "env").read_text()
    assert "held as ci-42" in held.stdout
    assert desk.hub["play"].state == "running"
    released = job.step("release")
    assert (released.returncode, desk.hub["play"].state) == (0, "paused"), released.stdout + released.stderr


def test_what_does_not_get_warm_fails_the_step_and_says_why(job: Job) -> None:
    done = job.step("hold", ENDPOINTS="nobody")
    assert (done.returncode, "unknown: nobody" in done.stdout) == (2, True)
    assert (job.folder / "output").read_text() == ""


def test_release_without_a_hold_is_nothing_to_do(job: Job) -> None:
    assert job.step("release").returncode == 0


def test_its_form_is_the_one_that_github_takes() -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-actions", str(ACTION / "action.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
