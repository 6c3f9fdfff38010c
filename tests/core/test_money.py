"""What an endpoint costs now."""

import pytest

from lifecycle.core.model import Endpoint
from lifecycle.core.money import dollars_per_hour

L4 = ("aws", "us-east-1", "nvidia-l4", "x1")
PRICES = {L4: 0.8}


@pytest.mark.parametrize(
    ("state", "dollars"),
    [
        ("paused", 0.0), ("scaledToZero", 0.0), ("failed", 0.0), ("pending", 0.0),
        ("initializing", 1.6), ("running", 1.6), ("updating", 1.6), ("updateFailed", 1.6),
        ("dreaming", None), ("unknown", None),
    ],
)  # fmt: skip
def test_it_costs_while_it_initializes_and_runs(state: str, dollars: float | None) -> None:
    assert dollars_per_hour(Endpoint("e", state, target_replicas=2, hardware=L4), PRICES) == dollars


@pytest.mark.parametrize("unknown", [{"target_replicas": None}, {"hardware": None}, {"hardware": (*L4[:3], "x4")}])
def test_what_is_not_known_is_not_0(unknown: dict[str, object]) -> None:
    running = {"target_replicas": 1, "hardware": L4} | unknown
    assert dollars_per_hour(Endpoint("e", "running", **running), PRICES) is None  # type: ignore[arg-type]


def test_at_rest_it_costs_nothing_whatever_the_price() -> None:
    assert dollars_per_hour(Endpoint("e", "paused"), {}) == 0.0
