"""Fan-out: pausing many endpoints at 100 ms a call, against the ideal and against a loop."""

import asyncio
import random
import time

from bench.figures import Figure, single
from bench.stage import hub, world
from lifecycle.call import Caller
from lifecycle.huggingface import MOST_AT_ONCE
from lifecycle.request import Request
from lifecycle.service import Answer, Service
from local.faults import Fault

LATENCY = 0.1
SLOW = Fault("slow", seconds=LATENCY)


def figures(quick: bool) -> list[Figure]:
    """Seconds; ideal: the list's pages, then the calls, so many at a time."""
    found = []
    for count in (1, 10, 100) if quick else (1, 10, 100, 1000):
        pages = -(-count // 100)
        ideal = LATENCY * (pages + -(-count // MOST_AT_ONCE))
        wall, answer = _pause(count, SLOW)
        assert answer.status == 200
        found.append(single(f"pause {count}", "s", wall, ideal, "ideal"))
        found.append(single(f"pause {count}", "s", wall, LATENCY * (pages + count), "one after the other"))
    hanging = Fault("hang", "many-0003/pause", seconds=60)
    wall, answer = _pause(100, hanging, SLOW)
    others = sum(result.outcome == "done" and result.duration_ms < 5000 for result in answer.results)
    found.append(single("done at once beside one that hangs", "of 100", others))
    throttled = Fault("status", "/pause", times=30, status=429, headers={"Retry-After": "1"})
    wall, answer = _pause(100, throttled, SLOW)
    found.append(single("pause 100, 30 throttled for 1 s", "s", wall, LATENCY * (1 + 7), "ideal without"))
    return found


def _pause(count: int, *faults: Fault) -> tuple[float, Answer]:
    with hub(count, "running", *faults) as url:

        async def once() -> tuple[float, Answer]:
            service = Service(world(url, random.Random(1)))
            begun = time.perf_counter()
            answer = await service.act("pause", Request(("many",)), Caller())
            return time.perf_counter() - begun, answer

        return asyncio.run(once())
