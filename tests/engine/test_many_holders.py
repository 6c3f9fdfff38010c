"""What one call costs with 300 entries and three holders each, through Google's client, to a local Cloud Scheduler."""

import asyncio
import base64
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from lifecycle.core.model import Override, Wanted
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Answer, Service
from lifecycle.gcp.job_state import override_job
from lifecycle.gcp.jobs import Job, reconcile_id
from lifecycle.gcp.scheduler import Client
from lifecycle.gcp.scheduler import Scheduler as Adapter
from local.servers.scheduler import Scheduler
from support.hub import CATALOG, TUESDAY_NOON, Harness, prices
from support.service import body

PARENT, URL = "projects/p/locations/l", "https://reconcile.example"
ENTRIES = [f"entry-{number}" for number in range(300)]
HOLDERS = ("anna@example.com", "ci-42", "night.job")
LIKE = Job(reconcile_id("lifecycle"), "3-59/10 * * * *", "UTC", URL, b'{"endpoints": ["*"]}')


def as_json(job: Job) -> dict[str, Any]:
    http = {"uri": job.url, "body": base64.b64encode(job.body).decode()}
    return {"name": f"{PARENT}/jobs/{job.id}", "schedule": job.schedule, "timeZone": "UTC", "httpTarget": http}


def reconciled(state: str, wanted: Wanted) -> tuple[Answer, list[str], list[str]]:
    """The answer of a reconcile run where all endpoints are in `state`, and every holder wants `wanted`; then the
    requests to Hugging Face and to Cloud Scheduler, in their order."""
    hours = "always" if wanted == "paused" else "daily 22:00-06:00"
    on = Harness("endpoints: {" + ", ".join(f"{name}: {{hours: {hours}}}" for name in ENTRIES) + "}")
    scheduler, requests = Scheduler(lambda: TUESDAY_NOON), list[str]()
    scheduler.create(PARENT, as_json(LIKE))
    for name in ENTRIES:
        on.hub.add(name, state)
        for number, holder in enumerate(HOLDERS):
            since = TUESDAY_NOON - timedelta(minutes=9 - number)
            made = Override(wanted, since, TUESDAY_NOON + timedelta(hours=1), by=holder, note=None, holder=holder)
            scheduler.create(PARENT, as_json(override_job(LIKE, "lifecycle", name, made, TUESDAY_NOON)))
    on.hub.script(CATALOG, prices)

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        requests.append(f"{scope['method']} {scope['path'].removeprefix(f'/v1/{PARENT}')}")
        await scheduler(scope, receive, send)

    async def once() -> Answer:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(on.hub)) as hub,
            httpx.AsyncClient(transport=httpx.ASGITransport(counted)) as google,
        ):
            client, chance = Client("http://127.0.0.1:9", google), random.Random(1)
            world = replace(on.world(hub), jobs=lambda deadline: Adapter(PARENT, client, deadline, chance))
            return await Service(world).handle("reconcile", body("*"), Caller("schedule"))

    return asyncio.run(once()), on.hub.requests, requests


@pytest.mark.parametrize(("state", "wanted"), [("running", "running"), ("paused", "paused")])
def test_nothing_to_do_for_900_overrides_costs_one_list_of_each(state: str, wanted: Wanted) -> None:
    answer, hub, scheduler = reconciled(state, wanted)
    assert answer.status == 200
    assert {(result.outcome, len(result.overrides)) for result in answer.results} == {("unchanged", 3)}
    assert len(answer.results) == 300
    assert hub == ["GET /", CATALOG]
    assert scheduler == ["GET /jobs"] * 2  # 901 jobs are two pages of 500
