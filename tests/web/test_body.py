"""The body of a request over a socket, as gunicorn hands it over: in time, complete and not too large."""

import socket
from collections.abc import Iterator

import flask
import pytest
from gunicorn.http.body import Body, LengthReader  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]

from lifecycle.web import body
from lifecycle.web.problem import Refused

Connection = tuple[socket.socket, flask.Request]


@pytest.fixture
def connection() -> Iterator[Connection]:
    """The caller's end of a connection, and a request with a body of 10 bytes on the other."""
    caller, server = socket.socketpair()
    with caller, server:
        environ = {
            "wsgi.input": Body(LengthReader(SocketUnreader(server), 10)),
            "wsgi.input_terminated": True,
            "gunicorn.socket": server,
            "CONTENT_LENGTH": "10",
        }
        with flask.Flask(__name__).test_request_context(method="POST", environ_overrides=environ) as context:
            yield caller, context.request


def refusal(request: flask.Request) -> Refused:
    with pytest.raises(Refused) as error:
        body.read(request, seconds=0.05)
    return error.value


def test_a_body_that_arrives_is_read(connection: Connection) -> None:
    caller, request = connection
    caller.sendall(b"0123456789")
    assert body.read(request) == b"0123456789"
    assert not request.environ["wsgi.input"].failed


def test_a_body_that_does_not_arrive_in_time_is_refused(connection: Connection) -> None:
    caller, request = connection
    caller.sendall(b"012")
    assert refusal(request).status == 408


def test_a_body_that_ends_early_is_refused(connection: Connection) -> None:
    caller, request = connection
    caller.sendall(b"{}")
    caller.shutdown(socket.SHUT_WR)
    error = refusal(request)
    assert (error.status, str(error)) == (400, "the body ended after 2 of 10 bytes")


def test_a_connection_with_the_rest_of_a_body_is_not_used_again(connection: Connection) -> None:
    _, request = connection
    refusal(request)
    assert request.environ["wsgi.input"].failed


def test_a_connection_without_a_body_is_used_again() -> None:
    with flask.Flask(__name__).test_request_context(method="GET") as context:
        context.request.environ["wsgi.input"].failed = False
        body.leave(context.request)
        assert context.request.environ["wsgi.input"].failed is False
