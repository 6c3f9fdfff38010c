"""What people read on a terminal: results, status, forecast, progress. Plain where there is no terminal, 80 columns."""

import asyncio
import sys
from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lifecycle.core.forecast import Forecast
from lifecycle.core.model import FREE
from lifecycle.core.times import in_words

T = TypeVar("T")
STILL = 30.0  # seconds between plain lines of a long wait
STYLES = {"running": "green", "paused": "dim", "scaledToZero": "dim", "failed": "bold red"}


def console() -> Console:
    """Standard output; a pipe gets 80 columns, a terminal at most its own width."""
    return Console(width=None if sys.stdout.isatty() else 80, highlight=False, emoji=False, markup=False)


async def waiting(work: Awaitable[T], what: str) -> T:
    """The result of the work; meanwhile a spinner on a terminal, a plain line now and then elsewhere."""
    if sys.stderr.isatty():
        with Console(stderr=True).status(f"{what} …"):
            return await work
    task = asyncio.ensure_future(work)
    waited = 0.0
    while not (await asyncio.wait([task], timeout=STILL))[0]:
        waited += STILL
        print(f"{what}: waiting since {in_words(timedelta(seconds=waited))}", file=sys.stderr, flush=True)
    return await task


def results(answer: Mapping[str, Any]) -> None:
    """A function's answer: a line each, and below it the URL of what runs and the error of what failed."""
    for result in answer["results"]:
        did = result["outcome"] if result["action"] == "none" else f"{result['action']} {result['outcome']}"
        print(f"{result['name']}: {did}, {result['after'] or 'state unknown'}: {result['reason']}")
        if result["error"]:
            print(f"  {result['error']}")
        if result["after"] == "running" and result["url"]:
            print(f"  {result['url']}")
    if not answer["results"]:
        print("nothing is covered by these names at Hugging Face")


def status(told: Mapping[str, Any]) -> None:
    """The status: first what bills unseen and what could not be read, then a block for each endpoint."""
    out = console()
    billing = [found for found in told["unmanaged"] if found["state"] not in FREE]
    if billing:
        out.print(Text("In no entry, and may bill:", style="bold red"))
        for found in billing:
            out.print(f"  {found['name']}  {found['state']}  {_price(found['price_per_hour'])}")
        out.print()
    if told["unknown"]:
        out.print(Text(f"Could not be read: {', '.join(told['unknown'])}", style="bold yellow"))
    if told["jobs_settings_sha256"] is None and "scheduler" not in told["unknown"]:
        out.print(Text("There are no jobs yet: run `lifecycle sync`", style="bold yellow"))
    if told["jobs_settings_sha256"] not in (None, told["settings_sha256"]):
        out.print(Text("The jobs were made from other settings: run `lifecycle sync`", style="bold yellow"))
    for row in told["endpoints"]:
        _row(out, row)
    silent = "not known" if "scheduler" in told["unknown"] else "has said nothing yet"
    for name, news in told["platforms"].items():
        said = f"{news['state']} since {news['since']}" if news["state"] else silent
        out.print(f"platform {name}: {said}")


def _row(out: Console, row: Mapping[str, Any]) -> None:
    state = row["after"] or "unknown"
    head = Text(f"{row['name']}  ", style="bold")
    head.append(state, style=STYLES.get(state, "yellow"))
    ready, target = row["replicas"]["ready"], row["replicas"]["target"]
    replicas = "" if ready is None else f"  {ready}/{target if target is not None else '?'} replicas"
    head.append(f"  {_price(row['price_per_hour'])}{replicas}")
    out.print(head)
    table = Table.grid(padding=(0, 2, 0, 0))
    for wraps in (True, False, False, True):
        table.add_column(no_wrap=not wraps)
    table.add_row("", "wanted", row["wanted"], row["reason"])
    if row["next"]:
        table.add_row("", "next", row["next"]["wanted"], f"at {row['next']['at']}: {row['next']['reason']}")
    if row["override"]:
        until = row["override"]["until"] or "released"
        table.add_row("", "override", row["override"]["state"], f"until {until}")
    if row["last_used_at"]:
        table.add_row("", "used", "", row["last_used_at"])
    if row["error"]:
        table.add_row("", "error", "", Text(row["error"], style="red"))
    out.print(table)


def _price(price: float | None) -> str:
    return "price unknown" if price is None else f"${price:g}/h"


def forecasts(found: Iterable[Forecast], notes: Iterable[str]) -> None:
    """The forecast: each endpoint's changes, and a table of hours and money."""
    out = console()
    found = list(found)
    for one in found:
        out.print(Text(f"{one.name}  ({one.entry.key}, {one.entry.zone.key})", style="bold"))
        out.print(_changes(one))
    table = Table(box=None, pad_edge=False)
    for name in ("endpoint", "hours", "of", "price/h", "cost", "always on", "saved"):
        table.add_column(name, justify="left" if name == "endpoint" else "right", overflow="fold")
    for one in found:
        table.add_row(
            one.name,
            f"{one.running / timedelta(hours=1):.2f}",
            f"{one.length / timedelta(hours=1):.2f}",
            "?" if one.price is None else f"{one.price:g}×{one.replicas}",
            _money(one.cost),
            _money(one.cost_always_on),
            _money(None if one.cost is None or one.cost_always_on is None else one.cost_always_on - one.cost),
        )
    out.print()
    out.print(table)
    for note in notes:
        out.print(note)


def _changes(one: Forecast) -> Table:
    """What happens when, holidays and clock changes in their places."""
    rows = [(stretch.begin, str(stretch.wanted), stretch.reason) for stretch in one.stretches]
    rows += [(change, "", "the clock changes") for change in one.clock_changes]
    rows += [(datetime.combine(day, time(), one.entry.zone), "", "holiday") for day in one.holidays]
    table = Table.grid(padding=(0, 2, 0, 0))
    for wraps in (True, False, False, True):
        table.add_column(no_wrap=not wraps)
    for at, wanted, reason in sorted(rows, key=lambda row: (row[0], row[1])):
        table.add_row("", f"{at.astimezone(one.entry.zone):%a %Y-%m-%d %H:%M}", wanted, reason)
    return table


def _money(amount: Decimal | None) -> str:
    return "?" if amount is None else f"${amount}"
