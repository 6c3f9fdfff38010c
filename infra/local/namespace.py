"""A namespace for settings: an endpoint for each name, two for each pattern, and an unmanaged one. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product

from lifecycle.core.entries import Entry, Settings

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
UNMANAGED = ("forgotten", "left-over", "nobody-knows-this")
FIRST = 200  # candidates for a pattern's names


@dataclass(frozen=True)
class Made:
    """An endpoint to make; `entry` None: no entry covers it."""

    name: str
    tags: tuple[str, ...]
    entry: Entry | None
    running: bool


def endpoints(settings: Settings) -> list[Made]:
    """The endpoints of a local Hugging Face for the settings. A pattern that fits only one name gets one."""
    made = [Made(entry.name or "", (), entry, False) for entry in settings.entries.values() if not entry.is_pattern]
    for entry in settings.entries.values():
        if entry.is_pattern:
            made += _pair(entry, settings, {one.name for one in made})
    free = (name for name in UNMANAGED if not settings.covering(name, frozenset()))
    return made + [Made(name, (), None, True) for name in list(free)[:1]]


def _pair(entry: Entry, settings: Settings, taken: set[str]) -> list[Made]:
    tags = tuple(sorted(entry.tags))
    glob = entry.name or f"{re.sub('[^a-z0-9-]', '-', tags[0].lower())[:24]}-*"
    found: list[str] = []
    for name in _candidates(glob):
        covering = settings.covering(name, entry.tags)
        if name not in (*taken, *found) and re.fullmatch(r"[a-z0-9-]{1,32}", name) and covering[:1] == [entry]:
            found.append(name)
    return [Made(name, tags, entry, running=number == 0) for number, name in enumerate(found[:2])]


def _candidates(glob: str) -> Iterator[str]:
    """Names that a glob fits."""
    parts = re.split(r"(\*|\?|\[!?[^\]]+\])", glob)
    choices = [[char for char in LETTERS if fnmatchcase(char, part)] if number % 2 else [part]
               for number, part in enumerate(parts)]  # fmt: skip
    for _, picked in zip(range(FIRST), product(*choices), strict=False):
        yield "".join(picked)
