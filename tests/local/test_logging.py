"""The local Cloud Logging against its referees: Google's client and gcloud."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, Forbidden
from google.auth.credentials import AnonymousCredentials
from google.cloud import logging

from local.servers.log_filter import parse
from local.servers.logging import Logging
from local.servers.serve import serve
from support.discovery import Referee

VIEW = "projects/local/locations/l/buckets/lifecycle/views/lifecycle"
BEGIN = datetime(2026, 11, 23, 6, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


def line(name: str, **fields: Any) -> str:
    return json.dumps({"severity": "INFO", "message": f"{name}: done", "event": "endpoint", "name": name, **fields})


@pytest.fixture
def local() -> Logging:
    """Three lines, an hour apart; the last is an error."""
    clock = Clock()
    made = Logging(clock, parents=[VIEW])
    for index, name in enumerate(("first", "second", "third")):
        clock.now = BEGIN + timedelta(hours=index)
        level = {"severity": "ERROR"} if name == "third" else {}
        made.line(
            "platform_event", line(name, dollars_per_hour=0.8 * index, note=None) if not level else line(name, **level)
        )
    return made


@pytest.fixture
def url(local: Logging) -> Iterator[str]:
    referee = Referee(local, "logging.v2")
    with serve(referee) as url:
        yield url
    referee.judge()


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    anonymous = AnonymousCredentials()
    options = ClientOptions(api_endpoint=url)
    made = logging.Client(project="local", credentials=anonymous, client_options=options, _use_grpc=False)
    yield made
    made.close()


def names(found: Any) -> list[str]:
    return [entry.payload["name"] for entry in found]


def selected(local: Logging, text: str) -> list[str]:
    return [entry["jsonPayload"]["name"] for entry in local.select(parse(text))]


SINCE = 'timestamp>="2026-11-23T00:00:00Z"'


def test_the_official_client_reads_what_was_logged(client: Any) -> None:
    found = next(iter(client.list_entries(resource_names=[VIEW], filter_=SINCE)))
    assert (found.payload["message"], found.severity, found.timestamp) == ("first: done", "INFO", BEGIN)
    assert found.resource.labels["service_name"] == "lifecycle-platform-event"


def test_the_official_client_goes_through_pages(client: Any, local: Logging) -> None:
    assert names(client.list_entries(resource_names=[VIEW], filter_=SINCE, page_size=1)) == ["first", "second", "third"]
    assert local.lists == 3


def test_the_newest_come_first_when_asked(client: Any) -> None:
    found = client.list_entries(resource_names=[VIEW], filter_=SINCE, order_by="timestamp desc", max_results=2)
    assert names(found) == ["third", "second"]


def test_what_the_official_client_writes_is_read_again(client: Any) -> None:
    client.logger("notes").log_struct({"name": "written"}, severity="WARNING")
    assert names(client.list_entries(filter_=f'{SINCE} AND log_id("notes") AND jsonPayload.name:*')) == ["written"]


def test_another_view_may_not_be_read(client: Any) -> None:
    with pytest.raises(Forbidden):
        list(client.list_entries(resource_names=[VIEW + "2"], filter_=SINCE))


def test_a_filter_that_is_not_understood_is_refused(client: Any) -> None:
    with pytest.raises(BadRequest, match="Unparseable"):
        list(client.list_entries(resource_names=[VIEW], filter_=f"{SINCE} AND ("))


def test_gcloud_reads_the_view(url: str, tmp_path: Path) -> None:
    if not shutil.which("gcloud"):
        pytest.fail("gcloud is needed: it is this server's referee")
    env = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{url}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "local",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }
    command = (
        *("gcloud", "logging", "read", f"{SINCE} AND jsonPayload.dollars_per_hour>0", "--bucket=lifecycle"),
        *("--location=l", "--view=lifecycle", "--format=value(jsonPayload.message)"),
    )
    ran = subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.returncode) == ("second: done\n", 0), ran.stderr


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["first", "second", "third"]),
        ('jsonPayload.name="second"', ["second"]),
        ('jsonPayload.name!="second"', ["first", "third"]),
        ("severity>=WARNING", ["third"]),
        ("jsonPayload.dollars_per_hour:*", ["first", "second"]),
        ("jsonPayload.dollars_per_hour>=0", ["first", "second"]),
        ("jsonPayload.note:*", []),
        ('jsonPayload.name=~"^(first|third)$"', ["first", "third"]),
        ('NOT jsonPayload.message:"ECOND"', ["first", "third"]),
        ('jsonPayload.name="first" OR jsonPayload.name="third"', ["first", "third"]),
        ('jsonPayload.name="first" OR jsonPayload.name="third" severity=ERROR', ["third"]),  # OR binds more tightly
        ('jsonPayload.name="third" AND (severity=INFO OR jsonPayload.event="endpoint")', ["third"]),
        ('timestamp>"2026-11-23T06:00:00Z" AND timestamp<"2026-11-23T09:00:00+01:00"', ["second"]),
        ('log_id("run.googleapis.com/stdout") AND severity<ERROR', ["first", "second"]),
    ],
)
def test_filters_select_as_the_query_language_does(local: Logging, text: str, found: list[str]) -> None:
    assert selected(local, text) == found


@pytest.mark.parametrize("text", ["a", "a=", "(a=1", "a=1)", "a=1 AND", '"text"', "a=1 OR"])
def test_filters_beyond_that_part_are_refused(local: Logging, text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        selected(local, text)
