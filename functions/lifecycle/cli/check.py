"""`lifecycle check` and `lifecycle schema`: the settings, without any service."""

import json
from pathlib import Path

import click

from lifecycle.cli.common import read_environment, read_settings


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Say everything that is wrong with the settings."""
    path = file or read_environment().config
    found = read_settings(path)
    print(f"{path}: {len(found.entries)} entries, {len(found.cron)} timed actions, nothing wrong")


@click.command()
def schema() -> None:
    """Print the settings' JSON Schema."""
    from lifecycle.config import settings

    print(json.dumps(settings.schema(), indent=2, ensure_ascii=False))
