"""Cold start: from the start of a process to its first completed `pause`."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.figures import Figure, figure
from local.huggingface import ALL_SCOPES, HuggingFace
from local.scheduler import Scheduler
from local.secretmanager import SecretManager
from local.serve import listen, serve
from secret import TOKEN

HERE = Path(__file__).parent
MAIN = HERE.parents[1] / "functions" / "main.py"
SECRET = "projects/p/secrets/hf-token"


def figures(quick: bool) -> list[Figure]:
    """Milliseconds; every round starts each kind once, so that ratios are of neighbours."""
    runs: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "lifecycle.yaml").write_text("namespace: acme\nendpoints: {embeddings: {}}\n")
        hub, secrets, scheduler = HuggingFace(_now, tokens={TOKEN: ALL_SCOPES}), SecretManager(_now), Scheduler(_now)
        secrets.add(SECRET, TOKEN)
        hub.url = stack.enter_context(serve(hub))
        alone = {
            "PATH": os.environ["PATH"],
            "LIFECYCLE_CONFIG": str(folder / "lifecycle.yaml"),
            "HF_ENDPOINTS_URL": f"{hub.url}/v2",
            "SECRET_MANAGER_URL": stack.enter_context(serve(secrets)),
        }
        secret = {**alone, "HF_TOKEN_SECRET": f"{SECRET}/versions/latest"}
        scheduler_url = stack.enter_context(serve(scheduler))
        whole = {**secret, "SCHEDULER_PARENT": "projects/p/locations/l", "CLOUD_SCHEDULER_URL": scheduler_url}
        kinds = {
            "hello world": (HERE / "hello.py", alone),
            "straight with huggingface_hub": (HERE / "straight.py", secret),
            "pause": (MAIN, whole),
            "pause, no Cloud Scheduler": (MAIN, secret),
            "pause, HF_TOKEN, no Google client": (MAIN, {**alone, "HF_TOKEN": TOKEN}),
        }
        for _ in range(2 if quick else 9):
            for name, (source, environment) in kinds.items():
                hub.endpoints.clear()
                hub.add("embeddings", "running")
                runs.setdefault(name, []).append(_first_answer(source, environment) * 1000)
    hello, straight = runs["hello world"], runs["straight with huggingface_hub"]
    found = [figure(name, "ms", values, hello, "hello world") for name, values in runs.items()]
    return [
        *found,
        *(figure(name, "ms", runs[name], straight, "straight") for name in runs if name.startswith("pause")),
    ]


def _first_answer(source: Path, environment: dict[str, str]) -> float:
    with listen() as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "functions_framework", "--source", str(source), "--target", "pause"]
    begun = time.perf_counter()
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            return _ask(port) - begun
        finally:
            process.kill()


def _ask(port: int) -> float:
    body = json.dumps({"endpoints": ["embeddings"]}).encode()
    with httpx.Client(timeout=30) as client:
        while True:
            try:
                response = client.post(
                    f"http://127.0.0.1:{port}", content=body, headers={"Content-Type": "application/json"}
                )
            except httpx.TransportError:
                time.sleep(0.002)
                continue
            assert response.status_code == 200, response.text
            return time.perf_counter()


def _now() -> datetime:
    return datetime.now(UTC)
