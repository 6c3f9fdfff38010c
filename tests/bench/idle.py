"""Nothing to do: `reconcile` over endpoints that are as wanted, in a warm process of its own, as it is deployed."""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.figures import Figure, figure, single
from bench.stage import DEPLOYED, FUNCTIONS, now
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import serve
from support.processes import PARENT, SECRET, process
from support.secret import TOKEN

TEXT = "namespace: acme\nendpoints: {many: {name: many-*, hours: daily 00:00-24:00}}"
SOURCE = Path(__file__).parent / "measured.py"
MEBIBYTE = 1024**2 if sys.platform == "darwin" else 1024  # in the units of ru_maxrss


class Counted:
    """A server that counts its requests."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += scope["type"] == "http"
        await self.app(scope, receive, send)


def figures(quick: bool) -> list[Figure]:
    """With Secret Manager and Cloud Scheduler; the memory is that of the whole process."""
    return [found for count in (20, 500) for found in _reconcile(count, 3 if quick else 15)]


def _reconcile(count: int, runs: int) -> list[Figure]:
    hub, secrets = HuggingFace(now, tokens={TOKEN: ALL_SCOPES}), SecretManager(now)
    secrets.add(SECRET, TOKEN)
    for number in range(count):
        hub.add(f"many-{number:04}", "running", min_replica=1)
    counted = [Counted(hub), Counted(Scheduler(now))]
    cpu, wall = [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "lifecycle.yaml").write_text(TEXT)
        hub_url, scheduler_url = (stack.enter_context(serve(app)) for app in counted)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(FUNCTIONS),
            "LIFECYCLE_CONFIG": str(folder / "lifecycle.yaml"),
            "HF_TOKEN_SECRET": f"{SECRET}/versions/latest",
            "HF_ENDPOINTS_URL": f"{hub_url}/v2",
            "SCHEDULER_PARENT": PARENT,
            "CLOUD_SCHEDULER_URL": scheduler_url,
            "SECRET_MANAGER_URL": stack.enter_context(serve(secrets)),
        }
        url = stack.enter_context(process("reconcile", environment, folder, source=SOURCE, python=str(DEPLOYED)))
        with httpx.Client(timeout=60) as client:
            for number in range(runs + 1):
                begun, before = time.perf_counter(), sum(app.requests for app in counted)
                response = client.post(url, json={"endpoints": ["*"]})
                assert response.status_code == 200, response.text
                requests = sum(app.requests for app in counted) - before
                if number:  # the first call imports
                    wall.append((time.perf_counter() - begun) * 1000)
                    cpu.append(float(response.headers["X-CPU-Seconds"]) * 1000)
    memory = int(response.headers["X-Peak-Memory"]) / MEBIBYTE
    pages = -(-count // 100)
    return [
        single(f"requests for {count}", "requests", requests, pages + 1, "list pages + 1"),
        figure(f"processor time for {count}", "ms", cpu),
        figure(f"wall for {count}", "ms", wall),
        single(f"most memory with {count}", "MiB", memory, 128, "128 MiB"),
    ]
