"""Platform messages, in every form in which they may arrive."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.config.schema import Invalid
from lifecycle.core.model import Message
from lifecycle.web import pubsub as events
from support.building import properties

STARTED = {"platform": "main", "event": "started"}
TIME = "2026-11-24T06:00:00Z"
SIX = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SAID = Message("main", "started", SIX)
JSON = {"content-type": "application/json"}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"


def encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def push(**message: Any) -> dict[str, Any]:
    """Pub/Sub's push envelope; what is given replaces what an ordinary message has, None takes it away."""
    usual = {"data": encoded(STARTED), "messageId": "1", "message_id": "1", "publishTime": TIME, "orderingKey": "main"}
    reported = {key: value for key, value in (usual | message).items() if value is not None}
    return {"message": reported, "subscription": "projects/p/subscriptions/s", "deliveryAttempt": 1}


def cloud_event(**more: Any) -> dict[str, Any]:
    usual = {"specversion": "1.0", "id": "1", "type": PUBLISHED, "source": "//pubsub.googleapis.com/t", "time": TIME}
    return {key: value for key, value in (usual | more).items() if value is not None}


def ce(time: str | None = TIME, **more: str) -> dict[str, str]:
    """The headers of a binary CloudEvent."""
    usual = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": PUBLISHED, "ce-source": "//pubsub.googleapis.com/t"}
    return JSON | usual | ({"ce-time": time} if time else {}) | more


def read(body: Any, headers: Mapping[str, str] = JSON) -> Message:
    found = events.read(body if isinstance(body, bytes) else json.dumps(body).encode(), headers)
    assert isinstance(found, Message)
    return found


# Shapes.

SHAPES: list[tuple[str, Any, dict[str, str]]] = [
    ("push with data", push(), JSON),
    ("push without a content type", push(), {}),
    ("push with data, and attributes beside it", push(attributes={"googclient_schemaencoding": "JSON"}), JSON),
    ("push with attributes and no data", push(data=None, attributes=STARTED), JSON),
    ("push with attributes and empty data", push(data="", attributes=STARTED), JSON),
    ("push with more attributes", push(data="", attributes={**STARTED, "origin": "ci"}), JSON),
    ("push with its time in snake case", push(publishTime=None, publish_time=TIME), JSON),
    ("push with more keys in its data", push(data=encoded({**STARTED, "version": 2})), JSON),
    ("binary CloudEvent of Pub/Sub", push(), ce()),
    ("binary CloudEvent of Pub/Sub without the event's time", push(), ce(time=None)),
    ("binary CloudEvent of Pub/Sub without the message's time", push(publishTime=None), ce()),
    ("binary CloudEvent of Pub/Sub with attributes", push(data="", attributes=STARTED), ce()),
    ("binary CloudEvent with the message itself", STARTED, ce(**{"ce-type": "com.example.platform"})),
    ("structured CloudEvent of Pub/Sub", cloud_event(data=push()), STRUCTURED),
    ("structured CloudEvent of Pub/Sub without the event's time", cloud_event(data=push(), time=None), STRUCTURED),
    (
        "structured CloudEvent of Pub/Sub with attributes",
        cloud_event(data=push(data="", attributes=STARTED)),
        STRUCTURED,
    ),
    ("structured CloudEvent of Pub/Sub in base64", cloud_event(data_base64=encoded(push())), STRUCTURED),
    ("structured CloudEvent with the message itself", cloud_event(data=STARTED), STRUCTURED),
    ("structured CloudEvent with the message in base64", cloud_event(data_base64=encoded(STARTED)), STRUCTURED),
    ("structured CloudEvent with the platform_state as text", cloud_event(data=json.dumps(STARTED)), STRUCTURED),
]


@pytest.mark.parametrize(("body", "headers"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_understood(body: Any, headers: dict[str, str]) -> None:
    assert read(body, headers) == SAID


def test_stopped_is_the_other_event() -> None:
    assert read(push(data=encoded({"platform": "main", "event": "stopped"}))).event == "stopped"


def test_data_beats_attributes() -> None:
    assert read(push(attributes={"platform": "other", "event": "stopped"})) == SAID


# Its time.


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T06:00:00.123Z", SIX + timedelta(microseconds=123_000)),
        ("2026-11-24T06:00:00.123456Z", SIX + timedelta(microseconds=123_456)),
        ("2026-11-24T06:00:00.123456789Z", SIX + timedelta(microseconds=123_456)),
        ("2026-11-24T07:00:00+01:00", SIX),
    ],
)
def test_its_time_is_when_it_was_published(text: str, time: datetime) -> None:
    assert read(push(publishTime=text)).at == time


def test_the_time_of_publishing_beats_that_of_the_cloud_event() -> None:
    assert read(push(), ce(time="2026-11-24T09:00:00Z")).at == SIX


def test_the_time_of_a_cloud_event_with_the_message_itself_is_its_own() -> None:
    assert read(STARTED, ce(time="2026-11-24T09:00:00Z")).at == SIX + timedelta(hours=3)


def test_a_time_in_the_data_is_not_the_messages_time() -> None:
    assert read(push(data=encoded({**STARTED, "time": "2020-01-01T00:00:00Z"}))).at == SIX


# What is not understood.

WRONG: list[tuple[str, Any, dict[str, str]]] = [
    ("no time", push(publishTime=None), JSON),
    ("no time in a binary CloudEvent", STARTED, ce(time=None)),
    ("no time in a structured CloudEvent", cloud_event(data=STARTED, time=None), STRUCTURED),
    ("a time that is none", push(publishTime="yesterday"), JSON),
    ("a time that is a number", push(publishTime=1795500000), JSON),
    ("a time that is a mapping", push(publishTime={"seconds": 1}), JSON),
    ("a time before all time zones", push(publishTime="0001-01-01T00:00:00+14:00"), JSON),
    ("nothing", b"", JSON),
    ("no JSON", b"started", JSON),
    ("no text", b"\xff\xfe\xfd", JSON),
    ("too deep", b"[" * 30_000, JSON),
    ("a list", [push()], JSON),
    ("the platform_state itself without an envelope", STARTED, JSON),
    ("a message that is text", {"message": "started"}, JSON),
    ("neither data nor attributes", push(data=None), JSON),
    ("empty data and no attributes", push(data=""), JSON),
    ("attributes that are a list", push(data="", attributes=["main", "started"]), JSON),
    ("data that is not base64", push(data="{}"), JSON),
    ("data that is base64 of no JSON", push(data=base64.b64encode(b"started").decode()), JSON),
    ("data that is base64 of a list", push(data=encoded([STARTED])), JSON),
    ("data that is a mapping", push(data=STARTED), JSON),
    ("data that is a number", push(data=7), JSON),
    ("data beyond ASCII", push(data="ä"), JSON),
    ("data that is not understood, beside attributes that are", push(data="{}", attributes=STARTED), JSON),
    ("no platform", push(data=encoded({"event": "started"})), JSON),
    ("an empty platform", push(data=encoded({"platform": "", "event": "started"})), JSON),
    ("a platform that is a list", push(data=encoded({"platform": ["main"], "event": "started"})), JSON),
    ("no event", push(data=encoded({"platform": "main"})), JSON),
    ("an event that nobody knows", push(data=encoded({"platform": "main", "event": "paused"})), JSON),
    ("an event in capitals", push(data=encoded({"platform": "main", "event": "STARTED"})), JSON),
    ("an event that is a list", push(data=encoded({"platform": "main", "event": ["started"]})), JSON),
    ("a binary CloudEvent without data", b"", ce()),
    ("a structured CloudEvent without data", cloud_event(), STRUCTURED),
    ("a structured CloudEvent that is a list", [cloud_event(data=STARTED)], STRUCTURED),
    ("a structured CloudEvent with text that is no JSON", cloud_event(data="started"), STRUCTURED),
    ("a structured CloudEvent with half a character", cloud_event(data="\ud800"), STRUCTURED),
    ("a structured CloudEvent with broken base64", cloud_event(data_base64="%%%"), STRUCTURED),
]


@pytest.mark.parametrize(("body", "headers"), [shape[1:] for shape in WRONG], ids=[shape[0] for shape in WRONG])
def test_refused(body: Any, headers: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read(body, headers)


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        read(push(data=encoded({"platform": 7, "event": "paused"}), publishTime="soon"))
    assert {str(problem).partition(":")[0] for problem in caught.value.problems} == {"platform", "event", "time"}


@pytest.mark.parametrize(("data", "why"), [("{}", "base64"), (base64.b64encode(b"started").decode(), "JSON")])
def test_a_refusal_says_what_the_data_is_not(data: str, why: str) -> None:
    with pytest.raises(Invalid, match=f"message.data.*not {why}"):
        read(push(data=data))


def test_a_refusal_says_which_events_there_are() -> None:
    with pytest.raises(Invalid, match="started or stopped"):
        read(push(data=encoded({"platform": "main", "event": "paused"})))


KEYS = ["message", "data", "data_base64", "attributes", "platform", "event", "time", "publishTime", "publish_time"]
WORDS = st.text(st.characters(), max_size=10) | st.sampled_from([TIME, "main", "started"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner | inner.map(encoded), max_size=4)
    ),
    max_leaves=10,
)
BODIES = ANYTHING.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=30)
HEADERS = st.sampled_from([{}, JSON, STRUCTURED, ce(), ce(time=None), ce(time="soon"), {"content-type": ";"}])


def understood(body: bytes, headers: dict[str, str]) -> Message | None:
    try:
        found = events.read(body, headers)
    except Invalid:
        return None
    return found if isinstance(found, Message) else None


@given(body=BODIES, headers=HEADERS)
@properties(400)
def test_a_delivery_is_understood_or_refused_and_nothing_else(body: bytes, headers: dict[str, str]) -> None:
    found = understood(body, headers)
    assert found is None or (found.platform and found.event in ("started", "stopped") and found.at.tzinfo)


def test_a_structured_event_that_says_it_is_plain_json_is_understood() -> None:
    event = {"specversion": "1.0", "time": "2026-11-24T06:00:00Z", "data": {"platform": "main", "event": "started"}}
    assert read(json.dumps(event).encode(), {"content-type": "application/json"}) == SAID
