"""`lifecycle history`: what changed, when, by which rule or whom, and what failed."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from lifecycle.cli import output
from lifecycle.cli.common import AS_JSON, SOME_NAMES, Stop, read_environment, read_settings, run, wrong
from lifecycle.config.environment import Environment
from lifecycle.core.entries import Settings
from lifecycle.core.history import Event
from lifecycle.core.text import visible
from lifecycle.core.times import duration


@click.command()
@SOME_NAMES
@click.option("--since", default="7d", show_default=True, help="How far back: 90m, 12h, 7d.")
@AS_JSON
def history(names: tuple[str, ...], since: str, as_json: bool) -> None:
    """Show what changed, when, by which rule or whom, and what failed; also changes made at Hugging Face.

    Repeated events are shown once, with their count.
    """
    env = read_environment()
    try:
        length = duration(since)
    except ValueError as error:
        wrong(f"--since {since}: {error}")
    if not length:
        wrong(f"--since {since}: nothing is that new; lengths look like 90m, 12h, 7d")
    now = datetime.now(UTC)
    found = run(output.waiting(_events(env, names, now - length, now), "history"))
    settings = _settings(env)
    if settings and (unknown := [name for name in names if not _is_known(name, settings, found)]):
        listed = ", ".join(settings.entries) or "none"
        wrong(f"unknown: {', '.join(unknown)}; known are {listed}, and what has changed in the last {since}")
    if as_json:
        print(json.dumps([event.as_json() for event in found], indent=2))
    elif found:
        entries = settings.entries if settings else {}
        zones = {key: entry.zone for key, entry in entries.items()}
        cells = [_row(event, zones.get(event.endpoint, output.UTC)) for event in found]
        output.rows(cells, styles=["red" if event.failed else None for event in found])
    else:
        output.line(f"no changes in the last {since}")


def _settings(env: Environment) -> Settings | None:
    """None: they are not on this machine, or have mistakes, which `lifecycle check` shows."""
    try:
        return read_settings(env.config) if env.config.exists() else None
    except Stop:
        return None


def _is_known(name: str, settings: Settings, found: Iterable[Event]) -> bool:
    """Whether there is, or was, an entry or an endpoint of this name, as far as settings and events say it."""
    fits = any(entry.name and entry.covers(name, entry.tags) for entry in settings.entries.values())
    return name == "*" or name in settings.entries or fits or any(name in (e.endpoint, e.name) for e in found)


async def _events(env: Environment, names: tuple[str, ...], since: datetime, now: datetime) -> list[Event]:
    from lifecycle.app import http_client, log_reader
    from lifecycle.engine.history import history as read

    async with http_client() as http:
        source = log_reader(env, http)
        if source is None:
            wrong("LOGGING_PARENT is not set: there is no history (terraform output -raw exports shows it)")
        return await read(source, () if names == ("*",) else names, since, now)


def _row(event: Event, zone: ZoneInfo) -> list[str]:
    at = f"{event.at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"
    many = f" ({event.count} times until {event.until.astimezone(zone):%a %H:%M})" if event.until else ""
    names = output.names({"endpoint": event.endpoint, "name": event.name})
    return [visible(cell) for cell in (at, names, event.what + many, event.who, event.why)]
