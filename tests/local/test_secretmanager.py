"""The local Secret Manager against its referee, Google's client, and the token's reader on top of it."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import secretmanager_v1
from starlette.responses import JSONResponse

from lifecycle.errors import Failure
from lifecycle.gcp import secret_manager as secrets
from lifecycle.gcp.client import client_options
from local.servers.faults import Fault
from local.servers.secretmanager import SecretManager
from local.servers.serve import serve

SECRET = "projects/p/secrets/hf-token"


@pytest.fixture
def local() -> SecretManager:
    made = SecretManager(lambda: datetime.now(UTC))
    made.add(SECRET, "hf_one")
    made.add(SECRET, "hf_two")
    return made


@pytest.fixture
def url(local: SecretManager) -> Iterator[str]:
    with serve(local) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    with secretmanager_v1.SecretManagerServiceClient(**client_options(url)) as made:
        yield made


def read(url: str, version: str) -> str:
    async def once() -> str:
        async with httpx.AsyncClient() as http:
            reader = secrets.SecretManager(f"{SECRET}/versions/{version}", url, http, random.Random(1))
            return await reader.read(asyncio.get_running_loop().time() + 2)

    return asyncio.run(once())


@pytest.mark.parametrize(("version", "payload"), [("1", b"hf_one"), ("2", b"hf_two"), ("latest", b"hf_two")])
def test_the_client_reads_a_version(client: Any, version: str, payload: bytes) -> None:
    found = client.access_secret_version(name=f"{SECRET}/versions/{version}", timeout=5)
    assert found.payload.data == payload


def test_a_disabled_version_is_refused(client: Any, local: SecretManager) -> None:
    local.secrets[SECRET][0].state = "DISABLED"
    with pytest.raises(BadRequest, match="DISABLED"):
        client.access_secret_version(name=f"{SECRET}/versions/1", timeout=5)


def test_an_unknown_version_is_not_found(client: Any) -> None:
    with pytest.raises(NotFound):
        client.access_secret_version(name=f"{SECRET}/versions/9", timeout=5)


def test_the_token_is_the_secrets_text(url: str) -> None:
    assert read(url, "latest") == "hf_two"


def test_a_payload_that_arrived_damaged_is_no_token(url: str, local: SecretManager) -> None:
    local.damaged = True
    with pytest.raises(Failure, match="CRC32C") as caught:
        read(url, "1")
    assert caught.value.retryable


def test_a_retryable_failure_is_tried_again(url: str, local: SecretManager) -> None:
    local.faults.add(Fault("status", times=1, status=503))
    assert read(url, "1") == "hf_one"


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_final_says_so(url: str, local: SecretManager, status: int) -> None:
    local.faults.add(Fault("status", status=status))
    with pytest.raises(Failure) as caught:
        read(url, "1")
    assert (caught.value.code, caught.value.retryable) == ("token_unreadable", False)


def test_the_client_adds_a_version(client: Any, url: str) -> None:
    made = client.add_secret_version(parent=SECRET, payload={"data": b"hf_three"}, timeout=5)
    assert (made.name, read(url, "latest")) == (f"{SECRET}/versions/3", "hf_three")


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed_and_is_no_answer(url: str, local: SecretManager, status: int) -> None:
    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        target = {"location": f"{url}{scope['path']}"}
        await JSONResponse({}, status, headers=target)(scope, receive, send)

    with serve(elsewhere) as first, pytest.raises(Failure) as caught:
        read(first, "latest")
    assert (caught.value.code, caught.value.retryable) == ("token_unreadable", True)
