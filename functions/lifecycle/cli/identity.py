"""The identity token with which a person or a service calls the deployed functions.

The sources, in this order: a service account's key or a workload identity federation in GOOGLE_APPLICATION_CREDENTIALS;
gcloud; the metadata server, which must answer within a second, because outside of Google Cloud there is none.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx

from lifecycle.errors import Failure
from lifecycle.huggingface.own_url import is_loopback

GCLOUD_SECONDS = 60
METADATA = {"GCE_METADATA_TIMEOUT": "1", "GCE_METADATA_DETECT_RETRIES": "1"}
NONE = (
    "there is no identity token for you; run `gcloud auth login`, or set GOOGLE_APPLICATION_CREDENTIALS "
    "to a service account's key or a workload identity federation with a service account"
)


async def header(url: str, http: httpx.AsyncClient) -> dict[str, str]:
    """The header with the caller's identity token for a URL. On loopback the metadata server is not asked, and a
    missing token is no failure. Raises `Failure`."""
    token = await _from_file(url, http) or await _from_gcloud(url)
    if not token and not is_loopback(url):
        token = await asyncio.to_thread(_from_google, url)
    return {"Authorization": f"Bearer {token}"} if token else {}


async def _from_file(url: str, http: httpx.AsyncClient) -> str | None:
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not path:
        return None
    given = _read(Path(path))
    kind = given.get("type")
    if kind in ("service_account", "impersonated_service_account"):
        return await asyncio.to_thread(_from_google, url)
    if kind == "external_account" and given.get("service_account_impersonation_url"):
        return await _from_federation(given, url, http)
    return None  # such as a person's own, for which Google gives no token with an audience


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        message = f"GOOGLE_APPLICATION_CREDENTIALS: {path}: cannot be read: {error}"
        raise Failure(message, code="forbidden", retryable=False) from None


async def _from_federation(given: dict[str, Any], url: str, http: httpx.AsyncClient) -> str:
    """Workload identity federation, as on GitHub Actions: the federated token asks for the service account's identity
    token. It needs roles/iam.workloadIdentityUser on that account, no more."""
    where = str(given["service_account_impersonation_url"]).replace(":generateAccessToken", ":generateIdToken")
    federated = await asyncio.to_thread(_federated, given)
    try:
        response = await http.post(
            where,
            json={"audience": url, "includeEmail": True},
            headers={"Authorization": f"Bearer {federated}"},
            timeout=GCLOUD_SECONDS,
        )
        response.raise_for_status()
        return str(response.json()["token"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        message = (
            f"the service account gives no identity token: {error}. It needs roles/iam.workloadIdentityUser for you"
        )
        raise Failure(message, code="forbidden", retryable=False) from None


def _federated(given: dict[str, Any]) -> str:
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    own = {key: value for key, value in given.items() if key != "service_account_impersonation_url"}
    try:
        made, _ = google.auth.load_credentials_from_dict(own, scopes=["https://www.googleapis.com/auth/cloud-platform"])
        made.refresh(Request())
    except (GoogleAuthError, ValueError) as error:
        message = f"workload identity federation gives no token: {error}"
        raise Failure(message, code="forbidden", retryable=False) from None
    return str(made.token)


async def _from_gcloud(url: str) -> str | None:
    """Asks gcloud with an audience, which service accounts need, then without, because people may not give one."""
    for words in ([f"--audiences={url}"], []):
        command = ("gcloud", "auth", "print-identity-token", *words)
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            asked = await asyncio.create_subprocess_exec(*command, stdin=none, stdout=pipe, stderr=none)
        except OSError:
            return None
        try:
            output, _ = await asyncio.wait_for(asked.communicate(), GCLOUD_SECONDS)
        except TimeoutError:
            asked.kill()
            await asked.wait()
            return None
        if asked.returncode == 0 and output.strip():
            return output.decode().strip()
    return None


def _from_google(url: str) -> str:
    """From the key in GOOGLE_APPLICATION_CREDENTIALS, else from the metadata server. Raises `Failure`."""
    os.environ.update({name: os.environ.get(name, value) for name, value in METADATA.items()})  # read when imported
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token

    try:
        return str(id_token.fetch_id_token(Request(), url))
    except DefaultCredentialsError:
        raise Failure(NONE, code="forbidden", retryable=False) from None
    except (GoogleAuthError, ValueError) as error:
        message = f"Google gives no identity token: {error}"
        raise Failure(message, code="forbidden", retryable=False) from None
