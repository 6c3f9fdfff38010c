"""Holds: keeps endpoints running while a command or a block runs, by an override that is renewed and then released."""

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from lifecycle.cli import functions
from lifecycle.cli.common import Stop, read_environment
from lifecycle.config.environment import Environment
from lifecycle.core.times import duration, in_words
from lifecycle.errors import Failure
from lifecycle.lookups import use_own_threads

T = TypeVar("T")
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)
AGAIN = 10.0  # seconds until a renewal that failed is tried again
RENEWED_WITHIN, RELEASED_WITHIN = 60.0, 60.0  # seconds
UNKEPT = (
    "SCHEDULER_PARENT is not set: no override can be stored, so the endpoint would keep running if this process dies"
)


class Refused(Failure):
    """The request has a mistake, or no override can be stored; trying again does not help."""


def read_hold(text: str) -> timedelta:
    """The length of a hold. Raises ValueError with what is allowed."""
    length = duration(text)
    if not SHORTEST <= length <= LONGEST:
        raise ValueError("a hold lasts 1m to 7d")
    return length


@dataclass
class Hold:
    """A hold on `names`, whose override belongs to `holder`. `warn` gets the warnings while it lasts."""

    env: Environment
    names: Sequence[str]
    length: timedelta
    warn: Callable[[str], None]
    holder: str = field(default_factory=lambda: f"run-{secrets.token_hex(4)}")
    _renewing: "asyncio.Task[None] | None" = None

    async def begin(self) -> list[dict[str, Any]]:
        """Warms the endpoints, and renews the override from then on; a result for each endpoint.

        Raises `Failure` if one does not become warm.
        """
        if not self.env.functions_url and not self.env.scheduler_parent:
            raise Refused(UNKEPT, code="refused", retryable=False)
        self._renewing = asyncio.create_task(self._renew())
        try:
            return await self._ask("warm")
        except Refused:
            self._renewing.cancel()
            self._renewing = None  # nothing is held
            raise

    async def end(self) -> None:
        """Stops renewing, and releases the holder's overrides. Raises `Failure`."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)
        body = {"endpoints": [*self.names], "clear_override": True, "holder": self.holder}
        try:
            async with asyncio.timeout(RELEASED_WITHIN):
                status, answer = await functions.ask(self.env, "reconcile", body)
        except TimeoutError:
            status, answer = 504, "no answer in time"
        if status >= 400:
            raise Failure(_why(status, answer), code="unreleased", retryable=True)

    async def _renew(self) -> None:
        clock = asyncio.get_running_loop().time
        third, begun, trouble = self.length.total_seconds() / 3, clock(), ""
        ends, due = begun + 3 * third, begun + third
        while True:
            await asyncio.sleep(due - clock())
            asked = clock()
            try:
                async with asyncio.timeout(min(third, RENEWED_WITHIN)):
                    await self._ask("resume")
            except (Failure, TimeoutError, Stop) as error:
                lost = clock() >= ends
                found = f"{'the hold is lost' if lost else 'the hold is not renewed'}: {error or 'no answer in time'}"
                if found != trouble:
                    self.warn(found)
                trouble, due = found, clock() + (third if lost else min(third, AGAIN))
            else:
                if trouble:
                    self.warn("the hold is renewed again")
                trouble, ends, due = "", asked + 3 * third, asked + third

    async def _ask(self, function: str) -> list[dict[str, Any]]:
        body = {"endpoints": [*self.names], "for": in_words(self.length), "holder": self.holder}
        status, answer = await functions.ask(self.env, function, body)
        if not isinstance(answer, dict) or "results" not in answer:
            kind = Refused if status in (400, 404) else Failure
            raise kind(_why(status, answer), code="refused", retryable=status == 503)
        rows: list[dict[str, Any]] = answer["results"]
        if status >= 400 or (function == "warm" and not _all_warm(answer)):
            raise Failure(_why(status, answer), code="not_held", retryable=status == 503)
        return rows


def _all_warm(answer: dict[str, Any]) -> bool:
    return bool(answer["results"]) and all(row["outcome"] in ("done", "unchanged") for row in answer["results"])


def _why(status: int, answer: Any) -> str:
    """What went wrong, in one line."""
    if not isinstance(answer, dict) or "results" not in answer:
        return functions.refusal(status, answer)
    bad = [row for row in answer["results"] if row["outcome"] not in ("done", "unchanged")]
    reasons = [f"{row['name']}: {row['error'] or row['reason']}" for row in bad]
    if answer["dry_run"]:
        return "; ".join(["the settings say dry_run, so nothing is started", *reasons])
    return "; ".join(reasons) or "no endpoint at Hugging Face matches these names"


def urls(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """HF_ENDPOINT_URL if there is one endpoint, and HF_ENDPOINT_URL_<NAME> for both names of each."""
    named = {row["name"]: row["url"] for row in rows}
    keys = [row["endpoint"] for row in rows]
    named |= {row["endpoint"]: row["url"] for row in rows if keys.count(row["endpoint"]) == 1}
    found = {f"HF_ENDPOINT_URL_{_variable(name)}": url for name, url in named.items()}
    if len(rows) == 1:
        found["HF_ENDPOINT_URL"] = rows[0]["url"]
    return {name: url for name, url in found.items() if url}


def _variable(name: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else "_" for char in name.upper())


@contextmanager
def running(name: str, *, hold: str = "15m", holder: str | None = None) -> Iterator[str]:
    """Keeps one endpoint running while the block runs. Yields its URL, which answers when the block begins.

    `name`: an entry of the settings that covers one endpoint, or an endpoint's name at Hugging Face. `hold`: how long
    the endpoint keeps running if this process dies; the override is renewed after every third of that. `holder`: the
    owner of the override; default: a new name. Raises `lifecycle.errors.Failure` if the endpoint does not answer, and
    ValueError for a wrong `hold`. Later problems are warnings of the logger "lifecycle".
    """
    length, warn = read_hold(hold), logging.getLogger("lifecycle").warning
    loop = asyncio.new_event_loop()
    use_own_threads(loop)
    thread = threading.Thread(target=loop.run_forever, name="lifecycle-hold", daemon=True)

    def do(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    try:
        made = Hold(read_environment(), [name], length, warn)
    except Stop as stop:
        raise Failure(str(stop), code="refused", retryable=False) from None
    made.holder = holder or made.holder
    thread.start()
    try:
        try:
            url = do(_begun(made))[0]["url"]
            if not url:
                raise Failure(f"{name} has no URL", code="refused", retryable=False)
            yield str(url)
        finally:
            try:
                do(made.end())
            except (Failure, Stop) as failure:
                warn("not released, so it ends after at most %s: %s", hold, failure)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _only_one(hold: Hold, rows: Sequence[Mapping[str, Any]]) -> None:
    if len(rows) > 1:
        message = f"{hold.names[0]} is {len(rows)} endpoints; name one of them"
        raise Failure(message, code="refused", retryable=False)


async def _begun(hold: Hold) -> list[dict[str, Any]]:
    """The result of the only endpoint. Raises `Failure`; several endpoints are not started."""
    try:
        status, answer = await functions.ask(hold.env, "warm", {"endpoints": [*hold.names], "dry_run": True})
        if status == 503:
            raise Failure(_why(status, answer), code="not_held", retryable=True)
        _only_one(hold, answer.get("results", ()) if isinstance(answer, dict) else ())
        rows = await hold.begin()
        _only_one(hold, rows)
        return rows
    except Stop as stop:
        raise Failure(str(stop), code="refused", retryable=False) from None
