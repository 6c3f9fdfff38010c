"""Removes secrets from texts, in every encoding in which a service may send one back.

Escapes are decoded (percent, JSON, HTML, those of programming languages, also one inside another), and everything but
printable ASCII is ignored, so a secret that white space splits is found. In the remaining text, the secret is searched
as it is, in hexadecimal, and in Base64 at each of the three offsets that it can have in a longer text, such as
`Bearer …`. Redact a text before you cut it: half a secret is not found.
"""

import base64
import re
from collections.abc import Iterator

MARK = "[token]"
MOST_ROUNDS = 4  # of escapes inside escapes

# Each begins with a character of its own: so `re` skips what cannot begin one, and a plain text costs little.
_ESCAPE = re.compile(
    r"%(?:25)*(?P<percent>[0-9A-Fa-f]{2})|%(?:25)*u(?P<script>[0-9A-Fa-f]{4})"
    r"|\\\\*u(?P<json>[0-9A-Fa-f]{4})|\\\\*u\{(?P<braces>[0-9A-Fa-f]{1,6})\}|\\\\*U(?P<long>[0-9A-Fa-f]{8})"
    r"|\\\\*x(?P<hex>[0-9A-Fa-f]{2})|\\\\*(?P<octal>[0-3][0-7]{2})"
    r"|&#(?P<number>[0-9]{1,7});?|&#[xX](?P<entity>[0-9A-Fa-f]{1,6});?|(?P<amp>&)amp;|\\\\*(?P<char>.)",
    re.DOTALL,
)
_UNIT = re.compile(f"{_ESCAPE.pattern}|(?P<plain>.)", re.DOTALL)
_IGNORED = bytes(code for code in range(128) if not 0x21 <= code <= 0x7E)


class Redactor:
    """Replaces the secrets that were added to it by a mark."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def add(self, secret: str) -> None:
        self._forms |= {_canonical(form) for form in _forms(secret)}

    def __call__(self, text: str) -> str:
        """`text` with each secret replaced by a mark."""
        if not any(form in plain for plain in _rounds(text) for form in self._forms):
            return text
        units = [(char, place, place + 1) for place, char in enumerate(text)]
        spans: list[tuple[int, int]] = []
        for _ in range(MOST_ROUNDS):
            found = _UNIT.finditer("".join(char for char, _, _ in units))
            units = [
                (char, units[unit.start()][1], units[unit.end() - 1][2])
                for unit in found
                if "!" <= (char := _decoded(unit)) <= "~"
            ]
            plain = "".join(char for char, _, _ in units)
            places = (place for form in self._forms for place in re.finditer(re.escape(form), plain))
            spans += [(units[place.start()][1], units[place.end() - 1][2]) for place in places]
        parts, end = [], 0
        for start, stop in sorted(spans):
            if start >= end:
                parts += [text[end:start], MARK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])


def _rounds(text: str) -> Iterator[str]:
    """The text with its escapes decoded once, twice, and so on as long as there are any."""
    for _ in range(MOST_ROUNDS):
        before, text = text, _canonical(text)
        yield text
        if text == before:
            return


def _canonical(text: str) -> str:
    return _ESCAPE.sub(_decoded, text).encode("ascii", "ignore").translate(None, _IGNORED).decode()


def _decoded(unit: re.Match[str]) -> str:
    """The character that an escape stands for; "" where there is none."""
    kind, value = unit.lastgroup, unit[unit.lastgroup or 0]
    if kind == "char":
        return "" if value in "nrtfbv" else value
    if kind in ("plain", "amp"):
        return value
    code = int(value, {"number": 10, "octal": 8}.get(kind or "", 16))
    return chr(code) if code < 0x110000 else ""


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    forms = {secret, raw.hex(), raw.hex().upper()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        # Without the characters that also depend on what stands before and behind.
        core = encoded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
        forms |= {core, core.translate(str.maketrans("+/", "-_"))}
    return forms
