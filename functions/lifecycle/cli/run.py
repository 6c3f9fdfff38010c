"""`lifecycle run NAME… -- COMMAND`: keeps endpoints running while a command runs."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from lifecycle.cli import output
from lifecycle.cli.actions import HOLDER
from lifecycle.cli.common import Stop, read_environment, wrong
from lifecycle.cli.hold import Hold, Refused, read_hold, urls
from lifecycle.core.text import visible
from lifecycle.errors import Failure
from lifecycle.lookups import use_own_threads

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as shells have it
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Command(click.Command):
    """Everything after the first `--` is COMMAND, also what looks like an option."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        rest = super().parse_args(context, args[:at])
        if not args[at + 1 :]:
            raise click.UsageError("COMMAND is missing: it comes after --", context)
        context.params["command"] = tuple(args[at + 1 :])
        return rest


@click.command(cls=_Command, options_metavar="[OPTIONS]")
@click.argument("names", nargs=-1, required=True, metavar="NAME… -- COMMAND…")
@click.option(
    "--hold", default="15m", show_default=True, help="How long endpoints keep running if this process dies; 1m to 7d."
)
@HOLDER
def run(names: tuple[str, ...], hold: str, holder: str | None, command: tuple[str, ...]) -> None:
    """Keep endpoints running while COMMAND runs; the exit code is COMMAND's.

    HF_ENDPOINT_URL_<NAME> has the URL of each endpoint; if there is only one, HF_ENDPOINT_URL has its URL, too.
    """
    try:
        made = Hold(read_environment(), names, read_hold(hold), _say)
    except ValueError as error:
        wrong(f"--hold {hold}: {error}")
    if holder is not None:
        made.holder = holder
    if shutil.which(command[0]) is None:
        raise Stop(f"{command[0]}: no such command", NOT_FOUND)
    raise SystemExit(asyncio.run(_held(made, command)))


def command_environment(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """COMMAND's variables. With several endpoints there is no HF_ENDPOINT_URL, also if one is inherited."""
    inherited = {name: value for name, value in os.environ.items() if name != "HF_ENDPOINT_URL"}
    return {**inherited, **urls(rows)}


async def _held(hold: Hold, command: tuple[str, ...]) -> int:
    """The command's exit code; the endpoints are released whatever happened."""
    use_own_threads(asyncio.get_running_loop())
    running = _Running()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, running.receive, number)
    try:
        warming = running.warming = asyncio.ensure_future(hold.begin())
        rows = await output.waiting(warming, f"warming {' '.join(hold.names)}")
        _say(f"held as {hold.holder}: " + ", ".join(f"{output.names(row)} {row['url'] or ''}".strip() for row in rows))
        return await running.run(command, command_environment(rows))
    except asyncio.CancelledError:
        return 128 + running.received
    except Refused as refused:
        raise Stop(f"run: {refused}", 2) from None
    except Failure as failure:
        raise Stop(f"the endpoint did not become warm, so COMMAND was not run: {failure}") from None
    finally:
        running.warming = None
        try:
            await hold.end()
        except (Failure, Stop) as failure:
            _say(f"not released, so it ends after at most {hold.length}: {failure}")


class _Running:
    """Passes signals on: to the warming, then to the command. While the endpoints are released, signals are ignored."""

    def __init__(self) -> None:
        self.received = 0
        self.warming: asyncio.Task[list[dict[str, Any]]] | None = None
        self.process: asyncio.subprocess.Process | None = None

    def receive(self, number: int) -> None:
        self.received = number
        if self.process and self.process.returncode is None:
            # On a terminal, Ctrl-C has reached the command already.
            if number != signal.SIGINT or not sys.stdin.isatty():
                self.process.send_signal(number)
        elif self.warming:
            self.warming.cancel()

    async def run(self, command: tuple[str, ...], environment: dict[str, str]) -> int:
        try:
            self.process = await asyncio.create_subprocess_exec(*command, env=environment)
        except OSError as error:
            _say(f"{command[0]}: {error.strerror}")
            return NOT_EXECUTABLE
        code = await self.process.wait()
        return code if code >= 0 else 128 - code


def _say(text: str) -> None:
    print(f"lifecycle: {visible(text)}", file=sys.stderr, flush=True)
