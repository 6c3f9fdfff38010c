"""Requests as the functions read them, and what is wrong with those that are refused."""

import json
from typing import Any

import pytest

from lifecycle.config.schema import Invalid
from lifecycle.engine import request
from lifecycle.engine.request import Request, UnknownName
from support.building import NOON

KNOWN = ("embeddings", "playground", "search")
FUNCTIONS = ("pause", "resume", "warm", "reconcile")
VERBS = ("pause", "resume", "warm")


def asked(function: str, **body: Any) -> Request:
    return request.read(function, json.dumps({"endpoints": ["embeddings"]} | body).encode(), KNOWN, NOON)


def reported(function: str, body: bytes) -> list[str]:
    """All that is wrong with a request, a line each."""
    with pytest.raises(Invalid) as caught:
        request.read(function, body, KNOWN, NOON)
    return [str(problem) for problem in caught.value.problems]


def refused(function: str, **body: Any) -> list[str]:
    return reported(function, json.dumps({"endpoints": ["embeddings"]} | body).encode())


def asked_of(function: str, body: bytes) -> Request | None:
    """The request; None: it is refused."""
    try:
        return request.read(function, body, KNOWN, NOON)
    except (Invalid, UnknownName):
        return None
