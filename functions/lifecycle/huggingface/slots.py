"""Limits how many requests start at a time. Endpoints with fewer earlier requests come first."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST_AT_ONCE = 16
PATIENCE = 1.0  # seconds after which a request gives its slot to the next one, and continues without a slot


class Slots:
    """At most `most` requests start at a time. A request that hangs keeps its slot for a second, so it cannot block the
    others. As each request has a timeout, the number of those without a slot is limited, too."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = most
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def taken(self, tries: int) -> AsyncIterator[None]:
        """A slot for the block. Of those that wait, the one with the fewest earlier `tries` is first."""
        await self._take(tries)
        slow = asyncio.get_running_loop().call_later(PATIENCE, self._pass_on)
        try:
            yield
        finally:
            if asyncio.get_running_loop().time() < slow.when():
                slow.cancel()
                self._pass_on()

    async def _take(self, tries: int) -> None:
        if self._free:
            self._free -= 1
            return
        turned = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (tries, next(self._order), turned))
        try:
            await turned
        except asyncio.CancelledError:
            if turned.done() and not turned.cancelled():
                self._pass_on()  # it got a slot at the moment when it was cancelled
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            turned = heapq.heappop(self._waiting)[2]
            if not turned.done():
                turned.set_result(None)
                return
        self._free += 1
