"""`lifecycle plan`: the forecast, from the states, overrides, platforms and prices that `status` answers."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import click

from lifecycle.cli import functions, output
from lifecycle.cli.common import AS_JSON, SOME_NAMES, only, read_environment, read_settings, run, wrong
from lifecycle.cli.observed import Observed, observed
from lifecycle.config.advice import warnings
from lifecycle.config.environment import Environment
from lifecycle.core.entries import Settings
from lifecycle.core.forecast import Forecast, forecast
from lifecycle.errors import Failure

HOUR = timedelta(hours=1)
TITLES = ("endpoint", "name", "hours", "of", "$/h", "forecast", "always on", "saved")


@click.command()
@SOME_NAMES
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How far ahead.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="From the midnight of this day; default: now.")
@AS_JSON
def plan(names: tuple[str, ...], days: int, start: datetime | None, as_json: bool) -> None:
    """Forecast what will happen when and why, hours, and money against always-on."""
    if start and not 1971 <= start.year <= 2900:
        wrong(f"--from {start:%Y-%m-%d}: years are 1971 to 2900")
    env = read_environment()
    settings = read_settings(env.config)
    seen = run(output.waiting(_observed(env, settings), "plan"))
    chosen = {(row["endpoint"], row["name"]) for row in only(seen.rows, names)}
    found = [
        _forecast(situation, days, start, seen)
        for situation, row in zip(seen.situations, seen.rows, strict=True)
        if (row["endpoint"], row["name"]) in chosen
    ]
    notes = [*seen.notes, *_notes(found), *(f"warning: {warning}" for warning in warnings(settings, seen.now))]
    if as_json:
        print(json.dumps(_json(found, notes), indent=2))
    else:
        _show(found, notes)


async def _observed(env: Environment, settings: Settings) -> Observed:
    try:
        return observed(settings, *await functions.status(env))
    except Failure as failure:
        return observed(settings, None, [f"unknown: states, overrides, platforms and prices: {failure}"])


def _forecast(situation: Any, days: int, start: datetime | None, seen: Observed) -> Forecast:
    zone = situation.entry.zone
    now = start.replace(tzinfo=zone).astimezone(UTC) if start else seen.now
    end = now.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return forecast(replace(situation, now=now), end.replace(tzinfo=zone).astimezone(UTC), seen.prices)


def _notes(found: Iterable[Forecast]) -> list[str]:
    notes = [
        "A forecast: platforms and overrides are assumed to stay as they are now, without further manual requests."
    ]
    if unpriced := [one.name for one in found if one.price is None]:
        notes.append(f"Not in the total, because the price is unknown: {', '.join(unpriced)}.")
    if ranging := [one.name for one in found if one.at_most > one.running]:
        notes.append(f"A range from never used to always used, because future use is unknown: {', '.join(ranging)}.")
    return notes


def _json(found: list[Forecast], notes: list[str]) -> dict[str, Any]:
    priced = [one for one in found if one.price is not None]
    sums = {
        "cost": [one.cost for one in priced],
        "cost_at_most": [one.cost_at_most for one in priced],
        "cost_always_on": [one.cost_always_on for one in priced],
    }
    total = {name: float(_sum(amounts)) if amounts else None for name, amounts in sums.items()}
    at_most = total.pop("cost_at_most")
    rows = [one.as_json() for one in found]
    return {"endpoints": rows, "total": total, "total_cost_at_most": at_most, "notes": notes}


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _show(found: list[Forecast], notes: list[str]) -> None:
    for one in found:
        name = output.names({"endpoint": one.entry.key, "name": one.name})
        output.line(f"{name}  {one.entry.zone.key}", "bold")
        output.rows(_changes(one))
    cells = [_row(one) for one in found]
    priced = [one for one in found if one.price is not None]
    if priced:
        least, most, always = (
            _sum(getattr(one, name) for one in priced) for name in ("cost", "cost_at_most", "cost_always_on")
        )
        cells.append(["total", "", "", "", "", *_money(least, most, always)])
    print()
    output.rows(cells, titles=TITLES, right=2)
    for note in notes:
        output.line(note)


def _row(one: Forecast) -> list[str]:
    price = "?" if one.price is None else f"{one.price:g}" + (f"×{one.replicas}" if one.replicas > 1 else "")
    hours = f"{one.running / HOUR:.2f}" + (f"–{one.at_most / HOUR:.2f}" if one.at_most > one.running else "")
    return [
        one.entry.key, one.name, hours, f"{one.length / HOUR:.2f}", price,
        *_money(one.cost, one.cost_at_most, one.cost_always_on),
    ]  # fmt: skip


def _money(least: Decimal | None, most: Decimal | None, always: Decimal | None) -> list[str]:
    """The cells of forecast, always on and saved; ranges if the future use is unknown."""
    if least is None or most is None or always is None:
        return ["?", "?", "?"]
    return [_range(least, most), f"${always}", _range(always - most, always - least)]


def _range(least: Decimal, most: Decimal) -> str:
    return f"${least}" + (f"–{most}" if most > least else "")


def _changes(one: Forecast) -> list[list[str]]:
    """What happens when, including holidays and clock changes."""
    rows = [(stretch.begin, str(stretch.wanted), stretch.reason) for stretch in one.stretches]
    rows += [(change, "", "the clock changes") for change in one.clock_changes]
    rows += [(datetime.combine(day, time(), one.entry.zone), "", "holiday") for day in one.holidays]
    return [
        [f"  {at.astimezone(one.entry.zone):%a %Y-%m-%d %H:%M}", wanted, reason]
        for at, wanted, reason in sorted(rows, key=lambda row: (row[0], row[1]))
    ]
