"""The command `lifecycle`. With FUNCTIONS_URL set it goes through the deployed functions, without it directly.

Exit codes: 0 done, 1 something failed, 2 wrong use.
"""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import click

from lifecycle.config import environment, settings
from lifecycle.config.environment import Environment
from lifecycle.config.schema import Invalid
from lifecycle.core.entries import Settings
from lifecycle.engine.request import RELEASED, UnknownName
from lifecycle.errors import Failure

T = TypeVar("T")
NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME…")
DRY = click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")
SYNC_TIME = 900.0  # seconds


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hf-endpoint-lifecycle", prog_name="lifecycle")
def main() -> None:
    """Pauses, resumes and warms Hugging Face Inference Endpoints.

    Settings: LIFECYCLE_CONFIG; else, in a checkout, lifecycle.yaml beside main.py; else ./lifecycle.yaml. Every NAME
    is an entry of them; "*" means all.
    """


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Say everything that is wrong with the settings."""
    path = file or _environment().config
    found = _read(path)
    print(f"{path}: {len(found.entries)} entries, {len(found.cron)} timed actions, nothing wrong")


@main.command()
def schema() -> None:
    """Print the settings' JSON Schema."""
    print(json.dumps(settings.schema(), indent=2, ensure_ascii=False))


@main.command()
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How far ahead.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="From the midnight of this day; default: now.")
@AS_JSON
def plan(days: int, start: datetime | None, as_json: bool) -> None:
    """Say what will happen when and why, hours, and money against always-on."""
    from lifecycle.cli import output as show

    if start and not 1971 <= start.year <= 2900:
        _wrong(f"--from {start:%Y-%m-%d}: years are 1971 to 2900")
    env = _environment()
    found, notes = _run(show.waiting(_forecasts(env, _read(env.config), days, start), "plan"))
    if as_json:
        total = {"cost": _sum(one.cost for one in found), "cost_always_on": _sum(one.cost_always_on for one in found)}
        print(json.dumps({"endpoints": [one.as_json() for one in found], "total": total, "notes": notes}, indent=2))
    else:
        show.forecasts(found, notes)


@main.command()
@AS_JSON
def status(as_json: bool) -> None:
    """Say what is, what is wanted and why, and what comes next."""
    from lifecycle.cli import output as show

    env = _environment()
    told = _run(show.waiting(_status(env, None if env.functions_url else _read(env.config)), "status"))
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        show.status(told)


def _verb(name: str, text: str) -> None:
    @main.command(name, help=text)
    @NAMES
    @click.option("--for", "length", help="How long the wish holds: 90s, 45m, 1h30m, 2d; at most 7d.")
    @click.option("--until", help="Instead: a time with an offset, or HH:MM, the next one in the entry's zone" + (
        "; or released." if name == "pause" else "."))  # fmt: skip
    @click.option("--note", help="Why; it is kept with the override.")
    @DRY
    def command(names: tuple[str, ...], length: str | None, until: str | None, note: str | None, dry_run: bool) -> None:
        env = _environment()
        asked = {"for": length, "note": note, "dry_run": dry_run or None}
        body = {key: value for key, value in asked.items() if value is not None}
        _ask(env, name, [{"endpoints": group, **body, **when} for group, when in _groups(env, names, until)])


_verb("pause", "Pause endpoints. What the rules would undo is kept from them by an override.")
_verb("resume", "Resume endpoints, without waiting until they run.")
_verb("warm", "Make endpoints run; return when they answered, and print their URLs.")


@main.command()
@NAMES
@DRY
def release(names: tuple[str, ...], dry_run: bool) -> None:
    """Give endpoints back to the rules."""
    body = {"endpoints": list(names), "clear_override": True, **({"dry_run": True} if dry_run else {})}
    _ask(_environment(), "reconcile", [body])


@main.command()
@DRY
def sync(dry_run: bool) -> None:
    """Make Cloud Scheduler's jobs what the settings say; show the difference first."""
    env = _environment()
    needed = {"SCHEDULER_PARENT": env.scheduler_parent, "FUNCTIONS_URL": env.functions_url}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        _wrong(f"set {' and '.join(missing)}: sync makes jobs there that call the functions")
    _run(_sync(env, _read(env.config), dry_run))


# How it is done.


async def _sync(env: Environment, found: Settings, dry_run: bool) -> None:
    import random

    from lifecycle.cli import output as show
    from lifecycle.cli import sync as jobs
    from lifecycle.cli.desired_jobs import Target
    from lifecycle.gcp.jobs import foreign
    from lifecycle.gcp.scheduler import Client, Scheduler
    from lifecycle.huggingface.client import is_loopback

    target = Target(cast(str, env.functions_url), env.invoker or "", env.prefix)
    if not env.invoker and not is_loopback(target.functions_url):
        _wrong("set INVOKER_SERVICE_ACCOUNT: without it the functions would refuse the jobs")
    deadline = asyncio.get_running_loop().time() + SYNC_TIME
    scheduler = Scheduler(cast(str, env.scheduler_parent), Client(env.scheduler_url), deadline, random.Random())
    difference = jobs.difference(found, target, await scheduler.list())
    for change in difference.changes:
        print(change)
    if not difference.changes:
        print("nothing to do")
    elif dry_run:
        print(f"{len(difference.changes)} to change; nothing was, this is a dry run")
    else:
        making = jobs.apply(difference.changes, scheduler, target)
        await show.waiting(making, f"making {len(difference.changes)} changes")
        print(f"{len(difference.changes)} changed")
    if difference.foreign:
        raise foreign(difference.foreign)


async def _forecasts(env: Environment, found: Settings, days: int, start: datetime | None) -> Any:
    from lifecycle.app import world
    from lifecycle.core.forecast import forecast
    from lifecycle.engine.call import Call, Caller
    from lifecycle.engine.service import AT_ONCE

    call = Call(world(env, found), AT_ONCE, Caller())
    _, prices = await asyncio.gather(call.observe(), call.prices())
    await call.hf.http.aclose()
    notes = ["Platforms and overrides are taken as they are remembered now; unused endpoints as they are used now."]
    unknown = (str(failure) for failure in (call.endpoints, call.memory, prices) if isinstance(failure, Failure))
    notes += [f"Not known: {told}" for told in dict.fromkeys(unknown)]
    known = {} if isinstance(prices, Failure) else prices
    forecasts = []
    for entry in found.entries.values():
        now = start.replace(tzinfo=entry.zone).astimezone(UTC) if start else call.now()
        end = now.astimezone(entry.zone).replace(tzinfo=None) + timedelta(days=days)
        until = end.replace(tzinfo=entry.zone).astimezone(UTC)
        for situation in call.situations(entry) or [call.situation(entry, None)]:
            forecasts.append(forecast(replace(situation, now=now), until, known))
    return forecasts, notes


def _sum(amounts: Iterable[Decimal | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return float(sum(known)) if known else None


async def _status(env: Environment, found: Settings | None) -> Mapping[str, Any]:
    """Through the functions, or directly with these settings."""
    if found is None:
        from lifecycle.cli import remote

        code, told = await remote.call(env, "status", None)
        if code != 200 or not isinstance(told, dict) or "endpoints" not in told:
            raise Failure(f"status: {_refusal(code, told)}", code="refused", retryable=code == 503)
        return cast(Mapping[str, Any], told)
    from lifecycle.app import world
    from lifecycle.engine.service import Service

    service = Service(world(env, found))
    made = await service.status()
    await service.world.http.aclose()
    return made.told


def _ask(env: Environment, function: str, bodies: list[dict[str, Any]]) -> None:
    """Calls a function for each body, prints the answers, and ends with the exit code that they ask for."""
    from lifecycle.cli import output as show

    found = None if env.functions_url else _read(env.config)
    code = 0
    for body in bodies:
        what = f"{function} {' '.join(body['endpoints'])}"
        status, answer = _run(show.waiting(_answer(env, found, function, body), what))
        if isinstance(answer, dict) and "results" in answer:
            show.results(answer)
            code = max(code, 1 if status >= 500 else 0)
        else:
            print(f"{function}: {_refusal(status, answer)}", file=sys.stderr)
            code = max(code, 2 if status in (400, 404, 413, 415) else 1)
    sys.exit(code)


def _refusal(status: int, answer: Any) -> str:
    """What a function said where it gave no results."""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    return str(detail) if detail and status < 500 else f"{status} {detail or answer}"


async def _answer(env: Environment, found: Settings | None, function: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Through the functions, or directly with these settings."""
    if found is None:
        from lifecycle.cli import remote

        return await remote.call(env, function, body)
    from lifecycle.app import world
    from lifecycle.engine import request
    from lifecycle.engine.call import Caller, Verb
    from lifecycle.engine.service import Service

    service = Service(world(env, found))
    try:
        asked = request.read(function, json.dumps(body).encode(), found.entries, service.world.now())
    except (Invalid, UnknownName) as error:
        return 400, {"detail": str(error)}
    if function == "reconcile":
        answer = await service.reconcile(asked, Caller())
    else:
        answer = await service.act(cast(Verb, function), asked, Caller())
    await service.world.http.aclose()
    return answer.status, answer.body()


def _groups(env: Environment, names: tuple[str, ...], until: str | None) -> list[tuple[list[str], dict[str, str]]]:
    """The names, grouped by the instant that `--until HH:MM` is for them."""
    if until is None:
        return [(list(names), {})]
    if until == RELEASED or len(until) > 5:
        return [(list(names), {"until": until})]
    try:
        wall = datetime.strptime(until, "%H:%M").time()  # noqa: DTZ007 - a time of day
    except ValueError:
        _wrong(f"--until {until}: is neither HH:MM nor a time with an offset, such as 2026-11-23T22:00:00+01:00")
    found = _read(env.config)
    chosen = tuple(found.entries) if names == ("*",) else names
    groups: dict[str, list[str]] = {}
    for name in chosen:
        if name not in found.entries:
            _wrong(str(UnknownName([name], found.entries)))
        groups.setdefault(_next(wall, found.entries[name].zone).isoformat(), []).append(name)
    return [(group, {"until": when}) for when, group in groups.items()]


def _next(wall: time, zone: Any) -> datetime:
    from lifecycle.core.schedule import wall_to_utc

    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    days = (datetime.combine(today + timedelta(days=number), wall) for number in range(3))
    return next(when for day in days for fold in (0, 1) if (when := wall_to_utc(day, zone, fold=fold)) > now)


def _environment() -> Environment:
    try:
        return environment.read(os.environ)
    except Invalid as error:
        _wrong(str(error))


def _read(path: Path) -> Settings:
    try:
        return settings.parse(path.read_bytes())
    except OSError as error:
        _wrong(f"{path}: cannot be read: {error.strerror}. LIFECYCLE_CONFIG names another file")
    except Invalid as error:
        raise SystemExit(_say(f"{path}:\n{error}")) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except Failure as failure:
        raise SystemExit(_say(str(failure))) from None
    except KeyboardInterrupt:
        raise SystemExit(_say("stopped; what was begun goes on at Hugging Face")) from None


def _say(what: str) -> int:
    print(what, file=sys.stderr)
    return 1


def _wrong(what: str) -> NoReturn:
    print(what, file=sys.stderr)
    raise SystemExit(2)
