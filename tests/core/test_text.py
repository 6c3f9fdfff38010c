"""Text from outside is shown with its control characters escaped."""

import sys
import unicodedata

import pytest

from lifecycle.core.text import did, visible, visible_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("line\u2028end\u2029", "line\\u2028end\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_would_move_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["Grüße – 日本語 …", "क्\u200dष", "👩\u200d💻", "back\\slash"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_no_control_character_of_unicode_is_left() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {char for char in visible(every) if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert left == {"\u200c", "\u200d"}


def test_every_text_in_a_json_value_is_escaped() -> None:
    assert visible_in({"a\n": [{"b": "\x1b"}], "n": 1, "none": None}) == {
        "a\\n": [{"b": "\\x1b"}],
        "n": 1,
        "none": None,
    }


@pytest.mark.parametrize(
    ("action", "outcome", "dry_run", "words"),
    [
        ("pause", "skipped", True, "would pause"),
        ("pause", "failed", True, "pause failed"),
        ("pause", "skipped", False, "pause skipped"),
        ("none", "unchanged", True, "unchanged"),
        ("none", "skipped", True, "would do nothing"),
        ("none", "skipped", False, "skipped"),
        ("resume", "pending", False, "resume pending"),
    ],
)
def test_a_dry_run_says_what_would_be_done(action: str, outcome: str, dry_run: bool, words: str) -> None:
    assert did(action, outcome, dry_run=dry_run) == words
