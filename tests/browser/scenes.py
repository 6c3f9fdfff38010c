"""The page in situations that `make local` does not get into, as JSON: for each its HTML and its headers.

It is made for page.mjs. Time stands still on the Friday before the clocks change in Berlin; the Monday is a holiday.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from lifecycle.core.model import Override, PlatformState
from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from lifecycle.web import page
from support.hub import Harness

FRIDAY = datetime(2026, 10, 23, 12, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVIL = "<script>alert(1)</script>"
SETTINGS = """
holidays: [2026-10-26]
platforms: {main: {max_started: 24h}, other: {}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, lead: 10m, platform: main}
  batch: {name: batch-prod, hours: "Sun-Thu 22:00-06:00", rest: scaledToZero}
  chat: {name: chat-prod, hours: daily 07:00-24:00, scaling: {min_replicas: 0, scale_to_zero_after: 15m}}
  rerank: {name: rerank-prod, hours: Mon-Fri 09:00-18:00, start: false}
  vision: {name: vision-prod, hours: Mon-Fri 09:00-18:00}
  speech: {name: speech-prod, hours: Mon-Fri 08:00-18:00, enforce: false}
  reports: {name: reports-prod, platform: other}
  gone: {name: gone-prod, hours: Mon-Fri 09:00-18:00}
  playground: {tags: [dev], idle_after: 45m}
  trials: {name: trial-*, hours: Mon-Fri 09:00-18:00}
"""


def busy() -> Harness:
    """Many states at once, and a name that is markup."""
    stage = Harness(SETTINGS, FRIDAY)
    add, now = stage.hub.add, FRIDAY.isoformat()
    add("embeddings-prod", "running", readyReplica=2, targetReplica=2, lastUsedAt=now)
    add("batch-prod", "scaledToZero", min_replica=0)
    add("chat-prod", "running", min_replica=0, readyReplica=1, targetReplica=1, lastUsedAt=now)
    add("rerank-prod", "paused")
    add("vision-prod", "failed", errorMessage=f"CUDA out of memory {EVIL}")
    add("speech-prod", "paused")
    add("reports-prod", "initializing", readyReplica=0, targetReplica=1)
    add("dev-a", "running", tags=("dev",), lastUsedAt=now, readyReplica=1, targetReplica=1)
    add("dev-b", "paused", tags=("dev", EVIL), lastUsedAt=(FRIDAY - 30 * HOUR).isoformat())
    add("dev-c", "running", tags=("dev",), lastUsedAt=(FRIDAY - 2 * HOUR).isoformat())
    add("forgotten", "running")
    add(EVIL, "running")
    add("asleep", "paused")
    price = {"instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": 0.8}
    regions = [{"name": "us-east-1", "computes": [price]}]
    prices = {"vendors": [{"name": "aws", "regions": regions}]}
    stage.hub.script("GET /v2/provider/acme", lambda _: httpx.Response(200, json=prices))
    stage.override("chat", Override("paused", FRIDAY - HOUR, FRIDAY + 30 * HOUR, by="anna@example.com", note=EVIL))
    stage.override("rerank", Override("running", FRIDAY, FRIDAY + 2 * HOUR, note="load test"))
    stage.news("main", PlatformState("started", FRIDAY - 5 * HOUR))
    return stage


def blind() -> Harness:
    """Neither Hugging Face nor Cloud Scheduler answers."""
    stage = busy()
    stage.hub.script("GET /", 403)
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    return stage


@dataclass(frozen=True)
class Shown:
    html: str
    headers: dict[str, str]


def shown(stage: Harness) -> Shown:
    async def told(service: Service) -> Status:
        return await service.status()

    return Shown(page.html(stage.run(told), stage.settings), page.headers())


if __name__ == "__main__":
    print(json.dumps({scene.__name__: shown(scene()).__dict__ for scene in (busy, blind)}))
