"""`lifecycle check`: mistakes, warnings, and the platforms that entries follow."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lifecycle.cli.main import main

SURPRISING = """\
namespace: acme
holidays: [2020-12-25]
endpoints:
  a: {hours: Mon-Fri 08:00-20:00, platform: trainer}
  b: {name: dev-*}
  c: {name: dev-*}
"""


@pytest.fixture
def check(tmp_path: Path) -> "Check":
    return Check(tmp_path / "my.yaml")


class Check:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, text: str, *options: str) -> Result:
        self.path.write_text(text)
        return CliRunner().invoke(main, ["check", *options, str(self.path)])


def test_settings_without_a_mistake_say_what_may_surprise_and_exit_with_0(check: Check) -> None:
    done = check(SURPRISING)
    assert done.exit_code == 0
    assert [line.partition(";")[0] for line in done.output.splitlines()] == [
        f"{check.path}: 3 entries, 0 scheduled actions, OK",
        "platform trainer: followed by a",
        "warning: holidays: all dates are in the past",
        "warning: endpoints.c: covers the same as endpoints.b, which comes first, so it has no effect",
    ]


def test_mistakes_have_their_lines_and_exit_with_1(check: Check) -> None:
    done = check("namespace: acme\nendpoints:\n  a: {hour: daily 08:00-20:00}\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "endpoints.a.hour: did you mean hours?" in done.stderr
    assert "(line 3)" in done.stderr


def test_machines_get_the_same_as_json(check: Check) -> None:
    done = check(SURPRISING, "--json")
    reported = json.loads(done.stdout)
    assert (done.exit_code, reported["problems"], reported["platforms_found"]) == (0, [], {"trainer": ["a"]})
    assert len(reported["warnings"]) == 2


def test_machines_get_mistakes_with_path_and_line(check: Check) -> None:
    done = check("namespace: acme\nendpoints:\n  a: {lead: 10}\n", "--json")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["path"], problem["line"]) == (1, "endpoints.a.lead", 3)


def test_a_key_with_control_characters_moves_no_cursor(check: Check) -> None:
    done = check('namespace: acme\nendpoints:\n  a: {"\\e[31mred": 1}\n')
    assert "\x1b" not in done.output + done.stderr
    assert "\\x1b[31mred" in done.stderr
