"""Looks up host names, so that one lookup that hangs does not block the others.

An event loop looks names up in the few threads of its default executor, and a thread that waits for a name server
cannot be ended. So a few endpoints whose lookups hang would block every other lookup, even those of the services.
"""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

Found = list[Any]


def use_own_threads(loop: asyncio.AbstractEventLoop, look_up: Callable[..., Found] = socket.getaddrinfo) -> None:
    """Makes the loop look up each name in its own thread, which ends with the process; at most one for each name."""
    under_way: dict[tuple[Any, ...], asyncio.Future[Found]] = {}

    async def getaddrinfo(
        host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Found:
        asked = (host, port, family, type, proto, flags)
        answer = under_way.get(asked)
        if answer is None:
            answer = loop.create_future()
            try:
                threading.Thread(target=work, args=(answer, asked), name="lookup", daemon=True).start()
            except RuntimeError as error:  # too many threads: a failure of this machine, and not of the name
                raise OSError(errno.ENOMEM, str(error)) from None
            under_way[asked] = answer
            answer.add_done_callback(partial(forget, asked))
        return await asyncio.shield(answer)

    def forget(asked: tuple[Any, ...], answer: asyncio.Future[Found]) -> None:
        del under_way[asked]
        if not answer.cancelled():
            answer.exception()  # retrieved: it is not logged if those that asked have given up

    def work(answer: asyncio.Future[Found], asked: tuple[Any, ...]) -> None:
        deliver: Callable[[], None]
        try:
            deliver = partial(answer.set_result, look_up(*asked))
        except Exception as error:  # whatever it is, those that wait must get it
            deliver = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver)

    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign] # asyncio has no setting for it
