"""ASGI apps on loopback sockets: in a thread for tests, or on the running loop."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from local.servers.faults import Reset

App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


def dropping(app: App) -> App:
    """An app whose resets drop the connection: the server closes it when a promised answer does not come."""

    async def around(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Reset:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})

    return around


class Server(uvicorn.Server):
    """Stops at once when asked to; uvicorn's own server checks ten times a second, and then waits for a tenth."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopped = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self.stopped.set()

    async def main_loop(self) -> None:
        ticking = asyncio.create_task(super().main_loop())  # it keeps the Date header
        await self.stopped.wait()
        ticking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn passes it
        for server in self.servers:
            server.close()
        for connection in [*self.server_state.connections]:
            connection.shutdown()


def server(app: App) -> Server:
    return Server(uvicorn.Config(dropping(app), log_level="critical", lifespan="off"))


def listen(port: int = 0) -> socket.socket:
    """A socket on loopback. Raises OSError when the port is in use."""
    # Named, because asyncio switches Nagle's algorithm off only where the protocol is: 40 ms an answer otherwise.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
        made.listen(1024)
    except OSError:
        made.close()
        raise
    return made


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def serve(app: App, *background: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[str]:
    """The URL of the app, served by a thread of its own as long as the context lasts; with coroutines beside it."""
    listening, running, loop = listen(), server(app), asyncio.new_event_loop()

    async def both() -> None:
        tasks = [asyncio.create_task(make()) for make in background]
        await running.serve([listening])
        for task in tasks:
            task.cancel()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(both())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield url_of(listening)
    finally:
        loop.call_soon_threadsafe(running.end)
        thread.join(timeout=10)
        listening.close()


@contextlib.asynccontextmanager
async def serving(app: App, listening: socket.socket) -> AsyncIterator[str]:
    """The same on the running loop, on a socket that is listened on."""
    running = server(app)
    # The signals are the caller's.
    task = asyncio.create_task(running._serve([listening]))
    try:
        yield url_of(listening)
    finally:
        running.end()
        await task
        listening.close()
