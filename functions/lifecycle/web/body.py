"""Reads a request's body, with a limit on its size and on the time that it may take to arrive.

Source: gunicorn's threaded worker, under which the functions framework runs. It reads a body in the thread of the
request and has no time limit for that, so that a few bodies that trickle would hold every thread.
"""

import contextlib
import io
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Request, Response

from lifecycle.web.problem import Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST = 64 * 1024  # bytes
ARRIVES_WITHIN = 3.0  # seconds; callers send a body with its headers, and 64 KiB take a second on a slow line


def read(request: Request, seconds: float = ARRIVES_WITHIN) -> bytes:
    """The body, which may come without a Content-Length. Raises `Refused`: too large, too slow, or not complete."""
    try:
        return _read(request, seconds)
    except Refused:
        leave(request)
        raise


def _read(request: Request, seconds: float) -> bytes:
    body = b""
    damage = ""
    with _time_limit(request, seconds) as late:
        try:
            while len(body) <= LARGEST and (more := request.stream.read(LARGEST + 1 - len(body))):
                body += more
        except Exception as error:  # servers raise different exceptions; each is the caller's mistake
            damage = type(error).__name__
    if len(body) > LARGEST:
        raise Refused(413, f"the body has more than {LARGEST} bytes")
    if late.is_set():
        raise Refused(408, f"the body did not arrive within {seconds:g} seconds")
    if damage:
        raise Refused(400, f"the body is damaged ({damage})")
    if len(body) < (request.content_length or 0):
        raise Refused(400, f"the body ended after {len(body)} of {request.content_length} bytes")
    return body


def leave(request: Request) -> None:
    """Has the server close the connection after the answer where the request has a body that was not read: where the
    next request begins is not known, and reading on takes as long as the caller likes. The functions framework reads
    what is left of a body after the answer is made: it finds nothing."""
    request.stream = io.BytesIO()
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return
    if connection := _socket(request):
        request.environ["wsgi.input"].failed = True  # gunicorn's own mark for it
        with contextlib.suppress(OSError):  # the caller is gone
            connection.shutdown(socket.SHUT_RD)


@contextlib.contextmanager
def _time_limit(request: Request, seconds: float) -> Iterator[threading.Event]:
    """Ends reading after so many seconds: the caller's bytes end there, and the event is set."""
    late, connection = threading.Event(), _socket(request)

    def end() -> None:
        late.set()
        if connection:
            with contextlib.suppress(OSError):  # the caller is gone
                connection.shutdown(socket.SHUT_RD)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def answered(request: Request, response: Response) -> Response:
    """The response, with `Connection: close` if the body was left: a proxy would lose its next request there."""
    left = getattr(request.environ.get("wsgi.input"), "failed", False) is True
    return LastResponse(response.response, response.status, response.headers) if left else response


class LastResponse(Response):
    """The last response on its connection. A WSGI application may not set that header, so gunicorn sets it."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
        if force_close:
            force_close()
        return super().__call__(environ, start_response)


def _socket(request: Request) -> socket.socket | None:
    return request.environ.get("gunicorn.socket")
