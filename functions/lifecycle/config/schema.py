"""Reads untyped values as typed ones. Every mistake is reported with its path and with what is allowed.

A `Field` reads one kind of value and describes it as JSON Schema, so the schema always fits what is accepted. Fields
nest: `mapping` and `list_of` collect the mistakes of all their parts.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from lifecycle.config import document
from lifecycle.config.hints import in_brackets, look_alikes, nearest, without_quotes
from lifecycle.core.text import visible
from lifecycle.core.times import duration, in_words

REQUIRED: Any = object()
MOST_PROBLEMS = 1000  # more are not useful, and hints take time

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: its path, what is wrong and what is allowed, and its line if it is in a file."""

    path: Path
    what: str
    line: int | None = None

    def __str__(self) -> str:
        text = f"{dotted(self.path)}: {self.what}" if self.path else self.what
        return f"{text} (line {self.line})" if self.line else text


class Invalid(ValueError):
    """A value cannot be read; `problems` has everything that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class Field:
    """A kind of value. `read` raises `Invalid` (or `ValueError` with a reason). `schema`: its JSON Schema."""

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def constrain(self, allowed: Callable[[Any], bool], what: str, **schema: Any) -> "Field":
        """This kind, restricted to the values that `allowed` accepts; `what` describes them."""

        def read(value: Any) -> Any:
            result = self.read(value)
            if not allowed(result):
                raise wrong(value, what)
            return result

        return Field(read, {**self.schema, **schema})


@dataclass(frozen=True)
class Property:
    """A key of a mapping: the kind of its value, its default (none: it is required) and its meaning."""

    kind: Field
    default: Any = REQUIRED
    doc: str = ""


def dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return visible(text)


def shown(value: Any) -> str:
    """A value for a message: JSON, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        text = f"({type(value).__name__})"
    return visible(text if len(text) <= 80 else text[:77] + "…")


def wrong(value: Any, *what: str) -> Invalid:
    """The error for a value: what is allowed, and hints."""
    signs = look_alikes(value) if isinstance(value, str) else ""
    return Invalid(Problem((), f"{shown(value)}: {'; '.join(filter(None, (*what, signs)))}"))


def _type(accepts: Callable[[Any], bool], name: str, schema: Mapping[str, Any]) -> Field:
    def read(value: Any) -> Any:
        if not accepts(value):
            raise wrong(value, f"must be {name}", without_quotes(value, accepts))
        return value

    return Field(read, schema)


BOOLEAN = _type(lambda v: isinstance(v, bool), "true or false", {"type": "boolean"})

INTEGER = _type(lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number", {"type": "integer"})


def _text(value: Any, examples: Sequence[str] = ()) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if examples:
        raise wrong(value, f"must be text, such as {' or '.join(map(shown, examples))}")
    quoted = (
        f'must be text; in quotes it is: "{value}"' if isinstance(value, int | float) else "must be text, not empty"
    )
    raise wrong(value, quoted)


TEXT = Field(_text, {"type": "string", "minLength": 1})


def one_of(*values: str) -> Field:
    def read(value: Any) -> Any:
        if isinstance(value, str) and value in values:
            return value
        raise wrong(value, f"must be {' or '.join(values)}", nearest(value, values) if isinstance(value, str) else "")

    return Field(read, {"enum": list(values)})


def parsed(parse: Callable[[str], Any], hint: Callable[[str], str] = lambda _: "", **schema: Any) -> Field:
    """Text that `parse` converts; its ValueError says what is allowed, and `hint` what was probably meant."""

    def read(value: Any) -> Any:
        text = _text(value, schema.get("examples", ()))
        try:
            return parse(text)
        except Invalid:
            raise
        except ValueError as error:
            raise wrong(value, str(error), hint(text)) from None

    return Field(read, {**TEXT.schema, **schema})


def matching(pattern: str, what: str, hint: Callable[[str], str] = lambda _: "") -> Field:
    def read(value: Any) -> Any:
        if re.fullmatch(pattern, _text(value)):
            return value
        raise wrong(value, what, hint(value))

    return Field(read, {**TEXT.schema, "pattern": f"^(?:{pattern})$"})


def list_of(kind: Field, *, least: int = 0) -> Field:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise wrong(value, "must be a list", in_brackets(value, kind.read))
        if len(value) < least:
            raise wrong(value, "must not be empty")
        return tuple(_collect([((index,), kind, item) for index, item in enumerate(value)]))

    return Field(read, {"type": "array", "items": kind.schema, **({"minItems": least} if least else {})})


def one_or_list(kind: Field) -> Field:
    many = list_of(kind, least=1)
    return Field(
        lambda value: many.read(value) if isinstance(value, list) else (kind.read(value),),
        {"anyOf": [kind.schema, many.schema]},
    )


def false_or(kind: Field) -> Field:
    """`false`, or a value of this kind."""

    def read(value: Any) -> Any:
        if value is not False and not isinstance(value, dict):
            raise wrong(value, "must be false or a mapping")
        return kind.read(value) if value is not False else False

    return Field(read, {"anyOf": [{"const": False}, kind.schema]})


def mapping_of(name: Field, kind: Field) -> Field:
    """A mapping with any names as keys, and values of one kind."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong(value, "must be a mapping")
        parts = [((str(key),), *part) for key, item in value.items() for part in ((name, key), (kind, item))]
        results = _collect(parts, doubled_problems(value, lambda _: kind))
        return dict(zip(results[::2], results[1::2], strict=True))

    return Field(read, {"type": "object", "propertyNames": name.schema, "additionalProperties": kind.schema})


def mapping(
    keys: Mapping[str, Property],
    make: Callable[..., Any] = dict,
    *,
    cross_checks: Callable[[Mapping[str, Any]], Iterable[Problem]] = lambda _given: (),
    empty: bool = False,
) -> Field:
    """A mapping with these keys and no others, given to `make` as keyword arguments.

    `cross_checks` reports what is wrong between keys; it is given the unread values, so it works even when some of them
    cannot be read. With `empty`, null stands for a mapping without keys.
    """

    def read(value: Any) -> Any:
        if empty and value is None:
            value = {}
        if not isinstance(value, dict):
            raise wrong(value, "must be a mapping")
        unknown = islice((str(key) for key in value if key not in keys), MOST_PROBLEMS)
        problems = [Problem((key,), _unknown_key(key, keys)) for key in unknown]
        missing = [name for name, key in keys.items() if key.default is REQUIRED and name not in value]
        problems += [Problem((name,), "is missing") for name in missing]
        names = [name for name in keys if name in value]
        earlier = doubled_problems(value, lambda key: keys[key].kind if key in keys else None)
        try:
            results = _collect([((name,), keys[name].kind, value[name]) for name in names], earlier)
        except Invalid as error:
            problems += error.problems
        problems += cross_checks(value)
        if problems:
            raise Invalid(*problems)
        return make(**{**{name: key.default for name, key in keys.items()}, **dict(zip(names, results, strict=True))})

    schema = _object_schema(keys)
    return Field(read, {**schema, "type": ["object", "null"]} if empty else schema)


def _unknown_key(key: str, keys: Mapping[str, Property]) -> str:
    text = [f"{nearest(key, keys)} unknown key".strip(), f"allowed are {', '.join(keys)}", look_alikes(key)]
    return "; ".join(filter(None, text))


def doubled_problems(value: Any, kind_of: Callable[[str], Field | None]) -> list[Problem]:
    """The mistakes in the earlier values of duplicate keys."""
    found = []
    for key, item, line in document.doubled(value):
        try:
            kind = kind_of(key)
            if kind:
                kind.read(item)
        except Invalid as error:
            found += [
                replace(one, path=(key, *one.path), line=one.line or document.line_of(item, one.path) or line)
                for one in error.problems
            ]
    return found


def _default(value: Any) -> dict[str, Any]:
    """A default as it would be written; nothing if it only means "not given"."""
    if isinstance(value, bool):
        return {"default": value}
    written = in_words(value) if isinstance(value, timedelta) and value else value
    written = value.key if isinstance(value, ZoneInfo) else written
    return {"default": written} if isinstance(written, str) and written else {}


def _object_schema(keys: Mapping[str, Property]) -> dict[str, Any]:
    properties = {
        name: {**key.kind.schema, **({"description": key.doc} if key.doc else {}), **_default(key.default)}
        for name, key in keys.items()
    }
    required = [name for name, key in keys.items() if key.default is REQUIRED]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _collect(parts: Iterable[tuple[Path, Field, Any]], problems: Sequence[Problem] = ()) -> list[Any]:
    """The values of all parts. Raises `Invalid` with all their mistakes (at most `MOST_PROBLEMS`)."""
    results, problems = [], list(problems)
    for path, kind, value in parts:
        if len(problems) > MOST_PROBLEMS:
            break
        try:
            results.append(kind.read(value))
        except Invalid as error:
            problems += [replace(problem, path=path + problem.path) for problem in error.problems]
    if problems:
        raise Invalid(*problems)
    return results


DURATION = parsed(duration, pattern="^[0-9]+[dhms]([0-9]+[hms])*$", examples=["90s", "45m", "1h30m", "2d"])

LENGTH = DURATION.constrain(lambda length: length > timedelta(), "must be greater than zero")
