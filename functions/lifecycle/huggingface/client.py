"""Hugging Face Inference Endpoints: the management API, and an endpoint's own URL to wake and warm it.

Source: https://api.endpoints.huggingface.cloud (OpenAPI) and huggingface/hf-endpoints-documentation. Watching goes
through the management API alone: any authorised request to an endpoint's own URL would wake it and reset its idle
clock. The token goes to the API, and to own URLs below endpoints.huggingface.cloud, and nowhere else.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, TypeVar

import httpx

from lifecycle.core.entries import Scaling, Warm
from lifecycle.core.model import AT_REST, STARTING, Endpoint, Prices
from lifecycle.core.times import in_words
from lifecycle.errors import Failure, timed_out
from lifecycle.huggingface.credentials import Token
from lifecycle.huggingface.parsing import addressable, endpoint_of, prices_of, prose
from lifecycle.retry import retry, retry_after, time_limit

T = TypeVar("T")

API = "https://api.endpoints.huggingface.cloud/v2"
OWN_DOMAIN = "endpoints.huggingface.cloud"
PAGE = 100
PER_CALL = 10.0  # seconds
MOST_AT_ONCE = 16  # calls of the API under way
LONGEST_HOLD = 30.0  # seconds that the proxy is asked to hold a request for a replica; then its state is looked at

STARTED = STARTING | {"running", "scaledToZero"}  # what a resume can lead to


@dataclass(frozen=True)
class HuggingFace:
    """One namespace, within one call's time. `deadline` is on the event loop's clock, in seconds."""

    http: httpx.AsyncClient
    token: Token
    base: str
    namespace: str
    deadline: float
    rng: random.Random = field(repr=False)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), repr=False)
    # Surrounds each request that changes an endpoint: a caller waits its turn there, and looks again.
    turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext

    async def endpoints(self) -> list[Endpoint]:
        """Every endpoint of the namespace, page by page. Raises `Failure`."""
        found: dict[str, Endpoint] = {}
        query: dict[str, str] = {"limit": str(PAGE)}
        seen: set[str] = set()
        while True:
            try:
                items, cursor = await self._call(f"/endpoint/{self.namespace}", _page, query)
            except Failure as failure:
                # The largest page that it takes is not documented; its own default always is one.
                if failure.code != "refused" or not query.pop("limit", None):
                    raise
                continue
            found |= {endpoint.name: endpoint for item in items if (endpoint := endpoint_of(item))}
            if not cursor:
                return list(found.values())
            if cursor in seen:
                raise Failure("Hugging Face's list goes in circles", code="malformed", retryable=True)
            seen.add(cursor)
            query["cursor"] = cursor

    async def endpoint(self, name: str) -> Endpoint:
        """One endpoint as it is now. Raises `Failure`."""
        return await self._call(self._path(name), self._read)

    async def peek(self, name: str) -> Endpoint:
        """One endpoint as it is now, by a single request that waits for no slot. Raises `Failure`."""
        return self._read(await self._once("GET", self._path(name), slots=nullcontext()))

    async def prices(self) -> Prices:
        """Dollars an hour for one replica, by vendor, region, instance type and size. Raises `Failure`."""
        return await self._call(f"/provider/{self.namespace}", prices_of)

    async def pause(self, name: str) -> Endpoint:
        return await self._act(name, "POST", "/pause", lambda now: now.state == "paused")

    async def resume(self, name: str) -> Endpoint:
        return await self._act(name, "POST", "/resume", lambda now: now.state in STARTED)

    async def scale_to_zero(self, name: str) -> Endpoint:
        return await self._act(name, "POST", "/scale-to-zero", lambda now: now.state in AT_REST)

    async def rescale(self, name: str, scaling: Scaling) -> Endpoint:
        """Writes the declared fields of `scaling`, and no others (a PUT is a partial update)."""
        body = {"compute": {"scaling": _fields(scaling)}}
        return await self._act(name, "PUT", "", lambda now: not differs(now, scaling), body)

    async def wake(self, endpoint: Endpoint) -> Endpoint:
        """Sends an authorised request to its URL, which wakes it when it is scaled to zero; the endpoint after that.

        Raises `Failure`.
        """

        async def attempt() -> Endpoint:
            doubt: Failure | None = None
            try:
                async with self.turn():
                    await self._request_own(
                        endpoint, "GET", endpoint.health_route or "/", None, hold=0, any_answer=True
                    )
            except Failure as failure:
                if not failure.retryable:
                    raise
                doubt = failure if failure.code != "not_ready" else None  # a 503 is how it begins to wake
            now = self._read(await self._once("GET", self._path(endpoint.name)))
            if doubt and now.state == "scaledToZero":
                raise doubt
            return now

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def answer(self, endpoint: Endpoint, warm: Warm | None) -> None:
        """Returns when the endpoint answered its warming request (default: its health route), sent once; the proxy is
        asked to hold it for a while. Raises `Failure`."""
        path = warm.path if warm else endpoint.health_route or "/"
        body = warm.body if warm else None
        # Without a health route any answer of the application is one, also that it has nothing at "/".
        any_answer = warm is None and not endpoint.health_route
        method = "GET" if body is None else "POST"
        hold = min(LONGEST_HOLD, self.deadline - asyncio.get_running_loop().time() - 1)
        await self._request_own(endpoint, method, path, body, hold=hold, any_answer=any_answer)

    # How it is said.

    def _path(self, name: str) -> str:
        return f"/endpoint/{self.namespace}/{name}"

    def _read(self, body: Any) -> Endpoint:
        endpoint = endpoint_of(body)
        if endpoint is None or not addressable(endpoint.name):
            raise Failure("Hugging Face's answer is no endpoint", code="malformed", retryable=True, ambiguous=True)
        return endpoint

    async def _act(
        self, name: str, method: str, verb: str, settled: Callable[[Endpoint], bool], body: Any = None
    ) -> Endpoint:
        """Does it, and after an answer that leaves doubt reads the state before repeating anything."""
        doubt: Failure | None = None

        async def attempt() -> Endpoint:
            nonlocal doubt
            if doubt:
                now = self._read(await self._once("GET", self._path(name)))
                if settled(now):
                    return now
                if not doubt.retryable:
                    raise doubt
                doubt = None
            try:
                return self._read(await self._once(method, self._path(name) + verb, body=body))
            except Failure as failure:
                # "already running", "already paused" and the like come as 400 or 409.
                if failure.ambiguous or failure.code in ("refused", "conflict"):
                    doubt = failure
                    if not failure.retryable:
                        return await attempt()
                raise

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def _call(self, path: str, read: Callable[[Any], T], query: Mapping[str, str] | None = None) -> T:
        async def attempt() -> T:
            return read(await self._once("GET", path, query=query))

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        slots: AbstractAsyncContextManager[None] | None = None,
    ) -> Any:
        what = f"{method} {path}"
        turn = nullcontext if method == "GET" else self.turn
        await self.token.get(self.deadline)  # outside of what follows, so that its own failure is told
        async with time_limit(what, self.deadline), slots or self.slots, turn():
            response = await self._authorised(what, method, self.base + path, params=query, json=body, seconds=PER_CALL)
        if not response.is_success:
            raise failure_from_response(response, what, self.token.redact)
        try:
            return json.loads(self.token.redact(_text(response))) if response.content else None
        except (ValueError, RecursionError):
            told = prose(_text(response), response.headers.get("content-type"))
            raise Failure(f"{what}: not JSON: {told}", code="malformed", retryable=True, ambiguous=True) from None

    async def _request_own(
        self, endpoint: Endpoint, method: str, path: str, body: Any, *, hold: float, any_answer: bool = False
    ) -> None:
        what = f"{method} {path} of the endpoint's URL"
        if not endpoint.url:
            raise Failure(f"{what}: it has no URL yet", code="no_url", retryable=True)
        if not self.is_trusted_url(endpoint.url):
            allowed = f"https below {OWN_DOMAIN}"
            raise Failure(f"{what}: {endpoint.url} is not {allowed}; it gets no token", code="bad_url", retryable=False)
        headers = {"X-Scale-Up-Timeout": str(int(hold))} if hold >= 1 else {}
        url = endpoint.url.rstrip("/") + "/" + path.lstrip("/")
        seconds = max(hold, PER_CALL)
        response = await self._authorised(what, method, url, json=body, headers=headers, seconds=seconds)
        if response.status_code in (502, 503, 504):
            wait, told = retry_after(response.headers), f"{response.status_code}, no replica is ready"
            raise Failure(f"{what}: {told}", code="not_ready", retryable=True, retry_after=wait)
        if any_answer and response.status_code in (404, 405, 422):
            return
        if not response.is_success:
            raise failure_from_response(response, what, self.token.redact)

    def is_trusted_url(self, url: str) -> bool:
        """Whether an endpoint's own URL may be sent the token: https below Hugging Face's domain, or loopback where
        the API is on loopback, too."""
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return False
        inside = parsed.host == OWN_DOMAIN or parsed.host.endswith("." + OWN_DOMAIN)
        local = is_loopback(self.base) and is_loopback(url)
        return not parsed.userinfo and ((parsed.scheme == "https" and inside) or local)

    async def _authorised(self, what: str, method: str, url: str, *, seconds: float, **options: Any) -> httpx.Response:
        """The response to a request with the token; refused once (401), it is read anew and the request repeated."""
        token = await self.token.get(self.deadline)
        response = await self._send(what, method, url, token, seconds=seconds, **options)
        if response.status_code == 401:
            token = await self.token.renewed(token, self.deadline)
            response = await self._send(what, method, url, token, seconds=seconds, **options)
        return response

    async def _send(
        self, what: str, method: str, url: str, token: str, *, seconds: float, headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:  # fmt: skip
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        async with time_limit(what, min(asyncio.get_running_loop().time() + seconds, self.deadline)):
            try:
                return await self.http.request(method, url, headers=headers, timeout=seconds, **options)
            except httpx.ConnectError as error:
                raise Failure(f"{what}: cannot connect: {error}", code="unreachable", retryable=True) from None
            except httpx.TimeoutException:
                raise timed_out(what) from None
            except httpx.HTTPError as error:
                told = f"{what}: the connection broke ({type(error).__name__})"
                raise Failure(told, code="unreachable", retryable=True, ambiguous=True) from None
            except (httpx.InvalidURL, UnicodeError) as error:
                raise Failure(f"{what}: not a URL: {error}", code="bad_url", retryable=False) from None


def _text(response: httpx.Response) -> str:
    """The body as text; JSON is UTF-8, whatever charset is claimed for it."""
    return response.content.decode("utf-8", "replace")


def _page(body: Any) -> tuple[list[Any], str]:
    """The items of a page, and the cursor of the next one or "". Raises `Failure`."""
    items = body if isinstance(body, list) else body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Failure("Hugging Face's list has no items", code="malformed", retryable=True)
    return items, str((isinstance(body, dict) and body.get("nextCursor")) or "")


def is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def differs(endpoint: Endpoint, declared: Scaling) -> dict[str, str]:
    """The declared fields of the scaling that Hugging Face tells otherwise: name to "is, declared"."""
    pairs = {
        "min_replicas": (endpoint.min_replicas, declared.min_replicas),
        "max_replicas": (endpoint.max_replicas, declared.max_replicas),
        "scale_to_zero_after": (endpoint.scale_to_zero_after, declared.scale_to_zero_after),
    }
    return {
        name: f"{_word(is_)}, declared {_word(wanted)}"
        for name, (is_, wanted) in pairs.items()
        if wanted not in (None, is_)
    }


def _word(value: object) -> str:
    return in_words(value) if isinstance(value, timedelta) else "not told" if value is None else str(value)


def _fields(scaling: Scaling) -> dict[str, int]:
    after = scaling.scale_to_zero_after
    every = {
        "minReplica": scaling.min_replicas,
        "maxReplica": scaling.max_replicas,
        "scaleToZeroTimeout": after // timedelta(minutes=1) if after else None,
    }
    return {name: value for name, value in every.items() if value is not None}


_FINAL = {401: "token_refused", 402: "payment_required", 403: "forbidden", 404: "not_found", 405: "refused"}


def failure_from_response(response: httpx.Response, what: str, redact: Callable[[str], str]) -> Failure:
    """The failure that a response other than 2xx stands for; redirects are never followed, and final."""
    status = response.status_code
    told = redact(prose(_text(response), response.headers.get("content-type")))
    code = _FINAL.get(status, "refused")
    if "payment" in told.lower():
        code = "payment_required"
    retryable = status in (408, 409, 425, 429) or status >= 500
    if retryable:
        code = {409: "conflict", 429: "rate_limited"}.get(status, "unavailable")
    wait = retry_after(response.headers) if retryable else None
    ambiguous = retryable and status != 429
    return Failure(f"{what}: {status} {told}", code=code, retryable=retryable, retry_after=wait, ambiguous=ambiguous)
