"""`lifecycle status` about budgets: spent, nearly spent, not known."""

import pytest
from starlette.responses import JSONResponse

from local.servers.faults import Fault
from local.servers.serve import serve
from support.budgets import OVER_ALL, OWN, billed
from support.desk import Desk
from support.hub import Harness
from support.pages import status_of

BOTH = pytest.mark.parametrize(
    ("text", "whose"), [(OWN, "embeddings: {}"), (OVER_ALL, "{} over all entries")], ids=["own", "over all"]
)


def printed(desk: Desk, on: Harness) -> list[str]:
    """What the command prints of what the functions answer."""
    url = desk.stack.enter_context(serve(JSONResponse(status_of(on).answer)))
    return desk.type("status", FUNCTIONS_URL=f"{url}/{{name}}", HF_TOKEN="").stdout.splitlines()


@BOTH
def test_a_spent_budget_is_why_it_rests_and_until_when(desk: Desk, text: str, whose: str) -> None:
    lines = printed(desk, billed(text, 40.2))
    (first,) = [line for line in lines if "embeddings-prod" in line]
    assert first.split()[:5] == ["!", "embeddings", "embeddings-prod", "running", "→"]
    assert "$20.08 billed" in first
    assert first.endswith("; it rests until Tue 2026-12-01 00:00 Europe/Berlin")
    assert any(line.startswith(whose.format("budget of $20.00 for November") + ": $20.08 billed") for line in lines)


@BOTH
def test_a_budget_that_is_nearly_spent_says_how_much_was_billed(desk: Desk, text: str, whose: str) -> None:
    lines = printed(desk, billed(text, 34))
    assert any(line.startswith(whose.format("budget of $20.00 for November") + ": $16.92 billed") for line in lines)


@BOTH
def test_a_budget_of_which_nothing_is_known_says_why(desk: Desk, text: str, whose: str) -> None:
    on = billed(text, 41)
    on.monitoring.faults.add(Fault("status", status=403))
    why = "the billed costs are unknown: Cloud Monitoring: 403 on purpose"
    assert f"{whose.format('budget of $20.00 for November')}: {why}" in printed(desk, on)
