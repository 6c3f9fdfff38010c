"""Reads YAML 1.2 where it differs from 1.1: `on`, `off`, `no`, `12:30` and `2026-12-25` are text.

A duplicate key is refused with its path. Values are read event by event, so that size, depth and aliases are limited
before anything is built from them: libyaml's own tree overflows the stack on deeply nested brackets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from lifecycle.config import document as lined
from lifecycle.config.hints import look_alikes
from lifecycle.config.schema import Invalid, Path, Problem

MOST_BYTES = 1_000_000
MOST_VALUES = 100_000
DEEPEST = 50
_TOO_LARGE = f"too large; at most {MOST_VALUES} values, {DEEPEST} deep"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, which is ten times faster, where PyYAML has it
_SCALARS = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,300}"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"), float),
)


def load(text: bytes) -> tuple[Any, list[Problem]]:
    """The one document in `text`, and its duplicate keys. Raises `Invalid` for what is not YAML, or too large."""
    if len(text) > MOST_BYTES:
        raise Invalid(Problem((), f"{len(text):,} bytes; at most {MOST_BYTES:,} are allowed"))
    walk = _Walk(yaml.parse(text, Loader=_LOADER))
    try:
        return walk.document(), walk.problems
    except Invalid:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        begun = error.context_mark
        since = f", {error.context} from line {begun.line + 1}" if begun and error.context and error.problem else ""
        lines = text.split(b"\n")[begun.line if begun else mark.line : mark.line + 1] if mark else []
        signs = look_alikes(b"".join(lines[:3]).decode(errors="ignore"))
        message = f"{error.problem or error.context}{since}{'; ' if signs else ''}{signs}"
        raise Invalid(Problem((), f"{where}not YAML: {message}")) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Invalid(Problem((), f"not YAML: {error}")) from None


@dataclass(frozen=True)
class _Anchored:
    """What an alias stands for: the value, how many values that is, and how deep."""

    value: Any
    size: int
    depth: int


class _Walk:
    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Anchored] = {}
        self.seen = 0
        self.deepest = 0

    def document(self) -> Any:
        next(self.events)  # the stream's start
        if not isinstance(next(self.events), DocumentStartEvent):
            return None
        value = self.value(next(self.events), ())
        assert isinstance(next(self.events), DocumentEndEvent)
        if isinstance(more := next(self.events), DocumentStartEvent):
            raise Invalid(Problem((), f"line {_line(more)}: a second document; the file must hold one"))
        return value

    def value(self, event: Any, path: Path) -> Any:
        if isinstance(event, AliasEvent):
            return self.alias(event, path)
        self.count(1, len(path), path)
        if event.anchor is None:
            return self.plain(event, path)
        before, outer, self.deepest = self.seen, self.deepest, len(path)
        value = self.plain(event, path)
        self.anchors[event.anchor] = _Anchored(value, self.seen - before + 1, self.deepest - len(path))
        self.deepest = max(outer, self.deepest)
        return value

    def plain(self, event: Any, path: Path) -> Any:
        if isinstance(event, MappingStartEvent):
            return self.mapping(path, _line(event))
        if isinstance(event, SequenceStartEvent):
            result = lined.List(_line(event))
            while not isinstance(item := next(self.events), SequenceEndEvent):
                result.lines[len(result)] = _line(item)
                result.append(self.value(item, (*path, len(result))))
            return result
        return _scalar(event)

    def mapping(self, path: Path, begin: int) -> lined.Mapping:
        result = lined.Mapping(begin)
        first: dict[str, int] = {}
        while not isinstance(name := next(self.events), MappingEndEvent):
            line = _line(name)
            if not isinstance(name, ScalarEvent):
                self.problems.append(Problem(path, "keys must be plain names", line))
                self.value(name, (*path, "?"))
                self.value(next(self.events), (*path, "?"))
                continue
            key = name.value  # always text: 007 and null are names like any other
            place = (*path, key)
            if key in result:
                message = f"duplicate key, first defined on line {first[key]}"
                self.problems.append(Problem(place, message, line))
                result.doubled.append((key, result[key], result.lines[key]))
            first.setdefault(key, line)
            result.lines[key] = line
            result[key] = self.value(next(self.events), place)
        return result

    def alias(self, event: Any, path: Path) -> Any:
        found = self.anchors.get(event.anchor)
        if found is None:
            raise Invalid(Problem(path[:5], f"line {_line(event)}: undefined alias *{event.anchor}"))
        self.count(found.size, len(path) + found.depth, path)
        return found.value

    def count(self, values: int, depth: int, path: Path) -> None:
        self.seen += values
        self.deepest = max(self.deepest, depth)
        if self.seen > MOST_VALUES or depth > DEEPEST:
            raise Invalid(Problem(path[:5], _TOO_LARGE))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> Any:
    if event.style in (None, ""):  # plain: neither quoted nor a block
        for pattern, convert in _SCALARS:
            if pattern.fullmatch(event.value):
                return convert(event.value)
    return event.value
