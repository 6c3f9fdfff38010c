"""The functions: one short entry point each. What they promise is in docs/design.md."""

import gc
import sys

import functions_framework
from flask import Request, Response

from lifecycle import app
from lifecycle.config.schema import Invalid
from lifecycle.web import handler
from lifecycle.web.logs import Log

# Starting makes many objects and little garbage: looking for it less often takes a twentieth off a cold start.
gc.set_threshold(50_000)

try:
    APP = app.load()
except Invalid as error:
    # A process with bad settings refuses to start, with one line that says it all.
    Log(str, "").line("settings", f"refused to start: {error}", "CRITICAL")
    sys.exit(1)


@functions_framework.http
def pause(request: Request) -> Response:
    """Pauses endpoints: by hand, or by a `cron:` job."""
    return handler.serve(APP, "pause", request)


@functions_framework.http
def resume(request: Request) -> Response:
    """Resumes endpoints, without waiting until they run."""
    return handler.serve(APP, "resume", request)


@functions_framework.http
def warm(request: Request) -> Response:
    """Makes endpoints run, and returns when they answered."""
    return handler.serve(APP, "warm", request)


@functions_framework.http
def reconcile(request: Request) -> Response:
    """Makes each endpoint what the rules want now."""
    return handler.serve(APP, "reconcile", request)


@functions_framework.http
def platform_event(request: Request) -> Response:
    """Handles platform messages from Pub/Sub or Eventarc."""
    return handler.serve(APP, "platform_event", request)


@functions_framework.http
def status(request: Request) -> Response:
    """Tells what is, what is wanted and why."""
    return handler.serve(APP, "status", request)


@functions_framework.http
def console(request: Request) -> Response:
    """The page, and its forms."""
    return handler.serve(APP, "console", request)
