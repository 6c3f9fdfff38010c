"""The local Hugging Face against its referee, the official client, and against the known bodies of errors."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import huggingface_hub
import pytest
from huggingface_hub import HfApi

from local.servers.endpoints import Durations
from local.servers.faults import Fault
from local.servers.huggingface import ALL_SCOPES, HuggingFace, Quirks
from local.servers.serve import serve
from support.secret import TOKEN

QUICK = Durations(pending=0, resume=0.05, wake=0.05, update=0.05)


@pytest.fixture
def hf() -> HuggingFace:
    return HuggingFace(lambda: datetime.now(UTC), tokens={TOKEN: ALL_SCOPES, "hf_read": frozenset({"infer"})})


@pytest.fixture
def url(hf: HuggingFace) -> Iterator[str]:
    with serve(hf) as url:
        hf.url = url
        yield url


@pytest.fixture
def api(url: str, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setattr(huggingface_hub.constants, "INFERENCE_ENDPOINTS_ENDPOINT", f"{url}/v2")
    return HfApi(token=TOKEN)


def call(url: str, method: str, path: str, token: str = TOKEN, **more: Any) -> httpx.Response:
    return httpx.request(method, url + path, headers={"Authorization": f"Bearer {token}"}, **more)


# The official client.


def test_it_lists(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a")
    hf.add("b", "running")
    assert [(e.name, e.status) for e in api.list_inference_endpoints("acme")] == [("a", "paused"), ("b", "running")]


def test_it_pauses(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a", "running")
    assert api.pause_inference_endpoint("a", namespace="acme").status == "paused"


def test_it_resumes_and_waits(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a", durations=QUICK)
    endpoint = api.resume_inference_endpoint("a", namespace="acme", token=TOKEN)
    assert endpoint.wait(timeout=5, refresh_every=1).status == "running"


def test_it_takes_already_running_for_resumed(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a", "running")
    assert api.resume_inference_endpoint("a", namespace="acme", running_ok=True).status == "running"


def test_it_scales_to_zero(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a", "running")
    assert api.scale_to_zero_inference_endpoint("a", namespace="acme").status == "scaledToZero"


def test_it_updates_the_scaling(api: HfApi, hf: HuggingFace) -> None:
    hf.add("a")
    api.update_inference_endpoint("a", namespace="acme", min_replica=0, max_replica=3)
    assert hf["a"].max_replica == 3


def test_it_lists_the_hardware(api: HfApi) -> None:
    hardware = api.list_inference_endpoints_hardware(namespace="acme")
    assert {h.instance_type for h in hardware} >= {"nvidia-l4"}


# Protocol.


def test_pages_are_of_twenty_and_name_the_next(url: str, hf: HuggingFace) -> None:
    for number in range(25):
        hf.add(f"e-{number:02}")
    first = call(url, "GET", "/v2/endpoint/acme").json()
    second = call(url, "GET", f"/v2/endpoint/acme?cursor={first['nextCursor']}").json()
    assert (len(first["items"]), len(second["items"]), second["nextCursor"]) == (20, 5, None)


def test_resuming_what_runs_is_400(url: str, hf: HuggingFace) -> None:
    hf.add("a", "running")
    response = call(url, "POST", "/v2/endpoint/acme/a/resume")
    assert (response.status_code, "already running" in response.text) == (400, True)


def test_timestamps_carry_nanoseconds(url: str, hf: HuggingFace) -> None:
    hf.add("a")
    assert len(call(url, "GET", "/v2/endpoint/acme/a").json()["status"]["createdAt"]) == len(
        "2026-01-01T00:00:00.000000000Z"
    )


@pytest.mark.parametrize(("token", "code"), [("hf_wrong", 401), ("hf_read", 403)])
def test_a_token_without_the_right_is_refused(url: str, hf: HuggingFace, token: str, code: int) -> None:
    hf.add("a")
    assert call(url, "POST", "/v2/endpoint/acme/a/pause", token).status_code == code


def test_a_paused_endpoint_answers_400_and_stays_paused(url: str, hf: HuggingFace) -> None:
    hf.add("a", "paused")
    response = call(url, "GET", "/own/a/health")
    expected = "Bad Request: The endpoint is paused, ask a maintainer to restart it"
    assert (response.status_code, response.json()) == (400, {"error": expected, "code": "BAD_REQUEST"})
    assert hf["a"].state == "paused"


def test_an_authorized_request_wakes_what_is_scaled_to_zero(url: str, hf: HuggingFace) -> None:
    hf.add("a", "scaledToZero")
    response = call(url, "GET", "/own/a/health")
    expected = {"error": "503 Service Unavailable", "code": "SERVICE_UNAVAILABLE"}
    assert (response.status_code, response.json()) == (503, expected)
    assert hf["a"].state == "pending"


def test_a_wrong_token_wakes_nothing(url: str, hf: HuggingFace) -> None:
    hf.add("a", "scaledToZero")
    assert call(url, "GET", "/own/a/health", "hf_wrong").status_code == 401
    assert hf["a"].state == "scaledToZero"


def test_the_proxy_holds_a_request_until_a_replica_is_ready(url: str, hf: HuggingFace) -> None:
    hf.add("a", "scaledToZero", durations=QUICK)
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Scale-Up-Timeout": "5"}
    assert httpx.get(f"{url}/own/a/health", headers=headers, timeout=5).status_code == 200


def test_a_quirk_refuses_what_no_document_says(url: str, hf: HuggingFace) -> None:
    hf.quirks = Quirks(pause_on_paused="409")
    hf.add("a", "paused")
    assert call(url, "POST", "/v2/endpoint/acme/a/pause").status_code == 409


def test_a_reset_after_the_action_took_effect_drops_the_connection(url: str, hf: HuggingFace) -> None:
    hf.add("a", "running")
    hf.faults.add(Fault("reset-after", "POST .*/pause", times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        call(url, "POST", "/v2/endpoint/acme/a/pause")
    assert hf["a"].state == "paused"


def test_beyond_the_quota_nothing_is_resumed(url: str, hf: HuggingFace) -> None:
    hf.quota = 1
    hf.add("a", "running")
    hf.add("b", "paused")
    assert call(url, "POST", "/v2/endpoint/acme/b/resume").status_code == 403


def test_only_what_runs_or_starts_is_billed() -> None:
    clock = [datetime(2026, 11, 24, tzinfo=UTC)]
    hf = HuggingFace(lambda: clock[0])
    hf.add("a", "running")
    clock[0] = clock[0].replace(hour=2)
    hf["a"].to("paused", clock[0])
    clock[0] = clock[0].replace(hour=9)
    assert hf["a"].billed_seconds == 2 * 3600
