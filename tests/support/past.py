"""Local Cloud Monitoring and Cloud Logging with the data of reconcile runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.servers.logging import Logging
from local.servers.monitoring import METRICS, Monitoring
from local.servers.serve import serve
from support.desk import Desk

TEN = timedelta(minutes=10)
VIEW = "projects/local/locations/l/buckets/lifecycle/views/lifecycle"


def monitoring(now: Callable[[], datetime]) -> Monitoring:
    return Monitoring(now, METRICS)


def saw(
    on: Monitoring, at: datetime, *, entry: str = "embeddings", name: str = "embeddings-prod", **fields: Any
) -> None:
    """One line that a run logged."""
    labels = {"service_name": "lifecycle-reconcile", "revision_name": "1"}
    payload = {"endpoint": entry, "name": name, **fields}
    on.count({"timestamp": at.isoformat(), "jsonPayload": payload, "resource": {"labels": labels}})


def ran(on: Monitoring, since: datetime, until: datetime, dollars: float, **labels: str) -> None:
    """Runs every ten minutes that saw this cost."""
    while since < until:
        saw(on, since, dollars_per_hour=dollars, **labels)
        since += TEN


class Past:
    """Local Logging and Monitoring, to which lines were written at times that are set."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.monitoring = monitoring(lambda: datetime.now(UTC))
        self.logging = Logging(lambda: self.at, parents=[VIEW], routes=[self.monitoring.count])

    def served(self, desk: Desk) -> None:
        """Has a person's machine read it."""
        desk.variables |= {
            "LOGGING_PARENT": VIEW,
            "MONITORING_PARENT": "projects/local",
            "CLOUD_LOGGING_URL": desk.stack.enter_context(serve(self.logging)),
            "CLOUD_MONITORING_URL": desk.stack.enter_context(serve(self.monitoring)),
        }

    def wrote(self, at: datetime, **fields: Any) -> None:
        self.at = at
        always = {"event": "endpoint", "endpoint": "embeddings", "name": "embeddings-prod", "action": "none",
                  "outcome": "unchanged", "before": "running", "after": "running", "trigger": "schedule",
                  "reason": "inside hours", "function": "reconcile", "rule": "hours"}  # fmt: skip
        self.logging.line("reconcile", json.dumps({"severity": "INFO", **always, **fields}))
