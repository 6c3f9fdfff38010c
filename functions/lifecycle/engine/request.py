"""What a request asks for: JSON of a few strict keys, read with every mistake at once. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lifecycle.config.schema import (
    BOOLEAN,
    LENGTH,
    TEXT,
    Field,
    Invalid,
    Problem,
    Property,
    list_of,
    mapping,
    parsed,
    wrong,
)
from lifecycle.core.times import parse_rfc3339

LONGEST = timedelta(days=7)
RELEASED = "released"
ALL = "*"


class UnknownName(Exception):
    """A request that is right but for names that are not in the settings (404)."""

    def __init__(self, names: list[str], known: Collection[str]) -> None:
        self.known = list(known)
        super().__init__(f"unknown: {', '.join(names)}; known are {', '.join(known) or 'none'}")


@dataclass(frozen=True)
class Request:
    """A request as asked. `entries`: names of the settings; `everything`: it said `["*"]`."""

    entries: tuple[str, ...]
    everything: bool = False
    until: datetime | None = None
    released: bool = False
    dry_run: bool = False
    clear_override: bool = False
    note: str | None = None


ANY_TEXT = Field(lambda value: value if isinstance(value, str) else _refuse(value, "must be text"), {"type": "string"})
ANYTHING = Field(lambda value: value, {})
NAMES = list_of(TEXT, least=1).constrain(
    lambda names: ALL not in names or {*names} == {ALL}, 'of "*" and names only one'
)
AS_LONG = LENGTH.constrain(lambda length: length <= LONGEST, "at most 7d")


def read(function: str, body: bytes, known: Collection[str], now: datetime) -> Request:
    """The request in `body`. Raises `Invalid` with all that is wrong, or `UnknownName` when only names are."""
    document = _json(body)
    unknown = _unknown(document, known)
    try:
        given = mapping(_keys(function, now), cross_checks=_between).read(document)
    except Invalid as error:
        too = [Problem(("endpoints",), str(UnknownName(unknown, known)))] if unknown else []
        raise Invalid(*error.problems, *too) from None
    if unknown:
        raise UnknownName(unknown, known)
    names = tuple(dict.fromkeys(given["endpoints"]))
    everything = names == (ALL,)
    length, until = given.get("for"), given.get("until")
    if length is not None:
        until = now + length
    return Request(
        entries=tuple(known) if everything else names,
        everything=everything,
        until=None if until == RELEASED else until,
        released=until == RELEASED,
        dry_run=given["dry_run"],
        clear_override=given.get("clear_override", False),
        note=given.get("note"),
    )


def _keys(function: str, now: datetime) -> Mapping[str, Property]:
    keys = {"endpoints": Property(NAMES), "dry_run": Property(BOOLEAN, False)}
    if function == "reconcile":
        return keys | {"clear_override": Property(BOOLEAN, False), "memory": Property(ANYTHING, None)}
    until = parsed(lambda text: _until(text, now, released=function == "pause"))
    return keys | {"for": Property(AS_LONG, None), "until": Property(until, None), "note": Property(ANY_TEXT, None)}


def _between(given: Mapping[str, Any]) -> list[Problem]:
    both = "for" in given and "until" in given
    return [Problem(("until",), "does not go with for; one of them says when it ends")] if both else []


def _unknown(document: Any, known: Collection[str]) -> list[str]:
    names = document.get("endpoints") if isinstance(document, dict) else None
    if not isinstance(names, list):
        return []
    meant = [name for name in names if isinstance(name, str) and name.strip() not in ("", ALL)]
    return list(dict.fromkeys(name for name in meant if name not in known))


def _until(text: str, now: datetime, *, released: bool) -> datetime | str:
    if text == RELEASED:
        if not released:
            raise ValueError('only pause can last until "released"')
        return RELEASED
    until = parse_rfc3339(text)
    if until is None or datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("must be a time with an offset, such as 2026-11-23T22:00:00+01:00")
    if not now < until <= now + LONGEST:
        raise ValueError("must be in the future, at most 7 days from now")
    return until


def _json(body: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise ValueError("a key stands twice")
        return result

    try:
        return json.loads(body, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Invalid(Problem((), f"the body is not JSON: {error}")) from None


def _refuse(value: Any, what: str) -> Any:
    raise wrong(value, what)
