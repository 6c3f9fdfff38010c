"""The part of Cloud Logging's query language that is used here.

Source: "Logging query language" (docs.cloud.google.com/logging/docs/view/logging-query-language): comparisons of fields
with `=`, `!=`, `<`, `<=`, `>`, `>=`, `:` (has), `=~` and `!~`, joined by AND, OR, NOT and parentheses; a space is an
AND, and OR binds more tightly than AND. Functions: log_id. What is not in this part is refused, never ignored.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Test = Callable[[Json], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[()])|(?P<op>=~|!~|!=|<=|>=|=|<|>|:)|(?P<word>[^\s()"=!<>:~]+))"""
)
_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_MISSING = object()


def parse(text: str) -> Test:
    """Whether an entry (LogEntry in JSON) is selected. Raises ValueError, saying what is not understood."""
    parser = _Parser(list(_tokens(text)))
    test = parser.all_of() if parser.tokens else _everything
    if parser.tokens:
        raise ValueError(f"unexpected {parser.tokens[0][1]!r}")
    return test


def _everything(_entry: Json) -> bool:
    return True


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"unexpected {text[at : at + 20]!r}")
        at = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def all_of(self) -> Test:
        tests = [self.any_of()]
        while self.tokens and self.tokens[0][1] != ")":
            if self._is("AND"):
                self.tokens.pop(0)
            tests.append(self.any_of())
        return lambda entry: all(test(entry) for test in tests)

    def any_of(self) -> Test:
        tests = [self.one()]
        while self._is("OR"):
            self.tokens.pop(0)
            tests.append(self.one())
        return lambda entry: any(test(entry) for test in tests)

    def one(self) -> Test:
        if self._is("NOT"):
            self.tokens.pop(0)
            inner = self.one()
            return lambda entry: not inner(entry)
        if self._is("("):
            self.tokens.pop(0)
            inner = self.all_of()
            self._take("mark", ")")
            return inner
        field = self._value()
        if field == "log_id" and self._is("("):
            self.tokens.pop(0)
            name = self._value()
            self._take("mark", ")")
            return lambda entry: entry["logName"].partition("/logs/")[2].replace("%2F", "/") == name
        return _comparison(field, self._take("op"), self._value())

    def _is(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1] == word

    def _take(self, kind: str, text: str | None = None) -> str:
        if not self.tokens or self.tokens[0][0] != kind or text not in (None, self.tokens[0][1]):
            raise ValueError(f"expected {text or kind}, found {self.tokens[0][1] if self.tokens else 'the end'!r}")
        return self.tokens.pop(0)[1]

    def _value(self) -> str:
        if self.tokens and self.tokens[0][0] == "text":
            return re.sub(r"\\(.)", r"\1", self.tokens.pop(0)[1][1:-1])
        return self._take("word")


def _comparison(field: str, op: str, value: str) -> Test:
    if op in ("=~", "!~"):
        found = re.compile(value)
        return lambda entry: (found.search(str(_field(entry, field))) is not None) == (op == "=~")
    if op == ":":
        return lambda entry: _has(_field(entry, field), value)

    def test(entry: Json) -> bool:
        have = _field(entry, field)
        if have is _MISSING or have is None:
            return op == "!="
        left, right = _comparable(field, have, value)
        if left is None or right is None:
            return op == "!="
        return bool({"=": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
                     ">": left > right, ">=": left >= right}[op])  # fmt: skip

    return test


def _field(entry: Json, path: str) -> Any:
    found: Any = entry
    for key in path.split("."):
        found = found.get(key, _MISSING) if isinstance(found, dict) else _MISSING
    return found


def _has(have: Any, value: str) -> bool:
    """`field:*` is true where the field is there; otherwise where its text contains the value."""
    if have is _MISSING or have is None:
        return False
    return value == "*" or value.lower() in str(have).lower()


def _comparable(field: str, have: Any, value: str) -> tuple[Any, Any]:
    """Both sides as what the field is: a time, a severity, a truth value, a number, or text without case."""
    if field in ("timestamp", "receiveTimestamp"):
        return _time(str(have)), _time(value)
    if field == "severity":
        name = value.upper()
        return _SEVERITIES.index(str(have)), _SEVERITIES.index(name) if name in _SEVERITIES else None
    if isinstance(have, bool):
        return have, {"true": True, "false": False}.get(value.lower())
    if isinstance(have, int | float):
        try:
            return have, float(value)
        except ValueError:
            return None, None
    return str(have).lower(), value.lower()


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text.upper())
    if when.tzinfo is None:
        raise ValueError(f"a time without an offset: {text!r}")
    return when
