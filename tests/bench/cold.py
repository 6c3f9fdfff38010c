"""Cold start: from the start of a process to its first completed `pause`, and where the time goes, by import."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.figures import Figure, figure
from bench.stage import DEPLOYED, FUNCTIONS, now
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import listen, serve
from support.secret import TOKEN

HERE = Path(__file__).parent
MAIN = FUNCTIONS / "main.py"
SECRET = "projects/p/secrets/hf-token"
# What a call imports, in its order; each is timed on top of the ones before it.
IMPORTS = {
    "functions-framework": "functions_framework",
    "asyncio and httpx": "asyncio, ssl, httpx, httpcore, anyio._backends._asyncio",
    "PyYAML, cronsim, zoneinfo": "yaml, cronsim, zoneinfo",
    "this project's own modules": "lifecycle.app, lifecycle.web.handler",
    "google-cloud-secret-manager": "google_crc32c, google.cloud.secretmanager_v1",
    "google-cloud-scheduler": "google.cloud.scheduler_v1",
}


def figures(quick: bool) -> list[Figure]:
    """Milliseconds; every round starts each kind once, so that ratios are of neighbors.

    The functions run on what is deployed and nothing else; the baseline on the environment that has huggingface_hub.
    """
    rounds = 2 if quick else 9
    runs: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "lifecycle.yaml").write_text("namespace: acme\nendpoints: {embeddings: {}}\n")
        hub, secrets, scheduler = HuggingFace(now, tokens={TOKEN: ALL_SCOPES}), SecretManager(now), Scheduler(now)
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
        kinds: dict[str, tuple[str | Path, Path, dict[str, str]]] = {
            "hello world": (DEPLOYED, HERE / "hello.py", alone),
            "straight, Secret Manager": (sys.executable, HERE / "straight.py", secret),
            "pause, Secret Manager": (DEPLOYED, MAIN, secret),
            "pause, Secret Manager and Cloud Scheduler": (DEPLOYED, MAIN, whole),
            "pause, HF_TOKEN": (DEPLOYED, MAIN, {**alone, "HF_TOKEN": TOKEN}),
        }
        for number in range(rounds + 1):
            for name, (python, source, environment) in kinds.items():
                hub.endpoints.clear()
                hub.add("embeddings", "running")
                took = _first_answer(python, source, environment) * 1000
                if number:  # the first round only warms the disk's cache
                    runs.setdefault(name, []).append(took)
    hello, straight = runs["hello world"], runs["straight, Secret Manager"]
    return [
        *(figure(name, "ms", values, hello, "hello world") for name, values in runs.items()),
        *(figure(name, "ms", runs[name], straight, "straight") for name in runs if name.startswith("pause")),
        *_imports(rounds),
    ]


def _imports(rounds: int) -> list[Figure]:
    parts = "".join(f"import {names}\ntimes.append(time.perf_counter())\n" for names in IMPORTS.values())
    script = f"import json, time\ntimes = [time.perf_counter()]\n{parts}print(json.dumps(times))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS)}
    found: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        output = subprocess.run([DEPLOYED, "-c", script], env=environment, capture_output=True, check=True).stdout
        times = json.loads(output)
        for name, begun, ended in zip(IMPORTS, times, times[1:], strict=False):
            found[name].append((ended - begun) * 1000)
    return [figure(f"importing {name}", "ms", values) for name, values in found.items()]


def _first_answer(python: str | Path, source: Path, environment: Mapping[str, str]) -> float:
    with listen() as free:
        port = free.getsockname()[1]
    command = [str(python), "-m", "functions_framework", "--source", str(source), "--target", "pause"]
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
                time.sleep(0.002)  # asks often, because the first answer of a starting process is what is measured
                continue
            assert response.status_code == 200, response.text
            return time.perf_counter()
