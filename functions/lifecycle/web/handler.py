"""The functions over HTTP: the caller, the request, and the answer with its status and log lines."""

import base64
import binascii
import json
import time
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Request as HttpRequest
from flask import Response

from lifecycle.app import App
from lifecycle.core.model import Trigger
from lifecycle.core.times import parse_rfc3339
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.service import Answer
from lifecycle.errors import Failure
from lifecycle.web import body, problem
from lifecycle.web import pubsub as events
from lifecycle.web.identity import is_email
from lifecycle.web.logs import Log, trace_of
from lifecycle.web.problem import Refused

JSON_TYPES = ("", "application/json", "application/octet-stream")


def serve(app: App, function: str, http: HttpRequest) -> Response:
    """The response of a function to a request; never raises."""
    begun = time.monotonic()
    headers = {name.lower(): value for name, value in http.headers.items()}
    log = Log(app.token.redact, function, trace_of(headers, app.environment.project))
    caller = caller_of(headers, app.environment.invoker)
    trigger: Trigger = "platform" if function == "platform_event" else caller.trigger
    try:
        response = _respond(app, function, http, headers, caller, log)
    except Exception as error:  # every error becomes an answer and a log line
        response = _problem(error, log)
    log.line(
        "call",
        f"{function}: {response.status_code}",
        "ERROR" if response.status_code >= 500 else "WARNING" if response.status_code >= 400 else "INFO",
        status=response.status_code,
        trigger=trigger,
        by=caller.email,
        duration_ms=round((time.monotonic() - begun) * 1000),
    )
    return body.answered(http, response)


def _respond(
    app: App, function: str, http: HttpRequest, headers: Mapping[str, str], caller: Caller, log: Log
) -> Response:
    if http.method != "POST":
        body.leave(http)
    try:
        if function == "console":
            from lifecycle.web import console

            return console.respond(app, http, headers, log)
        _let_in(function, http, headers)
    except Refused:
        body.leave(http)
        raise
    if function == "status":
        return _status(app, log)
    # Redacted here, because a refusal quotes only a part of the body, and half a token is not found.
    text = log.redact(body.read(http).decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if function == "platform_event":
        answer = _platform_event(app, text, headers)
    else:
        answer = app.run(app.service.handle(function, text, caller))
    log_results(answer, caller, log)
    response = _json(answer.body(), answer.status, log)
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE or (
        answer.status == HTTPStatus.ACCEPTED and function == "resume"
    ):
        response.headers["Retry-After"] = str(answer.retry_after)
    return response


def _platform_event(app: App, text: bytes, headers: Mapping[str, str]) -> Answer:
    message = events.read(text, headers)
    if isinstance(message, events.NoChange):
        return Answer("platform", app.settings.dry_run, notes=[message.reason])
    return app.run(app.service.platform_event(message))


def _let_in(function: str, http: HttpRequest, headers: Mapping[str, str]) -> None:
    """Raises `Refused` if the request is not allowed for this function, before its body is read."""
    allowed = ("GET", "HEAD") if function == "status" else ("POST",)
    if http.method not in allowed:
        raise Refused(405, f"{function} accepts {' and '.join(allowed)}", {"Allow": ", ".join(allowed)})
    # A link from another site is a navigation; a script, form or image of another site is not.
    followed = function == "status" and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site") == "cross-site" and not followed:
        raise Refused(403, "cross-site requests of a browser are refused")
    if function == "status":
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    known = (*JSON_TYPES, "application/cloudevents+json") if function == "platform_event" else JSON_TYPES
    if (http.content_length or 0) > body.LARGEST:
        raise Refused(413, f"the body has more than {body.LARGEST} bytes")
    if kind not in known:
        raise Refused(415, f"{kind}: the body must be JSON, as {' or '.join(filter(None, known))}")


def _status(app: App, log: Log) -> Response:
    status = app.run(app.service.status())
    for failure in status.failures:
        log.line("note", f"unknown: {failure}", "WARNING", code=failure.code)
    return _json(status.answer, 200, log)


def log_results(answer: Answer, caller: Caller, log: Log) -> None:
    """Writes a log line for each result, unmanaged endpoint, budget and note."""
    for result in answer.results:
        log.result(
            result, trigger=answer.trigger, by=caller.email, dry_run=answer.dry_run, holder=answer.holder,
            released=answer.released,
        )  # fmt: skip
    for endpoint in answer.unmanaged:
        log.unmanaged(endpoint)
    for budget in answer.budgets:
        log.line("budget", budget.message, budget.level, trigger=answer.trigger, **budget.fields)
    for note in answer.notes:
        log.line("note", note, "WARNING", trigger=answer.trigger)


def _json(body: Mapping[str, Any], status: int, log: Log, kind: str = "application/json") -> Response:
    text = log.redact(json.dumps(body))
    return Response(text + "\n", status, mimetype=kind, headers={"Cache-Control": "no-store"})


def _problem(error: Exception, log: Log) -> Response:
    """The answer to a refused request or an error, and its log line."""
    status = problem.status_of(error)
    if status == 500:
        trace = "".join(traceback.format_exception(error))
        log.line("crash", f"{type(error).__name__}: {error}", "ERROR", stack_trace=trace)
    else:
        code = {"code": error.code} if isinstance(error, Failure) else {}
        log.line("refused", problem.detail_of(error), "ERROR" if status >= 500 else "WARNING", status=status, **code)
    response = _json(problem.body_of(error), status, log, "application/problem+json")
    response.headers.update(problem.headers_of(error))
    return response


def caller_of(headers: Mapping[str, str], invoker: str | None) -> Caller:
    """The caller of a request. Cloud Run has verified the token (X-Serverless-Authorization, if both are there), so its
    email is trusted. Cloud Scheduler is recognized by the invoker's email, or by its headers if there is no token."""
    authorization = headers.get("x-serverless-authorization") or headers.get("authorization") or ""
    email = _email(authorization)
    by_headers = "x-cloudscheduler-jobname" in headers or "x-cloudscheduler" in headers
    scheduled = email == invoker if authorization and invoker else by_headers
    if not scheduled:
        return Caller("manual", email)
    job = headers.get("x-cloudscheduler-jobname", "").rpartition("/")[2]
    return Caller("schedule", job=job, scheduled_at=parse_rfc3339(headers.get("x-cloudscheduler-scheduletime")))


def _email(authorization: str) -> str | None:
    """The email in a bearer token (JWT); None: there is none, or it is not verified."""
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(claims, dict) or claims.get("email_verified", True) is not True:
        return None
    email = claims.get("email")
    return email if is_email(email) else None
