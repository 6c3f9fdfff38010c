"""The local Cloud Scheduler against its referee, Google's client, and the product's own adapter on top of it."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import scheduler_v1
from starlette.responses import Response

from lifecycle.errors import Failure
from lifecycle.gcp.client import client_options
from lifecycle.gcp.scheduler import Client
from lifecycle.gcp.scheduler import Scheduler as Adapter
from local.servers.faults import Fault
from local.servers.scheduler import Scheduler
from local.servers.serve import serve
from support.jobs import JOB as ANY_JOB

PARENT = "projects/p/locations/l"
JOB = replace(ANY_JOB, headers={**ANY_JOB.headers, "User-Agent": "Google-Cloud-Scheduler"})


@pytest.fixture
def local() -> Scheduler:
    return Scheduler(lambda: datetime.now(UTC))


@pytest.fixture
def url(local: Scheduler) -> Iterator[str]:
    with serve(local) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    with scheduler_v1.CloudSchedulerClient(**client_options(url)) as made:
        yield made


class NoPauses(random.Random):
    """The back-off between attempts takes no time."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


def adapted(url: str, work: Any) -> Any:
    async def once() -> Any:
        async with httpx.AsyncClient() as http:
            return await work(Adapter(PARENT, Client(url, http), asyncio.get_running_loop().time() + 10, NoPauses()))

    return asyncio.run(once())


def create(client: Any, id: str, **more: Any) -> Any:
    job = {"name": f"{PARENT}/jobs/{id}", "schedule": "0 8 * * *", "http_target": {"uri": "https://a.example"}, **more}
    return client.create_job(request={"parent": PARENT, "job": job}, timeout=5)


# Google's client.


def test_it_creates_and_gets(client: Any) -> None:
    create(client, "a", time_zone="Europe/Berlin")
    job = client.get_job(name=f"{PARENT}/jobs/a", timeout=5)
    assert (job.schedule, job.time_zone, job.state.name) == ("0 8 * * *", "Europe/Berlin", "ENABLED")


def test_it_lists_page_by_page(client: Any) -> None:
    for number in range(5):
        create(client, f"job-{number}")
    pages = client.list_jobs(request={"parent": PARENT, "page_size": 2}, timeout=5).pages
    assert [len(page.jobs) for page in pages] == [2, 2, 1]


def test_it_updates_by_a_nested_mask(client: Any) -> None:
    create(client, "a")
    job = {"name": f"{PARENT}/jobs/a", "http_target": {"body": b"new"}}
    client.update_job(request={"job": job, "update_mask": {"paths": ["http_target.body"]}}, timeout=5)
    job = client.get_job(name=f"{PARENT}/jobs/a", timeout=5)
    assert (job.http_target.body, job.http_target.uri, job.schedule) == (b"new", "https://a.example", "0 8 * * *")


def test_it_pauses_and_resumes(client: Any) -> None:
    create(client, "a")
    assert client.pause_job(name=f"{PARENT}/jobs/a", timeout=5).state.name == "PAUSED"
    assert client.resume_job(name=f"{PARENT}/jobs/a", timeout=5).state.name == "ENABLED"


def test_it_deletes(client: Any) -> None:
    create(client, "a")
    client.delete_job(name=f"{PARENT}/jobs/a", timeout=5)
    with pytest.raises(NotFound):
        client.get_job(name=f"{PARENT}/jobs/a", timeout=5)


def test_a_second_of_the_same_name_is_refused(client: Any) -> None:
    create(client, "a")
    with pytest.raises(Conflict):
        create(client, "a")


@pytest.mark.parametrize(
    "wrong", [{"schedule": "61 * * * *"}, {"time_zone": "Mars/Olympus"}, {"http_target": {"uri": "x"}}]
)
def test_what_is_wrong_is_refused(client: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        create(client, "a", **wrong)


def test_what_is_not_paused_cannot_be_resumed(client: Any) -> None:
    create(client, "a")
    with pytest.raises(BadRequest, match="not paused"):
        client.resume_job(name=f"{PARENT}/jobs/a", timeout=5)


# The product's adapter.


def test_a_job_comes_back_as_it_was_put(url: str) -> None:
    adapted(url, lambda jobs: jobs.put(JOB, there=False))
    assert adapted(url, lambda jobs: jobs.list()) == [JOB]


@pytest.mark.parametrize("there", [True, False])
def test_putting_makes_the_job_whatever_was_believed(url: str, there: bool) -> None:
    adapted(url, lambda jobs: jobs.put(JOB, there=there))
    adapted(url, lambda jobs: jobs.put(replace(JOB, body=b"new"), there=not there))
    assert adapted(url, lambda jobs: jobs.get("x")).body == b"new"


def test_a_job_can_be_put_paused_and_enabled_again(url: str) -> None:
    adapted(url, lambda jobs: jobs.put(replace(JOB, state="PAUSED"), there=False))
    assert adapted(url, lambda jobs: jobs.get("x")).state == "PAUSED"
    adapted(url, lambda jobs: jobs.put(JOB, there=True))
    assert adapted(url, lambda jobs: jobs.get("x")).state == "ENABLED"


def test_writing_a_body_leaves_the_rest(url: str) -> None:
    adapted(url, lambda jobs: jobs.put(JOB, there=False))
    assert adapted(url, lambda jobs: jobs.set_body("x", b"new")) is True
    assert adapted(url, lambda jobs: jobs.get("x")) == replace(JOB, body=b"new")


def test_what_is_not_there_is_no_failure(url: str) -> None:
    assert adapted(url, lambda jobs: jobs.get("x")) is None
    assert adapted(url, lambda jobs: jobs.set_body("x", b"new")) is False
    adapted(url, lambda jobs: jobs.delete("x"))


def test_a_retryable_failure_is_tried_again(url: str, local: Scheduler) -> None:
    local.faults.add(Fault("status", "GET", times=1, status=503))
    assert adapted(url, lambda jobs: jobs.list()) == []


def test_a_final_failure_says_what_was_tried(url: str, local: Scheduler) -> None:
    local.faults.add(Fault("status", "GET", status=403))
    with pytest.raises(Failure, match="listing jobs: 403") as caught:
        adapted(url, lambda jobs: jobs.list())
    assert (caught.value.code, caught.value.retryable) == ("memory_unavailable", False)


@pytest.mark.parametrize(
    ("call", "work"),
    [
        ("PATCH", lambda jobs: jobs.put(replace(JOB, body=b"new"), there=True)),
        ("PATCH", lambda jobs: jobs.set_body("x", b"new")),
        ("DELETE", lambda jobs: jobs.delete("x")),
        ("POST .*:pause", lambda jobs: jobs.put(replace(JOB, state="PAUSED"), there=True)),
    ],
)
def test_a_call_that_meets_another_one_is_tried_again(url: str, local: Scheduler, call: str, work: Any) -> None:
    adapted(url, lambda jobs: jobs.put(JOB, there=False))
    fault = local.faults.add(Fault("status", call, times=1, status=409))
    adapted(url, lambda jobs: jobs.retry(lambda: work(jobs)))
    assert fault.met == 1


def test_a_job_that_is_there_and_is_not_is_tried_again(url: str, local: Scheduler) -> None:
    local.faults.add(Fault("status", "POST", times=1, status=409))  # and an update finds nothing
    adapted(url, lambda jobs: jobs.retry(lambda: jobs.put(JOB, there=False)))
    assert adapted(url, lambda jobs: jobs.get("x")) == JOB


def test_a_creation_that_finds_no_place_is_no_missing_job(url: str, local: Scheduler) -> None:
    local.faults.add(Fault("status", "POST", status=404))
    with pytest.raises(Failure) as caught:
        adapted(url, lambda jobs: jobs.put(JOB, there=False))
    assert caught.value.code == "memory_unavailable"


# Its clock.


@pytest.mark.parametrize("method", ["POST", 1])
def test_a_job_that_is_run_calls_its_target_as_google_does(local: Scheduler, method: str | int) -> None:
    seen: list[httpx.Request] = []

    async def once() -> None:
        transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(200))  # type: ignore[func-returns-value]
        async with httpx.AsyncClient(transport=transport) as local.client:
            token = {"serviceAccountEmail": "invoker@p.iam"}
            target = {"uri": "https://a.example/x", "httpMethod": method, "body": "e30=", "oidcToken": token}
            local.create(PARENT, {"name": f"{PARENT}/jobs/a", "schedule": "0 8 * * *", "httpTarget": target})
            local.run_job(f"{PARENT}/jobs/a")
            await asyncio.gather(*local._tasks)

    asyncio.run(once())
    (request,) = seen
    assert (request.method, request.headers["x-cloudscheduler-jobname"], request.content) == ("POST", "a", b"{}")
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize("body", ["<html>", '{"jobs": "x"}', "[1]", ""])
def test_what_is_not_googles_answer_is_a_retryable_failure(body: str) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await Response(body, 200)(scope, receive, send)

    with serve(other) as url, pytest.raises(Failure) as caught:
        adapted(url, lambda adapter: adapter.list())
    assert (caught.value.code, caught.value.retryable) == ("memory_unavailable", True)


def test_a_job_that_google_disabled_is_made_anew(local: Scheduler, url: str) -> None:
    adapted(url, lambda adapter: adapter.put(JOB, there=False))
    local.jobs[f"{PARENT}/jobs/x"]["state"] = "DISABLED"
    adapted(url, lambda adapter: adapter.put(JOB, there=True))
    assert adapted(url, lambda adapter: adapter.get("x")).state == "ENABLED"


def test_a_job_that_calls_something_else_is_not_written_over(client: Any, url: str) -> None:
    create(client, "x")
    with pytest.raises(Failure, match="not ours"):
        adapted(url, lambda adapter: adapter.put(JOB, there=False))
    assert client.get_job(name=f"{PARENT}/jobs/x", timeout=5).http_target.uri == "https://a.example"


def test_a_failure_does_not_repeat_the_clients_query(url: str) -> None:
    with pytest.raises(Failure) as caught:
        adapted(url, lambda adapter: adapter.run("nobody"))
    assert "alt" not in str(caught.value)
