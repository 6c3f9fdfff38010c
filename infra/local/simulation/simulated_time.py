"""An event loop on which waiting costs nothing: when nothing is ready, its clock jumps to the next timer."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Instead of waiting for input, moves the loop's clock. There is no input: no sockets, no threads."""

    loop: "SimulatedLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        self.loop.elapsed += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`elapsed`: seconds since its beginning."""

    def __init__(self, begin: datetime) -> None:
        self.elapsed = 0.0
        self.begin = begin
        self._now = 0.0, begin
        selector = _Jump()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        if self._now[0] != self.elapsed:
            self._now = self.elapsed, self.begin + timedelta(seconds=self.elapsed)
        return self._now[1]


def play(loop: SimulatedLoop, work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on the simulated loop; what it left behind is cancelled."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(_cancelled())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _cancelled() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
