"""`lifecycle init`: writes first settings for the endpoints of a namespace, with `dry_run: true`."""

import asyncio
import os
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import httpx

from lifecycle.cli import output
from lifecycle.cli.common import read_environment, run, wrong
from lifecycle.config.environment import API, Environment
from lifecycle.core.model import AT_REST, Endpoint, Prices
from lifecycle.core.text import visible
from lifecycle.errors import Failure

SECONDS = 60.0
WHOAMI = "https://huggingface.co/api/whoami-v2"  # another server than that of the endpoints
LONG_AGO = timedelta(days=1)
NAME = re.compile(r"[a-z0-9-]{1,32}")
HEAD = """\
# Made by `lifecycle init` on {day}. Nothing is changed while dry_run is true: write hours or rules for each endpoint,
# look at `lifecycle check` and `lifecycle plan`, and set it to false. Every key: docs/settings.md
namespace: {namespace}
time_zone: {zone}
dry_run: true

endpoints:{none}
"""


@click.command()
@click.argument("namespace", required=False)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("lifecycle.yaml"))
def init(namespace: str | None, file: Path) -> None:
    """Read NAMESPACE at Hugging Face with HF_TOKEN, and write settings for its endpoints to FILE (lifecycle.yaml).

    An existing FILE is never overwritten. Each endpoint's price, last use and a suggestion are comments.
    """
    env = read_environment()
    if namespace is None:
        known = run(_namespaces(env)) if env.token else []
        listed = f"one of those that HF_TOKEN sees: {', '.join(map(visible, known))}" if known else "see --help"
        wrong(f"NAMESPACE is missing: your user or organization at Hugging Face, {listed}")
    if file.exists():
        wrong(f"{file} exists, and is not overwritten; name another FILE")
    if not env.token:
        wrong("set HF_TOKEN: init reads the namespace with it")
    endpoints, prices = run(output.waiting(_read(env, env.token, namespace), f"reading {namespace}"))
    text = settings_for(namespace, endpoints, prices, zone=_zone(), now=datetime.now(UTC))
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except OSError as error:
        wrong(f"{file}: cannot be written: {error.strerror}")
    output.line(f"{file}: {len(endpoints)} endpoints, dry_run: true")
    output.line(f"Next: write hours, then LIFECYCLE_CONFIG={file} lifecycle check, and lifecycle plan")


async def _namespaces(env: Environment) -> list[str]:
    """The token's user and organizations; empty if they are unknown."""
    url = WHOAMI if env.endpoints_url == API else urljoin(env.endpoints_url, "/api/whoami-v2")
    try:
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            answer = await http.get(url, headers={"Authorization": f"Bearer {env.token}"})
        user = answer.raise_for_status().json()
        return [str(user["name"]), *(str(one["name"]) for one in user.get("orgs", ()))]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return []


async def _read(env: Environment, token: str, namespace: str) -> tuple[list[Endpoint], Prices]:
    from lifecycle import app
    from lifecycle.huggingface.client import HuggingFace
    from lifecycle.huggingface.credentials import Token

    async def own(_deadline: float) -> str:
        return token

    async with app.http_client() as http:
        deadline = asyncio.get_running_loop().time() + SECONDS
        hub = HuggingFace(
            http, Token(own, app.now, ages=False), env.endpoints_url, namespace, deadline, random.Random()
        )
        endpoints = await hub.endpoints()
        try:
            return endpoints, await hub.prices()
        except Failure:
            return endpoints, {}


def settings_for(namespace: str, endpoints: list[Endpoint], prices: Prices, *, zone: str, now: datetime) -> str:
    """The settings' text; every endpoint is an entry without rules. Pure."""
    named = [endpoint for endpoint in sorted(endpoints, key=lambda one: one.name) if NAME.fullmatch(endpoint.name)]
    parts = [HEAD.format(day=f"{now:%Y-%m-%d}", namespace=namespace, zone=zone, none="" if named else " {}")]
    for endpoint in named:
        price = prices.get(endpoint.hardware) if endpoint.hardware else None
        used = f"last used {endpoint.last_used_at:%Y-%m-%d %H:%M} UTC" if endpoint.last_used_at else "last use unknown"
        costs = f"${price:g} an hour" if price is not None else "price unknown"
        lines = [f"  {endpoint.name}:", f"    # {visible(endpoint.state)}; {costs}; {used}"]
        lines += [f"    # suggestion: {text}" for text in _suggestions(endpoint, now)]
        parts.append("\n".join([*lines, f'    name: "{endpoint.name}"']) + "\n")
    left = [f"# left out, no entry can name it: {visible(one.name)}\n" for one in endpoints if one not in named]
    return "\n".join([*parts, *left])


def _suggestions(endpoint: Endpoint, now: datetime) -> list[str]:
    if endpoint.state in AT_REST:
        return ["none: it is stopped, and costs nothing"]
    if endpoint.last_used_at is None or now - endpoint.last_used_at > LONG_AGO:
        return ["idle_after: 45m"]
    return ["hours: Mon-Fri 08:00-20:00", "lead: 10m"]


def _zone() -> str:
    """This machine's zone by its IANA name; UTC if it has none."""
    named = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named).key if "/" in named else "UTC"
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
