"""The Hugging Face token: read when needed, cached, and read again when it is old or refused.

`redaction` removes it from texts.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from lifecycle.errors import Failure, catch_failure
from lifecycle.huggingface.redaction import Redactor
from lifecycle.retry import time_limit

LATEST_LASTS = timedelta(minutes=10)
RETRIED_AFTER = timedelta(minutes=1)  # when an aged token could not be read again
SHORTEST_SECRET = 6  # shorter ones, invented for a local server, are words like "test" that occur in any text
LARGEST_FILE = 64 * 1024  # bytes; the largest secret
RE_READ_TIME = 5.0  # seconds, if there is a known token


class Token:
    """`read` fetches the token (given a deadline on the event loop's clock) and raises `Failure`. `ages`: its source
    may get a new version, so it is read again after ten minutes."""

    def __init__(self, read: Callable[[float], Awaitable[str]], now: Callable[[], datetime], *, ages: bool) -> None:
        self._read = read
        self._now = now
        self._ages = ages
        self._value: str | None = None
        self.redact = Redactor()  # removes every token that was ever read
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        # Reads of each call (its deadline) and the refused token they replace (None: the first), with their failure.
        self._reads: dict[tuple[str | None, float], Failure | None] = {}
        self._lock = asyncio.Lock()

    async def get(self, deadline: float) -> str:
        """The token. Each call tries to read it at most once; while that fails with a retryable failure, a known token
        is used. Raises `Failure` if there is none."""
        async with self._lock:
            if self._value is None:
                return await self._read_once(None, deadline)
            if (
                not self._ages
                or self._within(self._read_at, LATEST_LASTS)
                or self._within(self._tried_at, RETRIED_AFTER)
            ):
                return self._value
            self._tried_at = self._now()
            try:
                return await self._renew(min(deadline, asyncio.get_running_loop().time() + RE_READ_TIME))
            except Failure as failure:
                if not failure.retryable:
                    raise
                return self._value

    async def renewed(self, refused: str, deadline: float) -> str:
        """The token after Hugging Face has refused one: read again once for each call (which its deadline identifies),
        unless another one was read meanwhile. Raises `Failure` if it cannot be read."""
        async with self._lock:
            if self._value is not None and self._value != refused:
                return self._value
            return await self._read_once(refused, deadline)

    async def _read_once(self, refused: str | None, deadline: float) -> str:
        if (refused, deadline) not in self._reads:
            now = asyncio.get_running_loop().time()
            self._reads = {key: found for key, found in self._reads.items() if key[1] > now}
            self._reads[refused, deadline] = await catch_failure(self._renew(deadline))
        if failure := self._reads[refused, deadline]:
            raise failure
        return self._value or refused or ""

    def _within(self, since: datetime | None, length: timedelta) -> bool:
        return since is not None and self._now() - since < length

    async def _renew(self, deadline: float) -> str:
        value = (await self._read(deadline)).strip()
        if not re.fullmatch(r"[!-~]+", value):
            raise Failure(
                "the Hugging Face token is empty or not plain ASCII", code="token_unreadable", retryable=False
            )
        if len(value) >= SHORTEST_SECRET:
            self.redact.add(value)
        self._value, self._read_at = value, self._now()
        return value


class TokenFile:
    """The token in a file, such as a version of a secret that Cloud Run mounts: each read asks Secret Manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(2, "token-file")

    async def read(self, deadline: float) -> str:
        """The file's text. Raises `Failure`."""
        async with time_limit(f"reading {self._path}", deadline, code="token_unreadable"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._text)

    def _text(self) -> str:
        try:
            with self._path.open("rb") as file:
                return file.read(LARGEST_FILE).decode("latin-1")
        except OSError as error:
            reason = f"{self._path}: cannot be read: {error.strerror}"
            raise Failure(reason, code="token_unreadable", retryable=True) from None
