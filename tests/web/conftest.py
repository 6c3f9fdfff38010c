"""What the tests of the page stand on."""

import pytest

from support.console import Page
from support.hub import Harness
from support.pages import TEXT


@pytest.fixture
def stage() -> Harness:
    made = Harness(TEXT)
    made.hub.add("embeddings-prod", "running", targetReplica=1)
    return made


@pytest.fixture
def page() -> Page:
    return Page()
