"""`lifecycle explain` names the rule that decides, the one that would decide next, and who can wake the endpoint."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lifecycle.cli.explain import _explained, _woken_by
from lifecycle.cli.observed import observed
from lifecycle.config import settings
from lifecycle.core.times import format_rfc3339
from support.desk import Desk

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)  # Tuesday
ROW = {
    "endpoint": "a", "name": "a", "state": "running", "url": "https://x", "price_per_hour": 0.8, "error": None,
    "replicas": {"ready": 1, "target": 1, "min": 0, "max": 1}, "override": None, "overrides": [],
    "last_used_at": format_rfc3339(NOW - timedelta(minutes=10)), "updated_at": format_rfc3339(NOW - timedelta(days=1)),
    "updated_by": "anna", "type": "authenticated",
}  # fmt: skip
PAUSED = {
    "state": "paused", "since": format_rfc3339(NOW), "until": None, "or_started": None, "by": "a@example.com",
    "note": None, "holder": "a@example.com", "endpoint": None, "force": False,
}  # fmt: skip
RUN = {**PAUSED, "state": "running", "until": format_rfc3339(NOW + timedelta(hours=2)), "holder": "ci-42"}


def explained(entry: str, platform: str | None = None, **row: Any) -> dict[str, Any]:
    found = settings.parse(f"namespace: acme\ntime_zone: UTC\nendpoints: {{a: {entry}}}".encode())
    platforms = {"main": {"state": platform, "since": format_rfc3339(NOW - timedelta(hours=1))}} if platform else {}
    reported: Mapping[str, Any] = {"now": format_rfc3339(NOW), "endpoints": [{**ROW, **row}], "platforms": platforms,
                               "unknown": [], "settings_sha256": found.sha256}  # fmt: skip
    seen = observed(found, reported, [])
    return _explained(seen.rows[0], seen.situations[0])


IN, OUT = "hours: daily 08:00-20:00", "hours: daily 20:00-22:00"


@pytest.mark.parametrize(
    ("entry", "more", "decides", "then"),
    [
        (f"{{{IN}}}", {}, "hours", "no rule"),
        (f"{{{OUT}}}", {}, "hours", "no rule"),
        ("{hours: always}", {}, "hours", "no rule"),
        (f"{{{IN}}}", {"overrides": [PAUSED]}, "pause or forced request", "hours"),
        (f"{{{OUT}}}", {"overrides": [RUN]}, "request to run", "hours"),
        (f"{{{OUT}}}", {"overrides": [RUN, PAUSED]}, "pause or forced request", "request to run"),
        (f"{{{OUT}}}", {"overrides": [{**RUN, "force": True}]}, "pause or forced request", "request to run"),
        (f"{{{IN}, platform: main}}", {"platform": "stopped"}, "platform stopped", "hours"),
        ("{platform: main}", {"platform": "started"}, "platform started", "no rule"),
        (f"{{{IN}, platform: main}}", {"platform": "started"}, "hours", "platform started"),
        ("{idle_after: 5m}", {}, "idle_after", "no rule"),
        ("{idle_after: 2h}", {}, "idle_after", "no rule"),
        ("{}", {}, "no rule", None),
        (f"{{{OUT}, protected: true}}", {}, "hours", "no rule"),
    ],
)
def test_the_rule_that_decides_and_the_one_that_would(
    entry: str, more: dict[str, Any], decides: str, then: str | None
) -> None:
    found = explained(entry, **more)
    assert (found["decides"], found["would_decide"]) == (decides, then)
    assert all(rule["reason"] for rule in found["rules"])


def test_what_comes_next_is_in_order() -> None:
    changes = explained(f"{{{IN}}}")["changes"]
    assert [change["wanted"] for change in changes] == ["paused", "running", "paused", "running", "paused"]
    assert changes[0]["at"] == "2026-11-24T20:00:00Z"


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("scaledToZero", "authenticated", "anybody with a Hugging Face account"),
        ("scaledToZero", "public", "anybody, "),
        ("scaledToZero", "private", "token of the namespace"),
        ("running", None, "when it sleeps: whoever may call it"),
        ("paused", "public", "nobody"),
    ],
)
def test_who_can_wake_it(state: str, kind: str | None, words: str) -> None:
    assert words in _woken_by({"state": state, "type": kind})


def test_it_is_reported_with_both_names_and_on_one_clock(desk: Desk) -> None:
    text = desk.type("explain", "embeddings").stdout
    assert text.startswith("embeddings (embeddings-prod): paused, wanted ")
    assert "→    hours" in text
    assert "Europe/Berlin" in text
    assert "Z " not in text


def test_for_machines_every_endpoint_of_an_entry_is_there(desk: Desk) -> None:
    reported = json.loads(desk.type("explain", "nights", "--json").stdout)
    assert [one["name"] for one in reported] == ["nights"]


def test_an_unknown_name_is_wrong_use(desk: Desk) -> None:
    done = desk.type("explain", "nobody")
    assert (done.returncode, "unknown: nobody" in done.stderr) == (2, True)
