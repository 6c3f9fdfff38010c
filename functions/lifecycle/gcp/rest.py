"""Cloud Logging and Cloud Monitoring over their REST APIs, with the process's own HTTP client.

Google's client of Monitoring speaks gRPC alone, and Logging's takes no timeout of a call. Here a call ends at its
deadline whatever the service does, and holds no thread. google.auth, which Google's clients use too, is imported at
the first call to Google.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import httpx

from lifecycle.errors import Failure
from lifecycle.gcp.client import IMPORTING, as_failure
from lifecycle.gcp.transport import in_thread, mount, send
from lifecycle.retry import retry_after, time_limit

Json = dict[str, Any]
Query = Sequence[tuple[str, str]]
PER_CALL = 5.0  # seconds
CODE = "history_unavailable"
SCOPES = ("https://www.googleapis.com/auth/logging.read", "https://www.googleapis.com/auth/monitoring.read")


class Api(Protocol):
    """One of Google's REST APIs. `deadline`: on the event loop's clock. Raises `Failure`."""

    async def __call__(
        self, method: str, path: str, *, deadline: float, query: Query = (), body: Any = None
    ) -> Json: ...


class Credentials:
    """Access tokens of Application Default Credentials; both APIs share them."""

    def __init__(self, scopes: Sequence[str] = SCOPES) -> None:
        self._scopes = scopes
        self._credentials: Any = None
        self._fetching = asyncio.Lock()
        self._threads = ThreadPoolExecutor(2, "credentials")

    async def headers(self, http: httpx.AsyncClient, deadline: float) -> dict[str, str]:
        """Raises `Failure`: there are none."""
        async with self._fetching:
            return await in_thread(self._threads, http, deadline, self._headers)

    def _headers(self) -> dict[str, str]:
        with IMPORTING:
            import google.auth
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import Request
            from requests import Session
        with as_failure("the access token", code=CODE):
            if self._credentials is None:
                try:
                    self._credentials, _ = google.auth.default(scopes=self._scopes)
                except ValueError as error:  # of a key that cannot be parsed
                    raise GoogleAuthError(str(error)) from None
            headers: dict[str, str] = {}
            # Fetches a token where there is none that is valid.
            mount(session := Session())
            self._credentials.before_request(Request(session), "GET", "https://googleapis.com/", headers)
            return headers


class Rest:
    """An API at `url`. `credentials` None: a local server, which gets none."""

    def __init__(self, name: str, url: str, http: httpx.AsyncClient, credentials: Credentials | None) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.http = http
        self.credentials = credentials

    async def __call__(self, method: str, path: str, *, deadline: float, query: Query = (), body: Any = None) -> Json:
        limit = min(deadline, asyncio.get_running_loop().time() + PER_CALL)
        async with time_limit(self.name, limit, code=CODE):
            headers = await self.credentials.headers(self.http, limit) if self.credentials else {}
            try:
                request = self.http.build_request(
                    method, self.url + path, params=list(query), json=body, headers=headers, timeout=None
                )
                response = await send(self.http, request)
            except httpx.HTTPError as error:
                message = f"{self.name}: no answer ({type(error).__name__})"
                raise Failure(message, code=CODE, retryable=True, ambiguous=True) from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Json:
        try:
            found = response.json()
        except (ValueError, RecursionError):
            found = None
        if response.is_success and isinstance(found, dict):
            return found
        if response.is_success:
            raise Failure(f"{self.name}: the answer is not understood", code=CODE, retryable=True)
        error = found.get("error") if isinstance(found, dict) else None
        message = str(error.get("message", "")) if isinstance(error, dict) else ""
        retryable = response.status_code in (408, 429) or response.status_code >= 500
        wait = retry_after(response.headers) if retryable else None
        text = f"{self.name}: {response.status_code} {message}"[:500].rstrip()
        raise Failure(text, code=CODE, retryable=retryable, retry_after=wait)
