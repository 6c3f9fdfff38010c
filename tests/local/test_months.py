"""Weeks and months of the simulation: history and costs compared with what Hugging Face did and billed."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from lifecycle.core import report
from lifecycle.core.money import Bill, exact_bill
from local.servers.endpoints import Durations
from local.simulation.runner import Simulation
from support.months import BERLIN, PRICE, berlin, billed, played, status, until, window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEN = 10 * MINUTE


def bills(simulation: Simulation, begin: datetime, end: datetime) -> dict[str, Bill]:
    """What a report says that each endpoint cost."""
    source = simulation.world().monitoring
    assert source is not None
    found = asyncio.run(source.costs(begin, end + 5 * MINUTE, TEN, 1e9, fine=True))
    known = report.changes(asyncio.run(simulation.log_reader().lines(report.CONDITION, begin, end)))
    return {name: exact_bill(windows, TEN, known.get(name, ())) for (_, name), windows in found.items()}


OFFICES = """
endpoints:
  office: {hours: Mon-Fri 08:00-20:00, lead: 10m}
  nights: {hours: "Sun-Thu 22:00-06:00", rest: scaledToZero}
  short: {hours: Mon-Fri 12:00-13:00}
  sleeper: {hours: daily 07:00-24:00, scaling: {min_replicas: 0, max_replicas: 1, scale_to_zero_after: 1h}}
  visited: {name: visited, rest: scaledToZero}
  trials: {name: "trial-*", hours: Mon-Fri 09:00-18:00}
"""
NAMES = ("office", "nights", "short", "sleeper", "visited", "trial-a", "trial-b")


def endpoints() -> list[dict[str, Any]]:
    made = [{"name": name, "state": "paused", "min_replica": 1, "durations": Durations(resume=150)} for name in NAMES]
    for number in (3, 4):
        made[number] |= {"min_replica": 0, "scale_to_zero_minutes": 60}
    made[4]["state"] = "scaledToZero"
    return made


async def visits(s: Simulation, name: str) -> None:
    """Somebody uses an endpoint several times a day, which wakes it."""
    rng = random.Random(5)
    while True:
        await asyncio.sleep(rng.expovariate(1 / 18_000))
        endpoint = s.hub[name]
        if endpoint.state == "scaledToZero":
            endpoint.starts(s.now(), endpoint.durations.wake)
        endpoint.last_used = s.now()


NOVEMBER, DECEMBER = berlin("2026-11-01T00:00"), berlin("2026-12-01T00:00")


def test_a_months_dollars_are_hugging_faces_within_two_percent() -> None:
    """Ticks come late and twice, some are lost, values arrive four minutes late and a hundredth of them never."""
    truth: dict[str, float] = {}

    async def watch(s: Simulation) -> None:
        rng = random.Random(3)
        s.monitoring.loses = lambda: rng.random() < 0.01
        visiting = asyncio.create_task(visits(s, "visited"))
        await until(s, DECEMBER)
        visiting.cancel()
        truth.update({name: billed(s, name) for name in NAMES})

    windows = (
        window("ticks late", berlin("2026-11-03T06:00"), DAY),
        window("ticks doubled", berlin("2026-11-10T00:00"), 2 * DAY),
        window("ticks lost", berlin("2026-11-12T07:45"), 30 * MINUTE),
        window("ticks overlap", berlin("2026-11-17T12:00"), DAY),
    )
    s = played(OFFICES, endpoints(), NOVEMBER, DECEMBER + 20 * MINUTE, watch, windows)
    found = bills(s, NOVEMBER, DECEMBER)
    error = {name: found[name].dollars / truth[name] - 1 for name in NAMES}
    assert max(map(abs, error.values())) <= 0.02, error
    assert all(found[name].unknown == timedelta() for name in NAMES)


def test_a_longer_gap_is_unknown_and_the_rest_is_right() -> None:
    begin, end = berlin("2026-11-02T00:00"), berlin("2026-11-05T00:00")
    gap = window("ticks lost", berlin("2026-11-03T14:00"), 5 * HOUR)
    truth: list[float] = []

    async def watch(s: Simulation) -> None:
        await until(s, end)
        truth.append(billed(s, "office"))

    s = played("endpoints: {office: {hours: Mon-Fri 08:00-20:00}}", endpoints()[:1], begin, end + TEN, watch, (gap,))
    found = bills(s, begin, end)["office"]
    assert abs(found.unknown - 5 * HOUR) <= TEN
    assert found.dollars + found.unknown / HOUR * PRICE == pytest.approx(truth[0], rel=0.02)


# A budget

BUDGETS = """
endpoints:
  gpu: {hours: daily 00:00-24:00, budget: {dollars: 20}}
  kept: {hours: daily 00:00-24:00, budget: {dollars: 20}, protected: true}
"""
MONDAY = berlin("2026-11-23T14:00")


def test_a_budget_that_is_spent_on_tuesday_afternoon_rests_it_until_the_month_ends() -> None:
    """Twenty-five hours at $0.80 an hour: spent on Tuesday at 15:00."""
    spent: list[datetime] = []
    answers: list[dict[str, Any]] = []

    async def watch(s: Simulation) -> None:
        while billed(s, "gpu") < 20:  # noqa: ASYNC110 - simulated time
            await asyncio.sleep(10)
        spent.append(s.now())
        await asyncio.sleep(1800)
        answers.append(await status(s))

    running = [{"name": name, "state": "running", "min_replica": 1} for name in ("gpu", "kept")]
    s = played(BUDGETS, running, MONDAY, DECEMBER + HOUR, watch)
    history = [(at, state) for at, state in s.hub["gpu"].history if at > spent[0]]
    # It is paused within two runs, and runs again in the first minute of the next month.
    assert spent[0].astimezone(BERLIN).strftime("%a %H") == "Tue 15"
    (paused, resumed) = (next(at for at, state in history if state == name) for name in ("paused", "pending"))
    assert paused - spent[0] <= 2 * TEN
    assert timedelta() <= resumed - DECEMBER < MINUTE
    assert [state for at, state in history if at < DECEMBER] == ["paused"]
    assert billed(s, "gpu") == pytest.approx(20 + HOUR / HOUR * PRICE, abs=2 * TEN / HOUR * PRICE)
    # Why: in the status, in the log, and in what raises the alert.
    row = next(row for row in answers[0]["endpoints"] if row["endpoint"] == "gpu")
    assert row["reason"].startswith("budget of $20.00 for November: $20.")
    assert row["budget"]["spent_at"] is not None
    assert any(line.get("rule") == "budget" and line.get("action") == "pause" for line in s.logs)
    codes = [(line["endpoint"], line["severity"]) for line in s.logs if line.get("code") == "budget_spent"]
    assert ("gpu", "WARNING") in codes
    # A warning came at 80 %, once a day.
    near = [line["at"] for line in s.logs if line.get("code") == "budget_near" and line["endpoint"] == "gpu"]
    assert [at.astimezone(BERLIN).strftime("%a") for at in near] == ["Tue"]
    # The protected one is reported, and not touched.
    assert ("kept", "WARNING") in codes
    assert {state for _, state in s.hub["kept"].history} <= {"running"}


# A learned lead

MORNINGS = """
endpoints:
  learned: {hours: daily 08:00-10:00, lead: auto}
  fixed: {hours: daily 08:00-10:00, lead: 10m}
"""


def test_a_learned_lead_is_punctual_and_cheaper_than_ten_minutes() -> None:
    """Four weeks with starts of 90 s to 6 min, the same for both."""
    begin = berlin("2026-11-02T00:00")

    async def watch(s: Simulation) -> None:
        rng = random.Random(7)
        while True:
            seconds = rng.uniform(90, 360)
            for name in ("learned", "fixed"):
                s.hub[name].durations.resume = seconds
            if 20 * DAY < s.now() - begin + HOUR < 22.5 * DAY:  # some mornings on which one is late
                s.hub["fixed"].durations.resume = 1200
            await asyncio.sleep(86_400)

    paused = [{"name": name, "state": "paused", "min_replica": 1} for name in ("learned", "fixed")]
    s = played(MORNINGS, paused, begin, begin + 28 * DAY, watch)
    ready, before = {}, {}
    for name in ("learned", "fixed"):
        mornings = [_morning(s, name, begin + number * DAY + 8 * HOUR) for number in range(28)]
        ready[name] = sum(on_time for on_time, _ in mornings)
        before[name] = sum((length for _, length in mornings), timedelta()) / 28
    # The report counts the mornings as they were.
    counted = report.mornings(asyncio.run(s.log_reader().lines(report.CONDITION, begin, begin + 28 * DAY)))
    for name in ("learned", "fixed"):
        own = [morning.on_time for morning in counted if morning.name == name]
        assert (len(own), sum(own)) == (28, ready[name])
    print(ready, before)
    assert ready["learned"] >= 0.95 * 28
    assert before["learned"] < before["fixed"]


def _morning(s: Simulation, name: str, hour: datetime) -> tuple[bool, timedelta]:
    """Whether it ran when the hour began, and for how long it had been billed by then."""
    history = [(at, state) for at, state in s.hub[name].history if hour - 2 * HOUR < at <= hour]
    begun = next((at for at, state in history if state == "initializing"), hour)
    return bool(history) and history[-1][1] == "running", hour - begun
