"""Everything for real on one machine: the functions in their processes, and the services that they talk to.

`make local` runs it, and never leaves the machine. `make real` runs it with `--real`: the same functions and Google's
services as before, but the real Hugging Face with HF_TOKEN, in dry run unless DRY_RUN=false.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from lifecycle.config import environment, settings, yaml12
from lifecycle.config.schema import Invalid
from lifecycle.core.entries import Settings
from local.intro import intro
from local.namespace import endpoints
from local.processes import STARTS_WITHIN, functions
from local.servers.endpoints import Durations
from local.servers.gateway import Gateway
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.logging import Logging
from local.servers.monitoring import METRICS, Monitoring
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import listen, serving, url_of

USUAL_PORT = "8080"  # that of `make shell`, too
PORT = os.environ.get("PORT") or USUAL_PORT
ROOT = Path(__file__).parents[2]
SHELL = ROOT / f"build/local-{PORT}.env"  # what `make shell` reads while this runs
SECRET = "projects/local/secrets/hf-token"
PARENT = "projects/local/locations/europe-west1"
VIEW = f"{PARENT}/buckets/lifecycle/views/lifecycle"
INVOKER = "scheduler@local.iam.gserviceaccount.com"
QUICK = Durations(pending=1, resume=10, wake=6, update=5, load=2)
# Variables that would lead a process to other services than the local ones. Proxies are not used for loopback.
ELSEWHERE = (
    *("HF_", "CLOUD_", "SECRET_MANAGER_", "SCHEDULER_", "LOGGING_", "MONITORING_", "GOOGLE_"),
    *("LIFECYCLE_", "JOB_", "FUNCTIONS_", "INVOKER_", "IAP_", "K_"),
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class Trouble(Exception):
    """It cannot start, and why, in one line."""


async def main(*, real: bool = False) -> None:
    """Starts everything, prints the URLs, and stops on Ctrl-C."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        config, found = _settings(Path(stack.enter_context(tempfile.TemporaryDirectory())), real=real)
        client = httpx.AsyncClient(limits=httpx.Limits(max_connections=None), trust_env=False)
        await stack.enter_async_context(client)
        monitoring = Monitoring(_now, METRICS)
        logs = Logging(_now, parents=[VIEW], routes=[monitoring.count])
        scheduler, manager = Scheduler(_now, client), SecretManager(_now)
        google = {
            "CLOUD_SCHEDULER_URL": await stack.enter_async_context(serving(scheduler, listen())),
            "SECRET_MANAGER_URL": await stack.enter_async_context(serving(manager, listen())),
            "CLOUD_LOGGING_URL": await stack.enter_async_context(serving(logs, listen())),
            "CLOUD_MONITORING_URL": await stack.enter_async_context(serving(monitoring, listen())),
        }
        hub = await _real_hub(manager) if real else await _local_hub(stack, manager, found)
        here = f"http://127.0.0.1:{PORT}"
        shell = {
            "FUNCTIONS_URL": f"{here}/{{name}}",
            "LIFECYCLE_CONFIG": str(config),
            "SCHEDULER_PARENT": PARENT,
            "INVOKER_SERVICE_ACCOUNT": INVOKER,
            "LOGGING_PARENT": VIEW,
            "MONITORING_PARENT": "projects/local",
            **google,
        }
        variables = {
            **_machine(real=real),
            **shell,
            **hub,
            "HF_TOKEN": "",
            "HF_TOKEN_SECRET": f"{SECRET}/versions/latest",
        }
        try:
            front = listen(int(PORT))
        except (ValueError, OverflowError):
            raise Trouble(f"PORT={PORT}: ports are 1 to 65535") from None
        except OSError:
            raise Trouble(f"port {PORT} is in use; stop what uses it, or set PORT") from None
        ports = await functions(stack, variables, logs.line)
        await stack.enter_async_context(serving(Gateway(ports, client), front))
        clock = asyncio.create_task(scheduler.run())
        stack.callback(clock.cancel)
        await _sync(variables)
        # `init` reads the namespace itself; a real token stays where it is.
        stack.enter_context(_shell(shell if real else {**shell, **hub}))
        places = {
            "Hugging Face": hub.get("HF_ENDPOINTS_URL", environment.API).removesuffix("/v2"),
            "Cloud Scheduler": google["CLOUD_SCHEDULER_URL"],
            "Secret Manager": google["SECRET_MANAGER_URL"],
            "Cloud Logging": google["CLOUD_LOGGING_URL"],
            "Cloud Monitoring": google["CLOUD_MONITORING_URL"],
        }
        words = "make -s shell" if PORT == USUAL_PORT else f"make -s shell PORT={PORT}"
        print(intro(here, places, found, f'eval "$({words})"') + (_loud(found) if real else ""), flush=True)
        await stop.wait()
        print("stopping", flush=True)


def _settings(folder: Path, *, real: bool) -> tuple[Path, Settings]:
    """The settings that SETTINGS names, else the sample; with `dry_run: true` for `make real`, unless DRY_RUN=false."""
    path = Path(os.environ.get("SETTINGS") or environment.SETTINGS).resolve()
    try:
        found = settings.parse(path.read_bytes())
        if real and os.environ.get("DRY_RUN") != "false":
            document, _ = yaml12.load(path.read_bytes())
            path = folder / path.name
            path.write_text(json.dumps({**document, "dry_run": True}))  # JSON is YAML
            found = settings.parse(path.read_bytes())
    except OSError as error:
        raise Trouble(f"{path}: cannot be read: {error.strerror}") from None
    except Invalid as error:
        raise Trouble(f"{path}:\n{error}") from None
    return path, found


def _machine(*, real: bool) -> dict[str, str]:
    """This process's variables without those that lead to other services; the real Hugging Face may need a proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    if not real:
        kept = {name: value for name, value in kept.items() if name.lower() not in PROXIES}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


async def _local_hub(stack: contextlib.AsyncExitStack, manager: SecretManager, found: Settings) -> dict[str, str]:
    token = f"hf_{secrets.token_hex(8)}"
    manager.add(SECRET, token)
    listening = listen()
    hub = HuggingFace(_now, namespace=found.namespace, tokens={token: ALL_SCOPES}, url=url_of(listening), quota=1000)
    for made in endpoints(found):
        scaling = made.entry.scaling if made.entry else None
        after = scaling.scale_to_zero_after if scaling else None
        hub.add(
            made.name,
            "running" if made.running else "paused",
            type="public",  # so that `curl $HF_ENDPOINT_URL` needs no token
            durations=QUICK,
            tags=list(made.tags),
            last_used=_now(),
            min_replica=(scaling and scaling.min_replicas) or 0,
            max_replica=(scaling and scaling.max_replicas) or 1,
            scale_to_zero_minutes=int(after.total_seconds() // 60) if after else None,
        )
    url = await stack.enter_async_context(serving(hub, listening))
    return {"HF_ENDPOINTS_URL": f"{url}/v2", "HF_TOKEN": token}


async def _real_hub(manager: SecretManager) -> dict[str, str]:
    token = os.environ.get("HF_TOKEN")
    if not token:
        raise Trouble("set HF_TOKEN: this works on the real Hugging Face. `make local` needs none")
    manager.add(SECRET, token)
    return {}


def _loud(found: Settings) -> str:
    does = "in dry run: nothing is changed" if found.dry_run else "FOR REAL: endpoints are started, paused, and billed"
    more = "; DRY_RUN=false changes that" if found.dry_run else ""
    line = f"This works on the real Hugging Face, namespace {found.namespace}, {does}{more}."
    return f"{'!' * len(line)}\n{line}\n{'!' * len(line)}\n"


@contextlib.contextmanager
def _shell(variables: Mapping[str, str]) -> Iterator[None]:
    """Writes the file that `make shell` reads, and removes it at the end."""
    SHELL.parent.mkdir(exist_ok=True)
    SHELL.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    try:
        yield
    finally:
        SHELL.unlink(missing_ok=True)


async def _sync(variables: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "lifecycle.cli", "sync", env=variables)
    if await process.wait():
        raise Trouble("`lifecycle sync` failed; its output is above")


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    try:
        asyncio.run(main(real="--real" in sys.argv))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        sys.exit(1)
    except TimeoutError:
        print(f"the functions did not start within {STARTS_WITHIN:.0f} s", file=sys.stderr)
        sys.exit(1)
