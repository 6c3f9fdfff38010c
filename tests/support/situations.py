"""Situations with several overrides, and random ones for what holds in all of them."""

from dataclasses import replace
from typing import Any, Literal

from hypothesis import strategies as st

from lifecycle.core.manual import ManualRequest
from lifecycle.core.model import Endpoint, Override, PlatformState, StoredState
from lifecycle.core.rules import Situation
from support.building import MINUTE, NIGHTS, NOON, OFFICE, at, override, situation

A, B = "trial-a", "trial-b"
ALWAYS = "hours: daily 00:00-24:00"
TEXTS = [
    *["", "idle_after: 45m", "platform: main", "platform: main, rest: scaledToZero"],
    *[OFFICE, NIGHTS, f"{OFFICE}, lead: 50m", f"{NIGHTS}, lead: 50m, rest: scaledToZero"],
    *[ALWAYS, f"{ALWAYS}, lead: 5m", f"{OFFICE}, platform: main", f"{ALWAYS}, platform: main"],
    "hours: [Mon-Wed 08:00-12:00, 'Tue,Thu 12:20-16:00'], lead: 30m, holidays: [2026-11-25], rest: scaledToZero",
]


def pause(
    holder: str | None = None, since: str = "Tue 11:00", until: str | None = "Tue 22:00", **more: Any
) -> Override:
    return override("paused", since, until, holder=holder, **more)


def run(holder: str | None = None, since: str = "Tue 11:00", until: str | None = "Tue 22:00", **more: Any) -> Override:
    return override("running", since, until, holder=holder, **more)


def holding(*overrides: Override, text: str = "", name: str = "embeddings", state: str = "running") -> Situation:
    found = situation(text)
    return replace(found, memory=StoredState({"embeddings": overrides}), endpoint=Endpoint(name, state))


def asked(verb: str, holder: str | None = "ci", until: str | None = None, **more: Any) -> ManualRequest:
    state: Literal["running", "paused"] = "paused" if verb == "pause" else "running"
    return ManualRequest(state, at(until) if until else None, holder=holder, **more)


@st.composite
def ruled(draw: st.DrawFn) -> Situation:
    """An entry of each kind, some time in a week, with any last message of its platform; without overrides."""
    now = NOON + draw(st.integers(-3 * 1440, 3 * 1440)) * MINUTE
    times = st.integers(0, 2 * 1440).map(lambda count: now - count * MINUTE)
    return situation(
        draw(st.sampled_from(TEXTS)),
        now=now,
        platform=draw(st.sampled_from(["{}", "{max_started: 90m}", "{max_started: 20h}"])),
        platform_state=draw(st.none() | st.builds(PlatformState, st.sampled_from(["started", "stopped"]), times)),
    )
