"""The entry points of the functions. docs/design.md describes what each function does."""

import gc
import sys

import functions_framework
from flask import Request, Response

from lifecycle import app
from lifecycle.config.schema import Invalid
from lifecycle.web import handler
from lifecycle.web.logs import Log

# A start creates many objects and little garbage. Collecting less often makes a cold start 5 % shorter.
gc.set_threshold(50_000)

try:
    APP = app.load()
except Invalid as error:
    # A process with bad settings does not start, and one log line lists all mistakes.
    Log(str, "").line("settings", f"refused to start: {error}", "CRITICAL")
    sys.exit(1)


@functions_framework.http
def pause(request: Request) -> Response:
    """Pauses endpoints."""
    return handler.serve(APP, "pause", request)


@functions_framework.http
def resume(request: Request) -> Response:
    """Resumes endpoints, without waiting until they run."""
    return handler.serve(APP, "resume", request)


@functions_framework.http
def warm(request: Request) -> Response:
    """Starts endpoints, and returns when they have answered."""
    return handler.serve(APP, "warm", request)


@functions_framework.http
def reconcile(request: Request) -> Response:
    """Brings each endpoint to its desired state."""
    return handler.serve(APP, "reconcile", request)


@functions_framework.http
def platform_event(request: Request) -> Response:
    """Handles platform messages from Pub/Sub or Eventarc."""
    return handler.serve(APP, "platform_event", request)


@functions_framework.http
def status(request: Request) -> Response:
    """Answers states, desired states and reasons as JSON."""
    return handler.serve(APP, "status", request)


@functions_framework.http
def console(request: Request) -> Response:
    """The page, and its forms."""
    return handler.serve(APP, "console", request)
