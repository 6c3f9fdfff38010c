"""A month's report, added up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lifecycle.core.history import LogLine
from lifecycle.core.money import Bill, Change
from lifecycle.core.report import Morning, Share, by_entry, by_tag, changes, mornings, total

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
EIGHT = MONTH + 8 * HOUR


def share(endpoint: str, name: str, dollars: float, **more: Any) -> Share:
    return Share(endpoint, name, Bill(dollars, MONTH, running=10 * HOUR), **more)


SHARES = [
    share("a", "a-1", 1.0, tags=["dev", "gpu"], always_on=9.0, forecast=2.0, mornings=[Morning("a-1", EIGHT, True)]),
    share("a", "a-2", 2.0, tags=["dev"], mornings=[Morning("a-2", EIGHT, False)]),
    share("b", "b", 4.0, always_on=5.0, forecast=5.0),
]


def test_endpoints_of_an_entry_are_added_up() -> None:
    assert [(row.key, row.as_json()["dollars"], row.as_json()["hours"]) for row in by_entry(SHARES)] == [
        ("a", 3.0, 20.0), ("b", 4.0, 10.0)
    ]  # fmt: skip


def test_by_tag_an_endpoint_may_be_in_several_rows_and_in_the_total_once() -> None:
    assert {row.key: row.as_json()["dollars"] for row in by_tag(SHARES)} == {"dev": 3.0, "gpu": 1.0, "(no tag)": 4.0}
    assert total(SHARES).as_json()["dollars"] == 7.0


def test_mornings_on_time_are_counted() -> None:
    reported = by_entry(SHARES)[0].as_json()
    assert (reported["on_time"], reported["mornings"]) == (1, 2)


def test_what_is_not_known_is_null_not_0() -> None:
    (row,) = by_entry([share("a", "a-2", 2.0)])
    assert (row.as_json()["always_on"], row.as_json()["forecast"]) == (None, None)


def test_the_first_line_about_a_beginning_decides() -> None:
    fields = {"name": "a", "hours_begin": EIGHT.isoformat()}
    lines = [
        LogLine(EIGHT + timedelta(minutes=3), fields | {"on_time": True}),
        LogLine(EIGHT, fields | {"on_time": False}),
    ]
    assert mornings(lines) == [Morning("a", EIGHT, False)]


def test_lines_without_a_beginning_are_no_mornings() -> None:
    assert mornings([LogLine(EIGHT, {"name": "a", "hours_begin": None, "on_time": True})]) == []


UPDATED = {"recently_updated": True, "updated_at": EIGHT.isoformat()}
WAKE = {"action": "wake", "duration_ms": 90_000}


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        (UPDATED | {"after": "paused"}, Change(EIGHT, billed=False)),
        (UPDATED | {"after": "running"}, Change(EIGHT, billed=True)),
        (UPDATED | {"after": "failed"}, None),  # it failed later
        (UPDATED | {"after": "paused", "recently_updated": False}, None),
        ({"after": "scaledToZero", "slept_at": EIGHT.isoformat()}, Change(EIGHT, billed=False)),
        (WAKE | {"outcome": "done"}, Change(EIGHT + timedelta(seconds=90), billed=True)),
        (WAKE | {"outcome": "pending", "duration_ms": None}, Change(EIGHT + timedelta(minutes=3), billed=True)),
        (WAKE | {"outcome": "done", "duration_ms": 10**20}, Change(EIGHT + timedelta(minutes=3), billed=True)),
        (WAKE | {"outcome": "done", "duration_ms": -5}, Change(EIGHT + timedelta(minutes=3), billed=True)),
        (WAKE | {"outcome": "skipped"}, None),
        ({"after": "running", "updated_at": None, "slept_at": None}, None),
    ],
)
def test_lines_say_when_endpoints_began_and_ceased_to_be_billed(fields: dict[str, Any], change: Change | None) -> None:
    line = LogLine(EIGHT + timedelta(minutes=3), {"name": "a", **fields})
    assert changes([line]) == ({"a": [change]} if change else {})
