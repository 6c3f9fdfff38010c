"""The lines that the functions log are those that Terraform's metrics count."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core.model import Endpoint, Result
from lifecycle.web.logs import Log
from terraform.running import Made

CALM = Result("embeddings", "embeddings-prod", "none", "unchanged", "paused", "paused", "paused", "outside hours")
RUNS = replace(CALM, before="running", after="running")


def counted(made: Made, **line: Any) -> set[str]:
    """The metrics that count a line, by what their filters say of its fields."""
    found = set()
    for metric in (values for address, values in made.values.items() if address.startswith("google_logging_metric.")):
        text = re.fullmatch(r"resource\.type=\S+ AND resource\.labels\.service_name=~\S+ AND (.*)", metric["filter"])
        assert text
        output = re.sub(r'jsonPayload\.(\w+)=("[^"]*"|true|false)', r"(line.get('\1') == \2)", text[1])
        output = output.replace("== true", "== True").replace("== false", "== False")
        output = re.sub(r"jsonPayload\.(\w+)>=0", r"(line.get('\1') is not None)", output)
        if eval(output.replace(" AND ", " and ").replace(" OR ", " or "), {"line": line}):
            found.add(metric["name"].removeprefix("lifecycle-"))
    return found


def logged(*results: Result, function: str = "reconcile", trigger: Any = "schedule", dry_run: bool = False) -> Any:
    lines: list[str] = []
    log = Log(str, function, write=lines.append)
    for result in results:
        log.result(result, trigger=trigger, by=None, dry_run=dry_run)
    return json.loads(lines[0])


def test_no_filter_leaves_it_to_precedence_what_it_means(made: Made) -> None:
    for address, metric in made.values.items():
        text = metric.get("filter", "") if address.startswith("google_logging_metric.") else ""
        while text != (inner := re.sub(r"\(([^()]*)\)", "x", text)):
            assert not any(" AND " in part and " OR " in part for part in re.findall(r"\(([^()]*)\)", text))
            text = inner
        assert not (" AND " in text and " OR " in text)


@pytest.mark.parametrize(
    ("result", "metrics"),
    [
        (CALM, set()),
        (replace(CALM, wanted="running", after="running"), {"billing"}),
        (RUNS, {"billing", "should-rest"}),
        (replace(RUNS, wanted="scaledToZero"), {"billing", "should-rest"}),
        (replace(RUNS, wanted="any"), {"billing", "bills-unwanted"}),
        (replace(RUNS, wanted="running", after="dancing", outcome="skipped"), {"billing", "bills-unwanted"}),
        (replace(CALM, wanted="running", after="failed", outcome="failed", unready=True), {"failed", "unready"}),
        (replace(CALM, after=None, outcome="failed", code="token_refused"), {"failed", "token-refused"}),
    ],
)
def test_a_run_is_counted_by_what_it_found(made: Made, result: Result, metrics: set[str]) -> None:
    assert counted(made, **logged(result)) == metrics


def test_a_dry_run_counts_what_bills_and_raises_no_alarm_for_what_it_did_not_do(made: Made) -> None:
    left = replace(RUNS, outcome="skipped", action="pause", unready=True)
    assert counted(made, **logged(left, dry_run=True)) == {"billing", "bills-unwanted"}


def test_a_manual_call_is_not_a_run(made: Made) -> None:
    assert counted(made, **logged(RUNS, trigger="manual")) == set()
    assert counted(made, **logged(RUNS, function="pause")) == set()


@pytest.mark.parametrize(("state", "metrics"), [("running", {"billing", "bills-unwanted"}), ("paused", set())])
def test_what_is_unmanaged_is_counted_when_it_may_bill(made: Made, state: str, metrics: set[str]) -> None:
    lines: list[str] = []
    Log(str, "reconcile", write=lines.append).unmanaged(Endpoint("stray", state))
    assert counted(made, **json.loads(lines[0])) == metrics


def test_a_run_by_the_clock_breaks_the_silence(made: Made) -> None:
    output = {"event": "call", "function": "reconcile", "trigger": "schedule"}
    assert counted(made, **output) == {"runs"}
    assert counted(made, **output | {"trigger": "manual"}) == set()


@pytest.mark.parametrize(
    ("code", "metrics"),
    [("budget_spent", {"budget"}), ("budget_near", {"budget"}), ("budget_unknown", {"budget-unknown"}), (None, set())],
)
def test_budgets_are_counted_when_there_is_something_to_say(made: Made, code: str | None, metrics: set[str]) -> None:
    assert counted(made, event="budget", code=code, function="reconcile", trigger="schedule") == metrics
