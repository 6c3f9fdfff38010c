"""Money: what the system itself costs a month on Google Cloud, in dollars, without the free tiers.

Prices, as listed in November 2026 (cloud.google.com/run/pricing, /scheduler/pricing, /secret-manager/pricing,
/pubsub/pricing), region tier 1: a vCPU second 0.000024, a GiB second 0.0000025, a million requests 0.40, a job a month
0.10, a secret version a month 0.06, ten thousand accesses 0.03.
"""

import asyncio
import random
import time

from bench.figures import Figure, single
from bench.stage import hub, world
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Service

CPU_SECOND, GIB_SECOND, REQUEST = 0.000024, 0.0000025, 0.40 / 1e6
JOB, SECRET_VERSION, ACCESS = 0.10, 0.06, 0.03 / 10_000
PASSES = 6 * 24 * 30.4  # every ten minutes
MEMORY = 0.5  # GiB
COLD = 1.0  # seconds that a start adds, at the most
TEXT = "namespace: acme\nendpoints: {many: {name: many-*, hours: daily 00:00-24:00}}"


def figures(_quick: bool) -> list[Figure]:
    """A month of reconcile runs every ten minutes, each billed to the next 100 ms, all cold; and of five jobs."""
    found = []
    for count in (10, 100, 1000):
        with hub(count, "running") as url:
            seconds = asyncio.run(_pass(url))
        billed = -(-(seconds + COLD) * 10 // 1) / 10
        runs = PASSES * billed * (CPU_SECOND + MEMORY * GIB_SECOND) + PASSES * (REQUEST + ACCESS)
        jobs = 5 * JOB + SECRET_VERSION
        found.append(single(f"{count} endpoints", "$ a month", runs + jobs, 0.8, "an hour of one L4"))
    return found


async def _pass(url: str) -> float:
    service = Service(world(url, random.Random(1), TEXT))
    begun = time.perf_counter()
    await service.handle("reconcile", b'{"endpoints": ["*"]}', Caller("schedule"))
    return time.perf_counter() - begun
