"""Runs Terraform and its tests, with a simulated Google provider."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).parent / "offline"


def terraform(infra: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the terraform that TERRAFORM names, in a folder or a copy of it, with what `init` put into infra/."""
    command = [os.environ.get("TERRAFORM", "terraform"), f"-chdir={infra}", *arguments]
    env = {**os.environ, "TF_DATA_DIR": str(ROOT / "infra" / ".terraform")}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=env)


def copied(folder: Path) -> Path:
    """A copy of infra/, beside a copy of what it packs; the state lies in it, as there is no bucket."""
    for name in ("infra", "functions"):
        ignored = shutil.ignore_patterns(".terraform", "build", "local", "__pycache__", "*.tfvars", "*.tfstate*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "requirements.txt", folder)
    versions = folder / "infra" / "versions.tf"
    versions.write_text(versions.read_text().replace('backend "gcs" {}', ""))
    return folder / "infra"


@dataclass(frozen=True)
class Made:
    """The outputs, and the values of every resource and data source by its address."""

    outputs: dict[str, Any]
    values: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Deployed:
    """A copy of infra/ with its variables, which the stand-in for the provider can plan and apply, and no other may."""

    infra: Path
    variables: dict[str, Any]

    def __post_init__(self) -> None:
        used = Path(os.environ.get("TERRAFORM", "terraform")).resolve()
        assert used == STAND_IN.resolve(), "the real provider would apply to a real project"

    def plan(self, *arguments: str, **changed: Any) -> dict[str, list[str]]:
        """The actions that a plan has for each resource, by its address."""
        self._run("plan", "-out=plan", *arguments, **changed)
        shown = json.loads(self._show("plan"))
        changes = {one["address"]: one["change"]["actions"] for one in shown["resource_changes"]}
        return {address: actions for address, actions in changes.items() if actions != ["no-op"]}

    def waits_for(self) -> dict[str, set[str]]:
        """What each resource is made after, directly or by way of others; all without their keys."""
        self._run("plan", "-out=plan")
        module = json.loads(self._show("plan"))["configuration"]["root_module"]
        after = {one["address"]: _references(one) for one in module["resources"]}
        while True:
            more = {name: seen | set().union(*(after.get(one, set()) for one in seen)) for name, seen in after.items()}
            if more == after:
                return after
            after = more

    def apply(self) -> None:
        self._run("apply", "-auto-approve")

    def _run(self, command: str, *arguments: str, **changed: Any) -> None:
        (self.infra / "test.auto.tfvars.json").write_text(json.dumps(self.variables | changed))
        ran = terraform(self.infra, command, "-input=false", "-no-color", *arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "Warning" not in ran.stdout, ran.stdout

    def _show(self, *what: str) -> str:
        ran = terraform(self.infra, "show", "-json", *what)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def _references(node: Any) -> set[str]:
    """The resources that a part of a configuration refers to, locals left out."""
    if isinstance(node, list):
        return set().union(*(_references(one) for one in node))
    if not isinstance(node, dict):
        return set()
    named = {*node.get("references", []), *node.get("depends_on", [])}
    found = {re.sub(r"\[.*", "", name) for name in named}
    return {".".join(name.split(".")[:2]) for name in found} | set().union(*(_references(one) for one in node.values()))


def state(infra: Path, test: str = "outputs") -> Made:
    """What the last run of one of infra's tests would make."""
    ran = terraform(infra, "test", f"-filter=tests/{test}.tftest.hcl", "-verbose", "-json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    messages = [json.loads(line) for line in ran.stdout.splitlines()]
    found = [message["test_state"] for message in messages if message["type"] == "test_state"][-1]
    outputs = {name: output["value"] for name, output in found["outputs"].items()}
    return Made(outputs, {one["address"]: one["values"] for one in found["root_module"]["resources"]})
