"""`lifecycle report`: what was billed in a month, beside always-on and the forecast, and how often it was on time."""

import asyncio
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import click

from lifecycle.cli import functions, output
from lifecycle.cli.common import AS_JSON, read_environment, read_settings, run, wrong
from lifecycle.cli.observed import Observed, observed
from lifecycle.config.environment import Environment
from lifecycle.core.budget import month_begin
from lifecycle.core.entries import Settings
from lifecycle.core.forecast import forecast
from lifecycle.core.model import StoredState
from lifecycle.core.money import Bill, exact_bill
from lifecycle.core.report import CONDITION, Morning, Row, Share, by_entry, by_tag, changes, mornings, total
from lifecycle.core.rules import Situation
from lifecycle.core.text import visible
from lifecycle.core.times import in_words
from lifecycle.errors import Failure
from lifecycle.gcp.monitoring import LATE, Series

PATIENCE = 300.0  # seconds for all pages of Cloud Monitoring
TITLES = ("hours", "billed", "always on", "forecast", "on time")
Months = dict[ZoneInfo, tuple[datetime, datetime]]


@dataclass(frozen=True)
class Past:
    """What was read: each zone's month up to now, bills, and mornings (None: not known)."""

    months: Months
    bills: dict[Series, Bill]
    mornings: Sequence[Morning] | None


@click.command()
@click.option("--month", help="Such as 2026-11; default: this one.")
@click.option("--by", type=click.Choice(["entry", "tag"]), default="entry", show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@AS_JSON
def report(month: str | None, by: Literal["entry", "tag"], as_csv: bool, as_json: bool) -> None:
    """Show what was billed in a month, against always-on and the forecast, and how many mornings were on time."""
    if as_csv and as_json:
        wrong("--csv and --json: choose one")
    env = read_environment()
    settings = read_settings(env.config)
    now = datetime.now(UTC)
    middle = now if month is None else _middle(month, now)
    past, seen = run(output.waiting(_read(env, settings, middle, now), "report"))
    found = shares(past, seen)
    rows = by_tag(found) if by == "tag" else by_entry(found)
    notes = _notes(settings, past, seen, found)
    if as_json:
        document = {
            "month": f"{middle:%Y-%m}",
            "by": by,
            "rows": [row.as_json() for row in rows],
            "total": total(found).as_json(),
            "exact_to_minutes": settings.reconcile_every // timedelta(minutes=1),
            "notes": notes,
        }
        print(json.dumps(document, indent=2))
    elif as_csv:
        _csv(rows, by)
    else:
        output.rows([_cells(row, past) for row in [*rows, total(found)]], titles=(by, *TITLES), right=1)
        for note in notes:
            output.line(visible(note))


def _middle(month: str, now: datetime) -> datetime:
    """An instant that is in this month in every zone."""
    try:
        middle = datetime.strptime(month, "%Y-%m").replace(day=15, tzinfo=UTC)
    except ValueError:
        wrong(f"--month {month}: months look like 2026-11")
    if month > f"{now:%Y-%m}":
        wrong(f"--month {month}: it has not begun")
    return now if month == f"{now:%Y-%m}" else middle


async def _read(env: Environment, settings: Settings, middle: datetime, now: datetime) -> tuple[Past, Observed]:
    from lifecycle.app import http_client, log_reader, monitoring

    zones = {entry.zone for entry in settings.entries.values()}
    months = {
        zone: (month_begin(middle, zone), min(now, month_begin(middle, zone, later=1)))
        for zone in zones
    }  # fmt: skip
    async with http_client() as http:
        source, lines = monitoring(env, http), log_reader(env, http)
        if source is None:
            wrong("MONITORING_PARENT is not set: the billed costs are unknown")
        written = None
        if lines:
            first, last = min(begin for begin, _ in months.values()), max(end for _, end in months.values())
            written = await lines.lines(CONDITION, first, last + settings.reconcile_every)
        known = changes(written or ())
        deadline = asyncio.get_running_loop().time() + PATIENCE
        bills: dict[Series, Bill] = {}
        for zone, (begin, end) in months.items():
            read_at = min(now, end + LATE)
            costs = await source.costs(begin, read_at, settings.reconcile_every, deadline, fine=True)
            own = {key for key, entry in settings.entries.items() if entry.zone == zone}
            bills |= {
                series: exact_bill(windows, settings.reconcile_every, known.get(series[1], ()))
                for series, windows in costs.items()
                if series[0] in own
            }
    past = Past(months, bills, None if written is None else mornings(written))
    try:
        answer, why = await functions.status(env)
    except Failure as failure:
        return past, observed(settings, None, [f"unknown: prices and replicas: {failure}"])
    return past, observed(settings, answer, why)


def shares(past: Past, seen: Observed) -> list[Share]:
    """What the report has of each endpoint: of those that are there, and of those that cost something."""
    there = {(row["endpoint"], row["name"]) for row in seen.rows if row.get("state", row.get("after"))}
    rows = {(row["endpoint"], row["name"]): (row, situation)
            for row, situation in zip(seen.rows, seen.situations, strict=True)}  # fmt: skip
    found = []
    for series in dict.fromkeys([*rows, *past.bills]):
        billed = past.bills.get(series, Bill())
        billed = billed if series in there or not there else billed.of_gone
        row, situation = rows.get(series, (None, None))
        always_on, planned = _compared(past, billed, situation, seen) if situation else (None, None)
        mornings = [one for one in past.mornings or () if one.name == series[1] and _within(past, one, situation)]
        tags = row.get("tags", []) if row else []
        found.append(Share(series[0], series[1], billed, tags, always_on, planned, mornings))
    return found


def _within(past: Past, morning: Morning, situation: Situation | None) -> bool:
    begin, end = past.months[situation.entry.zone] if situation else next(iter(past.months.values()))
    return begin <= morning.begin < end


def _compared(past: Past, billed: Bill, situation: Situation, seen: Observed) -> tuple[float | None, float | None]:
    """The costs of always-on and of the forecast, for the time whose billed costs are known."""
    begin, end = past.months[situation.entry.zone]
    since = max(begin, billed.since) if billed.since else None
    if since is None or since >= end:
        return None, None
    rules = replace(situation, memory=StoredState(), now=since)
    found = forecast(rules, end, seen.prices)
    if found.cost is None or found.cost_always_on is None:
        return None, None
    return float(found.cost_always_on), float(found.cost)


def _notes(settings: Settings, past: Past, seen: Observed, found: Sequence[Share]) -> list[str]:
    every = in_words(settings.reconcile_every)
    notes = [f"Billed: exact to one reconcile run ({every}) for each change. Replicas as Hugging Face targets them."]
    notes.append("Forecast: by the settings and prices of today, without manual requests.")
    since = min((share.bill.since for share in found if share.bill.since), default=None)
    if since is None:
        notes.append("Nothing is known of this month.")
    elif since - min(begin for begin, _ in past.months.values()) > timedelta(hours=1):
        notes.append(f"Known since {since.astimezone(settings.zone):%Y-%m-%d %H:%M} {settings.zone.key}.")
    gaps = [f"{share.name} {in_words(share.bill.unknown)}" for share in found if share.bill.unknown]
    if gaps:
        notes.append(f"Not known, because more than three runs in a row are missing: {', '.join(gaps)}.")
    if past.mornings is None:
        notes.append("LOGGING_PARENT is not set: which hours began on time is unknown.")
    return [*notes, *seen.notes]


def _cells(row: Row, past: Past) -> list[str]:
    fields = row.as_json()
    on_time = f"{fields['on_time']} of {fields['mornings']}" if past.mornings is not None else "?"
    return [
        visible(row.key), _number(fields["hours"]), _dollars(fields["dollars"]), _dollars(fields["always_on"]),
        _dollars(fields["forecast"]), on_time,
    ]  # fmt: skip


def _number(amount: float | None, unit: str = "") -> str:
    return "?" if amount is None else f"{unit}{amount:.2f}"


def _dollars(amount: float | None) -> str:
    return _number(amount, "$")


def _cell(text: str) -> str:
    """Text from outside, so that a spreadsheet does not read it as a formula."""
    return f"'{visible(text)}" if text.startswith(("=", "+", "-", "@")) else visible(text)


def _csv(rows: Sequence[Row], by: str) -> None:
    columns = ("hours", "dollars", "always_on", "forecast", "mornings", "on_time", "known_since", "unknown_hours")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((by, *columns))
    for row in rows:
        fields = row.as_json()
        writer.writerow((_cell(row.key), *("" if fields[column] is None else fields[column] for column in columns)))
