"""The functions as plain processes of the functions framework, between local servers, as they are deployed."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from lifecycle.cli.desired_jobs import Target
from lifecycle.cli.job_changes import difference
from lifecycle.config import settings
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import App, listen, serve
from support.discovery import Referee
from support.secret import TOKEN

MAIN = Path(__file__).parents[2] / "functions" / "main.py"
SECRET = "projects/p/secrets/hf-token"
PARENT = "projects/p/locations/l"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Deployment:
    """Functions and what they stand on. `output` holds what their processes printed, when they have ended."""

    folder: Path
    stack: ExitStack
    python: str = sys.executable
    main: Path = MAIN
    hub: HuggingFace = field(default_factory=lambda: HuggingFace(now, tokens={TOKEN: ALL_SCOPES}))
    scheduler: Scheduler = field(default_factory=lambda: Scheduler(now))
    secrets: SecretManager = field(default_factory=lambda: SecretManager(now))
    urls: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, text: str, *functions: str, **variables: str) -> None:
        """Starts a process for each function, with only the design's variables set."""
        self.secrets.add(SECRET, TOKEN)
        self.hub.url = self.stack.enter_context(serve(self.hub))
        config = self.folder / "lifecycle.yaml"
        config.write_text(text)
        self.environment = {
            "PATH": os.environ["PATH"],
            "LIFECYCLE_CONFIG": str(config),
            "HF_TOKEN_SECRET": f"{SECRET}/versions/latest",
            "HF_ENDPOINTS_URL": f"{self.hub.url}/v2",
            "SCHEDULER_PARENT": PARENT,
            "CLOUD_SCHEDULER_URL": self._served(self.scheduler, "cloudscheduler.v1"),
            "SECRET_MANAGER_URL": self._served(self.secrets, "secretmanager.v1"),
            **variables,
        }
        for function in functions:
            running = process(function, self.environment, self.folder, source=self.main, python=self.python)
            self.urls[function] = self.stack.enter_context(running)
        self._sync(text)

    def _served(self, app: App, api: str) -> str:
        """The URL of a service of Google's; at the end, every request was one of its API."""
        referee = Referee(app, api)
        self.stack.callback(referee.judge)
        return self.stack.enter_context(serve(referee))

    def _sync(self, text: str) -> None:
        target = Target("http://127.0.0.1/{name}", "", "lifecycle")
        for change in difference(settings.parse(text.encode()), target, []).changes:
            made = change.job
            http = {"uri": made.url, "body": base64.b64encode(made.body).decode()}
            job = {"name": f"{PARENT}/jobs/{made.id}", "schedule": made.schedule, "httpTarget": http}
            self.scheduler.create(PARENT, job)

    def empty(self) -> None:
        """Removes endpoints, overrides, faults, and the record of requests to Hugging Face."""
        self.hub.endpoints.clear()
        self.hub.requests.clear()
        for server in (self.hub, self.scheduler, self.secrets):
            server.faults.faults.clear()
        for name in [name for name in self.scheduler.jobs if "override" in name]:
            self.scheduler.delete(name)

    def ask(self, function: str, body: Any, **headers: str) -> httpx.Response:
        return httpx.post(self.urls[function], json=body, headers=headers, timeout=70)

    def status(self) -> Any:
        return httpx.get(self.urls["status"], timeout=20).json()

    @property
    def output(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@contextmanager
def process(
    function: str, environment: dict[str, str], folder: Path, *, port: int = 0, source: Path = MAIN,
    python: str = sys.executable,
) -> Iterator[str]:  # fmt: skip
    """The URL of a function in a process of its own: by the variables of Google and of the buildpack, without flags."""
    with listen(port) as free:
        port = free.getsockname()[1]
    variables = {
        "FUNCTION_TARGET": function,
        "FUNCTION_SOURCE": str(source),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "TRUE",
        "LOG_EXECUTION_ID": "true",
    }
    with (folder / f"{function}.log").open("a") as log:
        made = subprocess.Popen(
            [python, "-m", "functions_framework"],
            env=variables | environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield _answering(f"http://127.0.0.1:{port}", made)
        finally:
            os.killpg(made.pid, signal.SIGKILL)  # its worker, too, which else holds the port for a while
            made.wait()


def _answering(url: str, made: subprocess.Popen[bytes]) -> str:
    for _ in range(400):
        assert made.poll() is None, "the process ended"
        try:
            httpx.request("OPTIONS", url)
            return url
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
