"""The functions in their processes while Cloud Logging and Cloud Monitoring hang."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.servers.faults import Fault
from local.servers.logging import Logging
from local.servers.monitoring import METRICS, Monitoring
from local.servers.serve import serve
from support.processes import Deployment, now

TEXT = """
namespace: acme
endpoints:
  embeddings: {hours: always, lead: auto, budget: {dollars: 20}}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as stack:
        made = Deployment(tmp_path, stack)
        made.hub.add("embeddings", "running", min_replica=1)
        monitoring, logging = Monitoring(now, METRICS), Logging(now)
        for server in (monitoring, logging):
            server.faults.add(Fault("hang"))
        made.start(
            TEXT, "status", "reconcile", "pause",
            MONITORING_PARENT="projects/local", LOGGING_PARENT="projects/local",
            CLOUD_MONITORING_URL=stack.enter_context(serve(monitoring)),
            CLOUD_LOGGING_URL=stack.enter_context(serve(logging)),
        )  # fmt: skip
        yield made


def test_everything_else_answers_within_five_seconds(deployment: Deployment) -> None:
    begun = time.monotonic()
    reported = deployment.status()
    seconds = time.monotonic() - begun
    assert seconds < 5
    assert reported["history"] == "Cloud Monitoring: no answer in time"
    (row,) = reported["endpoints"]
    assert (row["wanted"], row["billed_this_month"], row["price_per_hour"]) == ("running", None, 0.8)

    begun = time.monotonic()
    answer = deployment.ask("reconcile", {"endpoints": ["*"]})
    assert time.monotonic() - begun < 5.5
    (result,) = answer.json()["results"]
    assert (answer.status_code, result["outcome"]) == (200, "unchanged")
    assert "its budget is not applied, because the billed costs are unknown: Cloud Monitoring" in result["reason"]

    begun = time.monotonic()
    assert deployment.ask("pause", {"endpoints": ["embeddings"]}).status_code == 200
    assert time.monotonic() - begun < 2  # it reads nothing of the past
