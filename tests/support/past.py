"""A local Cloud Monitoring that reconcile runs were seen by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from local.servers.monitoring import METRICS, Monitoring

TEN = timedelta(minutes=10)


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
