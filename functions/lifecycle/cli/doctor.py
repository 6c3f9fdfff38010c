"""`lifecycle doctor`: checks everything that the system needs, and shows what to do about a failed check."""

import json
from dataclasses import asdict

import click

from lifecycle.cli import output
from lifecycle.cli.checkup import findings
from lifecycle.cli.common import AS_JSON, read_environment, run
from lifecycle.cli.finding import Finding
from lifecycle.config.environment import Environment
from lifecycle.core.text import visible, visible_in

MARKS = {True: "✓", False: "✗", None: "–"}
STYLES = {True: None, False: "red", None: "dim"}


@click.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Check token, names, jobs, functions, rights, clock and quota project; show what to do. Change nothing.

    ✓ passed  ✗ failed, with what to do  – not checked
    """
    found = run(output.waiting(_all(read_environment()), "doctor"))
    if as_json:
        print(json.dumps(visible_in([asdict(one) for one in found]), indent=2))
    else:
        for one in found:
            output.line(f"{MARKS[one.ok]} {one.about}: {visible(one.found)}", STYLES[one.ok])
            if one.ok is False:
                output.line(f"    {visible(one.do)}")
    raise SystemExit(any(one.ok is False for one in found))


async def _all(env: Environment) -> list[Finding]:
    return [one async for one in findings(env)]
