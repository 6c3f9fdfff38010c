"""Room for requests: so many at a time, those that were tried less often first, and slow ones in nobody's way."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST_AT_ONCE = 16
PATIENCE = 1.0  # seconds after which a request leaves its slot to the next one, and goes on without it


class Slots:
    """So many requests start at a time. One that hangs holds a slot for a second, so it cannot stop the others; and
    as each ends within its own timeout, those that go on without a slot are bounded, too."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = most
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def taken(self, tries: int) -> AsyncIterator[None]:
        """A slot for what runs inside; of those that wait, the one with the fewest earlier `tries` is the first."""
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
                self._pass_on()  # it was given a slot in the moment in which it gave up
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            turned = heapq.heappop(self._waiting)[2]
            if not turned.done():
                turned.set_result(None)
                return
        self._free += 1
