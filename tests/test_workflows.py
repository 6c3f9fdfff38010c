"""The shell steps of GitHub's workflows, run as a runner runs them, with stand-ins for the programs that they start.

What those do is tested elsewhere: `.ci/run` and `make` are what a developer runs, `.ci/run package` makes a release,
and tests/cli/test_action.py runs the steps of the action.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
VERSION, URL = "1.2.3", "https://github.com/acme/hf-endpoint-lifecycle"
# Every step with a shell line; a new one belongs here, and below.
STEPS = {"ci.yml: Check", "ci.yml: Test", "nightly.yml: Run", "release.yml: Build", "release.yml: Release",
         "release.yml: Only what PyPI takes"}  # fmt: skip
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
exit "${EXIT:-0}"
"""


def steps() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each shell step by its file and name, and the job that it belongs to."""
    for file in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                if "run" in step:
                    yield f"{file.name}: {step['name']}", step, job


FOUND = {name: (step, job) for name, step, job in steps()}


@dataclass
class Runner:
    """A folder with a checkout's files that are needed, and programs that only say how they were called."""

    folder: Path

    def stand_in(self, *paths: str) -> None:
        for path in paths:
            program = self.folder / path
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(STAND_IN)
            program.chmod(0o755)

    def has(self, *paths: str) -> None:
        for path in paths:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.folder / path)

    def run(self, name: str, **more: str) -> "subprocess.CompletedProcess[str]":
        step, _ = FOUND[name]
        own = {key: str(value) for key, value in step.get("env", {}).items() if "${{" not in str(value)}
        path = f"{self.folder}/programs:{os.environ['PATH']}"
        env = {**own, "PATH": path, "HOME": str(self.folder), "CALLS": str(self.folder / "calls"), **more}
        command = ["bash", "-e", "-c", step["run"]]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    made.stand_in("programs/make", "programs/gh", "programs/terraform")
    return made


def test_every_shell_step_is_looked_at_here() -> None:
    assert set(FOUND) == STEPS
    assert len(list(steps())) == len(STEPS)


def test_ci_runs_every_step_with_java_for_the_emulator(runner: Runner) -> None:
    runner.stand_in(".ci/run")
    (runner.folder / ".ci/run").write_text(STAND_IN.replace("$*", "$*java=$JAVA_HOME"))
    assert runner.run("ci.yml: Check", JAVA_HOME_21_X64="/opt/java").returncode == 0
    assert runner.calls == ["run java=/opt/java"]


def test_ci_runs_the_tests_on_every_python(runner: Runner) -> None:
    assert runner.run("ci.yml: Test").returncode == 0
    assert runner.calls == ["make test"]


NIGHTLY = {
    "soak": "make --silent soak WEEKS=1000",
    "fuzz": "make --silent fuzz SECONDS=300",
    "mutants": "python -m pytest tests/terraform/test_facts.py",
    "bench": "make --silent bench",
    "vulnerabilities": "pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt",
}


def test_each_nightly_step_is_looked_at_here() -> None:
    assert FOUND["nightly.yml: Run"][1]["strategy"]["matrix"]["step"] == list(NIGHTLY)


@pytest.mark.parametrize("step", NIGHTLY)
def test_a_nightly_step_runs_for_longer(runner: Runner, step: str) -> None:
    runner.has(".ci/run")
    runner.stand_in(".venv/bin/python", ".venv/bin/pip-audit")
    done = runner.run("nightly.yml: Run", STEP=step)
    assert done.returncode == 0, done.stdout
    assert (runner.calls[0], runner.calls[-1]) == ("make --silent install", NIGHTLY[step])


@pytest.fixture
def tagged(runner: Runner) -> Runner:
    """A checkout of a commit on main, with a version and its changelog; building stops with 42."""
    runner.has(".ci/release")
    runner.stand_in(".venv/bin/uv")
    (runner.folder / ".venv/bin/uv").write_text(STAND_IN.replace("${EXIT:-0}", "42"))
    (runner.folder / ".venv/bin/python").symlink_to(sys.executable)
    (runner.folder / "pyproject.toml").write_text(
        f'[project]\nversion = "{VERSION}"\nurls = {{Repository = "{URL}"}}\n'
    )
    (runner.folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{VERSION}] - 2026-12-01\n\nSomething.\n")
    for words in ("init -q", "add .ci", "commit -q -m x", "update-ref refs/remotes/origin/main HEAD"):
        author = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *author, *words.split()], cwd=runner.folder, check=True)
    return runner


def built(runner: Runner, tag: str = f"v{VERSION}", repository: str = "acme/hf-endpoint-lifecycle") -> tuple[int, str]:
    names = {"GITHUB_REF_NAME": tag, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": repository}
    done = runner.run("release.yml: Build", **names)
    return done.returncode, done.stdout + done.stderr


def test_a_tag_that_fits_is_built(tagged: Runner) -> None:
    assert built(tagged)[0] == 42
    assert tagged.calls[-1].startswith("uv build --quiet --out-dir build/release")


@pytest.mark.parametrize(
    ("change", "tag", "repository", "message"),
    [
        ("", "v1.2.4", "acme/hf-endpoint-lifecycle", "tag v1.2.4: pyproject.toml has version 1.2.3"),
        ("", "v1.2.3", "other/hf-endpoint-lifecycle", f"project.urls.Repository is {URL}"),
        ("sed -i s/2026-12-01/unreleased/ CHANGELOG.md", "v1.2.3", "acme/hf-endpoint-lifecycle", "no dated section"),
        ("git checkout -q --orphan aside", "v1.2.3", "acme/hf-endpoint-lifecycle", "its commit is not on main"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(
    tagged: Runner, change: str, tag: str, repository: str, message: str
) -> None:
    subprocess.run(["sh", "-c", change], cwd=tagged.folder, check=True)
    code, printed = built(tagged, tag, repository)
    assert (code, message in printed) == (1, True), printed
    assert [call for call in tagged.calls if call.startswith("uv")] == []


FILES = ("a-1.2.3-py3-none-any.whl", "a-1.2.3.tar.gz", "sbom.cdx.json", "notes.md")


@pytest.fixture
def released(runner: Runner) -> Runner:
    """What the build left."""
    for name in FILES:
        (runner.folder / "release").mkdir(exist_ok=True)
        (runner.folder / "release" / name).write_text(name)
    return runner


def test_a_release_has_wheel_source_and_sbom_and_the_tags_notes(released: Runner) -> None:
    assert released.run("release.yml: Release", GITHUB_REF_NAME="v1.2.3").returncode == 0
    files = " ".join(f"release/{name}" for name in FILES[:3])
    assert released.calls == [
        f"gh release create v1.2.3 --verify-tag --title v1.2.3 --notes-file release/notes.md {files}"
    ]


def test_pypi_gets_wheel_and_source_alone(released: Runner) -> None:
    assert released.run("release.yml: Only what PyPI takes").returncode == 0
    assert sorted(path.name for path in (released.folder / "dist").iterdir()) == sorted(FILES[:2])
