"""Failures of services: retryable or final."""

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Failure(Exception):
    """Something that a service did not do. What a caller needs to act:

    `retryable`: the same call may succeed later. `code`: a word for logs and alerts. `retry_after`: seconds that the
    service asked for. `ambiguous`: the service may have done it all the same. `exhausted`: the tries of this call are
    used up, so nothing around it tries again. The message never holds a secret.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool,
        retry_after: float | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        self.exhausted = False


def timed_out(what: str, code: str = "timeout") -> Failure:
    return Failure(f"{what}: no answer in time", code=code, retryable=True, ambiguous=True)


async def catch_failure(work: Awaitable[object]) -> Failure | None:
    """How the work failed, if it did."""
    try:
        await work
    except Failure as failure:
        return failure
    return None
