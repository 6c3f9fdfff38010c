"""History from log lines."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lifecycle.core import history
from lifecycle.core.history import Event, LogLine
from support.building import at

MINUTE = timedelta(minutes=1)


def line(clock: str, action: str = "none", outcome: str = "unchanged", **fields: Any) -> LogLine:
    always = {
        "event": "endpoint", "endpoint": "embeddings", "name": "embeddings-prod", "action": action, "outcome": outcome,
        "before": "running", "after": "running", "reason": "inside hours", "trigger": "schedule", "rule": "hours",
        "function": "reconcile", "dry_run": False,
    }  # fmt: skip
    return LogLine(at(clock), always | fields)


def events(lines: Iterable[LogLine], since: str = "Mon 00:00") -> list[Event]:
    return history.events(lines, at(since))


def reported(*lines: LogLine) -> list[tuple[str, str]]:
    return [(f"{event.at:%H:%M}", event.what) for event in events(lines)]


def test_what_changed_is_reported_with_its_rule_and_reason() -> None:
    (event,) = events([line("Tue 20:00", "pause", "done", after="paused", reason="outside hours")])
    assert event == Event(
        at("Tue 20:00"), "embeddings", "embeddings-prod", "pause done: running → paused", "outside hours", rule="hours"
    )


def test_runs_that_changed_nothing_are_not() -> None:
    assert reported(line("Tue 20:00"), line("Tue 20:10", outcome="pending")) == []


BY_HAND = {"trigger": "manual", "function": "pause", "rule": "hand"}


@pytest.mark.parametrize(
    ("action", "outcome", "what"),
    [
        ("none", "unchanged", "manual pause: unchanged"),
        ("pause", "done", "manual pause: done"),
        ("none", "failed", "manual pause: failed"),
        ("scale-to-zero", "done", "manual pause: scale-to-zero done"),
    ],
)
def test_a_manual_request_is_reported_once(action: str, outcome: str, what: str) -> None:
    (event,) = events([line("Tue 20:00", action, outcome, **BY_HAND)])
    assert (event.what, event.who) == (what, "")


@pytest.mark.parametrize(
    ("by", "holder", "who"),
    [
        ("anna@example.com", None, "by anna@example.com"),
        (None, "ci-1", "by ci-1"),
        ("anna@example.com", "ci-1", "by anna@example.com"),
    ],
)
def test_a_manual_request_is_reported_with_who_asked(by: str | None, holder: str | None, who: str) -> None:
    (event,) = events([line("Tue 20:00", "pause", "done", **BY_HAND, by=by, holder=holder)])
    assert event.who == who


def test_a_release_is_reported_as_such_also_where_it_changed_nothing() -> None:
    (event,) = events([line("Tue 20:00", trigger="manual", function="reconcile", released=True, holder="ci-1")])
    assert (event.what, event.who) == ("manual release: unchanged", "by ci-1")


def test_a_failure_that_is_its_reason_is_reported_once() -> None:
    (event,) = events([line("Tue 20:00", "none", "failed", reason="held: by bob", error="held: by bob")])
    assert event.why == "held: by bob"


def test_failures_that_repeat_are_folded() -> None:
    lines = [line(f"Tue 20:{minute:02}", "pause", "failed", error="503") for minute in range(3, 60, 10)]
    (event,) = events(lines)
    assert (event.failed, event.count, event.until) == (True, 6, at("Tue 20:53"))


def test_another_endpoint_between_them_does_not_matter() -> None:
    other = {"name": "other", "endpoint": "other"}
    lines = [
        line("Tue 20:03", "pause", "failed"), line("Tue 20:03", "pause", "failed", **other),
        line("Tue 20:13", "pause", "failed"), line("Tue 20:13", "pause", "failed", **other),
    ]  # fmt: skip
    assert [event.count for event in events(lines)] == [2, 2]


def test_what_changes_again_the_next_day_is_reported_again() -> None:
    assert len(reported(line("Tue 20:00", "pause", "done"), line("Wed 20:00", "pause", "done"))) == 2


def test_a_dry_run_says_what_would_be_done_once() -> None:
    lines = [line(f"Tue 20:{minute:02}", "pause", "skipped", dry_run=True) for minute in (3, 13)]
    assert reported(*lines) == [("20:03", "would pause")]


def updated(clock: str, when: str, **fields: Any) -> LogLine:
    return line(clock, updated_at=at(when).isoformat(), updated_by="bob", recently_updated=True, **fields)


def test_what_was_changed_at_hugging_face_is_reported_once_with_who_did() -> None:
    lines = [updated("Tue 20:03", "Tue 19:58"), updated("Tue 20:13", "Tue 19:58")]
    (event,) = events(lines)
    assert (event.at, event.what, event.by) == (at("Tue 19:58"), "changed at Hugging Face: running", "bob")


def test_what_we_changed_there_is_not() -> None:
    ours = line("Tue 20:00", "pause", "done", duration_ms=20_000)
    for when in ("2026-11-24T19:59:30", "Tue 20:00"):
        assert len(events([ours, updated("Tue 20:03", when)])) == 1
    assert len(events([ours, updated("Tue 20:03", "Tue 19:58")])) == 2


def test_what_was_changed_before_the_first_line_is_not_because_it_may_be_ours() -> None:
    lines = [updated("Tue 20:03", "Tue 19:58")]
    assert len(events(lines, "Tue 19:58")) == 1
    assert events(lines, "Tue 20:00") == []


def test_what_a_dry_run_says_is_no_change_of_ours() -> None:
    dry = line("Tue 20:00", "pause", "skipped", dry_run=True)
    assert len(events([dry, updated("Tue 20:03", "Tue 20:00")])) == 2


def test_an_old_update_is_not_an_event() -> None:
    old = line("Tue 20:03", updated_at=at("Tue 08:00").isoformat(), updated_by="bob", recently_updated=False)
    assert events([old]) == []


def test_budgets_are_reported_when_there_is_something_to_say() -> None:
    def budget(clock: str, code: str | None) -> LogLine:
        return LogLine(
            at(clock), {"event": "budget", "endpoint": "embeddings", "code": code, "message": "$20.13 billed"}
        )

    lines = [budget("Tue 15:03", None), budget("Tue 15:13", "budget_spent"), budget("Tue 15:23", "budget_spent")]
    (event,) = events(lines)
    assert (event.what, event.why, event.count) == ("budget spent", "$20.13 billed", 2)


def test_lines_come_in_any_order_and_with_any_fields() -> None:
    odd = LogLine(at("Tue 21:00"), {"event": "endpoint", "action": 1, "outcome": None, "updated_at": 5, "reason": []})
    found = events([odd, line("Tue 20:00", "pause", "done"), line("Tue 19:00", "resume", "done")])
    assert [event.at for event in found][:2] == [at("Tue 19:00"), at("Tue 20:00")]


@pytest.mark.parametrize("spent", [float("nan"), float("inf"), 1e300, 10**30, -(10**15)])
def test_a_duration_beyond_reason_counts_as_none(spent: float) -> None:
    lines = [line("Tue 20:00", "pause", "done", duration_ms=spent), updated("Tue 20:03", "Tue 19:58")]
    assert len(events(lines)) == 2


def test_a_budget_with_an_odd_code_has_nothing_to_say() -> None:
    assert events([LogLine(at("Tue 20:00"), {"event": "budget", "code": ["budget_spent"]})]) == []


def test_it_is_json_too() -> None:
    (event,) = events([line("Tue 20:00", "pause", "done")])
    reported = event.as_json()
    assert datetime.fromisoformat(reported["at"]) == at("Tue 20:00")
    assert reported["what"] == "pause done"


def test_a_manual_reconcile_that_changed_nothing_is_not_reported() -> None:
    assert reported(line("Tue 20:00", trigger="manual", function="reconcile")) == []
