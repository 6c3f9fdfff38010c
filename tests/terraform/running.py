"""Terraform as these tests run it: its own tests, in which Google's provider is played."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def terraform(infra: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the terraform that TERRAFORM names, in a folder or a copy of it, with what `init` put into infra/."""
    command = [os.environ.get("TERRAFORM", "terraform"), f"-chdir={infra}", *arguments]
    env = {**os.environ, "TF_DATA_DIR": str(ROOT / "infra" / ".terraform")}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=env)


@dataclass(frozen=True)
class Made:
    """The outputs, and the values of every resource and data source by its address."""

    outputs: dict[str, Any]
    values: dict[str, dict[str, Any]]


def state(infra: Path) -> Made:
    """What the outputs' test would make."""
    ran = terraform(infra, "test", "-filter=tests/outputs.tftest.hcl", "-verbose", "-json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    messages = [json.loads(line) for line in ran.stdout.splitlines()]
    (found,) = [message["test_state"] for message in messages if message["type"] == "test_state"]
    outputs = {name: output["value"] for name, output in found["outputs"].items()}
    return Made(outputs, {one["address"]: one["values"] for one in found["root_module"]["resources"]})
