"""Retries within a deadline: back-off with jitter, and Retry-After."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

from lifecycle.errors import Failure, T, timed_out

MOST_ATTEMPTS = 5

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds
LONGEST_WAIT = 86_400.0  # seconds; callers get no longer wait


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After (RFC 9110) or the Hub's `ratelimit: "api";r=0;t=55`; at most a day."""
    seconds = _asked_for(headers)
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def _asked_for(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:6])
    if value:
        try:
            # Relative to the answer's own Date, so that two clocks are not compared.
            until = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", value))
            return max(0.0, until.total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    for part in headers.get("ratelimit", "").split(";"):
        name, _, seconds = part.strip().partition("=")
        if name == "t" and seconds.isascii() and seconds.isdigit():
            return float(seconds[:6])
    return None


@asynccontextmanager
async def time_limit(what: str, deadline: float, code: str = "timeout") -> AsyncIterator[None]:
    """Ends the block at `deadline` (the event loop's clock) with a retryable `Failure`."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise timed_out(what, code) from None


async def retry(attempt: Callable[[], Awaitable[T]], *, deadline: float, rng: random.Random) -> T:
    """The result of `attempt`, which is retried after retryable failures: at most five times, with growing, jittered
    pauses (or as long as the service asked), and never after `deadline` (the event loop's clock, seconds).

    A failure that a retry inside of `attempt` gave up is not retried again, so attempts do not multiply.
    """
    clock = asyncio.get_running_loop().time
    for count in range(MOST_ATTEMPTS):
        try:
            return await attempt()
        except Failure as failure:
            longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**count)
            pause = failure.retry_after or rng.uniform(longest / 2, longest)
            last = count == MOST_ATTEMPTS - 1 or clock() + pause >= deadline
            failure.exhausted = failure.exhausted or last
            if failure.exhausted or not failure.retryable:
                raise
        await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns or raises")
