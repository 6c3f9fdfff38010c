"""`lifecycle sync`: makes Cloud Scheduler's jobs match the settings."""

import asyncio
from typing import cast

import click

from lifecycle.cli import output
from lifecycle.cli.common import DRY, read_environment, read_settings, run, wrong
from lifecycle.config.environment import Environment
from lifecycle.core.entries import Settings
from lifecycle.core.text import visible

SYNC_TIME = 900.0  # seconds


@click.command()
@DRY
def sync(dry_run: bool) -> None:
    """Make Cloud Scheduler's jobs match the settings; show the difference first."""
    env = read_environment()
    needed = {"SCHEDULER_PARENT": env.scheduler_parent, "FUNCTIONS_URL": env.functions_url}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        wrong(f"set {' and '.join(missing)}: sync creates jobs there that call the functions")
    run(_sync(env, read_settings(env.config), dry_run))


async def _sync(env: Environment, found: Settings, dry_run: bool) -> None:
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
        for change in difference.changes:
            for text in str(change).split("\n"):
                output.line(visible(text))
        if not difference.changes:
            output.line("nothing to do")
        elif dry_run:
            output.line(f"{len(difference.changes)} would change; dry run, so nothing was changed")
        else:
            making = job_changes.apply(difference.changes, scheduler, target)
            await output.waiting(making, f"making {len(difference.changes)} changes")
            output.line(f"{len(difference.changes)} changed")
        if difference.foreign:
            raise foreign(difference.foreign)
