"""Nothing to do: `reconcile` over endpoints that are as wanted, in a warm instance."""

import asyncio
import random
import resource
import sys
import time

from bench.figures import Figure, figure, single
from bench.stage import hub, world
from lifecycle.call import Caller
from lifecycle.request import Request
from lifecycle.service import Service

TEXT = "namespace: acme\nendpoints: {many: {name: many-*, hours: daily 00:00-24:00}}"


def figures(quick: bool) -> list[Figure]:
    found = []
    for count in (20, 500):
        with hub(count, "running") as url:
            found += asyncio.run(_reconcile(url, count, 3 if quick else 15))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return [*found, single("most memory of this process, benchmark included", "MiB", memory, 128, "128 MiB")]


async def _reconcile(url: str, count: int, runs: int) -> list[Figure]:
    service = Service(world(url, random.Random(1), TEXT))
    cpu, wall, requests = [], [], 0
    send = service.world.http.send

    async def counted(*args: object, **kwargs: object) -> object:
        nonlocal requests
        requests += 1
        return await send(*args, **kwargs)  # type: ignore[arg-type]

    service.world.http.send = counted  # type: ignore[assignment, method-assign]
    for number in range(runs + 1):
        begun, used = time.perf_counter(), time.process_time()
        answer = await service.reconcile(Request(("many",), everything=True), Caller("schedule"))
        assert answer.status == 200
        if number:
            wall.append((time.perf_counter() - begun) * 1000)
            cpu.append((time.process_time() - used) * 1000)
    pages = -(-count // 100)
    return [
        single(f"requests for {count}", "requests", requests / (runs + 1), pages, "list pages"),
        figure(f"processor time for {count}", "ms", cpu),
        figure(f"wall for {count}", "ms", wall),
    ]
