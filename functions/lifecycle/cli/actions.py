"""`lifecycle pause`, `resume`, `warm` and `release`: manual requests."""

import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import click

from lifecycle.cli import functions, output
from lifecycle.cli import until as times
from lifecycle.cli.common import AS_JSON, DRY, NAMES, Stop, only, read_environment, run, wrong
from lifecycle.config.environment import Environment
from lifecycle.core.times import parse_rfc3339
from lifecycle.engine.request import RELEASED

HOLDER = click.option(
    "--holder", help="The holder of the override, instead of you: 1 to 64 letters, digits, '.', '_' and '-'."
)


def _verb(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @NAMES
    @click.option("--for", "length", help="Duration of the override: 90s, 45m, 1h30m, 2d; at most 7d.")
    @click.option("--until", help="Or: HH:MM, 'Fri HH:MM' or 'YYYY-MM-DD HH:MM' in the entry's time zone, "
        "or a time with an offset" + ("; or released." if name == "pause" else "."))  # fmt: skip
    @click.option("--note", help="The reason; it is shown with the override.")
    @HOLDER
    @click.option(
        "--force", is_flag=True, help="Also act against another holder's pause, a spent budget or `protected`."
    )
    @DRY
    @AS_JSON
    def command(
        names: tuple[str, ...], length: str | None, until: str | None, note: str | None, holder: str | None,
        force: bool, dry_run: bool, as_json: bool,
    ) -> None:  # fmt: skip
        env = read_environment()
        asked = {"for": length, "note": note, "holder": holder, "force": force or None, "dry_run": dry_run or None}
        body = {key: value for key, value in asked.items() if value is not None}
        groups = _groups(env, names, until)
        _ask(env, name, [{"endpoints": group, **body, **when} for group, when in groups], as_json)

    return command


pause = _verb("pause", "Pause endpoints. Where the rules would undo it, an override keeps the pause.")
resume = _verb("resume", "Resume endpoints, without waiting until they run.")
warm = _verb("warm", "Make endpoints run; return when they answered, and print their URLs.")


@click.command()
@NAMES
@HOLDER
@click.option("--all-holders", is_flag=True, help="End everybody's overrides, not only your own.")
@DRY
@AS_JSON
def release(names: tuple[str, ...], holder: str | None, all_holders: bool, dry_run: bool, as_json: bool) -> None:
    """End your overrides; the rules decide again."""
    asked = {"holder": holder, "holders": "all" if all_holders else None, "dry_run": dry_run or None}
    body = {key: value for key, value in asked.items() if value is not None}
    _ask(read_environment(), "reconcile", [{"endpoints": list(names), "clear_override": True, **body}], as_json)


def _ask(env: Environment, function: str, bodies: list[dict[str, Any]], as_json: bool) -> None:
    """Calls a function for each body, prints the answers, and ends with the exit code that they ask for."""
    code, answers = 0, []
    for body in bodies:
        what = f"{function} {' '.join(body['endpoints'])}"
        status, answer = run(output.waiting(functions.ask(env, function, body), what))
        if not isinstance(answer, dict) or "results" not in answer:
            message = f"{function}: {functions.refusal(status, answer)}"
            raise Stop(message, 2 if status in (400, 404, 413, 415) else 1)
        answers.append(answer)
        if not as_json:
            output.results(answer)
        code = max(code, 1 if status >= 400 else 0)
    if as_json:
        print(json.dumps({**answers[0], "results": [row for answer in answers for row in answer["results"]]}, indent=2))
    raise SystemExit(code)


def _groups(env: Environment, names: tuple[str, ...], until: str | None) -> list[tuple[list[str], dict[str, str]]]:
    """The names, grouped by the instant that `--until` is for them: the zone is that of the entry, from `status`."""
    if until is None:
        return [(list(names), {})]
    try:
        if until == RELEASED or not times.is_local(until):
            return [(list(names), {"until": until})]
    except ValueError as error:
        wrong(f"--until {until}: {error}")
    status, _ = run(output.waiting(functions.status(env), "status"))
    groups: dict[str, list[str]] = {}
    for row in only(status["endpoints"], names):
        groups.setdefault(_instant(until, row, status), []).extend(
            name
            for name in (names if names != ("*",) else (row["endpoint"],))
            if name in (row["endpoint"], row["name"])
        )
    if names == ("*",) and len(groups) == 1:
        return [(["*"], {"until": next(iter(groups))})]
    return [(list(dict.fromkeys(group)), {"until": when}) for when, group in groups.items()]


def _instant(until: str, row: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    now = parse_rfc3339(status["now"])
    if not row.get("time_zone") or now is None:
        wrong(f"--until {until}: the zone of {row['endpoint']} is unknown; give a time with an offset")
    try:
        return times.instant(until, ZoneInfo(row["time_zone"]), now).isoformat()
    except OverflowError:
        wrong(f"--until {until}: must be in the future, at most 7 days from now")
