"""Reads a request's JSON, and reports every mistake at once. Pure."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from lifecycle.config.schema import (
    BOOLEAN,
    LENGTH,
    TEXT,
    Field,
    Invalid,
    Path,
    Problem,
    Property,
    list_of,
    mapping,
    matching,
    one_of,
    parsed,
    wrong,
)
from lifecycle.core.text import hides
from lifecycle.core.times import parse_rfc3339
from lifecycle.huggingface.parsing import addressable

LONGEST = timedelta(days=7)
LONGEST_NOTE = 500  # characters
RELEASED = "released"
ALL = "*"


class UnknownName(Exception):
    """A request whose only mistake is a name that is not in the settings (404)."""

    def __init__(self, names: list[str], known: Collection[str]) -> None:
        self.known = list(known)
        super().__init__(f"unknown: {', '.join(names)}; known are {', '.join(known) or 'none'}")


class Mistaken(Invalid):
    """A request with mistakes. `others`: its names that are not entries; they may be endpoints at Hugging Face."""

    def __init__(self, *problems: Problem, others: tuple[str, ...] = ()) -> None:
        super().__init__(*problems)
        self.others = others


@dataclass(frozen=True)
class Request:
    """A request. `entries`: names in the settings. `others`: names that may be endpoints at Hugging Face.
    `everything`: the request has `["*"]`."""

    entries: tuple[str, ...]
    everything: bool = False
    until: datetime | None = None
    released: bool = False
    dry_run: bool = False
    clear_override: bool = False
    note: str | None = None
    others: tuple[str, ...] = ()
    holder: str | None = None
    force: bool = False
    all_holders: bool = False


ANYTHING = Field(lambda value: value, {})
NAMES = list_of(TEXT, least=1).constrain(
    lambda names: ALL not in names or {*names} == {ALL}, 'use "*" or names, not both'
)
AS_LONG = LENGTH.constrain(lambda length: length <= LONGEST, "at most 7d")
NOTE = Field(lambda value: value if isinstance(value, str) else _refuse(value, "must be text"), {}).constrain(
    lambda note: len(note) <= LONGEST_NOTE and not any(map(hides, note)),
    f"at most {LONGEST_NOTE} characters, without control characters and invisible format characters",
)
HOLDER = matching(r"[A-Za-z0-9._-]{1,64}", "holders are 1 to 64 of A-Z, a-z, 0-9, ., _ and -")


def read(function: str, body: bytes, known: Collection[str], now: datetime, *, stores: bool = True) -> Request:
    """The request in `body`. `stores`: overrides can be stored in Cloud Scheduler. Raises `Mistaken` with everything
    that is wrong, or `UnknownName` if a name can be neither an entry nor an endpoint."""
    document = _json(body)
    others = _others(document, known)
    impossible = [name for name in others if not addressable(name)]
    possible = tuple(name for name in others if addressable(name))
    problems: tuple[Problem, ...] = ()
    given: dict[str, Any] = {}
    try:
        given = mapping(_keys(function, now), cross_checks=partial(_between, function)).read(document)
    except Invalid as error:
        problems = error.problems
    if not stores:
        problems += tuple(_unkept(document, {problem.path for problem in problems}))
    if problems:
        too = [Problem(("endpoints",), str(UnknownName(impossible, known)))] if impossible else []
        raise Mistaken(*problems, *too, others=possible)
    if impossible:
        raise UnknownName(impossible, known)
    names = tuple(dict.fromkeys(given["endpoints"]))
    everything = names == (ALL,)
    length, until = given.get("for"), given.get("until")
    if length is not None:
        until = now + length
    return Request(
        entries=tuple(known) if everything else tuple(name for name in names if name in known),
        others=possible,
        everything=everything,
        until=None if until == RELEASED else until,
        released=until == RELEASED,
        dry_run=given["dry_run"],
        clear_override=given.get("clear_override", False),
        note=given.get("note"),
        holder=given["holder"],
        force=given.get("force", False),
        all_holders=given.get("holders") is not None,
    )


def _keys(function: str, now: datetime) -> Mapping[str, Property]:
    keys = {"endpoints": Property(NAMES), "dry_run": Property(BOOLEAN, False), "holder": Property(HOLDER, None)}
    if function == "reconcile":
        return keys | {
            "clear_override": Property(BOOLEAN, False),
            "holders": Property(one_of("all"), None),
            "memory": Property(ANYTHING, None),
        }
    until = parsed(lambda text: _until(text, now, released=function == "pause"))
    return keys | {
        "for": Property(AS_LONG, None),
        "until": Property(until, None),
        "note": Property(NOTE, None),
        "force": Property(BOOLEAN, False),
    }


def _between(function: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    if "for" in given and "until" in given:
        yield Problem(("until",), "cannot be combined with for; use one of them")
    for key in ("holder", "holders"):
        if key in given and function == "reconcile" and given.get("clear_override") is not True:
            yield Problem((key,), "only with clear_override: true")


def _unkept(document: Any, wrong: Collection[Path]) -> Iterator[Problem]:
    """Without Cloud Scheduler, nothing could end an override."""
    for key in ("for", "until"):
        if isinstance(document, dict) and key in document and (key,) not in wrong:
            yield Problem((key,), "no override can be stored: SCHEDULER_PARENT is not set")


def _others(document: Any, known: Collection[str]) -> list[str]:
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
    if not _has_offset(text):
        raise ValueError("must be a time with an offset, such as 2026-11-23T22:00:00+01:00")
    until = parse_rfc3339(text)
    if until is None or not now < until <= now + LONGEST:
        raise ValueError("must be in the future, at most 7 days from now")
    return until


def _has_offset(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.upper()).tzinfo is not None
    except ValueError:
        return False


def _json(body: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise ValueError("duplicate key")
        return result

    try:
        return json.loads(body, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Invalid(Problem((), f"the body is not JSON: {error}")) from None


def _refuse(value: Any, what: str) -> Any:
    raise wrong(value, what)
