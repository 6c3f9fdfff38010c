"""The price catalog, cached for an hour, for the costs in the log lines of each reconcile run."""

import asyncio
from datetime import datetime, timedelta

from lifecycle.core.model import Prices
from lifecycle.errors import Failure
from lifecycle.huggingface.client import HuggingFace
from lifecycle.retry import time_limit

KEPT = timedelta(hours=1)
PATIENCE = 5.0  # seconds; a reconcile run does not wait longer for prices


class PriceCatalog:
    """The prices of one process. After an hour they are read again; until that succeeds, the old ones are used."""

    def __init__(self) -> None:
        self._prices: Prices | None = None
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def get(self, hf: HuggingFace, now: datetime) -> Prices:
        """Raises `Failure` where they were never read."""
        try:
            # This also limits the time of calls that wait for another call's read.
            async with time_limit("reading prices", asyncio.get_running_loop().time() + PATIENCE), self._reading:
                if self._prices is None or self._read_at is None or now - self._read_at >= KEPT:
                    self._prices, self._read_at = await hf.prices(), now
                return self._prices
        except Failure:
            if self._prices is None:
                raise
            return self._prices
