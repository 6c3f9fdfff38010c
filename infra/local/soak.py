"""Many random weeks with all faults, on all processors: `python -m local.soak --weeks 1000 [--seed N]`.

A broken promise names its seed; `python -m local.soak --seed N --weeks 1` plays that week again.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from local.promises import Watch
from local.simulated_time import play
from local.simulation import Simulation, random_plan


@dataclass(frozen=True)
class Outcome:
    """What became of one week."""

    seed: int
    broken: tuple[str, ...]
    calls: int
    faults: int


def week(seed: int) -> Outcome:
    """Plays one week."""
    simulation = Simulation(random_plan(seed))
    watch = Watch(simulation)
    play(simulation.loop, simulation.play(watch))
    watch.conclude()
    return Outcome(seed, tuple(simulation.broken), len(simulation.functions.answers), simulation.hub.faults.met)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun, calls, faults = time.monotonic(), 0, 0
    broken: Counter[str] = Counter()
    seeds = range(given.seed, given.seed + given.weeks)
    print(f"{given.weeks} weeks from seed {given.seed}")
    with ProcessPoolExecutor() as pool:
        for number, outcome in enumerate(pool.map(week, seeds), 1):
            calls, faults = calls + outcome.calls, faults + outcome.faults
            for line in outcome.broken:
                broken[line[0]] += 1
                print(f"seed {outcome.seed}: {line}")
            if number % 50 == 0:
                print(
                    f"{number} weeks, {sum(broken.values())} broken promises, {time.monotonic() - begun:.0f} s",
                    flush=True,
                )
    print(f"{given.weeks} weeks, {calls} calls, {faults} requests met a fault, {time.monotonic() - begun:.0f} s")
    print(f"broken: {dict(broken)}" if broken else "every promise was kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
