"""Errors as application/problem+json (RFC 9457), with everything that is wrong with a request at once."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lifecycle.config.schema import Invalid, dotted
from lifecycle.engine.request import UnknownName
from lifecycle.errors import Failure

RETRY_AFTER = 30  # seconds
MOST_PROBLEMS = 100  # in one answer
MOST_TEXT = 10_000  # characters of a detail


class Refused(Exception):
    """The request is refused: an HTTP status, and why."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


def status_of(error: Exception) -> int:
    match error:
        case Refused():
            return error.status
        case Invalid():
            return 400
        case UnknownName():
            return 404
        case Failure():
            return 503
    return 500


def headers_of(error: Exception) -> dict[str, str]:
    if isinstance(error, Failure):
        return {"Retry-After": str(round(error.retry_after or RETRY_AFTER))}
    return error.headers if isinstance(error, Refused) else {}


def body_of(error: Exception) -> dict[str, Any]:
    """The document. An internal error has no details here, only in the log."""
    status, more = status_of(error), dict[str, Any]()
    if isinstance(error, Invalid):
        more["errors"] = [{"path": dotted(each.path), "detail": each.what} for each in error.problems[:MOST_PROBLEMS]]
    if isinstance(error, UnknownName):
        more["known"] = error.known
    detail = "internal error; see the log" if status == 500 else detail_of(error)
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}


def detail_of(error: Exception) -> str:
    if not isinstance(error, Invalid):
        return _shortened(str(error))
    text = _shortened("\n".join(map(str, error.problems[:MOST_PROBLEMS])))
    rest = len(error.problems) - MOST_PROBLEMS
    return f"{text}\nand {rest} more" if rest > 0 else text


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
