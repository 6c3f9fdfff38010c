"""Words that people read: text from outside made safe, and what a result says that was done. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any

# Control, format (bidirectional marks among them), surrogate, line and paragraph separators. The joiners stay: words
# of some scripts need them, and they move nothing.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """The text with its control characters escaped (`\\x1b`, `\\u202e`, `\\n`), so that it can move no cursor, colour
    nothing, turn no line around and begin no new one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if hides(char) else char for char in text)


def visible_in(value: Any) -> Any:
    """A JSON value with every text in it `visible`, keys too."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible_in(key): visible_in(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [visible_in(inner) for inner in value]
    return value


def did(action: str, outcome: str, *, dry_run: bool) -> str:
    """What became of an endpoint: "pause done", "unchanged"; in a dry run "would pause", "would do nothing"."""
    if dry_run and outcome == "skipped":
        return "would do nothing" if action == "none" else f"would {action}"
    return outcome if action == "none" else f"{action} {outcome}"


def hides(char: str) -> bool:
    """Whether a character is not shown itself, but changes how text around it is shown."""
    return unicodedata.category(char) in _HIDDEN and char not in _JOINERS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
