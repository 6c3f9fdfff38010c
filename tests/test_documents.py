"""The documents are right: settings are valid, commands run, links have targets, and documented fields exist.

A `console` block is run as it stands, a document from its beginning to its end in one shell, against the functions and
services of `make local`. Left out is only what needs Google Cloud, and what `make` and CI run: these targets and steps
must exist.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lifecycle.cli import main as cli
from lifecycle.config import environment
from lifecycle.config.yaml12 import load
from lifecycle.core.model import Override, PlatformState
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from local.servers.serve import listen
from support.hub import TUESDAY_NOON, Harness
from support.past import monitoring
from support.programs import BIN, path_without_gcloud

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
IN_THE_CLOUD = re.compile(r"\b(gcloud|terraform)\b")  # a command that says so needs Google Cloud
# `make local`, with endpoints that start at once.
LOCAL = """
import asyncio
from local import __main__ as here
from local.servers.endpoints import Durations
here.QUICK = Durations(pending=0, resume=0.2, wake=0.2, update=0.2)
asyncio.run(here.main())
"""
STANDS_FOR = {"NAME": "embeddings-prod", "NAMESPACE": "acme"}
BASH = 'set -eo pipefail; trap \'echo "failed: $BASH_COMMAND"\' ERR; curl() { command curl --fail-with-body -sS "$@"; }'


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language, without the indentation of the list that they stand in."""
    fences = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", body, flags=re.MULTILINE) for indent, body in fences]


def commands(block: str) -> Iterator[str]:
    """The commands after `$ `; a command goes on over lines for as long as the shell would wait for more."""
    lines = block.splitlines()
    while lines:
        line = lines.pop(0)
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            while lines and (command.endswith(("\\", "|")) or not complete(command)):
                command += "\n" + lines.pop(0)
            yield command


def complete(command: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def instead_of(command: str) -> str:
    """What is run for a command: for `make TARGET` and `.ci/run STEP...` a look whether there is such a thing."""
    program, *words = command.partition("#")[0].split()
    if command.startswith(('eval "$(make -s shell)"', "git clone ", "export HF_TOKEN=")):  # the shell is set up already
        return "true"
    if program == "make":
        return "; ".join(f"grep -q '^{word}:' Makefile" for word in words if "=" not in word)
    if program == ".ci/run":
        return "; ".join(["bash -n .ci/run", *(f"grep -q '^{word}()' .ci/run" for word in words)])
    return command


def having(language: str) -> list[Any]:
    return [pytest.param(path, id=path.name) for path in DOCUMENTS if blocks(path, language)]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody who has `make local` running."""
    with listen() as free:
        port = str(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("local")
    log, path = folder / "log", path_without_gcloud(folder)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTEST"))}
    variables = {**plain, "PATH": path, "PYTHONPATH": str(ROOT / "infra"), "PORT": port}
    with log.open("w") as written:
        running = subprocess.Popen([sys.executable, "-c", LOCAL], env=variables, stdout=written, stderr=written)
    try:
        while "Ctrl-C" not in (output := log.read_text()):
            assert running.poll() is None, output
            time.sleep(0.1)
        exports = (ROOT / f"build/local-{port}.env").read_text()  # what `make shell` sets
        yield {**variables, **dict(shlex.split(line)[1].split("=", 1) for line in exports.splitlines())}
    finally:
        running.send_signal(signal.SIGINT)
        running.wait()


@pytest.mark.parametrize("document", having("console"))
def test_every_command_runs_as_it_is_written(document: Path, local: dict[str, str], tmp_path: Path) -> None:
    every = [command for block in blocks(document, "console") for command in commands(block)]
    assert every
    script = [BASH]
    for command in every:
        run = re.sub(r"\b(NAME|NAMESPACE)\b", lambda found: STANDS_FOR[found[1]], instead_of(command))
        if not IN_THE_CLOUD.search(run):
            run = run.replace("127.0.0.1:8080", f"127.0.0.1:{local['PORT']}").replace(
                "mine.yaml", f"{tmp_path}/mine.yaml"
            )
            script.append(run.replace(".venv/bin/", f"{BIN}/"))
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=ROOT, env=local, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_transcript_in_the_readme_is_what_the_demo_shows() -> None:
    demo = [sys.executable, "-m", "local.simulation.demo"]
    done = subprocess.run(demo, env={"PYTHONPATH": str(ROOT / "infra")}, capture_output=True, text=True, check=True)
    lines = iter(done.stdout.splitlines())
    for line in "".join(blocks(ROOT / "README.md", "text")).splitlines():
        assert any(shown.startswith(line) for shown in lines), f"the demo does not show, in this order: {line}"


@pytest.mark.parametrize("document", having("yaml"))
def test_every_piece_of_settings_is_accepted(document: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(document, "yaml")):
        written, _ = load(block.encode())
        assert isinstance(written, dict)
        missing = {"namespace": "acme", "time_zone": "Europe/Berlin", "endpoints": "{}"}
        more = "".join(f"{key}: {value}\n" for key, value in missing.items() if key not in written)
        file = tmp_path / f"{number}.yaml"
        file.write_text(more + block)
        checked = CliRunner().invoke(cli.main, ["check", str(file)])
        assert checked.exit_code == 0, block + checked.output


@pytest.mark.parametrize("document", having("json"))
def test_every_piece_of_json_is_json(document: Path) -> None:
    for block in blocks(document, "json"):
        json.loads(block)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text()):
        target = document.parent / link if link else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), f"{link}#{anchor}"


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_variable_that_is_read_is_documented() -> None:
    read = set(re.findall(r'"([A-Z][A-Z_]+)"', Path(environment.__file__).read_text()))
    table = (ROOT / "docs" / "design.md").read_text().partition("### Environment\n")[2].partition("\n\n")[0]
    assert read == set(re.findall(r"`([A-Z][A-Z_]+)`", table))


# docs/http.md describes every field of the answers.

HTTP = ROOT / "docs" / "http.md"


def fields(value: Any, path: str = "") -> set[str]:
    """The path of every value in a JSON document: "results[].name", "platforms.<name>.since"."""
    if isinstance(value, list):
        return set().union(*(fields(item, f"{path}[]") for item in value))
    if not isinstance(value, dict) or not value:
        return {path}
    found: set[str] = set()
    for key, item in value.items():
        below = f"{path}.{'<name>' if path == 'platforms' else key}".lstrip(".")
        found |= {below} if key in ("override", "overrides") else fields(item, below)  # they have a table of their own
    return found


def documented(heading: str) -> set[str]:
    """The fields in the table below a heading; a mapping counts by what is in it."""
    section = HTTP.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = set(re.findall(r"^\| `([^`]+)` \| ", section, re.MULTILINE))
    return {path for path in found if not any(other.startswith(f"{path}.") for other in found)}


def full() -> Harness:
    """A stage on which every field of the status has a value."""
    more = "lead: auto, budget: {dollars: 9}"
    stage = Harness(
        f"platforms: {{main: {{}}}}\nendpoints: {{a: {{hours: Mon-Fri 08:00-20:00, platform: main, {more}}}}}"
    )
    stage.monitoring = monitoring(lambda: stage.now)
    stage.hub.add("a", "running", tags=("dev",))
    stage.hub.add("forgotten", "running")
    stage.override("a", Override("running", TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=1)))
    stage.platform_state("main", PlatformState("started", TUESDAY_NOON))
    return stage


def test_the_status_has_the_fields_that_are_documented() -> None:
    async def status_of(service: Service) -> Status:
        return await service.status()

    status = full().run(status_of).answer
    assert status["unknown"] == ["prices"]
    assert fields(status) == documented("Status")


def test_an_answer_has_the_fields_that_are_documented() -> None:
    async def answer_of(service: Service) -> dict[str, Any]:
        return (await service.handle("reconcile", b'{"endpoints": ["a"]}', Caller())).body()

    assert fields(full().run(answer_of)) == documented("Answers")


def test_an_override_has_the_fields_that_are_documented() -> None:
    async def status_of(service: Service) -> Status:
        return await service.status()

    (row,) = full().run(status_of).answer["endpoints"]
    assert row["overrides"] == [row["override"]]
    assert fields(row["override"]) == documented("Overrides")


def test_the_examples_have_the_fields_that_are_documented() -> None:
    answer, _, status = (json.loads(block) for block in blocks(HTTP, "json"))
    assert fields(answer) == documented("Answers")
    assert fields(status) | {"unknown[]"} == documented("Status")
