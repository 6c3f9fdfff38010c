"""Retries: how often, how long, and never nested."""

import random
from datetime import UTC, datetime

import pytest

from lifecycle.errors import Failure
from lifecycle.retry import MOST_ATTEMPTS, retry, retry_after
from local.simulation.simulated_time import SimulatedLoop, play

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)


class Service:
    """Fails each time, retryable or not. `calls`: how often it was called."""

    def __init__(self, *, retryable: bool = True, retry_after: float | None = None) -> None:
        self.calls = 0
        self.retryable = retryable
        self.retry_after = retry_after

    async def call(self) -> None:
        self.calls += 1
        raise Failure("scripted", code="unavailable", retryable=self.retryable, retry_after=self.retry_after)

    async def tried(self, deadline: float = 1e6) -> None:
        await retry(self.call, deadline=deadline, rng=random.Random(1))


def failing(service: Service, *, within: bool = False, deadline: float = 1e6) -> float:
    """Tries until it is given up; seconds that it took."""
    loop = SimulatedLoop(BEGIN)

    async def work() -> None:
        if within:
            await retry(service.tried, deadline=deadline, rng=random.Random(1))
        else:
            await service.tried(deadline)

    with pytest.raises(Failure):
        play(loop, work())
    return loop.elapsed


def test_what_is_retryable_is_tried_five_times() -> None:
    service = Service()
    failing(service)
    assert service.calls == MOST_ATTEMPTS == 5


def test_what_is_final_is_tried_once() -> None:
    service = Service(retryable=False)
    failing(service)
    assert service.calls == 1


def test_tries_within_tries_do_not_multiply() -> None:
    service = Service()
    failing(service, within=True)
    assert service.calls == MOST_ATTEMPTS


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    service = Service(retry_after=30)
    assert failing(service, deadline=20) == 0
    assert service.calls == 1


def test_pauses_are_as_long_as_the_service_asks() -> None:
    assert failing(Service(retry_after=3)) == 3 * (MOST_ATTEMPTS - 1)


@pytest.mark.parametrize("asked", ["99999999999", "Sun, 24 Jan 2027 00:00:00 GMT"])
def test_a_service_may_ask_for_a_day_at_most(asked: str) -> None:
    assert retry_after({"retry-after": asked, "date": "Tue, 24 Nov 2026 00:00:00 GMT"}) == 86_400
