"""The simulation itself: the same seed plays the same week, and the invariants hold."""

import pytest

from local.simulation.invariants import InvariantChecker
from local.simulation.runner import Simulation
from local.simulation.scenarios import random_plan
from local.simulation.simulated_time import play
from local.simulation.soak import week


def test_the_same_seed_plays_the_same_week_line_for_line() -> None:
    def lines() -> list[str]:
        output: list[str] = []
        simulation = Simulation(random_plan(6), lambda at, text: output.append(f"{at} {text}"))
        play(simulation.loop, simulation.play(InvariantChecker(simulation)))
        return output

    assert lines() == lines()


@pytest.mark.parametrize("seed", [6, 7, 8, 14])  # these are quick, and have most settings among them
def test_every_invariant_is_kept_in_a_week_of_trouble(seed: int) -> None:
    assert week(seed).broken == ()
