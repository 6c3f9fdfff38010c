"""A lookup that hangs does not block the others."""

import asyncio
import gc
import socket
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from lifecycle.lookups import use_own_threads

HERE = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]


class Names:
    """Names that hang until `go` is set, one that is odd, one that does not exist, and those of this machine."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[str] = []

    def look_up(self, host: str, *_: Any) -> list[Any]:
        self.asked.append(host)
        if host.startswith("hangs"):
            self.go.wait()
        if host.endswith("odd"):
            raise OverflowError("getaddrinfo: port must be 0-65535")
        if host == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return HERE


@pytest.fixture
def names() -> Iterator[Names]:
    made = Names()
    yield made
    made.go.set()


def played(names: Names, work: Coroutine[Any, Any, Any]) -> Any:
    async def begun() -> Any:
        use_own_threads(asyncio.get_running_loop(), names.look_up)
        return await work

    return asyncio.run(begun())


async def look_up(host: str) -> Any:
    return await asyncio.get_running_loop().getaddrinfo(host, 443)


def test_a_hundred_names_that_hang_hold_up_no_other(names: Names) -> None:
    async def work() -> Any:
        hanging = [asyncio.ensure_future(look_up(f"hangs-{number}")) for number in range(100)]
        found = await asyncio.wait_for(look_up("services.example"), 10)
        for one in hanging:
            one.cancel()
        return found

    assert played(names, work()) == HERE


def test_a_name_that_hangs_is_looked_up_once_at_a_time(names: Names) -> None:
    async def work() -> Any:
        for _ in range(3):
            await asyncio.wait([given_up := asyncio.ensure_future(look_up("hangs"))], timeout=0.01)
            given_up.cancel()
        names.go.set()
        first = await look_up("hangs")
        return first, await look_up("hangs")

    assert played(names, work()) == (HERE, HERE)
    assert names.asked == ["hangs"] * 2


def test_a_name_that_does_not_exist_is_reported(names: Names) -> None:
    with pytest.raises(socket.gaierror):
        played(names, look_up("nowhere"))


def test_a_command_does_not_wait_for_a_name_that_hangs_at_its_end(names: Names) -> None:
    async def work() -> None:
        await asyncio.wait([asyncio.ensure_future(look_up("hangs"))], timeout=0.01)

    played(names, work())


def test_what_a_lookup_raises_reaches_those_that_wait_whatever_it_is(names: Names) -> None:
    with pytest.raises(OverflowError):
        played(names, asyncio.wait_for(look_up("odd"), 10))


def test_the_failure_of_a_lookup_that_nobody_waits_for_is_not_logged(names: Names) -> None:
    logged: list[dict[str, Any]] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
        await asyncio.wait([given_up := asyncio.ensure_future(look_up("hangs odd"))], timeout=0.01)
        given_up.cancel()
        names.go.set()
        for thread in threading.enumerate():
            if thread.name == "lookup":
                thread.join()
        for _ in range(3):  # until its answer has arrived and is forgotten
            await asyncio.sleep(0)

    played(names, work())
    gc.collect()
    assert logged == []


def test_a_thread_that_cannot_start_blocks_no_later_lookup(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_threads)
            with pytest.raises(OSError, match="thread"):
                await look_up("services.example")
        return await asyncio.wait_for(look_up("services.example"), 10)

    def no_threads(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    assert played(names, work()) == HERE
