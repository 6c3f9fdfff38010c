"""Google's clients between services that answer slowly, without end, or with a bomb."""

import asyncio
import gzip
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import httpx
import pytest
from google.auth import compute_engine

from lifecycle.errors import Failure
from lifecycle.gcp import transport
from lifecycle.gcp.jobs import Job
from lifecycle.gcp.rest import Credentials, Rest
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager

Reply = Callable[[socket.socket], None]
MADE = Job("x", "0 4 * * *", "UTC", "https://x.example", b"{}")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def service(reply: Reply) -> Iterator[str]:
    """The URL of a service that answers each connection's first request with `reply`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                reply(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=listening.accept()[:1], daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def whole(body: bytes, *headers: bytes) -> Reply:
    head = HEAD + b"".join(header + b"\r\n" for header in headers)
    return lambda to: to.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def trickle(begin: bytes) -> Reply:
    def reply(to: socket.socket) -> None:
        to.sendall(begin)
        while True:
            to.sendall(b" ")
            time.sleep(0.05)

    return reply


def listed(url: str, seconds: float = 5, calls: int = 1) -> list[Any]:
    """What so many concurrent lists of jobs return or raise, once their threads have ended."""

    async def work() -> list[Any]:
        async with httpx.AsyncClient() as http:
            client, deadline = Client(url, http), asyncio.get_running_loop().time() + seconds
            jobs = Scheduler("projects/p/locations/l", client, deadline, random.Random(1))
            found = await asyncio.gather(*(jobs.list() for _ in range(calls)), return_exceptions=True)
            await asyncio.to_thread(client.threads.shutdown)
            return found

    return asyncio.run(work())


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD + b"Content-Length: 100\r\n\r\n"])
def test_an_answer_that_trickles_holds_no_thread_behind_its_deadline(begin: bytes) -> None:
    listed("http://127.0.0.1:9", 0.1)  # imports Google's client
    with service(trickle(begin)) as url:
        begun = time.monotonic()
        found = listed(url, 0.5, calls=20)
        assert time.monotonic() - begun < 1.5
    assert all(isinstance(error, Failure) and error.retryable for error in found)


@pytest.mark.parametrize("headers", [[], [b"Content-Encoding: gzip"]], ids=["large", "a bomb"])
def test_an_answer_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch, headers: list[bytes]) -> None:
    monkeypatch.setattr(transport, "LARGEST", 10_000)
    body = b'{"jobs": [' + b" " * 20_000 + b"]}"
    with service(whole(gzip.compress(body) if headers else body, *headers)) as url:
        (error,) = listed(url, 0.5)
    assert isinstance(error, Failure)
    assert "ContentDecodingError" in str(error)


def test_pages_without_end_end_at_the_deadline() -> None:
    number = count()

    def page(to: socket.socket) -> None:
        whole(b'{"nextPageToken": "%d"}' % next(number))(to)

    with service(page) as url:
        (error,) = listed(url, 0.5)
    assert isinstance(error, Failure)


def test_a_redirect_is_not_followed() -> None:
    def redirect(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\n{}")

    with service(redirect) as url:
        (error,) = listed(url, 0.4)
    assert isinstance(error, Failure)
    assert "TooManyRedirects" in str(error)


def with_status(status: bytes, body: bytes) -> Reply:
    head = HEAD.replace(b"200 OK", status)
    return lambda to: to.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad", b"503 Busy"])
def test_json_that_is_too_deep_is_a_failure(status: bytes) -> None:
    with service(with_status(status, b"[" * 100_000)) as url:
        (error,) = listed(url, 0.4)
    assert isinstance(error, Failure)
    assert "the answer is not understood" in str(error)


@pytest.mark.parametrize("body", [b"[]", b'"jobs"', b"7", b"", b"null"])
def test_an_answer_that_is_not_an_object_is_not_an_empty_list(body: bytes) -> None:
    with service(whole(body)) as url:
        (error,) = listed(url, 0.4)
    assert isinstance(error, Failure)
    assert error.retryable


@pytest.mark.filterwarnings("ignore:Unrecognized")
def test_a_job_with_values_that_are_newer_than_the_client_is_read() -> None:
    body = b'{"jobs": [{"name": "jobs/x", "state": 77, "httpTarget": {"uri": "https://x.example", "httpMethod": 77}}]}'
    with service(whole(body)) as url:
        ((job,),) = listed(url)
    assert (job.id, job.state, job.method) == ("x", "77", "77")


@pytest.mark.parametrize("body", [b"{}", b'{"name": "projects/p/locations/l/jobs/other", "state": "ENABLED"}'])
@pytest.mark.parametrize(
    "call",
    [
        lambda jobs: jobs.get("x"),
        lambda jobs: jobs.put(MADE, there=False),
        lambda jobs: jobs.put(MADE, there=True),
        lambda jobs: jobs.set_body("x", b"{}"),
    ],
    ids=["get", "create", "update", "set_body"],
)
def test_an_answer_about_another_job_or_none_is_a_failure(call: Callable[[Scheduler], Any], body: bytes) -> None:
    async def work(url: str) -> None:
        async with httpx.AsyncClient() as http:
            deadline = asyncio.get_running_loop().time() + 5
            await call(Scheduler("projects/p/locations/l", Client(url, http), deadline, random.Random(1)))

    with service(whole(body)) as url, pytest.raises(Failure, match="not about job x") as caught:
        asyncio.run(work(url))
    assert caught.value.retryable
    assert caught.value.ambiguous


@pytest.mark.parametrize("token", [b"[" * 100_000, b"{}", b'{"access_token": "x", "expires_in": 1e99}'])
def test_an_access_token_that_is_not_understood_is_a_failure(monkeypatch: pytest.MonkeyPatch, token: bytes) -> None:
    async def fetched(url: str) -> None:
        host = url.removeprefix("http://")
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"):
            monkeypatch.setenv(name, host)
        credentials = Credentials()
        credentials._credentials = compute_engine.Credentials()
        async with httpx.AsyncClient() as http:
            await credentials.headers(http, asyncio.get_running_loop().time() + 5)

    with service(whole(token, b"Metadata-Flavor: Google")) as url, pytest.raises(Failure) as caught:
        asyncio.run(fetched(url))
    assert caught.value.code == "history_unavailable"


def test_an_answer_of_cloud_monitoring_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST", 10_000)

    async def read(url: str) -> None:
        async with httpx.AsyncClient() as http:
            await Rest("Cloud Monitoring", url, http, None)("GET", "/", deadline=asyncio.get_running_loop().time() + 2)

    with service(whole(b" " * 20_000)) as url, pytest.raises(Failure, match="DecodingError"):
        asyncio.run(read(url))


def test_reading_the_token_ends_at_the_deadline() -> None:
    async def read(url: str) -> None:
        async with httpx.AsyncClient() as http:
            secret = SecretManager("projects/p/secrets/s/versions/1", url, http, random.Random(1))
            await secret.read(asyncio.get_running_loop().time() + 0.5)

    with service(trickle(HEAD + b"Content-Length: 100\r\n\r\n")) as url, pytest.raises(Failure) as caught:
        asyncio.run(read(url))
    assert caught.value.code == "token_unreadable"
