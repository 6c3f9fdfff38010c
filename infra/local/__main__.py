"""Everything for real on one machine: the functions in their processes, and the services that they talk to.

`make local` runs it. With HF_TOKEN set and HF_ENDPOINTS_URL unset it works on the real Hugging Face.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local.servers.endpoints import Durations
from local.servers.gateway import Gateway
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import listen, serving, url_of

PORT = int(os.environ.get("PORT") or 8080)
FUNCTIONS = ("pause", "resume", "warm", "reconcile", "platform_event", "status")
ROOT = Path(__file__).parents[2]
SECRET = "projects/local/secrets/hf-token"
PARENT = "projects/local/locations/europe-west1"
INVOKER = "scheduler@local.iam.gserviceaccount.com"
QUICK = Durations(pending=1, resume=10, wake=6, update=5, load=2)
STARTS_WITHIN, STOPS_WITHIN = 50.0, 3.0  # seconds


class Trouble(Exception):
    """Why it cannot go on, in one line."""


async def main() -> None:
    """Starts everything, says where it answers, and stops when asked to."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(limits=httpx.Limits(max_connections=None)))
        scheduler, manager = Scheduler(_now, client), SecretManager(_now)
        scheduler_url = await stack.enter_async_context(serving(scheduler, listen()))
        secrets_url = await stack.enter_async_context(serving(manager, listen()))
        hub_url, token = await _hub(stack, manager)
        environment = {
            **os.environ,
            **token,
            "SCHEDULER_PARENT": PARENT,
            "CLOUD_SCHEDULER_URL": scheduler_url,
            "SECRET_MANAGER_URL": secrets_url,
            "FUNCTIONS_URL": f"http://127.0.0.1:{PORT}/{{name}}",
            "INVOKER_SERVICE_ACCOUNT": INVOKER,
        }
        try:
            front = listen(PORT)
        except OSError:
            raise Trouble(f"port {PORT} is in use; stop what uses it, or set PORT") from None
        ports = await _functions(stack, environment)
        await stack.enter_async_context(serving(Gateway(ports, client), front))
        clock = asyncio.create_task(scheduler.run())
        stack.callback(clock.cancel)
        await _sync(environment)
        _tell(hub_url, scheduler_url, secrets_url)
        await stop.wait()
        print("stopping", flush=True)


async def _hub(stack: contextlib.AsyncExitStack, manager: SecretManager) -> tuple[str, dict[str, str]]:
    """Hugging Face's URL, and the variables for the functions: the real one, or a local one with some endpoints."""
    if os.environ.get("HF_TOKEN") and not os.environ.get("HF_ENDPOINTS_URL"):
        return "the real one", {"HF_TOKEN_SECRET": ""}
    token = f"hf_{secrets.token_hex(8)}"
    manager.add(SECRET, token)
    listening = listen()
    hub = HuggingFace(_now, tokens={token: ALL_SCOPES}, url=url_of(listening))
    hub.add("embeddings-prod", "paused", durations=QUICK, min_replica=0, max_replica=2, scale_to_zero_minutes=15)
    for name, state in (("dev-a", "running"), ("dev-b", "paused"), ("forgotten", "running")):
        hub.add(name, state, durations=QUICK, tags=["dev"] if name.startswith("dev") else [], last_used=_now())
    url = await stack.enter_async_context(serving(hub, listening))
    return url, {"HF_TOKEN_SECRET": f"{SECRET}/versions/latest", "HF_TOKEN": "", "HF_ENDPOINTS_URL": f"{url}/v2"}


async def _functions(stack: contextlib.AsyncExitStack, environment: Mapping[str, str]) -> dict[str, str]:
    """The functions' URLs, each served by a process of its own."""
    urls = {}
    processes: list[asyncio.subprocess.Process] = []
    stack.push_async_callback(_stopped, processes)
    for name in FUNCTIONS:
        with listen() as free:
            port = free.getsockname()[1]
        urls[name] = f"http://127.0.0.1:{port}"
        command = (
            *(sys.executable, "-m", "functions_framework", "--source", str(ROOT / "functions/main.py")),
            *("--target", name, "--host", "127.0.0.1", "--port", str(port)),
        )
        # A group of its own: Ctrl-C reaches this process alone, which then stops the others.
        process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
        processes.append(process)
        stack.callback(_watch(name, process).cancel)
    async with asyncio.timeout(STARTS_WITHIN):
        await asyncio.gather(*(_listens(url) for url in urls.values()))
    return urls


def _watch(name: str, process: asyncio.subprocess.Process) -> "asyncio.Task[None]":
    async def watch() -> None:
        code = await process.wait()
        print(f"{name} ended with {code}; what it said is above", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    return asyncio.create_task(watch())


async def _listens(url: str) -> None:
    """Returns when the function has loaded and listens; a request would be one of its log lines."""
    where = httpx.URL(url)
    while True:
        try:
            _, writer = await asyncio.open_connection(where.host, where.port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def _stopped(processes: list[asyncio.subprocess.Process]) -> None:
    """Ends them all: asked first, and after a moment not asked any more."""
    running = [process for process in processes if process.returncode is None]
    for process in running:
        process.terminate()
    waiting = [asyncio.create_task(process.wait()) for process in running]
    if waiting:
        await asyncio.wait(waiting, timeout=STOPS_WITHIN)
    for process in running:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    await asyncio.gather(*waiting)


async def _sync(environment: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "lifecycle.cli", "sync", env=environment)
    if await process.wait():
        raise Trouble("`lifecycle sync` failed; what it said is above")


def _tell(hub: str, scheduler: str, manager: str) -> None:
    here = f"http://127.0.0.1:{PORT}"
    event = (
        '\'{"message": {"attributes": {"platform": "main", "event": "%s"}, "messageId": "1", '
        '"publishTime": "\'$(date -u +%%Y-%%m-%%dT%%H:%%M:%%SZ)\'"}, "subscription": "local"}\''
    )
    post = "curl -X POST -H 'Content-Type: application/json'"
    gcloud = (
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDSCHEDULER={scheduler}/ CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true "
        "CLOUDSDK_CORE_PROJECT=local gcloud scheduler jobs list --location europe-west1"
    )
    print(
        f"""
page             {here}
functions        {here}/pause, /resume, /warm, /reconcile, /platform_event, /status
Hugging Face     {hub}
Cloud Scheduler  {scheduler}
Secret Manager   {manager}

Try, in another terminal:
  curl {here}/status
  {post} {here}/pause -d '{{"endpoints": ["playground"]}}'
  {post} {here}/resume -d '{{"endpoints": ["embeddings"], "for": "2h"}}'
  {post} {here}/warm -d '{{"endpoints": ["embeddings"]}}'
  {post} {here}/platform_event -d {event % "stopped"}
  {post} {here}/platform_event -d {event % "started"}
  FUNCTIONS_URL={here}/{{name}} .venv/bin/lifecycle status
  {gcloud}

Ctrl-C stops everything.
""",
        flush=True,
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        sys.exit(1)
    except TimeoutError:
        print(f"the functions did not start within {STARTS_WITHIN:.0f} s", file=sys.stderr)
        sys.exit(1)
