"""Faults that a local server injects: their effect, for which requests, how often and when."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

Effect = Literal["status", "html", "slow", "hang", "reset-before", "reset-after"]


class Reset(httpx.ReadError):
    """The connection breaks. In process it reaches the client as it is; over a socket `serve` drops the connection."""

    def __init__(self) -> None:
        super().__init__("the connection was reset")


@dataclass
class Fault:
    """One fault. `matches`: a pattern for "METHOD /path". `times` None: always. `since`, `until`: the time limits."""

    effect: Effect
    matches: str = ""
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    since: datetime | None = None
    until: datetime | None = None
    met: int = 0

    def applies(self, target: str, now: datetime) -> bool:
        in_time = (self.since is None or self.since <= now) and (self.until is None or now < self.until)
        return self.times != 0 and in_time and re.search(self.matches, target) is not None


@dataclass
class Faults:
    """The faults of one server; each request meets the first that applies. `error`: the server's shape of an error."""

    now: Callable[[], datetime]
    error: Callable[[int], object]
    faults: list[Fault] = field(default_factory=list)
    met: int = 0

    def add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    async def around(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """The response to a request, with the first fault that applies."""
        target = f"{request.method} {request.url.path}"
        fault = next((fault for fault in self.faults if fault.applies(target, self.now())), None)
        if fault is None:
            return await answer(request)
        self.met += 1
        fault.met += 1
        if fault.times is not None:
            fault.times -= 1
        match fault.effect:
            case "status":
                return JSONResponse(self.error(fault.status), fault.status, fault.headers)
            case "html":
                return HTMLResponse("<html><body><h1>Bad Gateway</h1></body></html>", fault.status, fault.headers)
            case "hang":
                await asyncio.sleep(fault.seconds or 86_400)
            case "slow":
                await asyncio.sleep(fault.seconds)
            case "reset-before":
                raise Reset
            case "reset-after":
                await answer(request)
                raise Reset
        return await answer(request)


def google_error(code: int, message: str = "on purpose", status: str = "ON_PURPOSE") -> dict[str, object]:
    """An error as Google's APIs have it (google.rpc.Status in JSON)."""
    return {"error": {"code": code, "message": message, "status": status}}
