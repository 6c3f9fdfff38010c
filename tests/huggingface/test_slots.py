"""Slots for requests: limited, fair, and never blocked by a request that hangs."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from lifecycle.huggingface.slots import PATIENCE, Slots
from local.simulation.simulated_time import SimulatedLoop, play


def elapsed(work: Coroutine[Any, Any, None]) -> float:
    loop = SimulatedLoop(datetime(2026, 11, 24, tzinfo=UTC))
    play(loop, work)
    return loop.elapsed


async def request(slots: Slots, seconds: float, log: list[str], name: str = "", tries: int = 0) -> None:
    async with slots.taken(tries):
        log.append(f"begin {name}")
        await asyncio.sleep(seconds)
        log.append(f"end {name}")


def test_quick_requests_are_so_many_at_a_time() -> None:
    slots, log = Slots(2), list[str]()

    async def work() -> None:
        await asyncio.gather(*(request(slots, 0.5, log) for _ in range(10)))

    assert elapsed(work()) == 2.5


def test_a_request_that_hangs_holds_a_slot_for_a_second() -> None:
    slots, log = Slots(1), list[str]()

    async def work() -> None:
        hangs = asyncio.create_task(request(slots, 600, log, "hangs"))
        await asyncio.gather(*(request(slots, 0.1, log, "quick") for _ in range(3)))
        hangs.cancel()

    assert round(elapsed(work()), 3) == PATIENCE + 0.3
    assert log.count("end quick") == 3


def test_what_was_tried_less_often_comes_first() -> None:
    slots, log = Slots(1), list[str]()

    async def work() -> None:
        tries = [0, 2, 1, 0]
        await asyncio.gather(*(request(slots, 0.1, log, f"{n}", n) for n in tries))

    elapsed(work())
    assert [line for line in log if line.startswith("begin")] == ["begin 0", "begin 0", "begin 1", "begin 2"]


def test_who_gives_up_waiting_takes_no_slot_along() -> None:
    slots, log = Slots(1), list[str]()

    async def work() -> None:
        first = asyncio.create_task(request(slots, 0.5, log, "first"))
        waits = asyncio.create_task(request(slots, 0.5, log, "waits"))
        await asyncio.sleep(0.1)
        waits.cancel()
        await first
        await request(slots, 0.1, log, "last")

    elapsed(work())
    assert log == ["begin first", "end first", "begin last", "end last"]


def test_a_slow_request_that_ends_frees_no_second_slot() -> None:
    slots, log = Slots(1), list[str]()

    async def work() -> None:
        await request(slots, 2 * PATIENCE, log)
        await asyncio.gather(*(request(slots, 0.5, log) for _ in range(2)))

    assert elapsed(work()) == 2 * PATIENCE + 1
