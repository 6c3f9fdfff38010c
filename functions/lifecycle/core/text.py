"""Text for people: text from outside without control characters, and results in words. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any

# Control, format (including bidirectional marks), surrogate, line and paragraph separators. Joiners are allowed: words
# of some scripts need them, and they move nothing.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """The text with its control characters escaped (`\\x1b`, `\\u202e`, `\\n`), so that it cannot move the cursor,
    change colors, reverse a line or begin a new one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if hides(char) else char for char in text)


def visible_in(value: Any) -> Any:
    """A JSON value with every text in it `visible`, including keys."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible_in(key): visible_in(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [visible_in(inner) for inner in value]
    return value


def did(action: str, outcome: str, *, dry_run: bool) -> str:
    """A result in words: "pause done", "unchanged"; in a dry run "would pause", "would do nothing"."""
    if dry_run and outcome == "skipped":
        return "would do nothing" if action == "none" else f"would {action}"
    return outcome if action == "none" else f"{action} {outcome}"


def hides(char: str) -> bool:
    """Whether a character is invisible, but changes how the text around it is shown."""
    return unicodedata.category(char) in _HIDDEN and char not in _JOINERS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
