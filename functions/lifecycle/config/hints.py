"""Hints: what was probably meant by a value that cannot be read. Only computed when there is a mistake."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from lifecycle.core.schedule import parse
from lifecycle.core.times import DAYS

LONGEST = 200  # characters of a text for which there is a hint
# Letters that look like those of ASCII: Cyrillic and Greek.
_LETTERS = str.maketrans(
    "аеоросухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧαορνтмвкн",
    "aeopocyxijshdqwABEKMHOPCTYXIJSABEZHIKMNOPTYXaopvtmbkh",
)
_SIGNS = {
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
    "\N{MINUS SIGN}": "-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{RATIO}": ":",
    "\N{DIVISION SLASH}": "/",
}
_MEANT = {"weekdays": "Mon-Fri", "weekday": "Mon-Fri", "weekends": "Sat,Sun", "weekend": "Sat,Sun", "everyday": "daily"}
_TIMES = re.compile(r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?(am|pm)?-([0-9]{1,2})(?:[:.h]([0-9]{2}))?(am|pm)?")


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean hours?`, if one of the known names is similar; else nothing."""
    from difflib import get_close_matches

    if len(name) > LONGEST:
        return ""
    by_lower = {one.lower(): one for one in known}
    found = get_close_matches(ascii_of(name).strip().lower(), by_lower, 1, 0.6)
    return f"did you mean {by_lower[found[0]]}?" if found else ""


def ascii_of(text: str) -> str:
    """The text with ASCII for the characters that look like it."""
    return "".join(_looks_like(character) or "" for character in text)


def _looks_like(character: str) -> str | None:
    """The ASCII that a character looks like, "" for an invisible one; None: it looks like none."""
    import unicodedata

    if character.isascii():
        return character
    if character in _SIGNS:
        return _SIGNS[character]
    kind = unicodedata.category(character)
    if kind in ("Cf", "Pd", "Zs", "Zl", "Zp"):
        return {"Cf": "", "Pd": "-"}.get(kind, " ")
    plain = unicodedata.normalize("NFKC", character).translate(_LETTERS)
    return plain if plain.isascii() else str(unicodedata.decimal(character, "")) or None


def look_alikes(text: str) -> str:
    """The characters in the text that look like others, each with its name; nothing if there are none."""
    import unicodedata

    parts = []
    for character in dict.fromkeys(text):
        if character.isascii() or (meant := _looks_like(character)) is None:
            continue
        is_ = f"{unicodedata.name(character, 'a character').lower()} (U+{ord(character):04X})"
        means = (
            f"which looks like {meant}"
            if meant.strip()
            else "which is not a plain space"
            if meant
            else "which cannot be seen"
        )
        parts.append(f"it has {is_}, {means}")
    return "; ".join(parts)


def without_quotes(value: Any, accepts: Callable[[Any], bool]) -> str:
    """`write true without quotes`, if that is accepted; else nothing."""
    if not isinstance(value, str):
        return ""
    plain: Any = int(value) if value.isdecimal() and len(value) < 10 else {"true": True, "false": False}.get(value)
    return f"write {value} without quotes" if accepts(plain) else ""


def in_brackets(value: Any, read: Callable[[Any], Any]) -> str:
    """`did you mean [dev]?`, if the value can be read as an item of a list; else nothing."""
    try:
        read(value)
    except ValueError:
        return ""
    return f"did you mean [{value}]?" if isinstance(value, str) else "begin it with - on a line of its own"


def hours(text: str) -> str:
    """`did you mean "Mon-Fri 08:00-20:00"?`, if hours can be recognized in the text; else nothing."""
    if len(text) > LONGEST:
        return ""
    plain = re.sub(r"\s*(-|\bto\b|\buntil\b)\s*", "-", ascii_of(text)).lower().replace("every day", "daily")
    if text == "always":
        return ""
    if plain.strip() in ("always", "24/7", "24x7", "all"):
        return "did you mean always?"
    days, times = "", list[str]()
    periods: list[str] = []
    for word in re.split(r"[\s,;]+", plain.strip()):
        if found := _TIMES.fullmatch(word):
            times.append(word)
            periods.append(f"{days or 'daily'} {_clock(*found.groups()[:3])}-{_clock(*found.groups()[3:])}")
        elif times:
            days, times = _days(word), []
        else:
            days = f"{days},{_days(word)}".strip(",")
    try:
        read = [parse(period).text for period in periods]
    except ValueError:
        return ""
    parts = [f'"{period}"' for period in read]
    return f"did you mean {parts[0] if len(parts) == 1 else '[' + ', '.join(parts) + ']'}?" if parts else ""


def entry_name(key: str) -> str:
    """What to write instead of a key that is not a valid entry name; a pattern belongs into `name`."""
    name = re.sub(r"[^a-z0-9]+", "-", ascii_of(key).lower()).strip("-")[:32] or "all"
    if re.search(r"[*?\[]", key):
        return f'a pattern goes into name: {name}: {{name: "{key}"}}'
    return f"did you mean {name}? Its name at Hugging Face goes into name:"


def _days(word: str) -> str:
    from difflib import get_close_matches

    def one(name: str) -> str:
        whole = [
            day for day in DAYS if name.startswith(day.lower()) or (len(name) == 2 and day.lower().startswith(name))
        ]
        close = [day.title() for day in get_close_matches(name, [day.lower() for day in DAYS], 1, 0.6)]
        return (whole or close or [name])[0]

    return _MEANT.get(word) or ("daily" if word == "daily" else "-".join(map(one, word.split("-"))))


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    of_day = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    return f"{of_day:02}:{minute or '00'}"
