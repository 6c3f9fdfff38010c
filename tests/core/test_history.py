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
        ("pause", "skipped", "manual pause: pause skipped"),
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


def test_another_failure_is_reported_with_its_reason() -> None:
    (event,) = events([line("Tue 20:00", "pause", "failed", reason="outside hours", error="503")])
    assert event.why == "outside hours; 503"


def test_a_scheduled_action_is_no_manual_request() -> None:
    (event,) = events([line("Tue 20:00", "pause", "done", function="pause", rule="cron")])
    assert (event.what, event.who) == ("pause done", "by rule cron")


def test_a_line_without_a_rule_names_none() -> None:
    assert [event.who for event in events([line("Tue 20:00", "pause", "done", rule="")])] == [""]


def test_every_manual_request_is_reported() -> None:
    assert len(events([line("Tue 20:00", **BY_HAND), line("Tue 20:10", **BY_HAND)])) == 2


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


def test_failures_that_differ_are_not_folded() -> None:
    failed = line("Tue 20:00", "pause", "failed", reason="first")
    others = [line("Tue 20:10", "wake", "failed"), line("Tue 20:20", "wake", "failed", rule="platform started")]
    assert [event.count for event in events([failed, *others])] == [1, 1, 1]


def test_a_folded_failure_has_its_first_reason_and_ends_with_its_last_line() -> None:
    lines = [line(f"Tue 20:{minute}", "pause", "failed", reason=f"503 at {minute}") for minute in (10, 20, 30)]
    (event,) = events(lines)
    assert (event.at, event.until, event.why) == (at("Tue 20:10"), at("Tue 20:30"), "503 at 10")
    assert event.as_json()["until"] == "2026-11-24T19:30:00Z"


def test_a_failure_is_reported_again_after_a_success() -> None:
    lines = [
        line("Tue 20:00", "pause", "failed"),
        line("Tue 20:10", "pause", "done"),
        line("Tue 20:20", "pause", "failed"),
    ]
    assert [event.failed for event in events(lines)] == [True, False, True]


def test_what_is_still_starting_is_a_change_each_time() -> None:
    assert len(events([line("Tue 20:00", "resume", "pending"), line("Wed 20:00", "resume", "pending")])) == 2


def test_a_budget_between_failures_does_not_matter() -> None:
    """An entry's budget has the name of the entry, and so has often the endpoint."""
    unknown = {"event": "budget", "endpoint": "embeddings", "code": "budget_unknown", "message": "unreadable"}
    lines = [LogLine(at(f"Tue 20:{minute}"), unknown) for minute in (10, 20)]
    lines += [line(f"Tue 20:{minute}", "pause", "failed", name="embeddings") for minute in (10, 20)]
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


def test_of_the_lines_that_report_an_update_the_first_in_time_counts() -> None:
    lines = [
        updated("Tue 20:13", "Tue 19:58", before="paused"),
        updated("Tue 20:03", "Tue 19:58", before="initializing"),
    ]
    assert [event.what for event in events(lines)] == ["changed at Hugging Face: initializing"]


def test_failures_before_and_after_an_update_at_hugging_face_are_not_folded() -> None:
    lines = [
        line("Tue 20:03", "pause", "failed"),
        updated("Tue 20:13", "Tue 20:08", action="pause", outcome="failed", duration_ms=0),
    ]
    assert [event.at for event in events(lines)] == [at("Tue 20:03"), at("Tue 20:08"), at("Tue 20:13")]


def test_what_we_changed_there_is_not() -> None:
    ours = line("Tue 20:00", "pause", "done", duration_ms=20_000)
    for when in ("2026-11-24T19:59:30", "Tue 20:00"):
        assert len(events([ours, updated("Tue 20:03", when)])) == 1
    assert len(events([ours, updated("Tue 20:03", "Tue 19:58")])) == 2
    assert len(events([ours, updated("Tue 20:03", "Tue 20:00"), updated("Tue 20:13", "Tue 20:12")])) == 2


def test_what_was_changed_before_the_first_line_is_not_because_it_may_be_ours() -> None:
    lines = [updated("Tue 20:03", "Tue 19:58")]
    assert len(events(lines, "Tue 19:58")) == 1
    assert events(lines, "Tue 20:00") == []


@pytest.mark.parametrize(
    ("ours", "when", "explained"),
    [
        (line("Tue 20:00", "pause", "done", duration_ms=20_000), "2026-11-24T19:59:10", True),  # half a minute early
        (line("Tue 20:00", "pause", "done", duration_ms=20_000), "2026-11-24T19:59:09", False),
        (line("Tue 20:00", "pause", "done", duration_ms=20_000), "2026-11-24T20:00:30", True),  # half a minute late
        (line("Tue 20:00", "pause", "done", duration_ms=20_000), "2026-11-24T20:00:31", False),
        (line("Tue 20:00", "pause", "failed", duration_ms=20_000), "Tue 20:00", True),  # it may have had its effect
        (line("Tue 20:00", "pause", "done", duration_ms=3_600_000), "Tue 19:00", True),  # as long as a call may take
        (line("Tue 20:00", "pause", "done", duration_ms=3_600_001), "Tue 19:00", False),
        (line("Tue 20:00", "pause", "done", duration_ms="20000"), "2026-11-24T19:59:20", False),
        (line("Tue 20:00", "pause", "done", name="other"), "Tue 20:00", False),
        (line("Tue 20:00", "warm", "done"), "Tue 20:00", False),  # a request to an endpoint does not update it
        (line("Tue 20:00"), "Tue 20:00", False),
    ],
)
def test_an_update_around_an_action_of_ours_is_explained_by_it(ours: LogLine, when: str, explained: bool) -> None:
    found = events([ours, updated("Tue 20:33", when)])
    assert [event.at for event in found if event.why == "not by lifecycle"] == ([] if explained else [at(when)])


def test_each_update_at_hugging_face_is_an_event() -> None:
    lines = [
        updated("Tue 20:03", "Tue 19:58"),
        updated("Tue 20:13", "Tue 20:12"),
        updated("Tue 20:13", "Tue 20:12", name="other"),
    ]
    assert [event.at for event in events(lines)] == [at("Tue 19:58"), at("Tue 20:12"), at("Tue 20:12")]


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
    odd = LogLine(
        at("Tue 21:00"),
        {"event": "endpoint", "action": 1, "outcome": None, "updated_at": 5, "recently_updated": True, "reason": []},
    )
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


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("budget_spent", "budget spent"),
        ("budget_near", "budget nearly spent"),
        ("budget_unknown", "billed costs unknown"),
    ],
)
def test_a_budget_is_reported_by_its_rule(code: str, what: str) -> None:
    (event,) = events([LogLine(at("Tue 20:00"), {"event": "budget", "endpoint": "embeddings", "code": code})])
    assert (event.what, event.who, event.failed) == (what, "by rule budget", False)
