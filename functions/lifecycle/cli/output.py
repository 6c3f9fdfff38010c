"""Output for people: rows that fit a terminal, colors on a terminal only, no wrapping in a pipe, progress."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from lifecycle.core.text import did, visible_in
from lifecycle.core.times import DAYS, in_words, parse_rfc3339

T = TypeVar("T")
UTC = ZoneInfo("UTC")
STILL = 30.0  # seconds between plain lines of a long wait
NARROWEST = 20


def width() -> int | None:
    """The columns of the terminal; None: standard output is a pipe or a file, where nothing is wrapped."""
    return max(NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def line(text: str = "", style: str | None = None) -> None:
    """One line of text, wrapped between words if the terminal is narrow."""
    columns = width()
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    for part in (_wrapped(text, columns, indent) if columns else [text]) or [""]:
        print(styled(part, style))


def styled(text: str, style: str | None) -> str:
    """The text in its color, on a terminal with colors."""
    if not style or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, fg=None if style in ("bold", "dim") else style, bold=style == "bold", dim=style == "dim")


def rows(
    cells: Iterable[Sequence[str]],
    *,
    titles: Sequence[str] = (),
    right: int = 99,
    styles: Sequence[str | None] = (),
) -> None:
    """A line for each row, in columns; columns from `right` on are aligned right. If the terminal is too narrow, the
    last column continues below, or each row becomes several lines with titles. No cell is ever cut."""
    body = [list(row) for row in cells]
    for number, row in enumerate(_laid_out(body, titles, right, width())):
        style = "bold" if titles and number == 0 else styles[number - bool(titles)] if styles else None
        for text in row:
            print(styled(text, style))


def _laid_out(body: list[list[str]], titles: Sequence[str], right: int, columns: int | None) -> list[list[str]]:
    table = [list(titles), *body] if titles else body
    if not table:
        return []
    aligned = _aligned(table, right)
    if columns is None or all(len(text) <= columns for text in aligned):
        return [[text] for text in aligned]
    if not titles:
        heads = _aligned([row[:-1] for row in table], right)
        if all(len(text) <= columns for text in heads):
            tails = (_wrapped("    " + row[-1], columns, "    ") if row[-1] else [] for row in table)
            return [[head, *tail] for head, tail in zip(heads, tails, strict=True)]
    named = (
        [
            [row[0], *(f"{title} {cell}" if cell else "" for title, cell in zip(titles[1:], row[1:], strict=True))]
            for row in body
        ]
        if titles
        else body
    )
    return ([[]] if titles else []) + [_packed(row, columns) for row in named]


def _aligned(table: list[list[str]], right: int) -> list[str]:
    sizes = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.rjust(size) if place >= right else cell.ljust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in table
    ]


def _packed(cells: Sequence[str], columns: int) -> list[str]:
    """The cells one after another, in as few lines as possible, without splitting a cell."""
    lines = [""]
    for cell in filter(str.strip, cells):
        longer = f"{lines[-1]}  {cell}" if lines[-1].strip() else lines[-1] + cell
        if len(longer) <= columns:
            lines[-1] = longer
        elif lines == [""]:
            lines = [cell]
        else:
            lines += _wrapped("    " + cell, columns, "    ")
    return lines


def _wrapped(text: str, columns: int, indent: str) -> list[str]:
    """Lines of whole words; a word that is longer than a line stays whole."""
    return wrap(text, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


async def waiting(work: Awaitable[T], what: str) -> T:
    """The result of the work; meanwhile a spinner on a terminal, a plain line now and then elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(f"{what} …")):
            return await work
    task = asyncio.ensure_future(work)
    waited = 0.0
    while not (await asyncio.wait([task], timeout=STILL))[0]:
        waited += STILL
        print(f"{what}: waiting for {in_words(timedelta(seconds=waited))}", file=sys.stderr, flush=True)
    return await task


def results(answer: Mapping[str, Any]) -> None:
    """A function's answer: a line for each endpoint, and below it its error, or its URL if it runs."""
    shown = visible_in(answer)
    for result in shown["results"]:
        done = did(result["action"], result["outcome"], dry_run=shown["dry_run"])
        line(f"{names(result)}: {done}, {result['after'] or 'state unknown'}: {result['reason']}")
        if result["error"]:
            line(f"  {result['error']}", "red")
        if result["after"] == "running" and result["url"]:
            print(f"  {result['url']}")
    if not shown["results"]:
        line("no endpoint at Hugging Face matches these names")


def names(row: Mapping[str, Any]) -> str:
    """The entry's name, and the name at Hugging Face if that differs."""
    entry, name = row["endpoint"], row["name"]
    return str(entry) if entry == name else f"{entry} ({name})"


def zone_of(row: Mapping[str, Any]) -> ZoneInfo:
    """The zone of a row's entry; UTC if the row has none."""
    return ZoneInfo(row["time_zone"]) if row.get("time_zone") else UTC


def clock(at: str | datetime | None, zone: ZoneInfo, now: datetime, *, named: bool = True) -> str:
    """An instant on the zone's clock: "20:00", "Mon 08:00", "Mon 2026-12-28 08:00", and the zone; "" for None."""
    when = parse_rfc3339(at) if isinstance(at, str) else at
    if when is None:
        return ""
    local, here = when.astimezone(zone), now.astimezone(zone)
    far = abs((local.date() - here.date()).days)
    day = "" if not far else f"{DAYS[local.weekday()]} " if far < 6 else f"{DAYS[local.weekday()]} {local.date()} "
    return f"{day}{local:%H:%M}" + (f" {zone.key}" if named else "")


def moment(at: str | None, zone: ZoneInfo) -> str:
    """An instant on the zone's clock, in full: "Mon 2026-12-28 08:00 Europe/Berlin"; "" for None."""
    when = parse_rfc3339(at)
    local = when.astimezone(zone) if when else None
    return f"{DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M} {zone.key}" if local else ""
