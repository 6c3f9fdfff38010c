"""YAML as YAML 1.2 has it where 1.1 surprises: `on`, `off`, `no` are text, so are `12:30` and `2026-12-25`.

A key that stands twice is refused with its path, as are aliases that would unfold without end.
"""

import re
from typing import Any

import yaml

from lifecycle.config.schema import Invalid, Path, Problem

MOST_VALUES = 100_000
_SCALARS = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,300}"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"), float),
)


def load(text: bytes) -> tuple[Any, list[Problem]]:
    """The one document in `text`, and the keys in it that stand twice. Raises `Invalid` for what is not YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Invalid(Problem((), f"{where}not YAML: {error.problem or error.context}")) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(Problem((), f"not YAML: {error}")) from None
    walk = _Walk()
    return (walk.value(root, ()) if root else None), walk.problems


class _Walk:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.seen = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.seen += 1
        if self.seen > MOST_VALUES or len(path) > 50:
            raise Invalid(Problem(path[:5], f"too large; at most {MOST_VALUES} values, 50 deep"))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(path, f"line {line}: keys are plain names"))
                continue
            key = key_node.value  # always text: 007 and null are names like any other
            place = (*path, key)
            if key in result:
                self.problems.append(Problem(place, f"line {line}: stands twice; first in line {lines[key]}"))
            lines.setdefault(key, line)
            result[key] = self.value(value_node, place)
        return result


def _scalar(node: yaml.Node) -> Any:
    if getattr(node, "style", None) is None:  # plain: neither quoted nor a block
        for pattern, convert in _SCALARS:
            if pattern.fullmatch(node.value):
                return convert(node.value)
    return node.value
