"""Failures, passing or final, and trying again while there is time."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

MOST_ATTEMPTS = 5
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds


class Failure(Exception):
    """Something that a service did not do. What a caller needs to act:

    `passing`: the same call may succeed later. `code`: a word for logs and alerts. `retry_after`: seconds that the
    service asked for. `ambiguous`: the service may have done it all the same. The message never holds a secret.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        passing: bool,
        retry_after: float | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after
        self.ambiguous = ambiguous


def out_of_time(what: str) -> Failure:
    return Failure(f"{what}: no answer in time", code="timeout", passing=True, ambiguous=True)


async def failure_of(work: Awaitable[object]) -> Failure | None:
    """How the work failed, if it did."""
    try:
        await work
    except Failure as failure:
        return failure
    return None


@asynccontextmanager
async def within(what: str, deadline: float) -> AsyncIterator[None]:
    """Ends what runs inside at `deadline` (the event loop's clock) with a passing `Failure`."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise out_of_time(what) from None


async def patiently(attempt: Callable[[], Awaitable[T]], *, deadline: float, chance: random.Random) -> T:
    """The result of `attempt`, tried again after passing failures: with growing, jittered pauses (or as long as the
    service asked), at most five times, and never beyond `deadline` (the event loop's clock, seconds)."""
    clock = asyncio.get_running_loop().time
    for count in range(MOST_ATTEMPTS):
        try:
            return await attempt()
        except Failure as failure:
            longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**count)
            pause = failure.retry_after or chance.uniform(longest / 2, longest)
            if not failure.passing or count == MOST_ATTEMPTS - 1 or clock() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns or raises")
