"""What the engine is given: settings, time, HTTP, Cloud Scheduler, randomness; and the caller of a call."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import httpx

from lifecycle.core.entries import Settings
from lifecycle.core.model import Trigger
from lifecycle.gcp.jobs import Jobs
from lifecycle.gcp.log_reader import LogReader
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.huggingface.credentials import Token
from lifecycle.huggingface.prices import PriceCatalog

Verb = Literal["pause", "resume", "warm"]


@dataclass(frozen=True)
class Caller:
    """The trigger, the person's email where it is known, and the Cloud Scheduler job that fired, with its time."""

    trigger: Trigger = "manual"
    email: str | None = None
    job: str = ""
    scheduled_at: datetime | None = None


class Turns:
    """Allows one write at a time under a name in this process, and notes when the last one was (event loop's clock).

    So a hundred equal requests become one action: each reads again if another has acted since its last read.
    """

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._changed: dict[str, float] = {}

    @asynccontextmanager
    async def take(self, name: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(name, asyncio.Lock()):
            yield

    def mark(self, name: str) -> None:
        self._changed[name] = asyncio.get_running_loop().time()

    def changed_since(self, name: str, when: float) -> bool:
        return self._changed.get(name, float("-inf")) >= when


@dataclass(frozen=True)
class Dependencies:
    """`jobs` gives the scheduler for a deadline (event loop's clock); None: there is none, so nothing is stored."""

    settings: Settings
    http: httpx.AsyncClient
    token: Token
    base: str
    jobs: Callable[[float], Jobs] | None
    prefix: str
    now: Callable[[], datetime]
    rng: random.Random = field(repr=False)
    catalog: PriceCatalog = field(default_factory=PriceCatalog, repr=False)
    monitoring: Monitoring | None = None
    logs: LogReader | None = None
    turns: Turns = field(default_factory=Turns, repr=False)
