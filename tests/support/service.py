"""Short ways to call the service: settings, an endpoint, and a request."""

import json
from datetime import datetime, timedelta
from typing import Any

from lifecycle.core.model import Message, Override
from lifecycle.engine.dependencies import Caller, Verb
from lifecycle.engine.service import Answer
from lifecycle.gcp.job_state import override_in
from support.hub import TUESDAY_NOON, Harness

OFFICE = "endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00}}"
NIGHTS = "endpoints: {embeddings: {name: embeddings-prod, hours: daily 22:00-06:00}}"
FOLLOWER = "platforms: {main: {max_started: 24h}}\nendpoints: {embeddings: {name: embeddings-prod, platform: main}}"
FREE = "endpoints: {embeddings: {name: embeddings-prod}}"
ANNA = Caller(email="anna@example.com")
BOUNDARY = Caller("schedule", job="lifecycle-hours-0800")
MINUTE = timedelta(minutes=1)


def stage(text: str, state: str = "running", **more: Any) -> Harness:
    made = Harness(text)
    made.hub.add("embeddings-prod", state, **more)
    return made


def body(*names: str, **asked: Any) -> bytes:
    """A request as JSON; times as they are written there."""
    written = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asked.items()}
    return json.dumps({"endpoints": names, **written}).encode()


def act(on: Harness, verb: Verb, caller: Caller = ANNA, *names: str, **asked: Any) -> Answer:
    return on.run(lambda service: service.handle(verb, body(*(names or ("embeddings",)), **asked), caller))


def reconcile(on: Harness, caller: Caller = Caller("schedule"), *names: str, **asked: Any) -> Answer:  # noqa: B008 - a constant
    return on.run(lambda service: service.handle("reconcile", body(*(names or ("embeddings",)), **asked), caller))


def reported(on: Harness, event: Any, at: datetime = TUESDAY_NOON) -> Answer:
    return on.run(lambda service: service.platform_event(Message("main", event, at)))


def kept(on: Harness) -> Override | None:
    """The one override that is stored, if any."""
    found = [override_in(job) for id, job in (on.shelf.jobs if on.shelf else {}).items() if "-override-" in id]
    assert len(found) <= 1
    return found[0] if found else None


def only(answer: Answer) -> tuple[str, str, int]:
    (result,) = answer.results
    return result.action, result.outcome, answer.status
