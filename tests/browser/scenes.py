"""The page in situations that `make local` does not get into, as JSON: for each its pages' HTML and headers.

It is made for page.mjs. Time stands still on the Friday before the clocks change in Berlin; the Monday is a holiday.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.core.history import Event
from lifecycle.core.model import Override, PlatformState
from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from lifecycle.web import page
from lifecycle.web.page import Visit
from support.hub import CATALOG, Harness, prices

FRIDAY = datetime(2026, 10, 23, 12, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVIL = "<script>alert(1)</script>\x1b\u202e"
PAUSED = Event(FRIDAY - HOUR, "chat", "chat-prod", "manual pause: done", EVIL, by="anna@example.com")
FAILED = Event(FRIDAY - 2 * HOUR, "vision", "vision-prod", "resume failed", "403 Quota exceeded", failed=True)
STARTED = Event(FRIDAY - 5 * HOUR, "embeddings", "embeddings-prod", "resume done", "hours begin", rule="hours")
EVENTS = [PAUSED, FAILED, STARTED]
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


def priced(scene: Harness) -> Harness:
    """With prices, and with jobs that were made from these settings."""
    assert scene.shelf is not None
    job = scene.shelf.jobs["lifecycle-reconcile"]
    scene.shelf.jobs[job.id] = replace(job, description=scene.settings.sha256, attempted_at=FRIDAY - HOUR / 12)
    scene.hub.script(CATALOG, *[prices] * 9)
    return scene


def busy() -> Harness:
    """Many states at once, and a name that is markup."""
    scene = priced(Harness(SETTINGS, FRIDAY))
    add, now = scene.hub.add, FRIDAY.isoformat()
    add("embeddings-prod", "running", readyReplica=2, targetReplica=2, lastUsedAt=now)
    add("batch-prod", "scaledToZero", min_replica=0)
    add("chat-prod", "running", min_replica=0, readyReplica=1, targetReplica=1, lastUsedAt=now)
    add("rerank-prod", "paused")
    add("vision-prod", "failed", errorMessage=f"CUDA out of memory {EVIL}")
    add("speech-prod", "paused")
    add("reports-prod", "initializing", readyReplica=0, targetReplica=1)
    add("dev-a", "running", tags=("dev",), lastUsedAt=now, readyReplica=1, targetReplica=1)
    add("dev-b", "paused", tags=("dev", EVIL), lastUsedAt=(FRIDAY - 30 * HOUR).isoformat())
    add("dev-c", "running", tags=("dev",), lastUsedAt=(FRIDAY - 2 * HOUR).isoformat(), targetReplica=1)
    add("forgotten", "running", targetReplica=1)
    add(EVIL, "running")
    add("asleep", "paused")
    scene.override("chat", Override("paused", FRIDAY - HOUR, FRIDAY + 30 * HOUR, by="anna@example.com", note=EVIL))
    scene.override("rerank", Override("running", FRIDAY, FRIDAY + 2 * HOUR, note="load test"))
    scene.platform_state("main", PlatformState("started", FRIDAY - 5 * HOUR))
    return scene


def blind() -> Harness:
    """Neither Hugging Face nor Cloud Scheduler answers."""
    scene = busy()
    scene.hub.script("GET /", *([403] * 9))
    assert scene.shelf is not None
    scene.shelf.refuse = frozenset({"list"})
    return scene


def none() -> Harness:
    """No endpoint at all."""
    return priced(Harness("endpoints: {}", FRIDAY))


def one() -> Harness:
    """One endpoint, as wanted."""
    scene = priced(Harness("endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00}}", FRIDAY))
    scene.hub.add("embeddings-prod", "running", readyReplica=1, targetReplica=1)
    return scene


def crowd() -> Harness:
    """Two hundred endpoints, in every state, with the longest names."""
    names = [f"team-{number % 7}-model-number-{number:03}-v2x"[:32] for number in range(200)]
    text = "".join(
        f"  e{number:03}: {{name: {name}, hours: Mon-Fri {number % 4 + 6:02}:00-{number % 5 + 16}:00, lead: 10m}}\n"
        for number, name in enumerate(names[:150])
    )
    scene = priced(Harness(f"endpoints:\n{text}  rest: {{name: team-*, idle_after: 45m}}", FRIDAY))
    states = ("running", "running", "paused", "running", "scaledToZero", "running", "initializing", "running")
    for number, name in enumerate(names):
        state = "failed" if number % 67 == 5 else states[number % 8]
        used = (FRIDAY - timedelta(minutes=number)).isoformat()
        scene.hub.add(name, state, tags=(f"team-{number % 7}",), readyReplica=1, targetReplica=1, lastUsedAt=used)
    return scene


def status_of(scene: Harness) -> Status:
    async def status(service: Service) -> Status:
        return await service.status()

    return scene.run(status)


def pages(scene: Harness) -> dict[str, Any]:
    """The table and one endpoint's page, with forms."""
    status, visit = status_of(scene), Visit(acts=True)
    found = {"/": page.table(status, EVENTS, scene.settings, visit)}
    for name in ("chat", "playground", "team-0-model-number-000-v2x"):
        if (shown := page.endpoint(name, status, EVENTS, scene.settings, visit)) is not None:
            found[f"/{name}"] = shown
    return {"pages": found, "headers": visit.headers()}


SCENES: tuple[Callable[[], Harness], ...] = (busy, blind, none, one, crowd)

if __name__ == "__main__":
    print(json.dumps({scene.__name__: pages(scene()) for scene in SCENES}))
