"""What the two Google clients share."""

import gc
import subprocess
import sys
from datetime import UTC, datetime

from lifecycle.gcp.client import client
from local.servers.scheduler import Scheduler
from local.servers.serve import serve

BOTH = """
import asyncio, random, sys
from lifecycle.errors import Failure
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager

async def both():
    sys.setswitchinterval(1e-6)
    deadline, nowhere, chance = asyncio.get_running_loop().time() + 0.1, "http://127.0.0.1:9", random.Random(1)
    jobs = Scheduler("projects/p/locations/l", Client(nowhere), deadline, chance)
    secret = SecretManager("projects/p/secrets/s/versions/1", nowhere, chance)
    work = [jobs.list(), secret.read(deadline), jobs.list(), secret.read(deadline)]
    return await asyncio.gather(*work, return_exceptions=True)

assert all(isinstance(found, Failure) for found in asyncio.run(both()))
"""


def test_two_threads_that_import_googles_clients_at_once_do_not_stand_in_each_others_way() -> None:
    """Without care one of ten processes fails, so that a few are tried."""
    for _ in range(5):
        subprocess.run([sys.executable, "-c", BOTH], check=True, timeout=60)


def test_a_dropped_client_leaves_no_connection_open() -> None:
    with serve(Scheduler(lambda: datetime.now(UTC))) as url:
        made = client("google.cloud.scheduler_v1", "CloudSchedulerClient", url)
        list(made.list_jobs(parent="projects/p/locations/l", timeout=5))
        open_pools = made.transport._session.get_adapter(url).poolmanager.pools
        assert len(open_pools) == 1
        del made
        gc.collect()
        assert len(open_pools) == 0
