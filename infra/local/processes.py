"""Runs each function as a process of the functions framework, as it is deployed, and passes its output on."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from lifecycle.engine.service import FUNCTIONS
from local.servers.serve import listen

MAIN = Path(__file__).parents[2] / "functions/main.py"
STARTS_WITHIN, STOPS_WITHIN = 50.0, 3.0  # seconds
LONGEST_LINE = 2**20  # bytes

OnLine = Callable[[str, str], None]  # a function's name, and a line of its standard output


async def functions(
    stack: contextlib.AsyncExitStack, environment: Mapping[str, str], on_line: OnLine
) -> dict[str, str]:
    """The functions' URLs, each served by a process of its own until the stack closes. Raises TimeoutError."""
    urls = {}
    processes: list[asyncio.subprocess.Process] = []
    stack.push_async_callback(_stopped, processes)
    for name in FUNCTIONS:
        with listen() as free:
            port = free.getsockname()[1]
        urls[name] = f"http://127.0.0.1:{port}"
        command = (
            *(sys.executable, "-m", "functions_framework", "--source", str(MAIN)),
            *("--target", name, "--host", "127.0.0.1", "--port", str(port)),
        )
        # A process group of its own: Ctrl-C reaches only this process, which then stops the others.
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, start_new_session=True, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE
        )
        processes.append(process)
        stack.callback(asyncio.create_task(_watch(name, process, on_line)).cancel)
    async with asyncio.timeout(STARTS_WITHIN):
        await asyncio.gather(*(_listens(url) for url in urls.values()))
    return urls


async def _watch(name: str, process: asyncio.subprocess.Process, on_line: OnLine) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        text = line.decode("utf-8", "replace").rstrip("\n")
        print(text, flush=True)
        on_line(name, text)
    code = await process.wait()
    print(f"{name} ended with {code}; its output is above", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


async def _listens(url: str) -> None:
    """Returns when the function is loaded and listens. No request is sent, because the function would log it."""
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
    """Stops all processes, and kills those that do not stop in time."""
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
