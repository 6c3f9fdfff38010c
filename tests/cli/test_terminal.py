"""Every command on terminals of 40, 80 and 200 columns, with and without colour: no name is ever cut."""

import re

import pytest

from support.desk import Desk
from support.processes import now

LONG = "a-name-of-thirty-two-characters-"
SETTINGS = f"""
namespace: acme
time_zone: America/Argentina/ComodRivadavia
endpoints:
  {LONG}: {{name: {LONG[:-1]}b, hours: Mon-Fri 08:00-20:00}}
  nights: {{hours: daily 22:00-06:00}}
"""
COMMANDS = [
    ["status"],
    ["plan", "--from", "2026-12-21"],
    ["pause", "*", "--dry-run"],
    ["resume", LONG, "--dry-run"],
    ["release", "*", "--dry-run"],
    ["explain", LONG],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_name_is_cut_and_no_line_is_longer_than_the_terminal(desk: Desk, words: list[str], columns: int) -> None:
    desk.config.write_text(SETTINGS)
    desk.hub.add(f"{LONG[:-1]}b", "running")
    desk.hub.add("forgotten-and-in-no-entry-at-all", "running")
    text = desk.terminal(columns, *words, NO_COLOR="1")
    assert "\x1b" not in text
    assert LONG in text
    assert f"{LONG[:-1]}b" in text
    wide = [line for line in text.splitlines() if len(line) > columns and len(line.split()) > 1]
    assert [line for line in wide if max(map(len, line.split())) < columns - 8] == []


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("words", [["doctor"], ["check"]], ids=" ".join)
def test_what_lists_no_endpoints_fits_too(desk: Desk, words: list[str], columns: int) -> None:
    text = desk.terminal(columns, *words, NO_COLOR="1")
    assert "\x1b" not in text
    wide = [line for line in text.splitlines() if len(line) > columns]
    assert [line for line in wide if max(map(len, line.split())) < columns - 8] == []


def test_colour_is_for_terminals_that_want_it(desk: Desk) -> None:
    desk.hub["nights"].to("failed", now())
    assert re.search(r"\x1b\[3[13]m", desk.terminal(200, "status"))
    assert "\x1b" not in desk.terminal(200, "status", TERM="dumb")


def test_what_is_wide_enough_is_one_line_each(desk: Desk) -> None:
    lines = [line for line in desk.terminal(200, "status", NO_COLOR="1").splitlines() if line[:1] in ("!", "✓")]
    assert sorted(line.split()[1] for line in lines) == ["embeddings", "nights"]
