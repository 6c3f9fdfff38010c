"""Every gcloud line of the documents is one that gcloud takes, and sends what Google's APIs take.

gcloud sends its requests to local servers; each request is compared with the API's discovery document. Lines that sign
in are only asked whether they are a command. Needs gcloud, so CI runs this as a step of its own.
"""

import base64
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from local.servers.logging import Logging
from local.servers.scheduler import Scheduler
from local.servers.secretmanager import SecretManager
from local.servers.serve import App, serve
from support.discovery import request_faults

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PROJECT = "my-project"
PARENT = f"projects/{PROJECT}/locations/europe-west1"
# What stands for the placeholders of the documents.
VARIABLES = {
    "PROJECT": PROJECT,
    "REGION": "europe-west1",
    "SCHEDULER_REGION": "europe-west1",
    "OLD": "1",
    "CLOUDSDK_CORE_PROJECT": PROJECT,
}
# Asked only for its help: it signs in, goes on until it is stopped, or asks a service that no local server plays to it.
ONLY_ASKED = re.compile(r"gcloud (auth |run services proxy|beta monitoring )")
QUIET = {
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
}
# Answers of the APIs that no local server plays, by the end of the path; what gcloud needs of them and no more.
ANSWERS: dict[str, Any] = {
    "services:batchEnable": {"name": "operations/noop.DONE_OPERATION", "done": True},
    ":enable": {"name": "operations/noop.DONE_OPERATION", "done": True},
    ":generateServiceIdentity": {"name": "operations/1", "done": True, "response": {"email": "agent@example.com"}},
    "/operations/1": {"name": "operations/1", "done": True, "response": {"email": "agent@example.com"}},
    ":publish": {"messageIds": ["1"]},
    ":pull": {"receivedMessages": []},
    "/locations": {"locations": [{"locationId": "europe-west1", "name": f"projects/{PROJECT}/locations/europe-west1"}]},
    "/builds": {
        "name": "operations/build/1",
        "metadata": {
            "build": {
                "id": "1",
                "name": f"projects/{PROJECT}/locations/global/builds/1",
                "projectId": PROJECT,
                "status": "QUEUED",
                "logUrl": "https://log.example",
            },
        },
    },
    "": {},
}


def lines() -> list[str]:
    """The gcloud commands in `console` blocks and in the text, each once."""
    found: dict[str, None] = {}
    for document in DOCUMENTS:
        text = document.read_text()
        for block in re.findall(r"^ *```console\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            found |= dict.fromkeys(re.findall(r"^ *\$ (gcloud .*?)(?: {2,}#.*)?$", block, re.MULTILINE))
        prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
        inline = (re.sub(r"\s+", " ", one) for one in re.findall(r"`(gcloud [^`]+)`", prose))
        found |= dict.fromkeys(one for one in inline if one.count(" ") > 2)
    return [*found]


class Judge:
    """One of Google's APIs: a local server where there is one, scripted answers elsewhere; every request is judged."""

    def __init__(self, api: str, app: App | None = None) -> None:
        self.api = api
        self.app = app
        self.faults: list[str] = []
        self.requests: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        path = scope["path"]
        self.requests.append(f"{scope['method']} {path}")
        if path.startswith("/upload/"):  # media is in no document
            await JSONResponse(uploaded(body))(scope, receive, send)
            return
        api = f"{self.api}beta1" if path.startswith("/v1beta1/") else self.api
        self.faults += request_faults(api, scope["method"], f"{path}?{scope['query_string'].decode()}", body)

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        scripted = JSONResponse(next(answer for ending, answer in ANSWERS.items() if path.endswith(ending)))
        await (self.app if self.app and not path.endswith("/locations") else scripted)(scope, again, send)


def uploaded(body: bytes) -> dict[str, str]:
    """Cloud Storage's answer to an upload of two parts: what the object is, and its content."""
    boundary = body.partition(b"\r\n")[0].partition(b"\n")[0]
    content = body.split(boundary)[2].partition(b"\n\n")[2].removesuffix(b"\n")
    checksum = base64.b64encode(hashlib.md5(content).digest()).decode()
    return {"bucket": "b", "name": "n", "generation": "1", "size": str(len(content)), "md5Hash": checksum}


@dataclass
class Google:
    """The environment in which gcloud talks to the local servers, and what judges it."""

    folder: Path
    stack: ExitStack

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(
            now, client=httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
        )
        secrets = SecretManager(now)
        secrets.add(f"projects/{PROJECT}/secrets/lifecycle-hf-token", "hf_old")
        self.judges = {
            "CLOUDSCHEDULER": Judge("cloudscheduler.v1", self.scheduler),
            "SECRETMANAGER": Judge("secretmanager.v1", secrets),
            "LOGGING": Judge("logging.v2", Logging(now, parents=[f"projects/{PROJECT}"])),
            "PUBSUB": Judge("pubsub.v1"),
            "SERVICEUSAGE": Judge("serviceusage.v1"),
            "STORAGE": Judge("storage.v1"),
            "IAM": Judge("iam.v1"),
            "CLOUDBUILD": Judge("cloudbuild.v1"),
        }
        urls = {api: self.stack.enter_context(serve(judge)) for api, judge in self.judges.items()}
        self.environment = {
            **VARIABLES,
            **QUIET,
            **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}": f"{url}/" for api, url in urls.items()},
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CLOUDSDK_CONFIG": str(self.folder / "config"),
        }
        terraform = self.folder / "terraform"
        terraform.write_text("#!/bin/sh\necho lifecycle-deploy@my-project.iam.gserviceaccount.com\n")
        terraform.chmod(0o755)

    def start_over(self) -> None:
        """Two jobs, and nothing asked yet."""
        self.scheduler.jobs.clear()
        for name in ("reconcile", "hours-1"):
            job = {"name": f"{PARENT}/jobs/lifecycle-{name}", "schedule": "* * * * *"}
            self.scheduler.create(PARENT, job | {"httpTarget": {"uri": "https://a.example"}})
        for judge in self.judges.values():
            judge.faults.clear()
            judge.requests.clear()

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "cloudbuild.yaml").write_text((ROOT / "cloudbuild.yaml").read_text())
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            input="hf_new",
            env=self.environment,
            cwd=source,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    with ExitStack() as stack:
        yield Google(tmp_path_factory.mktemp("gcloud"), stack)


@pytest.mark.parametrize("line", lines())
def test_gcloud_takes_it_and_so_does_google(google: Google, line: str) -> None:
    google.start_over()
    command = line.replace(" OLD ", " $OLD ").replace(" REGION", " $REGION")
    if ONLY_ASKED.match(command):
        words = re.match(r"gcloud(?: [a-z][a-z-]*)+", command)
        assert words is not None
        command = f"{words[0]} --help"
    if "builds submit" in command:
        command += " --async"  # there is nothing to wait for
    ran = google.run(command)
    assert ran.returncode == 0, ran.stdout[-500:] + ran.stderr[-2000:]
    assert [fault for judge in google.judges.values() for fault in judge.faults] == []
    asked = [request for judge in google.judges.values() for request in judge.requests]
    assert asked or "--help" in command or "config set" in command, "it asked nothing of Google"


def test_a_request_that_no_api_takes_is_reported(google: Google) -> None:
    google.start_over()
    httpx.post(f"{google.environment['CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB']}v1/projects/p/topics/t:publsh", json={})
    assert google.judges["PUBSUB"].faults == ["POST /v1/projects/p/topics/t:publsh: no such method"]
