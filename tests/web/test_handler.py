"""The functions over HTTP: which requests are allowed, the answers, and the log lines."""

import base64
import json
from io import BytesIO
from typing import Any

import flask
import pytest

from lifecycle.app import App
from lifecycle.config import environment, settings
from lifecycle.web import handler
from lifecycle.web.handler import caller_of
from support.secret import TOKEN

TEXT = b"namespace: acme\nendpoints: {embeddings: {}, playground: {name: dev-*}}"
NOWHERE = "http://127.0.0.1:9"  # discard: nothing answers there
INVOKER = "scheduler@acme.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def app() -> App:
    variables = {"HF_TOKEN": TOKEN, "HF_ENDPOINTS_URL": NOWHERE, "INVOKER_SERVICE_ACCOUNT": INVOKER}
    return App(environment.read(variables), settings.parse(TEXT))


def ask(app: App, function: str, *args: Any, **kwargs: Any) -> flask.Response:
    with flask.Flask(__name__).test_request_context(*args, **kwargs) as context:
        return handler.serve(app, function, context.request)


def post(app: App, function: str, body: Any, **headers: str) -> flask.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(app, function, method="POST", data=data, content_type="application/json", headers=headers)


def bearer(**claims: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{middle}.SIGNATURE_REMOVED_BY_GOOGLE"


# Refused.


@pytest.mark.parametrize(("function", "method"), [("pause", "GET"), ("reconcile", "PUT"), ("status", "POST")])
def test_other_methods_are_405_and_name_the_allowed_ones(app: App, function: str, method: str) -> None:
    response = ask(app, function, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == ("GET, HEAD" if function == "status" else "POST")


@pytest.mark.parametrize("function", ["pause", "platform_event", "status"])
def test_cross_site_requests_of_a_browser_are_403(app: App, function: str) -> None:
    method = "GET" if function == "status" else "POST"
    assert ask(app, function, method=method, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_body_of_more_than_64_kib_is_413(app: App) -> None:
    body = {"endpoints": ["embeddings"], "note": "x" * 65_536}
    assert post(app, "pause", body).status_code == 413


def test_a_body_of_64_kib_is_read(app: App) -> None:
    body = json.dumps({"endpoints": ["nobody"]}).encode().ljust(65_536)
    assert post(app, "pause", body).status_code == 404


@pytest.mark.parametrize("before", [30, 45, 60, 70])
def test_half_of_a_token_in_a_request_is_not_repeated(app: App, before: int, capfd: pytest.CaptureFixture[str]) -> None:
    app.token.redact.add(TOKEN)
    response = post(app, "pause", {"endpoints": ["embeddings"], "for": "x" * before + TOKEN})
    assert response.status_code == 400
    assert TOKEN[:6] not in response.get_data(as_text=True) + capfd.readouterr().out


def test_what_is_wrong_with_a_request_is_reported_up_to_a_hundred_mistakes(app: App) -> None:
    response = post(app, "pause", {"endpoints": [1] * 20_000})
    reported = response.get_json()
    assert (response.status_code, len(reported["errors"])) == (400, 100)
    assert reported["detail"].endswith("and 901 more")
    assert len(response.data) < 30_000


@pytest.mark.parametrize(("length", "status"), [(65_536, 404), (65_537, 413)])
def test_a_body_without_a_length_is_read_as_far_as_it_is_let_in(app: App, length: int, status: int) -> None:
    stream = BytesIO(b'{"endpoints": ["nobody"]}'.ljust(length))
    response = ask(app, "pause", method="POST", input_stream=stream, environ_overrides={"wsgi.input_terminated": True})
    assert response.status_code == status


def test_what_status_could_not_read_is_in_the_log(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    ask(app, "status")
    notes = [line for line in map(json.loads, capfd.readouterr().out.splitlines()) if line["event"] == "note"]
    assert {(line["severity"], line["code"]) for line in notes} == {("WARNING", "unreachable")}


def test_a_form_is_415(app: App) -> None:
    assert ask(app, "pause", method="POST", data={"endpoints": "embeddings"}).status_code == 415


def test_scheduler_sends_json_as_octet_stream(app: App) -> None:
    response = ask(
        app, "pause", method="POST", data=b'{"endpoints": ["nobody"]}', content_type="application/octet-stream"
    )
    assert response.status_code == 404


def test_an_unknown_name_is_404_and_lists_the_known_ones(app: App) -> None:
    response = post(app, "pause", {"endpoints": ["nobody"]})
    assert response.status_code == 404
    assert response.json is not None
    assert response.json["known"] == ["embeddings", "playground"]


def test_everything_that_is_wrong_is_reported_at_once_as_problem_json(app: App) -> None:
    response = post(app, "pause", {"endpoints": ["nobody"], "for": "2 hours", "fro": 1})
    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert response.json["status"] == 400
    assert sorted(error["path"] for error in response.json["errors"]) == ["endpoints", "for", "fro"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, b'{"a":1,"a":1}'])
def test_what_is_no_request_is_400(app: App, body: bytes) -> None:
    assert post(app, "pause", body).status_code == 400


def test_a_message_that_is_not_understood_is_400(app: App) -> None:
    assert post(app, "platform_event", {"message": {"data": "!"}, "subscription": "s"}).status_code == 400


def test_a_vm_that_failed_to_start_is_acknowledged_with_a_note(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    audit = {"methodName": "v1.compute.instances.start", "resourceName": "projects/p/zones/z/instances/main"}
    entry = {"protoPayload": {**audit, "status": {"code": 8}}, "operation": {"last": True}}
    data = base64.b64encode(json.dumps(entry).encode()).decode()
    response = post(app, "platform_event", {"message": {"data": data, "messageId": "1"}, "subscription": "s"})
    assert (response.status_code, response.get_json()["results"]) == (200, [])
    assert "start of the VM main failed; it changes nothing" in capfd.readouterr().out


# Answered.


def test_a_retryable_failure_is_503_and_says_when_to_come_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.engine.service.SHORT", 0.2)
    response = post(app, "pause", {"endpoints": ["embeddings"]})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1


def test_every_call_leaves_a_line_for_each_endpoint_and_one_for_itself(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lifecycle.engine.service.SHORT", 0.2)
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    post(app, "pause", {"endpoints": ["*"]}, Authorization=bearer(email="anna@example.com"), **trace)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["event"], line.get("endpoint")) for line in lines] == [
        ("endpoint", "embeddings"),
        ("endpoint", "playground"),
        ("call", None),
    ]
    assert {line["by"] for line in lines} == {"anna@example.com"}


def test_a_crash_is_a_500_with_its_details_in_the_log_and_not_in_the_answer(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError(f"with {TOKEN} in it")

    monkeypatch.setattr("lifecycle.engine.request.read", crash)
    response = post(app, "pause", {"endpoints": ["embeddings"]})
    logged = capfd.readouterr().out
    assert response.status_code == 500
    assert "stack_trace" in logged
    assert b"in it" not in response.data


# Who asks.


def test_a_person_is_known_by_the_email_of_the_token() -> None:
    caller = caller_of({"authorization": bearer(email="anna@example.com")}, INVOKER)
    assert (caller.trigger, caller.email) == ("manual", "anna@example.com")


def test_the_serverless_header_goes_before_the_other() -> None:
    headers = {"authorization": bearer(email="b@x"), "x-serverless-authorization": bearer(email="a@x")}
    assert caller_of(headers, INVOKER).email == "a@x"


def test_scheduler_is_known_by_the_invokers_email() -> None:
    headers = {"authorization": bearer(email=INVOKER), "x-cloudscheduler-jobname": "lifecycle-hours-1"}
    caller = caller_of(headers, INVOKER)
    assert (caller.trigger, caller.job, caller.email) == ("schedule", "lifecycle-hours-1", None)


def test_schedulers_headers_do_not_hide_a_person_with_a_token() -> None:
    headers = {"authorization": bearer(email="eve@x"), "x-cloudscheduler-jobname": "lifecycle-hours-1"}
    assert caller_of(headers, INVOKER).trigger == "manual"


UNVERIFIED = [bearer(email=INVOKER, email_verified=value) for value in (False, "false")]


@pytest.mark.parametrize("authorization", ["Bearer ya29.opaque", bearer(sub="1"), *UNVERIFIED])
def test_schedulers_headers_do_not_make_up_for_a_token_that_names_nobody(authorization: str) -> None:
    headers = {"authorization": authorization, "x-cloudscheduler-jobname": "lifecycle-reconcile"}
    assert caller_of(headers, INVOKER).trigger == "manual"


def test_without_a_token_scheduler_is_known_by_its_headers() -> None:
    assert caller_of({"x-cloudscheduler-jobname": "lifecycle-reconcile"}, INVOKER).trigger == "schedule"


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer a.W10.c", "Basic a.b.c"])
def test_what_is_no_identity_token_names_nobody(value: str) -> None:
    assert caller_of({"authorization": value}, INVOKER).email is None


def test_an_email_that_is_not_verified_names_nobody() -> None:
    assert caller_of({"authorization": bearer(email="a@x", email_verified=False)}, INVOKER).email is None


@pytest.mark.parametrize("email", ["\ud800@x", "a\x1b[31m@x", "a\u202e@x", "a" * 255])
def test_an_email_that_cannot_be_one_names_nobody(email: str) -> None:
    assert caller_of({"authorization": bearer(email=email)}, INVOKER).email is None
