"""Fan-out: pausing and resuming many endpoints at 100 ms a call, against the ideal and against a loop."""

import asyncio
import os
import random
import subprocess
import sys
import time
from functools import partial

from bench.figures import Figure, single
from bench.stage import hub, world
from lifecycle.engine.dependencies import Caller, Verb
from lifecycle.engine.service import Answer, Service
from lifecycle.huggingface.slots import MOST_AT_ONCE
from local.servers.faults import Fault
from support.secret import TOKEN

LATENCY = 0.1
SLOW = Fault("slow", seconds=LATENCY)
VERBS: tuple[tuple[Verb, str], ...] = (("pause", "running"), ("resume", "paused"))  # and the state before
LOOPED = 10  # endpoints that the loop pauses
# The command `hf`, on the local hub.
HF = "import sys, huggingface_hub.constants as c; c.INFERENCE_ENDPOINTS_ENDPOINT = sys.argv.pop(1); " \
     "from huggingface_hub.cli.hf import main; main()"  # fmt: skip


def figures(quick: bool) -> list[Figure]:
    """Seconds; ideal: the list's pages, then the calls, so many at a time."""
    found = []
    each = _loop() / LOOPED
    for count in (1, 10, 100) if quick else (1, 10, 100, 1000):
        ideal = LATENCY * (-(-count // 100) + -(-count // MOST_AT_ONCE))
        for verb, state in VERBS:
            wall, answer = _all(count, verb, state, SLOW)
            assert answer.status == (200 if verb == "pause" else 202)
            measured = partial(single, f"{verb} {count}", "s", wall)
            found.append(measured(ideal, "the ideal"))
            if verb == "pause":
                found.append(measured(each * count, "a loop over `hf endpoints pause`"))
    hanging = Fault("hang", "many-0003/pause", seconds=60)
    wall, answer = _all(100, "pause", "running", hanging, SLOW)
    others = sum(result.outcome == "done" and result.duration_ms < 5000 for result in answer.results)
    found.append(single("done within 5 s beside one that hangs", "of 100", others))
    throttled = Fault("status", "/pause", times=30, status=429, headers={"Retry-After": "1"})
    wall, answer = _all(100, "pause", "running", throttled, SLOW)
    assert answer.status == 200
    found.append(single("pause 100, 30 throttled for 1 s", "s", wall, LATENCY * (1 + 7), "the ideal without"))
    return found


def _all(count: int, verb: Verb, state: str, *faults: Fault) -> tuple[float, Answer]:
    with hub(count, state, *faults) as url:

        async def once() -> tuple[float, Answer]:
            service = Service(world(url, random.Random(1)))
            begun = time.perf_counter()
            answer = await service.handle(verb, b'{"endpoints": ["many"]}', Caller())
            return time.perf_counter() - begun, answer

        return asyncio.run(once())


def _loop() -> float:
    """Seconds of a shell's loop over the official command line, for `LOOPED` endpoints."""
    with hub(LOOPED, "running", SLOW) as url:
        begun = time.perf_counter()
        for number in range(LOOPED):
            command = [sys.executable, "-c", HF, f"{url}/v2", "endpoints", "pause", f"many-{number:04}"]
            environment = {"PATH": os.environ["PATH"], "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_TELEMETRY": "1"}
            subprocess.run([*command, "--namespace", "acme"], env=environment, capture_output=True, check=True)
        return time.perf_counter() - begun
