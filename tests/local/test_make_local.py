"""`make local` and `make real`, as processes: what they reach, what they say, and the shell that goes with them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.serve import listen, serve
from support.processes import now
from support.programs import path_without_gcloud
from support.secret import TOKEN

ROOT = Path(__file__).parents[2]
SETTINGS = """
namespace: acme
platforms: {trainer: {}}
endpoints:
  chat: {name: chat-prod, hours: Mon-Fri 12:30-20:00}
  tests: {name: "test-*", platform: trainer}
"""


@dataclass
class Running:
    output: str
    port: str
    folder: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(
            f"http://127.0.0.1:{self.port}/{path}", headers={"Accept": "application/json"}, trust_env=False
        )

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        env = {
            "PATH": path_without_gcloud(self.folder),
            "PORT": self.port,
            "HOME": "/nonexistent",
            "HF_ENDPOINTS_URL": "https://x",
        }
        script = f'set -e; eval "$({ROOT}/infra/shell)"; ' + command
        return subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def running(folder: Path, *words: str, **variables: str) -> Iterator[Running]:
    with listen() as free:
        port = str(free.getsockname()[1])
    (folder / "my.yaml").write_text(SETTINGS)
    log = folder / "log"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "infra"), "PORT": port, "SETTINGS": "my.yaml"}
    with log.open("w") as written:
        command = [sys.executable, "-m", "local", *words]
        process = subprocess.Popen(command, env={**env, **variables}, cwd=folder, stdout=written, stderr=written)
    try:
        for _ in range(600):
            if "Ctrl-C" in log.read_text() or process.poll() is not None:
                break
            time.sleep(0.1)
        yield Running(log.read_text(), port, folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`make local` in a shell from which everything leads elsewhere."""
    with listen() as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    elsewhere = {"HF_TOKEN": TOKEN, "HF_ENDPOINTS_URL": f"{gone}/v2", "SCHEDULER_PARENT": "projects/prod/locations/l",
                 "JOB_PREFIX": "prod", "CLOUD_SCHEDULER_URL": gone, "LIFECYCLE_CONFIG": "/nowhere.yaml",
                 "http_proxy": gone, "HTTPS_PROXY": gone, "LOGGING_PARENT": "projects/prod"}  # fmt: skip
    with running(tmp_path_factory.mktemp("local"), **elsewhere) as made:
        yield made


def test_it_never_leaves_the_machine_whatever_is_exported(local: Running) -> None:
    status = local.get("status").json()
    assert status["unknown"] == []
    assert status["jobs_settings_sha256"] == status["settings_sha256"]


def test_its_hugging_face_has_what_the_settings_name(local: Running) -> None:
    status = local.get("status").json()
    assert [row["name"] for row in status["endpoints"]] == ["chat-prod", "test-a", "test-b"]
    assert [row["name"] for row in status["unmanaged"]] == ["forgotten"]
    assert {row["error"] for row in status["endpoints"]} == {None}


def test_what_can_be_tried_names_what_there_is(local: Running) -> None:
    tries = local.output.partition("Try")[2]
    assert "lifecycle resume chat --for 2h" in tries
    assert f'eval "$(make -s shell PORT={local.port})"' in tries  # without it, the shell looks for port 8080
    assert '"platform": "trainer"' in tries
    assert not re.search("embeddings|playground|main", tries)


def test_one_line_sets_up_a_shell_in_which_lifecycle_works_bare(local: Running) -> None:
    done = local.shell("lifecycle status && lifecycle sync")
    assert done.returncode == 0, done.stderr
    assert "chat-prod" in done.stdout
    assert "nothing to do" in done.stdout
    assert "make local" in done.stderr


def test_the_past_is_kept_too(local: Running) -> None:
    assert local.get("status").json().get("history") is None


def test_a_run_has_an_endpoint_that_answers_and_rests_afterwards(local: Running) -> None:
    done = local.shell("lifecycle run test-b -- sh -c 'curl -s $HF_ENDPOINT_URL'")
    assert (done.returncode, done.stdout) == (0, '{"ok":true}'), done.stderr
    (row,) = [row for row in local.get("status").json()["endpoints"] if row["name"] == "test-b"]
    assert (row["state"], row["overrides"]) == ("paused", [])


@pytest.mark.parametrize(("dry_run", "done"), [(None, "would"), ("false", "done")])
def test_the_real_thing_is_a_dry_run_unless_asked_for_and_says_so_loudly(
    tmp_path: Path, dry_run: str | None, done: str
) -> None:
    hub = HuggingFace(now, tokens={TOKEN: ALL_SCOPES})
    hub.add("chat-prod", "running")
    with serve(hub) as hub.url:
        (tmp_path / "sitecustomize.py").write_text(f"""
import lifecycle.config.environment as environment
environment.API = "{hub.url}/v2"
""")
        path = f"{tmp_path}:{ROOT / 'infra'}"
        more = {"DRY_RUN": dry_run} if dry_run else {}
        with running(tmp_path, "--real", HF_TOKEN=TOKEN, PYTHONPATH=path, **more) as made:
            assert "!!!!!!!!!!" in made.output, made.output
            assert ("in dry run" in made.output) == (dry_run is None)
            assert done in made.shell("lifecycle pause chat").stdout
    assert hub["chat-prod"].state == ("running" if dry_run is None else "paused")


def test_the_real_thing_wants_a_token(tmp_path: Path) -> None:
    with running(tmp_path, "--real") as made:
        assert made.output.startswith("set HF_TOKEN")
