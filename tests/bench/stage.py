"""What the measured code stands on: the environment that is deployed, and a hub in a process of its own, so that the
two do not share a processor's time."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lifecycle.app import http_client
from lifecycle.config import settings
from lifecycle.engine.dependencies import Dependencies
from lifecycle.huggingface.credentials import Token
from local.servers.faults import Fault
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.serve import serve
from support.secret import TOKEN

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
DEPLOYED = ROOT / "build" / "deployed" / "bin" / "python"  # with requirements.txt and nothing else; made by make


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def hub(count: int, state: str, *faults: Fault) -> Iterator[str]:
    """The URL of a hub with so many endpoints, `many-0000` and on."""
    near, far = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(far, count, state, faults), daemon=True)
    process.start()
    try:
        yield near.recv()
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection, count: int, state: str, faults: tuple[Fault, ...]) -> None:
    made = HuggingFace(now, tokens={TOKEN: ALL_SCOPES}, quota=10_000)
    for number in range(count):
        made.add(f"many-{number:04}", state, min_replica=1)
    for fault in faults:
        made.faults.add(fault)
    with serve(made) as url:
        made.url = url
        pipe.send(url)
        pipe.recv()


def world(url: str, rng: Any, text: str = "namespace: acme\nendpoints: {many: {name: many-*}}") -> Dependencies:
    """The product on that hub, without Cloud Scheduler."""

    async def read(_deadline: float) -> str:
        return TOKEN

    return Dependencies(
        settings=settings.parse(text.encode()),
        http=http_client(),
        token=Token(read, now, ages=False),
        base=f"{url}/v2",
        jobs=None,
        prefix="lifecycle",
        now=now,
        rng=rng,
    )
