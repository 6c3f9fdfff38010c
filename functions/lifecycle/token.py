"""The Hugging Face token: read when needed, kept, read again on age and when it is refused, and kept out of words."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from lifecycle.failures import Failure

LATEST_LASTS = timedelta(minutes=10)
BETWEEN_REFUSALS = timedelta(seconds=5)
RETRIED_AFTER = timedelta(minutes=1)  # when an aged token could not be read again
RE_READ_TIME = 5.0  # seconds, while a known token is at hand


class Token:
    """`read` fetches it (given a deadline on the event loop's clock) and raises `Failure`. `ages`: it may change
    under its name, so it is read again after ten minutes."""

    def __init__(self, read: Callable[[float], Awaitable[str]], now: Callable[[], datetime], *, ages: bool) -> None:
        self._read = read
        self._now = now
        self._ages = ages
        self._value: str | None = None
        self._known: set[str] = set()
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._refused_at: datetime | None = None
        self._unread: Failure | None = None  # why it could not be read again after it was refused
        self._lock = asyncio.Lock()

    async def get(self, deadline: float) -> str:
        """The token. Raises `Failure` when it cannot be read; a known one outlives a passing failure to re-read."""
        async with self._lock:
            if self._value is None:
                return await self._renew(deadline)
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
                if not failure.passing:
                    raise
                return self._value

    async def renewed(self, refused: str, deadline: float) -> str:
        """The token after Hugging Face refused one: read again, unless another was read meanwhile or a refusal made
        it read just now. Raises `Failure` when it cannot be read."""
        async with self._lock:
            if self._value is not None and self._value != refused:
                return self._value
            if self._value is not None and self._within(self._refused_at, BETWEEN_REFUSALS):
                if self._unread:
                    raise self._unread
                return self._value
            self._refused_at, self._unread = self._now(), None
            try:
                return await self._renew(deadline)
            except Failure as failure:
                self._unread = failure
                raise

    def _within(self, since: datetime | None, length: timedelta) -> bool:
        return since is not None and self._now() - since < length

    def redact(self, text: str) -> str:
        """`text` without any token that was ever held."""
        for token in self._known:
            text = text.replace(token, "[token]")
        return text

    async def _renew(self, deadline: float) -> str:
        value = (await self._read(deadline)).strip()
        if not re.fullmatch(r"[!-~]+", value):
            raise Failure("the Hugging Face token is empty or not plain ASCII", code="token_unreadable", passing=False)
        self._known.add(value)
        self._value, self._read_at = value, self._now()
        return value
