"""The status as a page."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from lifecycle.settings import Settings


def response(told: Mapping[str, Any], settings: Settings) -> Response:
    raise NotImplementedError
