"""`lifecycle check` and `lifecycle schema`: the settings, without any service."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from lifecycle.cli.common import AS_JSON, read_environment, read_settings
from lifecycle.core.text import visible


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@AS_JSON
def check(file: Path | None, as_json: bool) -> None:
    """Report every mistake in the settings; if there is none, report warnings."""
    from lifecycle.cli import output
    from lifecycle.config import advice

    path = file or read_environment().config
    if as_json:
        raise SystemExit(_report(path))
    found = read_settings(path)
    output.line(f"{path}: {len(found.entries)} entries, {len(found.cron)} scheduled actions, OK")
    for name, followers in advice.found_platforms(found).items():
        output.line(f"platform {name}: followed by {', '.join(followers)}")
    for warning in advice.warnings(found, datetime.now(UTC)):
        output.line(f"warning: {visible(warning)}")


def _report(path: Path) -> int:
    """Prints the same as JSON; the exit code."""
    from lifecycle.config import advice, settings
    from lifecycle.config.schema import Invalid, dotted

    report: dict[str, object] = {"problems": [], "warnings": [], "platforms_found": {}}
    try:
        found = settings.parse(path.read_bytes())
        report["warnings"] = advice.warnings(found, datetime.now(UTC))
        report["platforms_found"] = advice.found_platforms(found)
    except Invalid as error:
        report["problems"] = [{"path": dotted(one.path), "what": one.what, "line": one.line} for one in error.problems]
    print(json.dumps(report, indent=2))
    return 1 if report["problems"] else 0


@click.command()
def schema() -> None:
    """Print the settings' JSON Schema."""
    from lifecycle.config import settings

    print(json.dumps(settings.schema(), indent=2, ensure_ascii=False))
