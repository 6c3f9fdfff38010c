"""Every command on terminals of 40, 80 and 200 columns and in a pipe, without color: no name is ever cut."""

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest

from lifecycle.cli.main import main
from support.desk import Desk, desk_in, with_jobs
from support.past import Past
from support.processes import now

LONG = "a-name-of-thirty-two-characters-"
OTHER = f"{LONG[:-1]}b"
SETTINGS = f"""
namespace: acme
time_zone: America/Argentina/ComodRivadavia
endpoints:
  {LONG}: {{name: {OTHER}, hours: Mon-Fri 08:00-20:00, platform: a-platform-with-a-long-name}}
  nights: {{hours: daily 22:00-06:00}}
"""
# What each is typed with, and the names that it must print.
LINES: dict[str, tuple[list[str], list[str]]] = {
    "init": (["acme", "NEW"], []),
    "check": ([], [LONG, "a-platform-with-a-long-name"]),
    "plan": (["--from", "2026-12-21"], [LONG, OTHER]),
    "status": ([], [LONG, OTHER, "forgotten-and-in-no-entry-at-all"]),
    "explain": ([LONG], [LONG, OTHER]),
    "pause": (["*", "--dry-run"], [LONG, OTHER]),
    "resume": ([LONG, "--dry-run"], [LONG, OTHER]),
    "warm": ([LONG, "--dry-run"], [LONG, OTHER]),
    "release": (["*", "--dry-run"], [LONG, OTHER]),
    "run": ([LONG, "--", sys.executable, "-c", "import os; print(os.environ['HF_ENDPOINT_URL'])"], [f"/own/{OTHER}"]),
    "history": ([], [LONG, OTHER]),
    "report": ([], [LONG]),
    "sync": (["--dry-run"], ["lifecycle-hours-2200-", "America/Argentina/ComodRivadavia"]),
    "doctor": ([], []),
    "schema": ([], ["scale_to_zero_after"]),
}
DATA = ("schema",)  # what is for machines is not wrapped


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Nothing that is typed here changes anything."""
    past = Past()
    with desk_in(tmp_path_factory.mktemp("desk")) as desk:
        past.served(desk)
        with_jobs(desk)
        desk.config.write_text(SETTINGS.replace("22:00", "21:00"))
        desk.hub.add(OTHER, "running")
        desk.hub.add("forgotten-and-in-no-entry-at-all", "running")
        made = {"endpoint": LONG, "name": OTHER}
        past.wrote(now() - timedelta(hours=2), action="pause", outcome="done", after="paused", **made)
        past.wrote(now() - timedelta(hours=1), dollars_per_hour=0.8, **made)
        assert desk.type("sync").returncode == 0
        desk.config.write_text(SETTINGS)
        desk.variables.pop("FUNCTIONS_URL")
        yield desk


def typed(command: str, desk: Desk, tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    words = [str(tmp_path / "new.yaml") if word == "NEW" else word for word in LINES[command][0]]
    variables = {"NO_COLOR": "1"}
    return [command, *words], variables | ({"FUNCTIONS_URL": "http://127.0.0.1:9/{name}"} if command == "sync" else {})


def test_every_command_is_looked_at_here() -> None:
    assert list(LINES) == main.list_commands(click.Context(main))


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", LINES)
def test_no_name_is_cut_and_no_line_is_longer_than_the_terminal(
    desk: Desk, command: str, columns: int, tmp_path: Path
) -> None:
    words, variables = typed(command, desk, tmp_path)
    text = desk.terminal(columns, *words, **variables)
    assert text.strip()
    assert "\x1b" not in text
    assert [name for name in LINES[command][1] if name not in text] == []
    wide = [line for line in text.splitlines() if len(line) > columns and len(line.split()) > 1]
    assert command in DATA or [line for line in wide if max(map(len, line.split())) < columns - 8] == []


@pytest.mark.parametrize("command", LINES)
def test_in_a_pipe_nothing_is_wrapped_or_colored(desk: Desk, command: str, tmp_path: Path) -> None:
    words, variables = typed(command, desk, tmp_path)
    done = desk.start(*words, **variables)
    assert done.stdout.strip(), done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert [name for name in LINES[command][1] if name not in done.stdout] == []
    assert not re.search(r"\w\n {4}\w", done.stdout) or command in ("schema", "doctor", "sync")


def test_color_is_for_terminals_that_want_it(desk: Desk) -> None:
    assert re.search(r"\x1b\[3[13]m", desk.terminal(200, "status"))
    assert "\x1b" not in desk.terminal(200, "status", TERM="dumb")


def test_what_is_wide_enough_is_one_line_each(desk: Desk) -> None:
    lines = [line for line in desk.terminal(200, "status", NO_COLOR="1").splitlines() if line[:1] in ("!", "✓", "…")]
    assert {LONG, "nights"} <= {line.split()[1] for line in lines}
