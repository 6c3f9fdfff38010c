"""How Google's clients send: on the process's event loop, where an answer is bounded in time and size.

The clients are synchronous and use requests, which limits each read and not the answer: a service that sends a byte a
second holds a thread for as long as it likes. Here a thread waits for the loop, at most until the call's deadline.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

PER_CALL = 10.0  # seconds for one request and its whole answer
LARGEST = 16 * 1024 * 1024  # bytes of an answer's body


@dataclass(frozen=True)
class _Limits:
    loop: asyncio.AbstractEventLoop
    http: httpx.AsyncClient
    deadline: float  # on the loop's clock


_LIMITS: contextvars.ContextVar[_Limits] = contextvars.ContextVar("limits")


async def in_thread(threads: Executor, http: httpx.AsyncClient, deadline: float, call: Callable[[], T]) -> T:
    """The result of `call`, in which Google's clients send through `http` until `deadline` (the loop's clock)."""
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    context.run(_LIMITS.set, _Limits(loop, http, deadline))
    return await loop.run_in_executor(threads, context.run, call)


def mount(session: Any, *, objects: bool = False) -> None:
    """Has a session of requests send through `LoopAdapter`."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, LoopAdapter(objects))


@dataclass(frozen=True)
class LoopAdapter:
    """What requests calls a transport adapter. It raises the exceptions of requests, also for a redirect.

    `objects`: every success is a JSON object. Google's clients take other JSON, such as a list, for an empty answer.
    """

    objects: bool = False

    def send(self, request: Any, **_: Any) -> Any:
        limits = _LIMITS.get()
        seconds = min(PER_CALL, limits.deadline - limits.loop.time())
        answer = asyncio.run_coroutine_threadsafe(_exchange(limits.http, request, seconds), limits.loop)
        response = answer.result(max(seconds, 0) + 1)  # the loop may be closed before it comes to it
        if self.objects and response.status_code < 300 and not response.content.lstrip().startswith(b"{"):
            raise ValueError("the answer is not a JSON object")
        return response

    def close(self) -> None:
        """There is nothing to close: connections belong to the HTTP client."""


async def send(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """The response, read whole. Raises `httpx.HTTPError`, `DecodingError` for what is too large or encoded."""
    request.headers["Accept-Encoding"] = "identity"  # decoders know no bound
    received = await http.send(request, stream=True)
    try:
        if received.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise httpx.DecodingError("the answer is encoded, which was not asked for")
        body = bytearray()
        async for piece in received.aiter_raw():
            body += piece
            if len(body) > LARGEST:
                raise httpx.DecodingError(f"the answer has more than {LARGEST} bytes")
    finally:
        await received.aclose()
    return httpx.Response(received.status_code, headers=received.headers, content=bytes(body), request=request)


async def _exchange(http: httpx.AsyncClient, request: Any, seconds: float) -> Any:
    """The response to a request of the library `requests`."""
    from requests import ConnectionError, Response, Timeout, TooManyRedirects  # imported by Google's clients
    from requests.exceptions import ContentDecodingError

    try:
        async with asyncio.timeout(seconds):
            made = http.build_request(
                request.method, request.url, headers=dict(request.headers), content=request.body, timeout=None
            )
            received = await send(http, made)
    except (TimeoutError, httpx.TimeoutException):
        raise Timeout(f"no whole answer in {seconds:.1f} s", request=request) from None
    except httpx.DecodingError as error:
        raise ContentDecodingError(str(error), request=request) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(type(error).__name__, request=request) from None
    if 300 <= received.status_code < 400:
        raise TooManyRedirects(f"{received.status_code}: redirects are not followed", request=request)
    response = Response()
    response.status_code, response.reason, response.url = received.status_code, received.reason_phrase, request.url
    response.request, response._content = request, received.content
    response.headers.update(received.headers)
    return response
