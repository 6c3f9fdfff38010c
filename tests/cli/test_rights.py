"""What `lifecycle doctor` reports about the rights of jobs and platforms, from the answers of Google's APIs."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lifecycle.cli.finding import Finding
from lifecycle.cli.rights import Policies, jobs_may_call, platforms_may_publish
from lifecycle.config import environment, settings
from lifecycle.gcp.jobs import Job
from support.discovery import request_faults

INVOKER = "lifecycle-invoker@p.iam.gserviceaccount.com"
DEPLOYED = {
    "SCHEDULER_PARENT": "projects/p/locations/europe-west1",
    "FUNCTIONS_URL": "https://lifecycle-{name}-123456789012.europe-west4.run.app",
    "INVOKER_SERVICE_ACCOUNT": INVOKER,
}
SETTINGS = """
namespace: acme
time_zone: Europe/Berlin
platforms: {main: {}}
endpoints: {embeddings: {hours: Mon-Fri 08:00-20:00, platform: main}}
cron: [{at: "0 9 * * *", do: warm, endpoints: [embeddings]}]
"""
REFUSED = Job("lifecycle-reconcile", "3 * * * *", "UTC", "https://reconcile", b"", last_code=7)
APIS = {"run.googleapis.com": "run.v2", "pubsub.googleapis.com": "pubsub.v1"}
Answers = Callable[[str], httpx.Response]


def policy(*members: str, role: str = "roles/run.invoker") -> httpx.Response:
    return httpx.Response(200, json={"bindings": [{"role": role, "members": list(members)}], "etag": "x", "version": 1})


def ask(
    look: Callable[..., Any], answers: Answers, *rest: Any, text: str = SETTINGS, **variables: str
) -> tuple[Finding, list[str]]:
    """What is found, and which resources' policies were read for it."""
    asked: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer mine"
        assert request_faults(APIS[request.url.host], request.method, request.url.path, b"") == []
        asked.append(request.url.path)
        return answers(request.url.path)

    async def once() -> Finding:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as http:
            env = environment.read(DEPLOYED | variables)
            policies = Policies(http, {"Authorization": "Bearer mine"})
            found: Finding = await look(env, settings.parse(text.encode()), *rest, policies)
            return found

    return asyncio.run(once()), asked


def calls(answers: Answers, *seen: Job, **more: str) -> tuple[Finding, list[str]]:
    return ask(jobs_may_call, answers, seen, **more)


def publishes(answers: Answers, **more: str) -> tuple[Finding, list[str]]:
    return ask(platforms_may_publish, answers, **more)


def test_the_jobs_account_may_call_every_function_that_jobs_call() -> None:
    found, asked = calls(lambda _: policy("user:a@b.example", f"serviceAccount:{INVOKER}"), REFUSED)
    assert (found.ok, found.found) == (True, f"{INVOKER} may call reconcile, warm")
    assert asked == [
        f"/v2/projects/p/locations/europe-west4/services/lifecycle-{name}:getIamPolicy"
        for name in ("reconcile", "warm")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        policy("user:a@b.example"),
        policy(f"serviceAccount:{INVOKER}", role="roles/run.viewer"),
        httpx.Response(200, json={}),
    ],
)
def test_a_function_that_does_not_let_the_jobs_account_in_is_named(answer: httpx.Response) -> None:
    found, _ = calls(lambda path: answer if "warm" in path else policy(f"serviceAccount:{INVOKER}"))
    assert (found.ok, found.found) == (False, f"{INVOKER} may not call warm")
    assert "roles/run.invoker" in found.do


def test_jobs_that_succeed_have_the_right_from_elsewhere() -> None:
    url, text = DEPLOYED["FUNCTIONS_URL"].format(name="reconcile"), SETTINGS.partition("cron:")[0]
    fine = replace(REFUSED, url=url, last_code=0, attempted_at=datetime(2026, 11, 24, tzinfo=UTC))
    assert calls(lambda _: policy(), fine, text=text)[0].ok is None
    assert calls(lambda _: policy(), replace(fine, attempted_at=None), text=text)[0].ok is False
    assert calls(lambda _: policy(), fine, replace(REFUSED, id="other"), text=text)[0].ok is False


def test_a_job_that_succeeds_proves_nothing_about_other_functions() -> None:
    reconcile, warm = (
        Job(f"lifecycle-{name}", "3 * * * *", "UTC", DEPLOYED["FUNCTIONS_URL"].format(name=name), b"",
            attempted_at=datetime(2026, 11, 24, tzinfo=UTC))
        for name in ("reconcile", "warm")
    )  # fmt: skip

    def callers(path: str) -> httpx.Response:
        return policy() if "warm" in path else policy(f"serviceAccount:{INVOKER}")

    assert calls(callers, reconcile)[0].ok is False
    assert calls(callers, reconcile, warm)[0].ok is None


def test_without_the_jobs_account_its_right_is_not_known() -> None:
    found, asked = calls(lambda _: policy(), INVOKER_SERVICE_ACCOUNT="")
    assert (found.ok, found.found, asked) == (None, "INVOKER_SERVICE_ACCOUNT is not set", [])


UNREADABLE = [
    (httpx.Response(403), "you may not read the policy (403)"),
    (httpx.Response(404), "the policy cannot be read: "),
    (httpx.Response(200, text="<html>"), "the policy cannot be read: "),
    (httpx.Response(200, json={"bindings": [1]}), "the policy cannot be read: "),
]


@pytest.mark.parametrize(("answer", "said"), UNREADABLE)
@pytest.mark.parametrize("look", [calls, publishes])
def test_a_policy_that_cannot_be_read_is_no_mistake(
    look: Callable[[Answers], Any], answer: httpx.Response, said: str
) -> None:
    found, _ = look(lambda _: answer)
    assert found.ok is None
    assert found.found.startswith(said)


def test_without_the_policy_a_job_that_was_refused_last_time_is_one() -> None:
    found, _ = calls(lambda _: httpx.Response(403), REFUSED, replace(REFUSED, id="fine", last_code=0))
    assert (found.ok, found.found) == (False, "refused: lifecycle-reconcile")


def test_of_functions_that_are_not_on_cloud_run_nothing_is_asked() -> None:
    found, asked = calls(lambda _: policy(), FUNCTIONS_URL="https://proxy.example/{name}")
    assert (found.ok, found.found, asked) == (None, "FUNCTIONS_URL is not that of Cloud Run", [])


def test_a_platform_may_publish() -> None:
    found, asked = publishes(
        lambda _: policy("serviceAccount:vm@p.iam.gserviceaccount.com", role="roles/pubsub.publisher")
    )
    assert (found.ok, found.found) == (True, "lifecycle-platform-events: serviceAccount:vm@p.iam.gserviceaccount.com")
    assert asked == ["/v1/projects/p/topics/lifecycle-platform-events:getIamPolicy"]


def test_a_topic_to_which_nobody_may_publish_is_a_fault() -> None:
    found, _ = publishes(lambda _: policy("user:a@b.example", role="roles/pubsub.viewer"))
    assert (found.ok, found.found) == (False, "lifecycle-platform-events: nobody")
    assert "`publishers`" in found.do


def test_without_a_platform_the_topic_is_not_needed() -> None:
    text = "namespace: acme\ntime_zone: Europe/Berlin\nendpoints: {embeddings: {hours: Mon-Fri 08:00-20:00}}"
    found, asked = publishes(lambda _: policy(), text=text)
    assert (found.ok, asked) == (True, [])


@pytest.mark.parametrize("look", [calls, publishes])
def test_between_local_servers_google_is_not_asked(look: Callable[..., Any]) -> None:
    found, asked = look(lambda _: policy(), CLOUD_SCHEDULER_URL="http://127.0.0.1:9")
    assert (found.ok, asked) == (True, [])
