"""Hugging Face Inference Endpoints: the management API.

Source: https://api.endpoints.huggingface.cloud (OpenAPI) and huggingface/hf-endpoints-documentation. States are only
read from the management API: any authorized request to an endpoint's own URL would wake it and reset its idle time.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

import httpx

from lifecycle.core.entries import Scaling
from lifecycle.core.model import AT_REST, STARTING, Endpoint, Prices
from lifecycle.core.scaling import differs
from lifecycle.errors import Failure
from lifecycle.huggingface.credentials import Token
from lifecycle.huggingface.own_url import OwnUrl, Unreachable
from lifecycle.huggingface.parsing import addressable, as_json, endpoint_of, prices_of, prose
from lifecycle.huggingface.refusals import Goal, is_already, refusal
from lifecycle.huggingface.slots import Slots
from lifecycle.huggingface.transport import Transport
from lifecycle.retry import retry, time_limit

T = TypeVar("T")

PAGE = 100  # endpoints
MOST_PAGES = 500
LISTED_WITHIN = 60.0  # seconds for all pages: decisions must not use an old list
LARGEST_ANSWER = 8 * 1024 * 1024  # bytes; a page of 100 endpoints has about 200 KB
PER_CALL = 10.0  # seconds
LOOKS, BETWEEN_LOOKS = 3, 1.0  # reads of a state that may lag behind a refusal; seconds between them

STARTED = STARTING | {"running", "scaledToZero"}  # what a resume can lead to


@dataclass(frozen=True)
class Acted:
    """The endpoint after an action. `already`: Hugging Face's refusal because the goal was reached already; the
    reported state may lag behind it."""

    endpoint: Endpoint
    already: str = ""


async def nothing() -> None:
    """The default of `HuggingFace.still_wanted`."""


@dataclass(frozen=True)
class HuggingFace:
    """One namespace, within one call's time. `deadline` is on the event loop's clock, in seconds."""

    http: httpx.AsyncClient
    token: Token
    base: str
    namespace: str
    deadline: float
    rng: random.Random = field(repr=False)
    slots: Slots = field(default_factory=Slots, repr=False)
    tried: Counter[str] = field(default_factory=Counter, repr=False)  # requests about each endpoint
    # The context of each request that changes an endpoint: the caller waits for its turn, and reads again.
    turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    # Called when somebody else has stopped an endpoint that is starting: raises if it is no longer wanted.
    still_wanted: Callable[[], Awaitable[None]] = nothing

    @cached_property
    def transport(self) -> Transport:
        return Transport(self.http, self.token, self.deadline)

    @cached_property
    def own(self) -> OwnUrl:
        return OwnUrl(self.transport, self.base)

    async def endpoints(self) -> list[Endpoint]:
        """Every endpoint of the namespace, page by page. An endpoint that moves between pages meanwhile may be missing.

        Raises `Failure`.
        """
        listed = min(self.deadline, asyncio.get_running_loop().time() + LISTED_WITHIN)
        async with time_limit(f"GET /endpoint/{self.namespace}", listed):
            return list({endpoint.name: endpoint for endpoint in await self._pages()}.values())

    async def _pages(self) -> list[Endpoint]:
        found: list[Endpoint] = []
        query: dict[str, str] = {"limit": str(PAGE)}
        seen: set[str] = set()
        while len(seen) < MOST_PAGES:
            try:
                items, cursor = await self._get(f"/endpoint/{self.namespace}", _page, query)
            except Failure as failure:
                # The largest allowed page is not documented. Without a limit, the API uses its default.
                if failure.code != "refused" or not query.pop("limit", None):
                    raise
                continue
            found += [endpoint for item in items if (endpoint := endpoint_of(item))]
            if not cursor:
                return found
            if cursor in seen:
                raise Failure("the cursor of Hugging Face's list repeats itself", code="malformed", retryable=True)
            seen.add(cursor)
            query["cursor"] = cursor
        raise Failure(f"Hugging Face's list has more than {MOST_PAGES} pages", code="malformed", retryable=False)

    async def endpoint(self, name: str) -> Endpoint:
        """One endpoint as it is now. Raises `Failure`."""
        return await retry(lambda: self.look(name), deadline=self.deadline, rng=self.rng)

    async def look(self, name: str) -> Endpoint:
        """One endpoint as it is now, in a single attempt, for callers that repeat it anyway. Raises `Failure`."""
        return await self._one("GET", name)

    async def peek(self, name: str) -> Endpoint:
        """One endpoint as it is now, by a single request that waits for no slot. Raises `Failure`."""
        path = f"/endpoint/{self.namespace}/{name}"
        return self._read(await self._once("GET", path, nullcontext()), f"GET {path}", name)

    async def prices(self) -> Prices:
        """Dollars an hour for one replica, by vendor, region, instance type and size. Raises `Failure`."""
        return await self._get(f"/provider/{self.namespace}", prices_of)

    async def pause(self, name: str) -> Acted:
        return await self._act(name, "POST", "/pause", "paused", lambda now: now.state == "paused")

    async def resume(self, name: str) -> Acted:
        return await self._act(name, "POST", "/resume", "running", lambda now: now.state in STARTED)

    async def scale_to_zero(self, name: str) -> Acted:
        return await self._act(name, "POST", "/scale-to-zero", "scaledToZero", lambda now: now.state in AT_REST)

    async def rescale(self, name: str, scaling: Scaling) -> Acted:
        """Writes the declared fields of `scaling`, and no others (a PUT is a partial update)."""
        body = {"compute": {"scaling": _fields(scaling)}}
        return await self._act(name, "PUT", "", "scaled", lambda now: not differs(now, scaling), body)

    async def wake(self, endpoint: Endpoint) -> Endpoint:
        """Sends an authorized request to the endpoint's URL, which wakes it if it is scaled to zero.

        Returns the endpoint after that. Raises `Failure`.
        """

        async def attempt() -> Endpoint:
            doubt: Failure | None = None
            try:
                async with self.turn():
                    await self.own.wake(endpoint)
            except Failure as failure:
                if not failure.retryable or isinstance(failure, Unreachable):
                    raise
                doubt = failure if failure.code != "not_ready" else None  # 503 means that it has begun to wake
            now = await self.look(endpoint.name)
            if doubt and now.state == "scaledToZero":
                raise doubt
            return now

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    # Requests.

    async def _act(
        self, name: str, method: str, verb: str, goal: Goal, reached: Callable[[Endpoint], bool], body: Any = None
    ) -> Acted:
        """Takes an action. After an ambiguous answer, it reads the state before it repeats the request."""
        doubt: Failure | None = None

        async def attempt() -> Acted:
            nonlocal doubt
            if doubt:
                if acted := await self._despite(doubt, name, goal, reached):
                    return acted
                if not doubt.retryable:
                    raise doubt
                doubt = None
            try:
                return Acted(await self._one(method, name, verb, body))
            except Failure as failure:
                # "already running", "already paused" and the like come as 400, 409 or 422.
                if failure.ambiguous or failure.code in ("refused", "conflict"):
                    doubt = failure
                    if not failure.retryable:
                        return await attempt()
                raise

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def _despite(
        self, doubt: Failure, name: str, goal: Goal, reached: Callable[[Endpoint], bool]
    ) -> Acted | None:
        """The result if the action took effect despite a failure; None: it did not. The state may lag, so after a final
        refusal it is read a few times."""
        for count in range(1 if doubt.retryable else LOOKS):
            if count:
                await asyncio.sleep(BETWEEN_LOOKS)
            now = await self.look(name)
            if reached(now):
                return Acted(now)
            if is_already(goal, doubt):
                return Acted(now, str(doubt))
        return None

    async def _get(self, path: str, read: Callable[[Any], T], query: Mapping[str, str] | None = None) -> T:
        async def attempt() -> T:
            return read(await self._once("GET", path, self.slots.taken(0), query=query))

        return await retry(attempt, deadline=self.deadline, rng=self.rng)

    async def _one(self, method: str, name: str, verb: str = "", body: Any = None) -> Endpoint:
        """Sends one request about an endpoint, and returns the endpoint in the answer. When slots are full, endpoints
        with fewer earlier requests come first."""
        before, self.tried[name] = self.tried[name], self.tried[name] + 1
        path = f"/endpoint/{self.namespace}/{name}{verb}"
        answer = await self._once(method, path, self.slots.taken(before), body=body)
        return self._read(answer, f"{method} {path}", name)

    def _read(self, answer: Any, what: str, name: str) -> Endpoint:
        """The endpoint of this name in an answer. Raises `Failure` if the answer is about another endpoint."""
        endpoint = endpoint_of(answer)
        if endpoint is not None and endpoint.name == name and addressable(name):
            return endpoint
        problem = "not an endpoint" if endpoint is None else "about another endpoint"
        raise Failure(f"{what}: the answer is {problem}", code="malformed", retryable=True, ambiguous=True)

    async def _once(
        self,
        method: str,
        path: str,
        slot: AbstractAsyncContextManager[None],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any:
        what, url, most = f"{method} {path}", self.base + path, LARGEST_ANSWER
        turn = nullcontext if method == "GET" else self.turn
        await self.token.get(self.deadline)  # before the time limit, so that its own failure is reported
        async with time_limit(what, self.deadline), slot, turn():
            reply = await self.transport.send(what, method, url, seconds=PER_CALL, most=most, params=query, json=body)
        if not reply.is_success:
            raise refusal(reply, what, lists=path == f"/endpoint/{self.namespace}")
        if not reply.whole:
            reason = f"{what}: the answer has more than {most} bytes, or cannot be decoded"
            raise Failure(reason, code="malformed", retryable=True, ambiguous=True)
        try:
            return as_json(reply.text) if reply.text else None
        except (ValueError, RecursionError):
            text = prose(reply.text, reply.headers.get("content-type"))
            raise Failure(f"{what}: not JSON: {text}", code="malformed", retryable=True, ambiguous=True) from None


def _page(body: Any) -> tuple[list[Any], str]:
    """The items of a page, and the cursor of the next one or "". Raises `Failure`."""
    items = body if isinstance(body, list) else body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Failure("Hugging Face's list has no items", code="malformed", retryable=True)
    return items, str((isinstance(body, dict) and body.get("nextCursor")) or "")


def _fields(scaling: Scaling) -> dict[str, int]:
    after = scaling.scale_to_zero_after
    every = {
        "minReplica": scaling.min_replicas,
        "maxReplica": scaling.max_replicas,
        "scaleToZeroTimeout": after // timedelta(minutes=1) if after else None,
    }
    return {name: value for name, value in every.items() if value is not None}
