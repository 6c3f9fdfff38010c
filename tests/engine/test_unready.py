"""`unready`, which an alert counts: the hours have begun, and the endpoint does not serve."""

import pytest

from lifecycle.core.model import Outcome
from lifecycle.engine.dependencies import Caller
from support.building import at
from support.service import NIGHTS, OFFICE, reconcile, stage


@pytest.mark.parametrize(
    ("state", "answers", "outcome"),
    [
        ("failed", [], "skipped"),
        ("initializing", [], "pending"),
        ("paused", [403], "failed"),
    ],
)
def test_an_endpoint_that_does_not_serve_inside_its_hours_is_unready(
    state: str, answers: list[int], outcome: Outcome
) -> None:
    on = stage(OFFICE, state)
    on.hub.script("POST embeddings-prod/resume", *answers)
    (result,) = reconcile(on, Caller("schedule"), "*").results
    assert (result.outcome, result.unready) == (outcome, True)


@pytest.mark.parametrize(
    ("text", "state"), [(OFFICE, "running"), (OFFICE, "paused"), (NIGHTS, "paused"), (NIGHTS, "failed")]
)
def test_one_that_serves_or_need_not_serve_is_not_unready(text: str, state: str) -> None:
    (result,) = reconcile(stage(text, state)).results
    assert not result.unready


def test_until_the_hours_begin_it_may_still_be_starting() -> None:
    on = stage(
        "endpoints: {embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, lead: 10m}}", "initializing"
    )
    on.now = at("Tue 07:55")
    (before,) = reconcile(on, Caller("schedule"), "*").results
    on.now = at("Tue 08:00")
    (after,) = reconcile(on, Caller("schedule"), "*").results
    assert (before.unready, after.unready) == (False, True)
