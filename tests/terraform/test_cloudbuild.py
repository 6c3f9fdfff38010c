"""What cloudbuild.yaml runs."""

import re

import yaml

from terraform.running import ROOT

BUILD = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())


def test_images_are_pinned_by_digest() -> None:
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", step["name"]) for step in BUILD["steps"])


def test_nothing_is_applied_when_a_test_fails() -> None:
    assert [step["id"] for step in BUILD["steps"]] == ["test", "apply", "sync"]
    assert not any("allowFailure" in step or "waitFor" in step for step in BUILD["steps"])
