"""`lifecycle status`: a line for each endpoint."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from lifecycle.cli import functions, output
from lifecycle.cli.common import AS_JSON, SOME_NAMES, Stop, only, read_environment, run
from lifecycle.config.environment import Environment
from lifecycle.core.model import AT_REST, FREE, STARTING
from lifecycle.core.text import visible_in
from lifecycle.core.times import parse_rfc3339

EVERY = 10.0  # seconds between two looks of --watch
AS_WANTED, STARTS, DIFFERS, NOT_KNOWN = "✓", "…", "!", "?"
STYLES = {DIFFERS: "red", NOT_KNOWN: "yellow", STARTS: "cyan", AS_WANTED: None}


@click.command()
@SOME_NAMES
@click.option("--watch", is_flag=True, help=f"Repeat every {EVERY:.0f} seconds, until Ctrl-C.")
@click.option("--check", is_flag=True, help="Exit with 1 when a state is not the desired one, or is unknown.")
@AS_JSON
def status(names: tuple[str, ...], watch: bool, check: bool, as_json: bool) -> None:
    """Show current and desired state, the reason, the next change, and the current cost.

    ✓ desired state  … starting  ! another state, or unmanaged and may bill  ? unknown
    """
    env = read_environment()
    answer = _look(env, names, as_json)
    while watch:
        try:
            time.sleep(EVERY)  # between two looks there is nothing to do; Ctrl-C ends it
            if sys.stdout.isatty():
                click.clear()
            answer = _look(env, names, as_json)
        except Stop as stop:
            stop.show()
        except KeyboardInterrupt:
            break
    unread = [row for row in answer["endpoints"] if state_of(row) is None]
    if (unread and len(unread) == len(answer["endpoints"])) or "huggingface" in answer["unknown"]:
        raise SystemExit(1)
    if check and (answer["unknown"] or differing(answer)):
        raise SystemExit(1)


def state_of(row: Mapping[str, Any]) -> str | None:
    """The state, as Hugging Face names it; None: unknown."""
    state = row["state"]
    return None if state is None else str(state)


def marker(row: Mapping[str, Any]) -> str:
    """Whether an endpoint has its desired state, as one character."""
    state, wanted = state_of(row), row["wanted"]
    if state is None:
        return NOT_KNOWN
    sleeps = state == "scaledToZero" and row["replicas"]["min"] == 0 and not row["override"]
    fits = {
        "any": True,
        "running": state == "running" or sleeps,
        "paused": state == "paused",
        "scaledToZero": state in AT_REST,
    }
    if row["error"] or not fits.get(wanted, False):
        return STARTS if state in STARTING and wanted == "running" and not row["error"] else DIFFERS
    return AS_WANTED


def differing(answer: Mapping[str, Any]) -> list[str]:
    """The names of the endpoints that are not in their desired state."""
    return [row["name"] for row in answer["endpoints"] if marker(row) != AS_WANTED]


def dollars_per_hour(row: Mapping[str, Any]) -> float | None:
    """What an endpoint costs now: nothing at rest, else its replicas' price; None: not known."""
    state, price = state_of(row), row["price_per_hour"]
    if state in FREE:
        return 0.0
    if state is None or price is None:
        return None
    return float(price * max(1, (row.get("replicas") or {}).get("target") or 1))


def money(dollars: float | None) -> str:
    return (
        "$?/h"
        if dollars is None
        else f"${dollars:.2f}/h"
        if round(dollars, 2) == round(dollars, 4)
        else f"${dollars:g}/h"
    )


def _look(env: Environment, names: tuple[str, ...], as_json: bool) -> Mapping[str, Any]:
    answer, why = run(output.waiting(functions.status(env), "status"))
    answer = dict(answer)
    answer["endpoints"] = only(answer["endpoints"], names)
    if as_json:
        print(json.dumps(answer, indent=2), flush=True)
    else:
        _show(visible_in(answer), visible_in(why), everything=not names)
    return answer


def _show(answer: Mapping[str, Any], why: list[str], *, everything: bool) -> None:
    now = parse_rfc3339(answer["now"])
    assert now is not None
    zones = dict.fromkeys(output.zone_of(row) for row in answer["endpoints"])
    one = next(iter(zones)) if len(zones) == 1 else None
    for text in [*why, *_warnings(answer)]:
        output.line(text, "yellow")
    billing = [row for row in answer["unmanaged"] if state_of(row) not in FREE] if everything else []
    cells = [
        [
            f"! {row['name']}",
            "",
            f"{state_of(row)}, unmanaged",
            money(dollars_per_hour(row)),
            "",
            "no entry covers it, and it may bill",
        ]
        for row in billing
    ]
    styles: list[str | None] = ["red"] * len(billing)
    for row in sorted(answer["endpoints"], key=lambda row: marker(row) == AS_WANTED):
        zone, found = output.zone_of(row), marker(row)
        next_ = row["next"]
        state = state_of(row) or "unknown"
        cells.append([
            f"{found} {row['endpoint']}",
            row["name"],
            state if state == row["wanted"] or row["wanted"] == "any" else f"{state} → {row['wanted']}",
            money(dollars_per_hour(row)),
            f"{output.clock(next_['at'], zone, now, named=one is None)} {next_['wanted']}" if next_ else "",
            row["reason"] + (f"; {row['error']}" if row["error"] else ""),
        ])  # fmt: skip
        styles.append(STYLES[found])
    output.rows(cells, styles=styles)
    if everything:
        _footer(answer, [*billing, *answer["endpoints"]], output.clock(now, one or next(iter(zones), output.UTC), now))


def _warnings(answer: Mapping[str, Any]) -> list[str]:
    texts = []
    if answer["jobs_settings_sha256"] is None and "scheduler" not in answer["unknown"]:
        texts.append("there are no jobs yet: run `lifecycle sync`")
    if answer["jobs_settings_sha256"] not in (None, answer["settings_sha256"]):
        texts.append("the jobs were made from other settings: run `lifecycle sync`")
    return texts


def _footer(answer: Mapping[str, Any], rows: list[Mapping[str, Any]], now: str) -> None:
    """Each platform, budgets, and one sum over all endpoints that are listed above."""
    silent = "unknown" if "scheduler" in answer["unknown"] else "has sent no message yet"
    for name, platform in answer["platforms"].items():
        since = parse_rfc3339(platform["since"])
        text = f"{platform['state']} since {since:%Y-%m-%d %H:%M} UTC" if platform["state"] and since else silent
        output.line(f"platform {name}: {text}")
    for summary in dict.fromkeys(_budgets(answer)):
        output.line(summary)
    costs = [dollars_per_hour(row) for row in rows]
    known = [cost for cost in costs if cost is not None]
    unknown = f", and {len(costs) - len(known)} of unknown cost" if len(known) < len(costs) else ""
    billing = sum(state_of(row) not in (None, *FREE) for row in rows)
    output.line(f"{now}: {billing} of {len(rows)} may bill now, {money(sum(known))}{unknown}")


def _budgets(answer: Mapping[str, Any]) -> Iterator[str]:
    """Each budget with its billed costs, or why they are unknown."""
    if answer.get("budget"):
        yield answer["budget"]["summary"]
    for row in answer["endpoints"]:
        if row.get("budget"):
            yield f"{row['endpoint']}: {row['budget']['summary']}"
