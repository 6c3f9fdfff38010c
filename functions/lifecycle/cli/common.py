"""What commands share: options, settings and environment, and how they end."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import click

from lifecycle.config import environment
from lifecycle.config.environment import Environment
from lifecycle.config.schema import Invalid
from lifecycle.core.entries import Settings
from lifecycle.core.text import visible
from lifecycle.errors import Failure
from lifecycle.lookups import use_own_threads

T = TypeVar("T")
Decorator = Callable[[Callable[..., None]], Callable[..., None]]
NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME…")
SOME_NAMES = click.argument("names", nargs=-1, metavar="[NAME…]")
DRY = click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Stop(click.ClickException):
    """Ends the command: what is wrong goes to standard error, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # click reads it; its type says that it belongs to the class

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo("\n".join(map(visible, self.message.split("\n"))), file=file, err=True)


def wrong(message: str) -> NoReturn:
    """Ends the command as used wrongly."""
    raise Stop(message, 2)


def read_environment() -> Environment:
    try:
        return environment.read(os.environ)
    except Invalid as error:
        wrong(str(error))


def read_settings(path: Path) -> Settings:
    from lifecycle.config import settings

    try:
        return settings.parse(path.read_bytes())
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        wrong(
            f"{message}. Set LIFECYCLE_CONFIG to the settings' path, or write settings with `lifecycle init NAMESPACE`"
        )
    except Invalid as error:
        raise Stop(f"{path}:\n{error}") from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work; its failure ends the command."""

    async def begun() -> T:
        use_own_threads(asyncio.get_running_loop())
        return await work

    try:
        return asyncio.run(begun())
    except Failure as failure:
        raise Stop(str(failure)) from None
    except KeyboardInterrupt:
        raise Stop("interrupted; operations already started continue at Hugging Face") from None


def only(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows that are meant by names: entries, or names at Hugging Face; without names all."""
    if not names or names == ("*",):
        return rows
    known = {row[key] for row in rows for key in ("endpoint", "name")}
    if missing := [name for name in names if name not in known]:
        listed = ", ".join(dict.fromkeys(row["endpoint"] for row in rows)) or "none"
        wrong(f"unknown: {', '.join(missing)}; known are {listed}")
    return [row for row in rows if row["endpoint"] in names or row["name"] in names]
