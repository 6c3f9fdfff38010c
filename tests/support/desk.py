"""A person's machine with the command line, between local servers."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import flask
from click.testing import CliRunner
from starlette.requests import Request
from starlette.responses import Response

from lifecycle.app import App, read_settings
from lifecycle.cli.main import main
from lifecycle.config import environment
from lifecycle.web import handler
from local.servers.endpoints import Durations
from local.servers.huggingface import ALL_SCOPES, HuggingFace
from local.servers.scheduler import Scheduler
from local.servers.serve import serve
from support.processes import PARENT, now
from support.secret import TOKEN

TEXT = """
namespace: acme
time_zone: Europe/Berlin
holidays: [2026-12-25]
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00}
  nights: {hours: daily 22:00-06:00}
"""
QUICK = Durations(pending=0, resume=0.2, wake=0.2)


class Deployed:
    """The functions as an ASGI app below one address, as FUNCTIONS_URL names them. `asked`: what they were asked."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        env = environment.read(variables)
        self.app = App(env, read_settings(env))
        self.asked: list[tuple[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        function, body = request.url.path.strip("/"), await request.body()
        self.asked.append((function, json.loads(body or b"null")))
        answer = await asyncio.to_thread(self._answer, function, request, body)
        await Response(answer.get_data(), answer.status_code, dict(answer.headers))(scope, receive, send)

    def _answer(self, function: str, request: Request, body: bytes) -> flask.Response:
        headers = dict(request.headers)
        with flask.Flask(__name__).test_request_context(method=request.method, headers=headers, data=body) as context:
            return handler.serve(self.app, function, context.request)


class Desk:
    """A person's machine: the settings, and the variables that are set."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "lifecycle.yaml"
        self.config.write_text(TEXT)
        self.folder = folder
        alone = {"HOME": str(folder), "PATH": "/nonexistent"}  # without gcloud
        self.variables = {"LIFECYCLE_CONFIG": str(self.config), "HF_TOKEN": TOKEN, **alone}
        self.stack = ExitStack()
        self.hub = HuggingFace(now, tokens={TOKEN: ALL_SCOPES})
        self.scheduler = Scheduler(now)

    def type(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """A command with these variables and no others, in the test's own process: that saves its start."""
        with mock.patch.dict(os.environ, {**self.variables, **variables}, clear=True):
            ran = CliRunner().invoke(main, words, prog_name="lifecycle")
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return _plain(subprocess.CompletedProcess(words, ran.exit_code, ran.stdout, ran.stderr))

    def start(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """The same in a process of its own, with one more behind it where the command starts one."""
        command = [sys.executable, "-m", "lifecycle.cli", *words]
        env = {**self.variables, **variables}
        return _plain(subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False))

    def deployed(self, **variables: str) -> Deployed:
        """Deploys the functions with the settings of now, and leaves this machine FUNCTIONS_URL alone."""
        made = Deployed({**self.variables, "SCHEDULER_PARENT": PARENT, **variables})
        url = self.stack.enter_context(serve(made))
        kept = {name: self.variables[name] for name in ("HOME", "PATH")}
        self.variables = {**kept, "FUNCTIONS_URL": f"{url}/{{name}}"}
        return made

    def terminal(self, columns: int, *words: str, **variables: str) -> str:
        """What a terminal so wide is sent: its text without the colors' sequences stays in lines."""
        main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        env = {**self.variables, "TERM": "xterm", **variables}
        command = [sys.executable, "-m", "lifecycle.cli", *words]
        running = subprocess.Popen(command, env=env, stdin=child, stdout=child, stderr=subprocess.DEVNULL)
        os.close(child)
        text = b""
        try:
            while more := os.read(main, 65536):
                text += more
        except OSError:  # Linux says so when the last process has closed it
            pass
        finally:
            os.close(main)
            running.wait(timeout=60)
        return text.decode().replace("\r\n", "\n")


def _plain(done: "subprocess.CompletedProcess[str]") -> "subprocess.CompletedProcess[str]":
    """What was printed, which has neither a traceback nor the token."""
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done


@contextmanager
def desk_in(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder)
    with desk.stack as stack:
        desk.hub.url = stack.enter_context(serve(desk.hub))
        desk.variables["HF_ENDPOINTS_URL"] = f"{desk.hub.url}/v2"
        desk.variables["CLOUD_SCHEDULER_URL"] = stack.enter_context(serve(desk.scheduler))
        for name in ("embeddings-prod", "nights"):
            desk.hub.add(name, "paused", durations=QUICK)
        yield desk


def with_jobs(desk: Desk) -> None:
    """Cloud Scheduler has the jobs; actions still go directly."""
    desk.variables |= {"SCHEDULER_PARENT": PARENT, "FUNCTIONS_URL": "http://127.0.0.1:9/{name}"}
