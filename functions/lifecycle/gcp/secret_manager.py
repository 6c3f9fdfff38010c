"""Reads the token from a version of a secret in Secret Manager, and checks its CRC32C.

Source: Secret Manager API v1, `projects.secrets.versions.access`.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from lifecycle.errors import Failure
from lifecycle.gcp.client import as_failure, client
from lifecycle.gcp.transport import PER_CALL, in_thread
from lifecycle.retry import retry, time_limit

MOST_AT_ONCE = 4  # calls under way


class SecretManager:
    """Reads one version, `projects/P/secrets/S/versions/V`. `url`: a local server instead of Google's."""

    def __init__(self, version: str, url: str | None, http: httpx.AsyncClient, rng: random.Random) -> None:
        self.version = version
        self._chance = rng
        self._url = url
        self._client: Any = None
        self._http = http
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "secret-manager")

    async def read(self, deadline: float) -> str:
        """The secret's text. Raises `Failure`."""

        async def attempt() -> str:
            async with time_limit(f"reading {self.version}", deadline, code="token_unreadable"):
                return await in_thread(self._threads, self._http, deadline, self._read)

        return await retry(attempt, deadline=deadline, rng=self._chance)

    def _read(self) -> str:
        with as_failure(f"reading {self.version}", code="token_unreadable"):
            if self._client is None:
                self._client = client("google.cloud.secretmanager_v1", "SecretManagerServiceClient", self._url)
            payload = self._client.access_secret_version(name=self.version, timeout=PER_CALL, retry=None).payload
        import google_crc32c

        if "data_crc32c" in payload and payload.data_crc32c != google_crc32c.value(payload.data):
            raise Failure(f"{self.version} arrived damaged (CRC32C)", code="token_unreadable", retryable=True)
        try:
            return str(payload.data.decode("ascii"))
        except UnicodeDecodeError:
            raise Failure(f"{self.version} is not plain ASCII", code="token_unreadable", retryable=False) from None
