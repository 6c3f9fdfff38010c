"""YAML's mappings and lists with the lines of their items, and with the values of duplicate keys. No behavior."""

from typing import Any


class Mapping(dict[str, Any]):
    """`lines`: where each key is. `doubled`: earlier values of keys that are there again, each with its line."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str | int, int] = {}
        self.doubled: list[tuple[str, Any, int]] = []


class List(list[Any]):
    """`lines`: where each item begins."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str | int, int] = {}


def doubled(value: Any) -> list[tuple[str, Any, int]]:
    return value.doubled if isinstance(value, Mapping) else []


def line_of(value: Any, path: tuple[str | int, ...]) -> int | None:
    """The line of what lies at a path, or of what it would lie in; None: the value did not come from a file."""
    line: int | None = getattr(value, "line", None)
    for part in path:
        lines = getattr(value, "lines", {})
        if part not in lines:
            break
        line, value = lines[part], value[part]
    return line
