"""What the two Google clients share."""

import subprocess
import sys

import pytest

WATCHED = """
import asyncio, random, sys
import httpx
from lifecycle.errors import Failure
from lifecycle.gcp import client
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager

class Watch:
    seen = unguarded = 0

    def find_spec(self, name, path=None, target=None):
        if name.startswith("google."):
            Watch.seen += 1
            Watch.unguarded += not client.IMPORTING.locked()

async def listed(http, deadline, chance):
    return await Scheduler("projects/p/locations/l", Client("http://127.0.0.1:9", http), deadline, chance).list()

async def secret(http, deadline, chance):
    return await SecretManager("projects/p/secrets/s/versions/1", "http://127.0.0.1:9", http, chance).read(deadline)

async def once(work):
    return await work(httpx.AsyncClient(), asyncio.get_running_loop().time() + 60, random.Random(1))

sys.meta_path.insert(0, Watch())
random.Random.uniform = lambda *_: 100.0  # a second attempt would be behind the deadline
try:
    asyncio.run(once(CALL))
except Failure:
    pass
assert Watch.seen > 20, Watch.seen
assert not Watch.unguarded, Watch.unguarded
"""


@pytest.mark.parametrize("call", ["listed", "secret"])
def test_googles_packages_are_imported_under_the_lock_alone(call: str) -> None:
    """They import in circles: two threads that enter them from different ends would end in an error."""
    subprocess.run([sys.executable, "-c", WATCHED.replace("CALL", call)], check=True, timeout=120)
