"""The functions and Hugging Face in one process, without sockets: for the simulation."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from starlette.requests import Request

from lifecycle.config.schema import Invalid
from lifecycle.core.model import Message
from lifecycle.engine import request
from lifecycle.engine.dependencies import Dependencies
from lifecycle.engine.service import Service
from lifecycle.errors import Failure
from lifecycle.web import pubsub as events
from lifecycle.web.handler import caller_of, log_results
from lifecycle.web.logs import Log
from local.servers.huggingface import HuggingFace

CALL: ContextVar[int] = ContextVar("CALL")  # the number of the functions' call that is being served


@dataclass(frozen=True)
class Call:
    """A call of a function that was answered: as its caller sees it, and the lines that it logged."""

    number: int
    function: str
    entries: tuple[str, ...]
    begun: datetime
    status: int
    body: Any
    lines: list[str]


@dataclass(frozen=True)
class Sent:
    """A request that a function sent to Hugging Face; `status` None: no answer."""

    call: int
    begun: datetime  # when the call began
    at: datetime
    method: str
    path: str
    status: int | None


class Functions(httpx.AsyncBaseTransport):
    """Answers requests as the deployed functions do.

    `kill`: after how many seconds an instance dies, if it does. `write` gets each log line, `answered` each call.
    """

    def __init__(
        self,
        world: Callable[[], Dependencies],
        invoker: str,
        kill: Callable[[], float | None],
        write: Callable[[str], None],
        answered: Callable[[Call], None],
        two: Callable[[], bool],
    ) -> None:
        self.world = world
        self.invoker = invoker
        self.kill = kill
        self._write = write
        self.answered = answered
        self.two = two  # revisions at once, as during a deployment
        self.instances: dict[str, Service] = {}
        self.one_at_a_time = asyncio.Lock()
        self.begun: list[datetime] = []  # of each call, by its number
        self.called: list[str] = []  # the function of each call
        self.about: list[tuple[str, ...]] = []  # the entries of each call
        self.ticks: list[datetime | None] = []  # the time of the scheduled action that made each call

    async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
        function = asked.url.path.strip("/")
        task = asyncio.create_task(self._serve(function, asked))
        done, _ = await asyncio.wait([task], timeout=self.kill())
        if done:
            return task.result()
        task.cancel()
        for instance in [one for one in self.instances if one.startswith(f"{function} ")]:
            del self.instances[instance]
        raise httpx.ReadError("the instance was killed")

    async def _serve(self, function: str, asked: httpx.Request) -> httpx.Response:
        if function != "platform_event" or self.two():
            return await self._answer(function, asked)
        async with self.one_at_a_time:
            return await self._answer(function, asked)

    async def _answer(self, function: str, asked: httpx.Request) -> httpx.Response:
        number = len(self.begun)
        instance = f"{function} {number % 2 if self.two() else 0}"
        service = self.instances.get(instance) or Service(self.world())
        self.instances[instance] = service
        begun = service.deps.now()
        self.begun.append(begun)
        self.called.append(function)
        self.about.append(())
        tick = asked.headers.get("x-cloudscheduler-scheduletime") if function != "reconcile" else None
        self.ticks.append(datetime.fromisoformat(tick) if tick else None)
        CALL.set(number)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        caller = caller_of(headers, self.invoker)
        lines: list[str] = []

        def write(line: str) -> None:
            lines.append(line)
            self._write(line)

        log = Log(service.deps.token.redact, function, write=write)
        try:
            if function == "platform_event":
                message = events.read(asked.content, headers)
                assert isinstance(message, Message)  # the simulation has no VMs
                self.about[number] = tuple(service.deps.settings.followers(message.platform))
                answer = await service.platform_event(message)
            else:
                self.about[number] = _names(asked.content, service.deps.settings.entries)
                answer = await service.handle(function, asked.content, caller)
        except (Invalid, request.UnknownName) as error:
            return httpx.Response(400, json={"detail": str(error)})
        except Failure as failure:
            log.line("refused", str(failure), "ERROR")
            return httpx.Response(503, json={"detail": str(failure)})
        except Exception as error:  # as the HTTP layer does
            log.line("crash", repr(error), "ERROR")
            return httpx.Response(500, json={})
        log_results(answer, caller, log)
        text = log.redact(json.dumps(answer.body()))
        entries = self.about[number] if function != "platform_event" else ()
        self.answered(Call(number, function, entries, begun, answer.status, json.loads(text), lines))
        return httpx.Response(answer.status, content=text)


class Delayed(httpx.AsyncBaseTransport):
    """Another transport, some milliseconds away."""

    def __init__(self, inner: httpx.AsyncBaseTransport, rng: random.Random) -> None:
        self.inner = inner
        self.rng = rng

    async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.rng.uniform(0.02, 0.3))
        return await self.inner.handle_async_request(asked)


class Hub(httpx.AsyncBaseTransport):
    """The local Hugging Face. Its errors repeat the token that they were sent. `throttled`: after how many seconds a
    call's request may come again, 0 where it is answered. `sent` gets each request."""

    def __init__(
        self,
        hub: HuggingFace,
        functions: Functions,
        throttled: Callable[[int, str], int],
        sent: Callable[[Sent], None],
    ) -> None:
        self.hub = hub
        self.functions = functions
        self.throttled = throttled
        self.sent = sent

    async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
        at, call, status = self.hub.now(), CALL.get(), None
        if seconds := self.throttled(call, f"{asked.method} {asked.url.path}"):
            return httpx.Response(429, headers={"Retry-After": str(seconds)}, json={"error": "429 Too Many Requests"})
        try:
            self._connect(asked)
            response = await self.hub.answer(_received(asked))
            status = response.status_code
        finally:
            self.sent(Sent(call, self.functions.begun[call], at, asked.method, asked.url.path, status))
        content = bytes(response.body)
        if status >= 400:
            content = content.replace(b"on purpose", b"on purpose: " + asked.headers["authorization"].encode())
        return httpx.Response(status, headers=response.raw_headers, content=content)

    def _connect(self, asked: httpx.Request) -> None:
        """Nobody accepts a connection to a private endpoint's own URL."""
        parts = asked.url.path.strip("/").split("/")
        if parts[0] == "own" and parts[1] in self.hub.endpoints and not self.hub.endpoints[parts[1]].reachable:
            raise httpx.ConnectError("Name or service not known") from OSError()


def _names(body: bytes, known: Iterable[str]) -> tuple[str, ...]:
    """The entries that a request is about."""
    names = json.loads(body)["endpoints"]
    return tuple(known) if names == ["*"] else tuple(names)


def _received(asked: httpx.Request) -> Request:
    """A request as an ASGI server hands it over."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": asked.content, "more_body": False}

    headers = [(name.lower(), value) for name, value in asked.headers.raw]
    scope = {"type": "http", "method": asked.method, "path": asked.url.path, "query_string": asked.url.query}
    return Request({**scope, "headers": headers, "server": ("127.0.0.1", 80)}, receive)
