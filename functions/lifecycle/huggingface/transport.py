"""Requests with the token, and answers with a limit in time and size.

The token is sent to any `url`: the callers check it. Redirects are never followed.
"""

import asyncio
import errno
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from lifecycle.errors import Failure, timed_out
from lifecycle.huggingface.credentials import Token
from lifecycle.retry import time_limit

CONNECTS_WITHIN = 5.0  # seconds
LARGEST_ERROR = 64 * 1024  # bytes of an error's body; the rest is cut
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}  # here, not there
ERROR_WITHIN = 2.0  # seconds for the body of an error, whose status is known


class NoConnection(Failure):
    """Nothing was sent: the name does not resolve, or the connection is refused."""


@dataclass(frozen=True)
class Reply:
    """An answer. `text`: its body, without the token. `whole`: the body is complete."""

    status: int
    headers: Mapping[str, str]
    text: str
    whole: bool

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Transport:
    """HTTP within one call's time. `deadline` is on the event loop's clock, in seconds."""

    http: httpx.AsyncClient
    token: Token
    deadline: float

    async def send(self, what: str, method: str, url: str, *, seconds: float, most: int, **options: Any) -> Reply:
        """The answer to a request with the token. After a 401, the token is read again and the request repeated once.

        `most`: how many bytes of a successful answer's body are read; 0: none. Raises `Failure`.
        """
        token = await self.token.get(self.deadline)
        reply = await self._send(what, method, url, token, seconds, most, **options)
        if reply.status == 401:
            token = await self.token.renewed(token, self.deadline)
            reply = await self._send(what, method, url, token, seconds, most, **options)
        return reply

    async def _send(
        self, what: str, method: str, url: str, token: str, seconds: float, most: int, *,
        headers: Mapping[str, str] | None = None, **options: Any,
    ) -> Reply:  # fmt: skip
        sent = {
            "Authorization": f"Bearer {token}",
            "Accept-Encoding": "gzip" if most else "identity",
            **(headers or {}),
        }
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECTS_WITHIN))
        async with time_limit(what, min(asyncio.get_running_loop().time() + seconds, self.deadline)):
            try:
                async with self.http.stream(method, url, headers=sent, timeout=timeout, **options) as response:
                    return await self._reply(response, most)
            except httpx.ConnectTimeout:
                raise NoConnection(f"{what}: cannot connect in time", code="timeout", retryable=True) from None
            except httpx.ConnectError as error:
                kind = NoConnection if _is_refused(error) else Failure
                raise kind(f"{what}: cannot connect: {error}", code="unreachable", retryable=True) from None
            except httpx.TimeoutException:
                raise timed_out(what) from None
            except httpx.HTTPError as error:
                reason = f"{what}: the connection broke ({type(error).__name__})"
                raise Failure(reason, code="unreachable", retryable=True, ambiguous=True) from None
            except (httpx.InvalidURL, UnicodeError) as error:
                raise Failure(f"{what}: not a URL: {error}", code="bad_url", retryable=False) from None

    async def _reply(self, response: httpx.Response, most: int) -> Reply:
        body, whole = bytearray(), False
        if response.is_success:
            # Without `most` the status is everything: an answer that streams may send nothing more for a long time.
            whole = await _read(response, most, body) if most else False
        else:
            try:
                async with asyncio.timeout(ERROR_WITHIN):
                    whole = await _read(response, LARGEST_ERROR, body)
            except (TimeoutError, httpx.HTTPError):
                pass  # the status says enough
        # JSON is UTF-8, whatever charset is claimed for it.
        text = self.token.redact(body.decode("utf-8", "replace"))
        return Reply(response.status_code, response.headers, text, whole)


async def _read(response: httpx.Response, most: int, body: bytearray) -> bool:
    """Reads at most `most` bytes into `body`; returns whether that is everything, and could be decoded."""
    # Without the header httpx does not decode: its decoders have no limit.
    inflate = _inflater(response.headers.pop("content-encoding", ""))
    async for sent in response.aiter_bytes():
        if inflate is None:
            return False
        try:
            body += inflate(sent, most + 1 - len(body))
        except zlib.error:
            return False
        if len(body) > most:
            del body[most:]
            return False
    return inflate is not None


def _inflater(encoding: str) -> Callable[[bytes, int], bytes] | None:
    """Decodes a body chunk by chunk, each to at most so many bytes; None: an encoding that was not asked for."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda sent, most: sent[:most]
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
    return None


def _is_refused(error: BaseException) -> bool:
    """Whether the network refused the connection, and not TLS, the server during a handshake, or this machine."""
    causes: list[BaseException] = []
    found = [error]
    while found:
        causes.append(cause := found.pop())
        more = cause.__cause__ or cause.__context__
        found += [*(cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()), *([more] if more else ())]
    # IPv6 without an address or a route here is no reason, if the host has another address that was tried.
    reasons = {cause.errno for cause in causes if isinstance(cause, OSError)} - {None, errno.ENETUNREACH}
    own = any(isinstance(c, ssl.SSLError) for c in causes) or reasons & EXHAUSTED or reasons == {errno.EADDRNOTAVAIL}
    return any(isinstance(c, OSError) for c in causes) and not own
