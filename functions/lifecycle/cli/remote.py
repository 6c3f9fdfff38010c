"""The deployed functions, called with the identity of who calls: for the command line."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx

from lifecycle.config.environment import Environment
from lifecycle.errors import Failure
from lifecycle.huggingface.client import is_loopback

SECONDS = 600.0


async def call(env: Environment, function: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
    """The status and the JSON of a function's answer; POST with a body, GET without. Raises `Failure`."""
    url = env.function_url(function)
    headers = {"Accept": "application/json", **_identity(url)}
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        try:
            response = await http.request("GET" if body is None else "POST", url, json=body, headers=headers)
        except httpx.HTTPError as error:
            told = f"{url} does not answer: {error or type(error).__name__}. Is FUNCTIONS_URL right?"
            raise Failure(told, code="unreachable", retryable=True) from None
    if response.status_code in (401, 403) and "json" not in response.headers.get("content-type", ""):
        told = (
            f"{url}: {response.status_code}. You need the right to invoke it (roles/run.invoker); ask who deployed it"
        )
        raise Failure(told, code="forbidden", retryable=False)
    try:
        return response.status_code, response.json()
    except json.JSONDecodeError:
        told = f"{url}: {response.status_code}, and no JSON. Is FUNCTIONS_URL right?"
        raise Failure(told, code="malformed", retryable=False) from None


def _identity(url: str) -> dict[str, str]:
    """The header with the caller's identity token: a service account's own, or a person's from gcloud. On loopback it
    goes without where there is none."""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token

    local = is_loopback(url)
    if not local or "GOOGLE_APPLICATION_CREDENTIALS" in os.environ:  # elsewhere a metadata server may be waited for
        try:
            return {"Authorization": f"Bearer {id_token.fetch_id_token(Request(), url)}"}  # type: ignore[no-untyped-call]
        except GoogleAuthError:
            pass
    command = ["gcloud", "auth", "print-identity-token"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        if local:
            return {}
        told = "there is no identity token for you; run `gcloud auth login`"
        raise Failure(told, code="forbidden", retryable=False) from None
    return {"Authorization": f"Bearer {done.stdout.strip()}"}
