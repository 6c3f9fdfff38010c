"""The token is found in every encoding in which a service may send it back."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.huggingface.redaction import MARK, Redactor
from support.building import properties
from support.secret import TOKEN


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _percent(text: str) -> str:
    return "".join(f"%{ord(char):02x}" for char in text)


def _json(text: str) -> str:
    return "".join(f"\\u00{ord(char):02X}" for char in text)


# Each encodes a header or the token; what stands around it differs, so that Base64 begins at each of its offsets.
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda token: f"Bearer {token}",
    "base64": _base64,
    "base64 of a header": lambda token: _base64(f"Bearer {token}"),
    "base64 of a user and password": lambda token: _base64(f"user:{token}@"),
    "base64 for URLs": lambda token: base64.urlsafe_b64encode(f"?>~{token}?>~".encode()).decode(),
    "base64 in lines": lambda token: base64.encodebytes(b"x" * 50 + token.encode()).decode(),
    "base64 in a URL": lambda token: quote(_base64(f"Bearer {token}")),
    "hexadecimal": lambda token: token.encode().hex(),
    "percent": _percent,
    "percent, twice": lambda token: quote(quote(_percent(token))),
    "percent, each character twice": lambda token: _percent(_percent(token)),
    "percent in JSON": lambda token: _json(_percent(token)),
    "JSON in percent": lambda token: _percent(_json(token)),
    "JSON": _json,
    "JSON in JSON": lambda token: json.dumps(json.dumps(_json(token))),
    "JavaScript": lambda token: "".join(f"\\u{{{ord(char):x}}}" for char in token),
    "JavaScript's escape": lambda token: "".join(f"%u{ord(char):04x}" for char in token),
    "Python": lambda token: "".join(f"\\U{ord(char):08x}" for char in token),
    "C": lambda token: "".join(f"\\{ord(char):03o}" for char in token),
    "C in JSON": lambda token: json.dumps("".join(f"\\{ord(char):03o}" for char in token)),
    "HTML": lambda token: "".join(f"&#{ord(char)};" for char in token),
    "HTML, hexadecimal": lambda token: "".join(f"&#x{ord(char):x};" for char in token),
    "HTML in HTML": lambda token: "".join(f"&amp;#{ord(char)};" for char in token),
    "split in lines": lambda token: f"{token[:9]}\r\n  {token[9:]}",
    "split by white space everywhere": " ".join,
    "split in JSON": lambda token: json.dumps("\n\t".join(token)),
    "split by invisible characters": "\u200b".join,
    "split by invisible characters in JSON": lambda token: json.dumps("\u200b".join(token)),
    "every second character escaped": lambda token: "".join(_percent(c) if n % 2 else c for n, c in enumerate(token)),
}


@pytest.fixture
def redact() -> Redactor:
    made = Redactor()
    made.add(TOKEN)
    return made


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_the_token_is_taken_out_in_every_encoding(redact: Redactor, encode: Callable[[str], str]) -> None:
    encoded = encode(TOKEN)
    output = redact(f"before {encoded} after")
    assert output.startswith("before ")
    assert output.endswith(" after")
    assert MARK in output


def test_every_occurrence_is_taken_out(redact: Redactor) -> None:
    assert redact(f"{TOKEN}, {_base64(TOKEN)} and {TOKEN}").count(MARK) == 3


@given(text=st.text(max_size=200) | st.text("%\\u0125hf_&#;x \n", max_size=200))
@properties(200)
def test_a_text_without_it_stays_as_it_is(text: str) -> None:
    made = Redactor()
    made.add(TOKEN)
    assert made(text) == text


@given(
    parts=st.lists(st.sampled_from([str, _percent, _json]), min_size=len(TOKEN), max_size=len(TOKEN)),
    between=st.sampled_from(["", " ", "\n", "\\n", "%20", "\\u200b", "\xa0"]),
    around=st.text("%\\u012&#; x", max_size=6),
)
@properties(200)
def test_it_is_found_however_its_characters_are_mixed(
    parts: list[Callable[[str], str]], between: str, around: str
) -> None:
    made = Redactor()
    made.add(TOKEN)
    output = made(
        around + " " + between.join(part(char) for part, char in zip(parts, TOKEN, strict=True)) + " " + around
    )
    assert MARK in output


@pytest.mark.parametrize("text", ["%25" * 200_000, "\\" * 500_000, "hf_" * 200_000, "&#" * 200_000, " " * 500_000])
def test_a_long_text_is_searched_in_one_go(redact: Redactor, text: str) -> None:
    assert redact(text) == text
