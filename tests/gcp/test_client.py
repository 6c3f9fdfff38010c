"""What the two Google clients share."""

import subprocess
import sys

BOTH = """
import asyncio, random, sys
import httpx
from lifecycle.errors import Failure
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager

async def both():
    sys.setswitchinterval(1e-6)
    http = httpx.AsyncClient()
    deadline, nowhere, chance = asyncio.get_running_loop().time() + 0.1, "http://127.0.0.1:9", random.Random(1)
    jobs = Scheduler("projects/p/locations/l", Client(nowhere, http), deadline, chance)
    secret = SecretManager("projects/p/secrets/s/versions/1", nowhere, http, chance)
    work = [jobs.list(), secret.read(deadline), jobs.list(), secret.read(deadline)]
    return await asyncio.gather(*work, return_exceptions=True)

assert all(isinstance(found, Failure) for found in asyncio.run(both()))
"""


def test_two_threads_that_import_googles_clients_at_once_do_not_stand_in_each_others_way() -> None:
    """Without care one of ten processes fails, so that a few are tried."""
    for _ in range(5):
        subprocess.run([sys.executable, "-c", BOTH], check=True, timeout=60)
