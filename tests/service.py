"""Calls of the service, from as few words as possible: settings, an endpoint, and what is asked."""

from datetime import datetime, timedelta
from typing import Any

from hub import TUESDAY_NOON, Stage
from lifecycle.call import Caller, Verb
from lifecycle.events import Message
from lifecycle.jobs import override_in
from lifecycle.model import Override
from lifecycle.request import Request
from lifecycle.service import Answer

OFFICE = "endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00}}"
NIGHTS = "endpoints: {embeddings: {name: embeddings-prod, hours: daily 22:00-06:00}}"
FOLLOWER = "platforms: {main: {max_started: 24h}}\nendpoints: {embeddings: {name: embeddings-prod, platform: main}}"
FREE = "endpoints: {embeddings: {name: embeddings-prod}}"
ANNA = Caller(email="anna@example.com")
BOUNDARY = Caller("schedule", job="lifecycle-hours-0800")
MINUTE = timedelta(minutes=1)


def stage(text: str, state: str = "running", **more: Any) -> Stage:
    made = Stage(text)
    made.hub.add("embeddings-prod", state, **more)
    return made


def act(on: Stage, verb: Verb, caller: Caller = ANNA, **asked: Any) -> Answer:
    return on.run(lambda service: service.act(verb, Request(("embeddings",), **asked), caller))


def reconcile(on: Stage, caller: Caller = Caller("schedule"), **asked: Any) -> Answer:  # noqa: B008 - a constant
    return on.run(lambda service: service.reconcile(Request(("embeddings",), **asked), caller))


def told(on: Stage, event: Any, at: datetime = TUESDAY_NOON) -> Answer:
    return on.run(lambda service: service.platform_event(Message("main", event, at)))


def kept(on: Stage) -> Override | None:
    return override_in(on.shelf.jobs.get("lifecycle-override-embeddings") if on.shelf else None)


def only(answer: Answer) -> tuple[str, str, int]:
    (result,) = answer.results
    return result.action, result.outcome, answer.status
