"""Which overrides a release ends, and which of others remain."""

from dataclasses import replace

import pytest

from lifecycle.core.manual import plan_release
from lifecycle.core.model import StoredState
from support.building import situation, started
from support.situations import A, B, holding, pause, run


@pytest.mark.parametrize(
    ("endpoint", "holder", "everybody", "ends", "others"),
    [
        (None, "ci", False, {"ci", "ci A"}, {"anna", "anna A", "boss B", "nobody"}),
        (A, "ci", False, {"ci A"}, {"ci", "anna", "anna A", "nobody"}),
        (B, "ci", False, set(), {"ci", "anna", "boss B", "nobody"}),
        (None, "boss", False, {"boss B"}, {"ci", "ci A", "anna", "anna A", "nobody"}),
        (None, None, False, {"nobody"}, {"ci", "ci A", "anna", "anna A", "boss B"}),
        (None, "anna", True, {"ci", "ci A", "anna", "anna A", "boss B", "nobody", "over"}, set()),
        (A, None, True, {"ci A", "anna A"}, {"ci", "anna", "nobody"}),
        (None, "late", False, {"over"}, {"ci", "ci A", "anna", "anna A", "boss B", "nobody"}),
        (None, "old@example.com", False, {"nobody"}, {"ci", "ci A", "anna", "anna A", "boss B"}),
    ],
)
def test_a_release_ends_ones_own_within_what_is_meant_and_names_the_others(
    endpoint: str | None, holder: str | None, everybody: bool, ends: set[str], others: set[str]
) -> None:
    every = [
        *[run("ci", note="ci"), run("ci", endpoint=A, note="ci A"), pause("anna", note="anna")],
        *[run("anna", endpoint=A, note="anna A"), pause("boss", endpoint=B, note="boss B")],
        run("late", until="Tue 11:30", note="over"),
        pause(None, by="old@example.com", note="nobody"),
    ]
    found = holding(*every)
    plan = plan_release(found.entry, endpoint, holder, everybody=everybody, situation=found)
    assert ({one.note for one in plan.ends}, {one.note for one in plan.others}) == (ends, others)


def test_a_platform_that_started_since_has_ended_what_waited_for_it() -> None:
    waits = pause("anna", until=None, or_started="main")
    memory = StoredState({"embeddings": (waits,)}, {"main": started("Tue 11:30")})
    found = replace(situation("platform: main"), memory=memory)
    assert plan_release(found.entry, None, "ci", everybody=False, situation=found).others == ()


def test_where_nothing_is_held_a_release_ends_nothing() -> None:
    found = situation()
    plan = plan_release(found.entry, None, "ci", everybody=True, situation=found)
    assert (plan.ends, plan.others) == ((), ())
