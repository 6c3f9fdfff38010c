"""`lifecycle status`: a line for each endpoint, times in one zone, and an exit code."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lifecycle.cli.status import dollars_per_hour, marker
from local.servers.faults import Fault
from support.desk import TEXT, Desk
from support.processes import now

BERLIN = ZoneInfo("Europe/Berlin")
ROW = {
    "endpoint": "a", "name": "a-prod", "state": "running", "wanted": "running", "reason": "", "error": None,
    "override": None, "price_per_hour": 0.8, "replicas": {"ready": 2, "target": 2, "min": 0, "max": 2},
}  # fmt: skip


def always(desk: Desk) -> None:
    """What the rules want does not depend on when the test runs."""
    desk.config.write_text(
        TEXT.replace("Mon-Fri 08:00-20:00", "daily 00:00-24:00").replace("holidays: [2026-12-25]", "")
    )


def test_status_shows_first_what_bills_and_no_entry_covers(desk: Desk) -> None:
    desk.hub.add("forgotten", "running")
    (line,) = [line for line in desk.type("status").stdout.splitlines() if "forgotten" in line]
    assert line.split()[:5] == ["!", "forgotten", "running,", "unmanaged", "$0.80/h"]


def test_status_is_one_line_for_each_endpoint_with_both_names(desk: Desk) -> None:
    always(desk)
    (line,) = [line for line in desk.type("status").stdout.splitlines() if "embeddings" in line]
    assert line.split()[:7] == ["!", "embeddings", "embeddings-prod", "paused", "→", "running", "$0.00/h"]
    assert "inside hours" in line


def test_status_is_on_the_clock_of_the_entry_alone(desk: Desk) -> None:
    text = desk.type("status").stdout
    reported = json.loads(desk.type("status", "--json").stdout)["endpoints"][1]["next"]["at"]
    local = datetime.fromisoformat(reported).astimezone(BERLIN)
    (line,) = [line for line in text.splitlines() if "nights" in line]
    assert f"{local:%H:%M} " in line
    assert reported not in text


@pytest.mark.parametrize(("status", "path"), [(404, "GET /v2/endpoint"), (401, ".*"), (403, ".*")])
def test_status_exits_with_1_when_nothing_could_be_read(desk: Desk, status: int, path: str) -> None:
    desk.hub.faults.add(Fault("status", path, status=status))
    done = desk.type("status")
    assert (done.returncode, str(status) in done.stdout) == (1, True)


def test_status_exits_with_1_when_hugging_face_has_none_of_the_names(desk: Desk) -> None:
    desk.hub.endpoints.clear()
    assert desk.type("status").returncode == 1


def test_status_of_some_names_takes_both_kinds(desk: Desk) -> None:
    reported = json.loads(desk.type("status", "embeddings-prod", "nights", "--json").stdout)
    assert [row["endpoint"] for row in reported["endpoints"]] == ["embeddings", "nights"]
    assert "nights" not in desk.type("status", "embeddings").stdout


def test_status_of_an_unknown_name_is_wrong_use(desk: Desk) -> None:
    done = desk.type("status", "nobody")
    assert (done.returncode, done.stderr) == (2, "unknown: nobody; known are embeddings, nights\n")


@pytest.mark.parametrize(("state", "code"), [("running", 0), ("paused", 1)])
def test_status_check_exits_with_1_when_something_differs(desk: Desk, state: str, code: int) -> None:
    always(desk)
    desk.variables["SCHEDULER_PARENT"] = "projects/p/locations/l"
    desk.hub["embeddings-prod"].to(state, now())
    desk.hub["nights"].to("paused", now())
    assert desk.type("status", "embeddings", "--check").returncode == code


def test_status_sums_what_it_lists(desk: Desk) -> None:
    desk.hub.add("forgotten", "running")
    desk.hub["nights"].to("running", now())
    assert "2 of 3 may bill now, $1.60/h" in desk.type("status").stdout.splitlines()[-1]


def test_status_for_machines_is_the_functions_answer(desk: Desk) -> None:
    reported = json.loads(desk.type("status", "--json").stdout)
    assert {row["endpoint"] for row in reported["endpoints"]} == {"embeddings", "nights"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "✓"),
        ({"state": "paused"}, "!"),
        ({"state": "initializing"}, "…"),
        ({"state": None}, "?"),
        ({"state": "scaledToZero"}, "✓"),
        ({"state": "scaledToZero", "override": {"state": "running"}}, "!"),
        ({"state": "scaledToZero", "replicas": {"min": 1}}, "!"),
        ({"wanted": "paused"}, "!"),
        ({"wanted": "paused", "state": "initializing"}, "!"),
        ({"wanted": "paused", "state": "scaledToZero"}, "!"),
        ({"wanted": "scaledToZero", "state": "paused"}, "✓"),
        ({"wanted": "any", "state": "mystery"}, "✓"),
        ({"wanted": "any", "error": "it has failed"}, "!"),
        ({"wanted": "new word"}, "!"),
    ],
)
def test_a_marker_says_whether_it_is_as_wanted(change: dict[str, object], expected: str) -> None:
    assert marker({**ROW, **change}) == expected


@pytest.mark.parametrize(
    ("change", "dollars"),
    [
        ({}, 1.6),
        ({"state": "paused"}, 0.0),
        ({"state": "scaledToZero", "price_per_hour": None}, 0.0),
        ({"price_per_hour": None}, None),
        ({"state": None}, None),
        ({"replicas": {"target": 0}}, 0.8),
    ],
)
def test_what_it_costs_now_is_for_all_its_replicas(change: dict[str, object], dollars: float | None) -> None:
    assert dollars_per_hour({**ROW, **change}) == dollars
