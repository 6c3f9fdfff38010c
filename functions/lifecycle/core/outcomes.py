"""The HTTP status and Retry-After of a call, from its results. Pure."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lifecycle.core.model import Result

REFUSED = frozenset({"held", "protected", "budget", "too_many"})
UNREADABLE = frozenset({"token_unreadable", "memory_unavailable"})
SHORTEST_WAIT = 30  # seconds, after a failure
SHORTEST_START, LONGEST_START = 5, 600  # seconds
NO_STARTS: Mapping[str, float] = MappingProxyType({})
STARTS_WITHIN = 60  # seconds, where it is not known how long a start takes


def http_status(results: Sequence[Result]) -> int:
    """The first that applies: 503 (retryable), 409 (refused), 502 (final), 202 (starting), 200."""
    failed = [result for result in results if result.outcome == "failed"]
    if any(result.retryable or result.code in UNREADABLE for result in failed):
        return 503
    if any(result.code in REFUSED for result in failed):
        return 409
    if failed:
        return 502
    return 202 if any(result.outcome == "pending" for result in results) else 200


def retry_after(status: int, results: Sequence[Result], starts: Mapping[str, float] = NO_STARTS) -> int | None:
    """Seconds after which a caller should ask again, for 503 and 202. `starts`: how long endpoints took to start."""
    if status == 503:
        return max([SHORTEST_WAIT, *(int(result.retry_after or 0) for result in results)])
    if status != 202:
        return None
    known = [starts[name] for name in pending(results) if name in starts]
    return min(max(math.ceil(max(known)), SHORTEST_START), LONGEST_START) if known else STARTS_WITHIN


def pending(results: Sequence[Result]) -> list[str]:
    return [result.name for result in results if result.outcome == "pending"]
