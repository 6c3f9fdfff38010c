"""Every request that the product sends to Google's APIs is one of their discovery documents, and so is what the local
servers answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lifecycle.gcp.jobs import Job, Retries
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager
from local.servers.scheduler import Scheduler as LocalScheduler
from local.servers.secretmanager import SecretManager as LocalSecretManager
from local.servers.serve import serve
from support.discovery import Referee, faults, request_faults
from support.jobs import JOB

PARENT = "projects/p/locations/l"


@pytest.fixture
def url() -> Iterator[str]:
    referee = Referee(LocalScheduler(lambda: datetime.now(UTC)), "cloudscheduler.v1")
    with serve(referee) as url:
        yield url
    referee.judge()


def run(url: str, work: Callable[[Scheduler], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        async with httpx.AsyncClient() as http:
            deadline = asyncio.get_running_loop().time() + 10
            return await work(Scheduler(PARENT, Client(url, http), deadline, random.Random(1)))

    return asyncio.run(once())


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        replace(JOB, state="PAUSED"),
        replace(JOB, account="", audience=""),
        replace(JOB, deadline=None, retries=Retries(), headers={}, description=""),
    ],
    ids=["whole", "paused", "without a token", "least"],
)
def test_what_is_done_with_a_job_is_in_the_document(url: str, job: Job) -> None:
    async def everything(scheduler: Scheduler) -> None:
        await scheduler.put(job, there=False)
        assert await scheduler.get("x") is not None
        await scheduler.put(replace(job, schedule="0 9 * * 1-5"), there=True)
        await scheduler.put(replace(job, state="ENABLED"), there=True, keeps_body=True)
        assert await scheduler.set_body("x", b"{}")
        await scheduler.run("x")
        assert len(await scheduler.list()) == 1
        await scheduler.delete("x")
        assert await scheduler.get("x") is None

    run(url, everything)


@pytest.mark.parametrize("version", ["latest", "1"])
def test_reading_the_token_is_in_the_document(version: str) -> None:
    local = LocalSecretManager(lambda: datetime.now(UTC))
    local.add("projects/p/secrets/hf-token", "hf_one")

    async def read(url: str) -> str:
        async with httpx.AsyncClient() as http:
            reader = SecretManager(f"projects/p/secrets/hf-token/versions/{version}", url, http, random.Random(1))
            return await reader.read(asyncio.get_running_loop().time() + 5)

    referee = Referee(local, "secretmanager.v1")
    with serve(referee) as url:
        assert asyncio.run(read(url)) == "hf_one"
    referee.judge()


# The referee itself sees what is wrong.


@pytest.mark.parametrize(
    ("method", "target", "body", "output"),
    [
        ("POST", "/v1/projects/p/locations/l/jobs", b'{"shedule": "* * * * *"}', "'shedule' was unexpected"),
        ("POST", "/v1/projects/p/locations/l/jobs", b'{"attemptDeadline": 30}', "is not of type 'string'"),
        ("POST", "/v1/projects/p/locations/l/jobs", b'{"attemptDeadline": "30"}', "does not match"),
        ("POST", "/v1/projects/p/locations/l/jobs", b'{"httpTarget": {"httpMethod": "PST"}}', "is not valid"),
        (
            "PATCH",
            "/v1/projects/p/locations/l/jobs/x?updateMask=httpTarget.boddy",
            b"{}",
            "updateMask: httpTarget.boddy",
        ),
        ("GET", "/v1/projects/p/locations/l/jobs?page_size=3", b"", "unknown parameter page_size"),
        ("GET", "/v1/projects/p/locations/l/job", b"", "no such method"),
        ("GET", "/v1/projects/p/locations/l/jobs", b'{"a": 1}', "a body, where none belongs"),
    ],
)
def test_what_is_in_no_document_is_reported(method: str, target: str, body: bytes, output: str) -> None:
    assert output in " ".join(request_faults("cloudscheduler.v1", method, target, body))


def test_a_body_of_the_document_has_no_faults() -> None:
    assert faults("cloudscheduler.v1", "Job", {"name": "n", "retryConfig": {"retryCount": 3}, "state": 1}) == []
