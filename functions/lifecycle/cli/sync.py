"""`lifecycle sync`: makes Cloud Scheduler's jobs match the settings."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click

from lifecycle.cli import output
from lifecycle.cli.common import AS_JSON, DRY, read_environment, read_settings, run, wrong
from lifecycle.config.environment import Environment
from lifecycle.core.entries import Settings
from lifecycle.core.text import visible, visible_in

if TYPE_CHECKING:
    from lifecycle.cli.job_changes import Change

SYNC_TIME = 900.0  # seconds


@click.command()
@DRY
@AS_JSON
def sync(dry_run: bool, as_json: bool) -> None:
    """Make Cloud Scheduler's jobs match the settings; show the difference first."""
    env = read_environment()
    needed = {"SCHEDULER_PARENT": env.scheduler_parent, "FUNCTIONS_URL": env.functions_url}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        wrong(f"set {' and '.join(missing)}: sync creates jobs there that call the functions")
    run(_sync(env, read_settings(env.config), dry_run, as_json))


async def _sync(env: Environment, found: Settings, dry_run: bool, as_json: bool) -> None:
    import random

    from lifecycle.app import http_client
    from lifecycle.cli import job_changes
    from lifecycle.cli.desired_jobs import Target
    from lifecycle.gcp.jobs import foreign
    from lifecycle.gcp.scheduler import Client, Scheduler
    from lifecycle.huggingface.own_url import is_loopback

    target = Target(cast(str, env.functions_url), env.invoker or "", env.prefix)
    if not env.invoker and not is_loopback(target.functions_url):
        wrong("set INVOKER_SERVICE_ACCOUNT: without it the functions would refuse the jobs")
    deadline = asyncio.get_running_loop().time() + SYNC_TIME
    async with http_client() as http:
        client = Client(env.scheduler_url, http)
        scheduler = Scheduler(cast(str, env.scheduler_parent), client, deadline, random.Random())
        difference = job_changes.difference(found, target, await scheduler.list())
        changes = difference.changes
        _show(changes, as_json=as_json)
        if changes and not dry_run:
            making = job_changes.apply(changes, scheduler, target)
            await output.waiting(making, f"making {len(changes)} changes")
        if not as_json:
            done = "would change; dry run, so nothing was changed" if dry_run else "changed"
            output.line(f"{len(changes)} {done}" if changes else "nothing to do")
        if difference.foreign:
            raise foreign(difference.foreign)


def _show(changes: Sequence["Change"], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(visible_in([change.as_json() for change in changes]), indent=2))
        return
    for change in changes:
        for text in str(change).split("\n"):
            output.line(visible(text))
