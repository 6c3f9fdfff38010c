"""Budgets on the page: spent, nearly spent, unknown; of one entry, and over all."""

import pytest

from local.servers.faults import Fault
from support.budgets import OVER_ALL, OWN, billed
from support.hub import Harness
from support.pages import line, own, shown, tile, words

BOTH = pytest.mark.parametrize(("text", "whose"), [(OWN, ""), (OVER_ALL, " over all entries")])


def budget(on: Harness) -> str:
    """An entry's own is on its page, the one over all entries in the table."""
    return tile(shown(on) if on.settings.budget else own(on), "Budget")


@BOTH
def test_a_spent_budget_is_why_it_rests_and_until_when(text: str, whose: str) -> None:
    on = billed(text, 40.2)
    why = f"budget of $20.00 for November{whose}: $20.08 billed"
    assert line(shown(on), "embeddings-prod").startswith(f"→ embeddings-prod embeddings running → paused {why}")
    assert why in words(own(on))
    assert "it rests until Tue 2026-12-01 00:00 Europe/Berlin" in words(own(on))
    assert budget(on).startswith(why)


@BOTH
def test_a_budget_that_is_nearly_spent_says_how_much_was_billed(text: str, whose: str) -> None:
    on = billed(text, 34)
    assert budget(on).startswith(f"budget of $20.00 for November{whose}: $16.92 billed")
    assert "running hours: always" in line(shown(on), "embeddings-prod")


@BOTH
def test_a_budget_of_which_nothing_is_known_says_why_and_rests_nothing(text: str, whose: str) -> None:
    on = billed(text, 41)
    on.monitoring.faults.add(Fault("status", status=403))
    why = "the billed costs are unknown: Cloud Monitoring: 403 on purpose"
    assert budget(on) == f"budget of $20.00 for November{whose}: {why}"
    assert "running hours: always" in line(shown(on), "embeddings-prod")
