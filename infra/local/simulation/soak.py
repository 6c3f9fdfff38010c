"""Many random weeks with all faults, on all processors: `python -m local.simulation.soak --weeks 1000 [--seed N]`.

Each violated invariant is shown with its seed; `python -m local.simulation.soak --seed N --weeks 1` plays that week.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from local.simulation.invariants import InvariantChecker
from local.simulation.random_settings import features
from local.simulation.runner import Simulation
from local.simulation.scenarios import Plan, at_least_one, random_plan
from local.simulation.simulated_time import play


@dataclass(frozen=True)
class Outcome:
    """What became of one week."""

    seed: int
    broken: tuple[str, ...]
    calls: int
    faults: int
    met: Counter[str]
    checked: Counter[str]
    features: frozenset[str]  # of the settings that few have


def week(seed: int) -> Outcome:
    """Plays one random week."""
    return played(random_plan(seed))


def played(plan: Plan, *, until: str = "") -> Outcome:
    """Plays a plan; `until`: only until that invariant is broken."""
    simulation = Simulation(plan, until=until)
    watch = InvariantChecker(simulation)
    play(simulation.loop, simulation.play(watch))
    watch.conclude()
    calls, faults = len(simulation.functions.begun), simulation.hub.faults.met
    found = features(plan.document)
    return Outcome(plan.seed, tuple(simulation.broken), calls, faults, simulation.met, simulation.checked, found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=at_least_one, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun, calls, faults = time.monotonic(), 0, 0
    broken: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    met: Counter[str] = Counter()
    weeks: Counter[str] = Counter()
    seeds = range(given.seed, given.seed + given.weeks)
    print(f"{given.weeks} weeks from seed {given.seed}")
    with ProcessPoolExecutor() as pool:
        for number, outcome in enumerate(pool.map(week, seeds), 1):
            calls, faults = calls + outcome.calls, faults + outcome.faults
            checked += outcome.checked
            met += outcome.met
            weeks.update(outcome.features)
            for line in outcome.broken:
                broken[line[0]] += 1
                print(f"seed {outcome.seed}: {line}")
            if number % 50 == 0:
                print(
                    f"{number} weeks, {sum(broken.values())} violated invariants, {time.monotonic() - begun:.0f} s",
                    flush=True,
                )
    print(f"{given.weeks} weeks, {calls} calls, {faults} requests met a fault, {time.monotonic() - begun:.0f} s")
    print("trouble met: " + ", ".join(f"{kind} {count}" for kind, count in sorted(met.items())))
    print("weeks with: " + ", ".join(f"{feature} {count}" for feature, count in sorted(weeks.items())))
    print("looked at: " + ", ".join(f"{invariant} {count}" for invariant, count in sorted(checked.items())))
    print(f"violated: {dict(broken)}" if broken else "every invariant was kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
