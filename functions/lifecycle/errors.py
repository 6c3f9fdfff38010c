"""Failures of services: retryable or final."""

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Failure(Exception):
    """A service did not do something. The message never contains a secret.

    `retryable`: the same call may succeed later. `code`: the kind, for logs and alerts. `retry_after`: seconds that the
    service asked for. `ambiguous`: the service may have done it. `exhausted`: this call has no attempts left, so its
    callers do not retry either.
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
    """The failure of the work; None: it succeeded."""
    try:
        await work
    except Failure as failure:
        return failure
    return None
