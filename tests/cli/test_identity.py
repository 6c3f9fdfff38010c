"""The identity token for the functions: from a key or a federation, or from gcloud, without long waits."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from local.servers.serve import listen, serve
from support.desk import Desk


@pytest.fixture
def seen(desk: Desk) -> Iterator[list[str]]:
    """The authorizations with which a function was called; it is on loopback."""
    found: list[str] = []

    async def functions(scope: Any, receive: Any, send: Any) -> None:
        found.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        await JSONResponse({"trigger": "manual", "dry_run": False, "results": []})(scope, receive, send)

    with serve(functions) as url:
        desk.variables |= {"FUNCTIONS_URL": f"{url}/{{name}}"}
        yield found


def gcloud(desk: Desk, folder: Path, script: str) -> None:
    path = folder / "gcloud"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    desk.variables["PATH"] = str(folder)


def test_a_service_account_in_gcloud_is_asked_for_the_audience(desk: Desk, seen: list[str], tmp_path: Path) -> None:
    gcloud(desk, tmp_path, 'echo "$*" | /bin/sed "s/.*--audiences=/for-/"')
    desk.type("pause", "nights")
    assert seen == [f"Bearer for-{desk.variables['FUNCTIONS_URL'].replace('{name}', 'pause')}"]


def test_a_person_in_gcloud_is_asked_again_without_it(desk: Desk, seen: list[str], tmp_path: Path) -> None:
    gcloud(desk, tmp_path, 'case "$*" in *audiences*) exit 1;; esac; echo a-person')
    desk.type("pause", "nights")
    assert seen == ["Bearer a-person"]


def test_on_loopback_it_goes_without(desk: Desk, seen: list[str]) -> None:
    desk.type("pause", "nights")
    assert seen == [""]


def test_a_federation_asks_for_the_service_accounts_identity_token(desk: Desk, seen: list[str], tmp_path: Path) -> None:
    asked: list[tuple[str, Any, str]] = []

    async def google(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        asked.append((request.url.path, body, request.headers.get("authorization", "")))
        exchanged = {"access_token": "federated", "token_type": "Bearer", "expires_in": 3600,
                     "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}  # fmt: skip
        answer = exchanged if request.url.path == "/sts" else {"token": "of-the-account"}
        await JSONResponse(answer)(scope, receive, send)

    (tmp_path / "subject").write_text("from-github")
    with serve(google) as url:
        (tmp_path / "federation.json").write_text(json.dumps({
            "type": "external_account", "audience": "//iam.googleapis.com/pool", "token_url": f"{url}/sts",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "credential_source": {"file": str(tmp_path / "subject")},
            "service_account_impersonation_url": f"{url}/v1/serviceAccounts/ci@p.iam:generateAccessToken",
        }))  # fmt: skip
        desk.type("pause", "nights", GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "federation.json"))
    assert seen == ["Bearer of-the-account"]
    path, body, by = asked[-1]
    assert (path, by) == ("/v1/serviceAccounts/ci@p.iam:generateIdToken", "Bearer federated")
    assert json.loads(body) == {"audience": desk.variables["FUNCTIONS_URL"].replace("{name}", "pause"),
                                "includeEmail": True}  # fmt: skip


def test_credentials_that_cannot_be_read_are_reported(desk: Desk, seen: list[str]) -> None:
    done = desk.type("pause", "nights", GOOGLE_APPLICATION_CREDENTIALS="/nowhere.json")
    assert (done.returncode, "/nowhere.json" in done.stderr, seen) == (1, True, [])


def test_a_metadata_server_that_does_not_answer_costs_little(desk: Desk) -> None:
    """It accepts the connection, and then says nothing: what a dropped packet looks like to a client that waits.

    In a process of its own, because a library reads the limit when it is imported."""
    with ExitStack() as stack:
        silent = stack.enter_context(listen())
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        done = desk.start("pause", "nights", FUNCTIONS_URL="https://functions.invalid/{name}",
                          GCE_METADATA_HOST=host, GCE_METADATA_ROOT=host, GCE_METADATA_IP=host)  # fmt: skip
    assert (done.returncode, "gcloud auth login" in done.stderr) == (1, True), done.stderr
    assert time.monotonic() - begun < 8
