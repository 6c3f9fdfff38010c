"""What Terraform would make, once for all tests."""

import pytest

from terraform.running import ROOT, Made, state


@pytest.fixture(scope="session")
def made() -> Made:
    return state(ROOT / "infra")


@pytest.fixture(scope="session")
def everything() -> Made:
    """The same with every variable set."""
    return state(ROOT / "infra", "sets")
