"""Answers are read with a limit on size and time, whatever is sent."""

import asyncio
import base64
import errno
import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lifecycle.core.model import Endpoint
from lifecycle.errors import Failure
from lifecycle.huggingface.client import LARGEST_ANSWER, HuggingFace
from lifecycle.huggingface.credentials import Token
from lifecycle.huggingface.own_url import Unreachable
from local.simulation.simulated_time import SimulatedLoop, play
from support.secret import TOKEN

URL = "https://a.endpoints.huggingface.cloud"
ONE = Endpoint("a", "running", url=URL, health_route="/health")


class Sent(httpx.AsyncByteStream):
    """A body in chunks. `taken`: how many bytes were read of it."""

    def __init__(self, *chunks: bytes, times: int = 1, every: float = 0.0) -> None:
        self.chunks, self.times, self.every, self.taken = chunks, times, every, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.times):
            for chunk in self.chunks:
                await asyncio.sleep(self.every)
                self.taken += len(chunk)
                yield chunk


Answer = httpx.Response | Exception | Callable[[], httpx.Response]


def call(answer: Answer, work: Callable[[HuggingFace], Awaitable[Any]]) -> tuple[Any, float]:
    """What a call gives when each request is answered so, and how many seconds it took."""

    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    async def read(_deadline: float) -> str:
        return TOKEN

    async def once() -> Any:
        token = Token(read, lambda: datetime(2026, 11, 24, tzinfo=UTC), ages=False)
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            api = "https://api.endpoints.huggingface.cloud/v2"
            try:
                return await work(HuggingFace(http, token, api, "acme", 25.0, random.Random(1)))
            except Failure as failure:
                return failure

    loop = SimulatedLoop(datetime(2026, 11, 24, tzinfo=UTC))
    return play(loop, once()), loop.elapsed


def warmed(answer: httpx.Response | Exception, endpoint: Endpoint = ONE) -> Any:
    return call(answer, lambda hf: hf.own.answer(endpoint, None))[0]


def bomb(encoding: str) -> bytes:
    zeros = b"\0" * 20_000_000
    return gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_warming_reads_nothing_of_the_body(encoding: str) -> None:
    body = Sent(b"\0" * 65_536, times=10_000)
    assert warmed(httpx.Response(200, headers={"Content-Encoding": encoding}, stream=body)) is None
    assert body.taken == 0


@pytest.mark.parametrize("every", [1, 1e6], ids=["trickles", "has not begun"])
def test_a_success_proves_as_much_while_its_body(every: float) -> None:
    assert warmed(httpx.Response(200, stream=Sent(b"x", times=10_000, every=every))) is None


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_list_inflates_to_a_bound(encoding: str) -> None:
    body = bomb(encoding)
    sent = Sent(*(body[at : at + 4096] for at in range(0, len(body), 4096)))
    found, _ = call(httpx.Response(200, headers={"Content-Encoding": encoding}, stream=sent), lambda hf: hf.look("a"))
    assert isinstance(found, Failure)
    assert (found.code, str(LARGEST_ANSWER) in str(found)) == ("malformed", True)
    assert sent.taken < len(body)


def test_what_was_not_asked_for_is_not_decoded() -> None:
    found, _ = call(httpx.Response(200, headers={"Content-Encoding": "br"}, stream=Sent(b"x")), lambda hf: hf.look("a"))
    assert found.code == "malformed"


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(json.dumps({"name": "a", "status": {"state": "running"}}).encode())
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Sent(body[:20], body[20:]))
    assert call(answer, lambda hf: hf.look("a"))[0].state == "running"


def test_an_endless_error_keeps_its_status() -> None:
    endless = httpx.Response(403, stream=Sent(b"x" * 65_536, times=10_000))
    trickling = httpx.Response(403, stream=Sent(b"x", times=10_000, every=1))
    for answer in (endless, trickling):
        found, seconds = call(answer, lambda hf: hf.look("a"))
        assert (found.code, seconds < 3) == ("forbidden", True)


def test_a_list_without_end_takes_a_bounded_time() -> None:
    found, seconds = call(
        lambda: httpx.Response(200, stream=Sent(b"[", times=10_000, every=1)), lambda hf: hf.endpoints()
    )
    assert found.code == "timeout"
    assert seconds <= 25


@pytest.mark.parametrize("before", [0, 280, 990])
def test_the_token_is_taken_out_before_a_body_is_cut(before: int) -> None:
    encoded = base64.b64encode(f"Bearer {TOKEN}".encode()).decode()
    for text in (TOKEN, encoded, " ".join(TOKEN)):
        found, _ = call(httpx.Response(400, content=("x" * before + text).encode()), lambda hf: hf.look("a"))
        assert not any(text[at : at + 10] in str(found) for at in range(8, len(text) - 10))


def test_an_answer_about_another_endpoint_is_no_answer() -> None:
    other = {"name": "b", "status": {"state": "running"}}
    for work in (lambda hf: hf.look("a"), lambda hf: hf.pause("a"), lambda hf: hf.resume("a")):
        found, _ = call(httpx.Response(200, json=other), work)
        assert (found.code, found.retryable) == ("malformed", True)


REFUSED = httpx.ConnectError("refused")
REFUSED.__cause__ = ConnectionRefusedError()


def attempts(*reasons: int) -> httpx.ConnectError:
    """What anyio makes of attempts to connect to several addresses that failed for these reasons."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = ExceptionGroup("", [OSError(reason, "") for reason in reasons])
    return error


@pytest.mark.parametrize(
    ("answer", "endpoint", "unreachable"),
    [
        (REFUSED, ONE, True),
        (attempts(errno.ECONNREFUSED, errno.ECONNREFUSED), ONE, True),
        (attempts(errno.EADDRNOTAVAIL, errno.ECONNREFUSED), ONE, True),  # IPv6 is switched off here
        (attempts(errno.EADDRNOTAVAIL, errno.EADDRNOTAVAIL), ONE, False),
        (attempts(errno.ENETUNREACH, errno.EADDRNOTAVAIL), ONE, False),  # no IPv6, and no port is free here
        (attempts(errno.EMFILE, errno.ECONNREFUSED), ONE, False),  # this process may open no more files
        (httpx.ConnectTimeout("late"), ONE, False),
        (httpx.ConnectTimeout("late"), Endpoint("a", "running", type="private", url=URL), True),
        (httpx.Response(200), Endpoint("a", "running"), True),
        (httpx.Response(500), Endpoint("a", "running", type="private", url=URL), False),
        (httpx.ReadError("broke"), ONE, False),
        (httpx.ConnectError("TLS handshake"), ONE, False),
    ],
)
def test_what_cannot_be_reached_from_here(answer: Any, endpoint: Endpoint, unreachable: bool) -> None:
    assert isinstance(warmed(answer, endpoint), Unreachable) is unreachable
