"""Bad input at every entry point: requests, pushes, CloudEvents, and Hugging Face's answers. No 500, hang or growth.

The settings are in `test_settings`. `make fuzz` goes on with these properties where coverage leads.
"""

import contextlib
import gc
import itertools
import json
import os
import tempfile
import tracemalloc
import urllib.parse
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.engine.service import FUNCTIONS
from support.building import properties
from support.front import Front
from support.secret import TOKEN

# Words that mean something somewhere, and JSON of them.
WORDS = st.sampled_from([
    *("embeddings", "search", "*", "main", "started", "stopped", "released", "2h", "7d", "9" * 30, "", "\ud800", "\0"),
    *("2026-11-24T13:00:00Z", "9999-12-31T23:59:59-12:00", "paused", "running", "scaledToZero", "embeddings-prod"),
    *("eyJwbGF0Zm9ybSI6ICJtYWluIiwgImV2ZW50IjogInN0b3BwZWQifQ==", "https://a.endpoints.huggingface.cloud", "/health"),
])  # fmt: skip
KEYS = st.sampled_from([
    *("endpoints", "for", "until", "note", "dry_run", "clear_override", "memory", "message", "data", "attributes"),
    *("publishTime", "platform", "event", "time", "protoPayload", "methodName", "resourceName", "data_base64"),
])  # fmt: skip
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 15, 10**30, 1e308])
VALUES = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=10)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
BODIES = JSON.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=60)
TYPES = st.sampled_from(
    ["", "application/json", "application/octet-stream", "application/cloudevents+json", "text/plain", ";"]
)
HEADERS = st.dictionaries(
    st.sampled_from([
        *("Authorization", "X-Serverless-Authorization", "X-CloudScheduler", "X-CloudScheduler-JobName", "Accept"),
        *("Sec-Fetch-Site", "Sec-Fetch-Mode", "traceparent", "X-Cloud-Trace-Context", "ce-specversion", "ce-time"),
    ]),
    st.sampled_from(["Bearer a.e30.c", "Bearer a.W10.c", "1.0", "cross-site", "text/html", "*/*", "lifecycle-hours-1"])
    | st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=20),
    max_size=3,
)  # fmt: skip


@given(
    function=st.sampled_from(FUNCTIONS),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD"]),
    kind=TYPES,
    headers=HEADERS,
    body=BODIES,
)
@example(function="pause", method="POST", kind="", headers={}, body=b"[" * 60_000)
@example(function="platform_event", method="POST", kind="application/json", headers={}, body=b'{"message": {}}')
@properties(100)
def test_whatever_is_asked_is_answered_in_time_and_never_with_a_500(
    function: str, method: str, kind: str, headers: dict[str, str], body: bytes
) -> None:
    with quietly():
        Front().ask(function, method, headers | {"Content-Type": kind}, body)


STATES = st.sampled_from(["running", "paused", "scaledToZero", "initializing", "failed", "updateFailed", "asleep"])
ENDPOINT = st.fixed_dictionaries(
    {"name": st.sampled_from(["embeddings-prod", "search", "dev-a", "../x", ""]) | JSON},
    optional={
        "status": JSON | st.fixed_dictionaries({"state": STATES | JSON}, optional={"url": WORDS, "readyReplica": JSON}),
        "compute": JSON | st.fixed_dictionaries({"scaling": JSON}),
        "healthRoute": WORDS | JSON,
        "tags": JSON,
    },
)
PAGE = st.fixed_dictionaries({"items": st.lists(ENDPOINT | JSON, max_size=3)}, optional={"nextCursor": WORDS | JSON})
REPLIES = st.tuples(
    st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503, 599]),
    st.dictionaries(
        st.sampled_from([b"Retry-After", b"ratelimit", b"Date", b"Content-Type", b"Location"]),
        st.sampled_from(
            [b"0", b"9" * 40, b"-1", b'"api";r=0;t=55', b"Tue, 24 Nov 2026 12:00:00 GMT", b"text/html", b"\xb2"]
        ),
        max_size=2,
    ),
    (PAGE | ENDPOINT | JSON).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=40),
)
FAILURES = st.sampled_from([httpx.ReadError, httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
Reply = tuple[int, dict[bytes, bytes], bytes] | type[httpx.TransportError]
ASKED = json.dumps({"endpoints": ["*"]}).encode()
MESSAGE = {"attributes": {"platform": "main", "event": "stopped"}, "publishTime": "2026-11-24T11:00:00Z"}
SAID = json.dumps({"message": MESSAGE}).encode()


@given(function=st.sampled_from(FUNCTIONS), replies=st.lists(REPLIES | FAILURES, min_size=1, max_size=6))
@example(function="reconcile", replies=[(200, {}, b"[" * 60_000)])
@properties(100)
def test_whatever_hugging_face_answers_is_borne(function: str, replies: list[Reply]) -> None:
    turns = itertools.cycle(replies)

    def answer(_request: httpx.Request) -> httpx.Response:
        reply = next(turns)
        if isinstance(reply, tuple):
            return httpx.Response(reply[0], headers=reply[1], content=reply[2])
        raise reply("as it goes")

    with quietly():
        body = SAID if function == "platform_event" else ASKED
        Front(answer).ask(function, "GET" if function in ("status", "console") else "POST", {"Content-Type": ""}, body)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """The log is searched for the token instead of being shown."""
    with tempfile.TemporaryFile() as log:
        shown = os.dup(1)
        os.dup2(log.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(shown, 1)
            os.close(shown)
        log.seek(0)
        assert TOKEN.encode() not in log.read()


@pytest.mark.parametrize("function", ["pause", "platform_event"])
def test_a_process_does_not_grow_by_what_it_is_sent(function: str) -> None:
    front = Front()

    def asked(number: int) -> None:
        request = {"endpoints": [f"nobody-{number}"], "note": "x" * 1000, "for": f"{number}m"}
        message = {"message": {"attributes": {"platform": f"nobody-{number}", "event": "started"}, "publishTime": "x"}}
        for body in (json.dumps(request), json.dumps(message), f"{number}" * 500):
            with quietly():
                front.ask(function, "POST", {"Content-Type": "", "Authorization": f"Bearer {number}"}, body.encode())

    def held(numbers: range) -> int:
        for number in numbers:
            asked(number)
        urllib.parse.clear_cache()  # type: ignore[attr-defined]  # of the last 128 URLs
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held(range(30))
        assert held(range(30, 130)) - before < 50_000
    finally:
        tracemalloc.stop()
