"""`lifecycle history` and `lifecycle report`, between local servers."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.servers.faults import Fault
from support.desk import Desk, desk_in
from support.past import TEN, Past


@pytest.fixture
def past() -> Past:
    return Past()


@pytest.fixture
def desk(tmp_path: Path, past: Past) -> Iterator[Desk]:
    with desk_in(tmp_path) as desk:
        past.served(desk)
        yield desk


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)


# history


def test_history_shows_what_changed_when_and_why(desk: Desk, past: Past) -> None:
    past.wrote(ago(hours=2), action="pause", outcome="done", after="paused", reason="outside hours")
    done = desk.type("history")
    assert done.returncode == 0
    assert "embeddings (embeddings-prod)" in done.stdout
    assert "pause done: running → paused  by rule hours  outside hours" in done.stdout


def test_history_may_be_of_some_and_of_a_while(desk: Desk, past: Past) -> None:
    past.wrote(ago(hours=30), action="pause", outcome="done")
    past.wrote(ago(hours=2), action="resume", outcome="done", name="nights", endpoint="nights")
    past.wrote(ago(hours=1), action="wake", outcome="done")
    reported = json.loads(desk.type("history", "embeddings", "--since", "24h", "--json").stdout)
    assert [event["what"] for event in reported] == ["wake done"]


def test_a_name_that_neither_settings_nor_history_know_is_wrong_use(desk: Desk, past: Past) -> None:
    past.wrote(ago(hours=2), action="pause", outcome="done", name="old-one", endpoint="old")
    assert desk.type("history", "old", "old-one", "nights").returncode == 0
    done = desk.type("history", "nope", "old")
    assert (done.returncode, done.stderr.startswith("unknown: nope; known are embeddings, ")) == (2, True)
    desk.config.write_text("namespace: 5")  # what has mistakes names nobody
    assert desk.type("history", "nope").returncode == 0


def test_nothing_happened_is_said(desk: Desk) -> None:
    assert desk.type("history", "--since", "1h").stdout == "no changes in the last 1h\n"


def test_control_characters_are_shown_escaped(desk: Desk, past: Past) -> None:
    past.wrote(ago(hours=1), action="pause", outcome="done", reason="\x1b[31mred")
    assert "\\x1b[31mred" in desk.type("history").stdout


@pytest.mark.parametrize("command", [("history",), ("report",)])
def test_without_the_variable_that_is_said(desk: Desk, command: tuple[str, ...]) -> None:
    done = desk.type(*command, LOGGING_PARENT="", MONITORING_PARENT="")
    assert done.returncode == 2
    assert "PARENT is not set" in done.stderr


def test_json_and_csv_at_once_are_wrong_use(desk: Desk) -> None:
    assert desk.type("report", "--json", "--csv").returncode == 2


def test_no_time_at_all_is_wrong_use(desk: Desk) -> None:
    assert desk.type("history", "--since", "0d").returncode == 2


def test_a_length_that_is_none_is_wrong_use(desk: Desk) -> None:
    done = desk.type("history", "--since", "yesterday")
    assert (done.returncode, "90s, 45m, 1h30m, 2d" in done.stderr) == (2, True)


@pytest.mark.parametrize("command", ["history", "report"])
@pytest.mark.parametrize("fault", [Fault("status", status=403), Fault("html", status=200), Fault("reset-before")])
def test_what_cannot_be_read_is_a_failure_that_is_named(desk: Desk, past: Past, command: str, fault: Fault) -> None:
    past.wrote(ago(hours=1))
    past.logging.faults.add(fault)
    past.monitoring.faults.add(fault)
    done = desk.type(command)
    assert done.returncode == 1
    assert done.stderr.startswith("Cloud ")


# report


MONTH = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=15, hour=8, minute=3)
REPORT = ("report", "--month", f"{MONTH:%Y-%m}")


def month(past: Past) -> None:
    """An hour of last month at $0.80, and a morning that was on time."""
    for number in range(6):
        at = MONTH + number * TEN
        past.wrote(at, dollars_per_hour=0.8, hours_begin=MONTH.isoformat(), on_time=True)


def test_report_says_what_was_billed_and_which_mornings_were_on_time(desk: Desk, past: Past) -> None:
    month(past)
    reported = json.loads(desk.type(*REPORT, "--json").stdout)
    row = next(row for row in reported["rows"] if row["key"] == "embeddings")
    assert row["dollars"] == pytest.approx(0.8, abs=1e-6)
    assert row["hours"] == pytest.approx(1)
    assert (row["mornings"], row["on_time"], reported["exact_to_minutes"]) == (1, 1, 10)
    assert row["known_since"] is not None
    assert row["unknown_hours"] > 24  # nothing was seen after that
    assert row["always_on"] > row["forecast"] > row["dollars"]
    (unknown,) = [row for row in reported["rows"] if row["key"] == "nights"]
    assert (unknown["hours"], unknown["dollars"]) == (None, None)


def test_report_counts_from_the_instant_of_a_change(desk: Desk, past: Past) -> None:
    past.wrote(MONTH, dollars_per_hour=0.0)
    changed = MONTH.replace(minute=5, second=0, microsecond=0)
    past.wrote(MONTH + TEN, dollars_per_hour=0.8, recently_updated=True, updated_at=changed.isoformat())
    for number in range(2, 6):
        past.wrote(MONTH + number * TEN, dollars_per_hour=0.8)
    row = json.loads(desk.type(*REPORT, "--json").stdout)["rows"][0]
    assert row["hours"] == pytest.approx(55 / 60)  # from 8:05 until the last run's slot ends at 9:00
    assert row["dollars"] == pytest.approx(0.8 * 55 / 60, abs=1e-4)


def test_report_is_a_table_with_its_notes(desk: Desk, past: Past) -> None:
    month(past)
    done = desk.type(*REPORT)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["entry", "hours", "billed", "always", "on", "forecast", "on", "time"]
    assert [line.split()[0] for line in lines[1:4]] == ["embeddings", "nights", "total"]
    assert any(line.startswith("Billed: exact to one reconcile run (10m)") for line in lines)
    assert any(line.startswith("Known since ") for line in lines)
    assert any(line.startswith("Not known, because more than three runs in a row are missing: ") for line in lines)


def test_report_by_tag_for_spreadsheets(desk: Desk, past: Past) -> None:
    month(past)
    desk.hub["embeddings-prod"].tags = ["=cmd()", "dev"]
    rows = list(csv.DictReader(io.StringIO(desk.type(*REPORT, "--by", "tag", "--csv").stdout)))
    assert [row["tag"] for row in rows] == ["'=cmd()", "dev", "(no tag)"]
    assert float(rows[1]["dollars"]) == pytest.approx(0.8, abs=1e-6)


def test_an_earlier_month_of_which_nothing_is_known_says_so(desk: Desk) -> None:
    done = desk.type("report", "--month", "2026-01")
    assert (done.returncode, "Nothing is known of this month." in done.stdout) == (0, True)
    assert done.stdout.splitlines()[1].split()[:3] == ["embeddings", "?", "?"]  # and no zero


@pytest.mark.parametrize(("text", "why"), [("2026-13", "months look like"), ("2126-01", "it has not begun")])
def test_a_month_that_is_none_is_wrong_use(desk: Desk, text: str, why: str) -> None:
    done = desk.type("report", "--month", text)
    assert (done.returncode, why in done.stderr) == (2, True)


def test_without_hugging_face_the_bill_is_reported_all_the_same(desk: Desk, past: Past) -> None:
    month(past)
    reported = json.loads(desk.type(*REPORT, "--json", HF_TOKEN="").stdout)
    row = next(row for row in reported["rows"] if row["key"] == "embeddings")
    assert row["dollars"] == pytest.approx(0.8, abs=1e-6)
    assert row["always_on"] is None
