"""Longer runs of the simulation, for their results: bills, log lines, states."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from local.servers.huggingface import PRICES
from local.simulation.in_process import CALL, Call, Sent
from local.simulation.outages import Kind, Window
from local.simulation.runner import Simulation
from local.simulation.scenarios import Plan
from local.simulation.simulated_time import play

BERLIN = ZoneInfo("Europe/Berlin")
PRICE = PRICES["nvidia-l4", "x1"]
Watch = Callable[[Simulation], Awaitable[None]]


class Onlooker:
    """Looks at nothing but what `watch` does."""

    def __init__(self, simulation: Simulation, watch: Watch) -> None:
        self.simulation = simulation
        self.watch = watch

    async def look(self) -> None:
        await self.watch(self.simulation)
        await asyncio.sleep(1e9)

    def sent(self, request: Sent) -> None: ...
    def answered(self, call: Call) -> None: ...


async def nothing(_: Simulation) -> None:
    return


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def until(simulation: Simulation, when: datetime) -> Awaitable[None]:
    return asyncio.sleep(max(0.0, (when - simulation.now()).total_seconds()))


def window(kind: Kind, begin: datetime, length: timedelta) -> Window:
    return Window(kind, begin, begin + length)


def played(
    settings: str, endpoints: list[dict[str, Any]], begin: datetime, end: datetime, watch: Watch = nothing,
    windows: tuple[Window, ...] = (),
) -> Simulation:  # fmt: skip
    """The simulation after it was played with settings of namespace acme in Berlin."""
    text = f"namespace: acme\ntime_zone: Europe/Berlin\nreconcile_every: 10m\n{settings}"
    days = (end - begin) / timedelta(days=1)
    plan = Plan(1, begin, 1, yaml.safe_load(text), endpoints, list(windows), [])
    simulation = Simulation(plan)
    simulation.end = begin + timedelta(days=days)
    play(simulation.loop, simulation.play(Onlooker(simulation, watch)))
    return simulation


def billed(simulation: Simulation, name: str) -> float:
    """Dollars that Hugging Face billed until now."""
    endpoint = simulation.hub[name]
    endpoint.advance(simulation.now())
    return endpoint.billed_seconds / 3600 * PRICE


async def status(simulation: Simulation) -> dict[str, Any]:
    """What the function answers now."""
    CALL.set(0)
    return (await simulation.functions.instances["reconcile 0"].status()).answer
