"""Function processes as they are deployed, with callers that send slowly, malformed, or many at once."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from support.processes import Deployment

TEXT = """
namespace: acme
endpoints:
  many: {name: many-*}
"""
CALLERS, CALLS, ENDPOINTS = 8, 5, 30
JSON = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENGTH, CHUNKED = f"{JSON}Content-Length: 1000\r\n\r\n", f"{JSON}Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """With the variables that Google and the buildpack set, and the threads that Terraform does."""
    with ExitStack() as stack:
        made = Deployment(tmp_path_factory.mktemp("server"), stack)
        made.start(TEXT, "reconcile", THREADS=str(CALLERS), LOG_EXECUTION_ID="true", PYTHONUNBUFFERED="1")
        for number in range(ENDPOINTS):
            made.hub.add(f"many-{number:02}", "paused")
        yield made


def send(deployed: Deployment, text: str) -> socket.socket:
    where = urlsplit(deployed.urls["reconcile"])
    connection = socket.create_connection((where.hostname, where.port), timeout=30)
    connection.sendall(text.encode())
    return connection


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """The status and all that came until the server closed the connection."""
    with closing(connection):
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(received.split()[1]), received


def test_eight_bodies_that_trickle_delay_another_caller_for_seconds_only(deployed: Deployment) -> None:
    over = threading.Event()

    def trickle(connection: socket.socket, piece: bytes) -> None:
        try:
            while not over.wait(0.5):
                connection.sendall(piece)
        except OSError:  # the server let it go
            return

    slow = [send(deployed, text) for text in (LENGTH, CHUNKED) * (CALLERS // 2)]
    threads = [
        threading.Thread(target=trickle, args=(connection, piece))
        for connection, piece in zip(slow, (b" ", b"1\r\n \r\n") * (CALLERS // 2), strict=True)
    ]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    try:
        assert httpx.post(deployed.urls["reconcile"], json={"endpoints": ["*"]}, timeout=30).status_code == 200
        assert time.monotonic() - begun < 5
        assert [answer(connection)[0] for connection in slow] == [408] * CALLERS
    finally:
        over.set()


@pytest.mark.parametrize(
    "text",
    [
        f"{CHUNKED}zz\r\n{{}}\r\n0\r\n\r\n",
        f"{CHUNKED}2\r\n{{}}123\r\n0\r\n\r\n",
        f'{CHUNKED}15\r\n{{"endpoints": ["*"]}}',
        f'{LENGTH}{{"endpoints": ["*"]}}',
    ],
    ids=["no size", "too long", "chunk cut off", "cut off"],
)
def test_a_damaged_body_is_the_callers_mistake(deployed: Deployment, text: str) -> None:
    connection = send(deployed, text)
    connection.shutdown(socket.SHUT_WR)
    assert answer(connection)[0] == 400
    assert '"event": "crash"' not in deployed.output


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"{CHUNKED}10001\r\n{' ' * 65_537}\r\n", 413),
        (f"{CHUNKED}5\r\n", 408),
        (f"{CHUNKED}5\r\n".replace("json", "pdf"), 415),
    ],
    ids=["too large", "too slow", "of another type"],
)
def test_a_body_that_is_refused_need_not_end(deployed: Deployment, text: str, status: int) -> None:
    assert answer(send(deployed, text))[0] == status


def test_what_follows_a_body_that_was_not_read_is_not_a_request(deployed: Deployment) -> None:
    hidden = f'{JSON}Content-Length: 20\r\n\r\n{{"endpoints": ["*"]}}'
    connection = send(deployed, LENGTH.replace("application/json", "text/html") + hidden)
    status, received = answer(connection)
    assert (status, received.count(b"HTTP/1.1")) == (415, 1)


@pytest.mark.parametrize(
    "refused", [{"json": {}, "headers": {"Content-Type": "text/html"}}, {"content": b" " * 65_537}]
)
def test_a_caller_that_keeps_its_connection_is_told_when_it_ends(deployed: Deployment, refused: dict[str, Any]) -> None:
    with httpx.Client(timeout=30) as client:
        statuses = [
            client.post(deployed.urls["reconcile"], **request).status_code
            for request in [refused, {"json": {"endpoints": ["*"], "dry_run": True}}] * 20
        ]
        answer = client.post(deployed.urls["reconcile"], **refused)
    assert set(statuses[1::2]) == {200}
    assert answer.headers["Connection"] == "close"


def test_concurrent_callers_lose_no_line_of_the_log(deployed: Deployment) -> None:
    log = deployed.folder / "reconcile.log"
    before = len(log.read_text().splitlines())

    def call() -> None:
        for _ in range(CALLS):
            httpx.post(deployed.urls["reconcile"], json={"endpoints": ["*"]}, timeout=60)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()[before:]]
    assert (events.count("endpoint"), events.count("call")) == (CALLERS * CALLS * ENDPOINTS, CALLERS * CALLS)
