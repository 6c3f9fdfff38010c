"""A week in under a minute: `python -m local.simulation.demo [--seed N] [--weeks N]`, what `make demo` runs.

The real code on a simulated clock, between the local services, with faults. It prints what happened and what it saved,
and fails if an invariant was broken.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from local.servers.endpoints import Durations
from local.servers.huggingface import PRICES, Quirks
from local.simulation import outages as trouble
from local.simulation.invariants import INVARIANTS, InvariantChecker
from local.simulation.runner import Simulation
from local.simulation.scenarios import Plan, at_least_one
from local.simulation.simulated_time import play

BEGIN = datetime(2026, 12, 21, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
SETTINGS = """
namespace: acme
time_zone: Europe/Berlin
reconcile_every: 10m
holidays: [2026-12-25]
platforms:
  main: {max_started: 24h}
endpoints:
  embeddings: {hours: Mon-Fri 08:00-20:00, lead: 10m}
  batch: {hours: "Sun-Thu 22:00-06:00", rest: scaledToZero}
  chat: {hours: daily 07:00-24:00, lead: 10m, scaling: {min_replicas: 0, max_replicas: 2, scale_to_zero_after: 1h}}
  reports: {platform: main, lead: 10m}
  trials: {name: "trial-*", hours: Mon-Fri 09:00-18:00}
"""
ENDPOINTS: list[dict[str, Any]] = [
    {"name": "embeddings", "state": "paused", "durations": Durations(resume=84), "min_replica": 1},
    {"name": "batch", "state": "running", "durations": Durations(resume=240, wake=120), "min_replica": 1},
    {
        "name": "chat",
        "state": "paused",
        "durations": Durations(resume=300, wake=40, load=20),
        "scale_to_zero_minutes": 60,
    },
    {"name": "reports", "state": "running", "durations": Durations(resume=157), "min_replica": 1},
    {"name": "trial-a", "state": "running", "durations": Durations(resume=90), "min_replica": 1},
    {"name": "trial-b", "state": "paused", "durations": Durations(resume=90), "min_replica": 1, "start": "no capacity"},
    {"name": "forgotten", "state": "running", "min_replica": 1},
]


def plan(seed: int, week: int) -> Plan:
    """The week of the demo; faults, and what people do, follow from the seed."""
    rng = random.Random(f"{seed} {week}")
    document = yaml.safe_load(SETTINGS)
    document["holidays"] = ["2026-12-25"]
    begin = BEGIN + timedelta(weeks=week)
    names = [endpoint["name"] for endpoint in ENDPOINTS[:-1]]
    events = trouble.events(rng, begin, 7, list(document["endpoints"]), names, ["main"])
    moments = [event.at for event in events] + trouble.boundaries(begin, 7, document["time_zone"])
    windows = trouble.windows(rng, begin, 7, 7, moments)
    return Plan(seed, begin, 7, document, [dict(endpoint) for endpoint in ENDPOINTS], windows, events, Quirks())


def run(seed: int, week: int, out: Console) -> tuple[Simulation, InvariantChecker]:
    """Plays one week, telling it as it goes; on a terminal with its progress."""
    lines = [(window.begin, f"! {window.kind} until {_local(window.end)}") for window in plan(seed, week).windows]
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        played = progress.add_task(f"week {week + 1}", total=7.0)

        def show(at: datetime, text: str) -> None:
            while lines and lines[0][0] <= at:
                begun, line = lines.pop(0)
                out.print(f"{_local(begun)}  {line}", style="yellow")
            out.print(f"{_local(at)}  {text}", style="red" if " failed" in text else None)
            progress.update(played, completed=(at - simulation.plan.begin) / timedelta(days=1))

        simulation = Simulation(plan(seed, week), show)
        watch = InvariantChecker(simulation)
        play(simulation.loop, simulation.play(watch))
        watch.conclude()
    return simulation, watch


def _local(when: datetime) -> str:
    return f"{when.astimezone(ZONE):%a %d %H:%M:%S}"


def money(weeks: list[Simulation]) -> Table:
    """Hours and dollars for each endpoint, against always-on. What never got capacity would not have run always-on
    either, so nothing was saved there, and no sum counts it."""
    table = Table(box=None, pad_edge=False)
    for name in ("endpoint", "hours billed", "of", "dollars", "always on", "saved"):
        table.add_column(name, justify="left" if name == "endpoint" else "right")
    hours_in_all = sum(week.plan.days * 24 for week in weeks)
    totals = [0.0, 0.0]
    for endpoint in ENDPOINTS:
        name = endpoint["name"]
        hours = sum(week.hub[name].billed_seconds for week in weeks) / 3600
        price = PRICES["nvidia-l4", "x1"]
        if not any(state == "running" for week in weeks for _, state in week.hub[name].history):
            table.add_row(name, f"{hours:.1f}", str(hours_in_all), f"{hours * price:.2f}", "–", "–")
            continue
        paid, always = hours * price, hours_in_all * price
        totals = [totals[0] + paid, totals[1] + always]
        amounts = (paid, always, round(always - paid, 2) + 0.0)
        table.add_row(name, f"{hours:.1f}", str(hours_in_all), *(f"{amount:.2f}" for amount in amounts))
    table.add_row("in all", "", "", *(f"{amount:.2f}" for amount in (*totals, totals[1] - totals[0])), style="bold")
    return table


def invariants(weeks: list[Simulation]) -> Iterator[str]:
    """How often each invariant was looked at when it had to hold, and whether it was kept."""
    for letter, text in INVARIANTS.items():
        count = sum(week.checked[letter] for week in weeks)
        broken = any(line.startswith(letter) for week in weeks for line in week.broken)
        yield f"{letter}  {'broken' if broken else 'kept':<6}  looked at {count:>9,} times  {text}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--weeks", type=at_least_one, default=1)
    given = parser.parse_args()
    out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    out.print(f"seed {given.seed}; the same seed plays the same week")
    begun = time.monotonic()
    played = [run(given.seed, week, out) for week in range(given.weeks)]
    weeks = [simulation for simulation, _ in played]
    met = sum((week.met for week in weeks), Counter[str]())
    out.print()
    out.print(money(weeks))
    out.print("–: never got capacity, so it would not have run always-on either; no sum counts it")
    out.print()
    for line in invariants(weeks):
        out.print(line)
    calls = sum(len(week.functions.begun) for week in weeks)
    outside = sum(watch.outside for _, watch in played) / 60
    out.print(
        f"\n{calls} calls of the functions; {outside:.0f} minutes billed while rest was wanted, in trouble or not"
    )
    out.print(
        "survived: " + (", ".join(f"{kind} {count} times" for kind, count in sorted(met.items())) or "no trouble")
    )
    for week in weeks:
        for line in week.broken:
            out.print(f"violated invariant {line}", style="bold red")
    broken = any(week.broken for week in weeks)
    outcome = "broken" if broken else "all kept"
    out.print(f"invariants: {outcome}; played in {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
