"""The Hugging Face token: read when needed, kept, read again on age and when it is refused, and kept out of words."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from lifecycle.failures import Failure

LATEST_LASTS = timedelta(minutes=10)
BETWEEN_REFUSALS = timedelta(seconds=5)


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
        self._refused_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def get(self, deadline: float) -> str:
        """The token. Raises `Failure` when it cannot be read; a known one outlives a passing failure to re-read."""
        async with self._lock:
            old = self._ages and self._read_at and self._now() - self._read_at >= LATEST_LASTS
            if self._value is not None and not old:
                return self._value
            try:
                return await self._renew(deadline)
            except Failure as failure:
                if self._value is None or not failure.passing:
                    raise
                return self._value

    async def renewed(self, refused: str, deadline: float) -> str:
        """The token after Hugging Face refused one: read again, unless another was read meanwhile or a refusal made
        it read just now."""
        async with self._lock:
            just_read = self._refused_at and self._now() - self._refused_at < BETWEEN_REFUSALS
            if self._value is None or (self._value == refused and not just_read):
                value = await self._renew(deadline)
                self._refused_at = self._now()
                return value
            return self._value

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
