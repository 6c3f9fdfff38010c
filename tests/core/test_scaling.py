"""Replica bounds that pausing and resuming changed, and how that is reported."""

import pytest

from lifecycle.core.entries import Scaling
from lifecycle.core.model import Endpoint
from lifecycle.core.scaling import undeclared_change
from support.building import MINUTE, read


def seen(state: str, least: int | None, most: int | None, minutes: int | None = None) -> Endpoint:
    after = minutes * MINUTE if minutes else None
    return Endpoint("a", state, min_replicas=least, max_replicas=most, scale_to_zero_after=after)


NONE = Scaling()
KEPT = "scaling: {min_replicas: 0, max_replicas: 4"
UNKNOWN = "the earlier bounds are unknown"


@pytest.mark.parametrize(
    ("before", "now", "declared", "output"),
    [
        (seen("running", 0, 4), seen("paused", 0, 0), NONE, KEPT),  # a pause
        (seen("paused", 0, 4), seen("initializing", 1, 1), NONE, KEPT),  # a resume, where the pause changed nothing
        (seen("running", 0, 4, 15), seen("paused", 0, 0, 15), NONE, f"{KEPT}, scale_to_zero_after: 15m}}"),
        (seen("running", 2, 4, 15), seen("paused", 0, 0), NONE, "scaling: {min_replicas: 2, max_replicas: 4}"),
        (seen("paused", 0, 0), seen("running", 1, 1), NONE, UNKNOWN),  # a resume after the pause of an earlier call
        (seen("paused", 0, 0), seen("paused", 0, 0), NONE, UNKNOWN),  # a run that finds it at rest
        (seen("running", 0, 4), seen("paused", 0, 0), Scaling(min_replicas=0), KEPT),
    ],
)
def test_bounds_that_a_rest_changed_are_reported(
    before: Endpoint, now: Endpoint, declared: Scaling, output: str
) -> None:
    assert output in undeclared_change(before, now, declared)


@pytest.mark.parametrize(
    ("before", "now", "declared"),
    [
        (seen("running", 0, 4), seen("paused", 0, 4), NONE),
        (seen("running", 1, 1), seen("running", 1, 1), NONE),  # whose bounds they are nobody can tell
        (seen("running", 0, 4), seen("paused", 0, 0), Scaling(0, 4)),  # declared: written when it starts
        (seen("paused", 0, 0), seen("running", 1, 1), Scaling(0, 4)),
        (seen("running", None, None), seen("paused", 0, 0), NONE),
        (seen("running", 0, 4), seen("paused", None, None), NONE),
    ],
)
def test_nothing_is_said_where_nothing_is_known(before: Endpoint, now: Endpoint, declared: Scaling) -> None:
    assert undeclared_change(before, now, declared) == ""


def test_the_lines_that_keep_them_are_settings() -> None:
    output = undeclared_change(seen("running", 0, 4, 15), seen("paused", 0, 0), NONE)
    lines = output.partition("to keep them: ")[2]
    assert read(f"endpoints: {{a: {{{lines}}}}}").entries["a"].scaling == Scaling(0, 4, 15 * MINUTE)
