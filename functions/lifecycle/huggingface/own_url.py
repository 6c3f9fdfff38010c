"""Requests to an endpoint's own URL: they wake it if it is scaled to zero, and show whether it answers.

The program there is not trusted: only the HTTP status counts, and little of the body is read or quoted.
"""

import asyncio
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx

from lifecycle.core.entries import Warm
from lifecycle.core.model import Endpoint
from lifecycle.errors import Failure
from lifecycle.huggingface.refusals import refusal
from lifecycle.huggingface.transport import NoConnection, Transport
from lifecycle.retry import retry_after

DOMAIN = "endpoints.huggingface.cloud"
PER_CALL = 10.0  # seconds
LONGEST_HOLD = 30.0  # seconds that the proxy is asked to hold a request for a replica; then the state is read


class Unreachable(Failure):
    """The URL cannot be reached from here: there is none, or the connection is refused (a private endpoint)."""


@dataclass(frozen=True)
class OwnUrl:
    """Requests to endpoints' own URLs. `api`: the URL of the management API."""

    transport: Transport
    api: str

    async def wake(self, endpoint: Endpoint) -> None:
        """Sends one authorized request, which wakes the endpoint if it is scaled to zero. Raises `Failure`."""
        await self._request(endpoint, "GET", endpoint.health_route or "/", None, hold=0, any_answer=True)

    async def answer(self, endpoint: Endpoint, warm: Warm | None) -> None:
        """Sends the warming request once (default: the health route), and returns when the endpoint has answered. The
        proxy is asked to hold it for a while. Raises `Failure`; `Unreachable` if that shows nothing about the
        endpoint."""
        path = warm.path if warm else endpoint.health_route or "/"
        body = warm.body if warm else None
        # Without a health route any answer of the application counts, even that it has nothing at "/".
        any_answer = warm is None and not endpoint.health_route
        method = "GET" if body is None else "POST"
        hold = min(LONGEST_HOLD, self.transport.deadline - asyncio.get_running_loop().time() - 1)
        await self._request(endpoint, method, path, body, hold=hold, any_answer=any_answer)

    async def _request(
        self, endpoint: Endpoint, method: str, path: str, body: Any, *, hold: float, any_answer: bool
    ) -> None:
        what = f"{method} {path} of the endpoint's URL"
        private = endpoint.type == "private"
        if not endpoint.url:
            raise Unreachable(f"{what}: it has no URL", code="no_url", retryable=True)
        if not self.is_trusted(endpoint.url):
            reason = f"{what}: {endpoint.url} is not https below {DOMAIN}; it gets no token"
            raise (Unreachable if private else Failure)(reason, code="bad_url", retryable=False)
        headers = {"X-Scale-Up-Timeout": str(int(hold))} if hold >= 1 else {}
        url = endpoint.url.rstrip("/") + "/" + path.lstrip("/")
        seconds = max(hold, PER_CALL)
        try:
            reply = await self.transport.send(what, method, url, seconds=seconds, most=0, json=body, headers=headers)
        except NoConnection as failure:
            if failure.code == "timeout" and not private:
                raise
            raise Unreachable(str(failure), code=failure.code, retryable=True) from None
        if reply.status in (502, 503, 504):
            wait, reason = retry_after(reply.headers), f"{what}: {reply.status}, no replica is ready"
            raise Failure(reason, code="not_ready", retryable=True, retry_after=wait)
        if not reply.is_success and not (any_answer and reply.status in (404, 405, 422)):
            raise refusal(reply, what, own=True)

    def is_trusted(self, url: str) -> bool:
        """Whether the token may be sent to a URL: https below Hugging Face's domain, or loopback if the API is on
        loopback, too."""
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return False
        inside = re.fullmatch(rf"(?:[a-z0-9-]+\.)*{re.escape(DOMAIN)}", parsed.host)
        local = is_loopback(self.api) and is_loopback(url)
        possible = not parsed.userinfo and (parsed.port is None or 0 < parsed.port < 2**16)
        return possible and ((parsed.scheme == "https" and inside is not None) or local)


def is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
