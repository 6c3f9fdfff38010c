"""The timeline worked out in another way: step by step, with what the rules and the scheduled actions do then."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.cron import scheduled, ticks
from lifecycle.core.entries import Cron
from lifecycle.core.model import Override, Wanted
from lifecycle.core.rules import Situation, decide
from lifecycle.core.timeline import phases
from support.building import BERLIN, HOUR, MINUTE, OFFICE, at, properties, sampled, situation

LENGTH, STEP = 12 * HOUR, 5 * MINUTE  # all times of the examples are multiples of it


def noted(found: Situation, **times: Any) -> Situation:
    assert found.endpoint is not None
    return replace(found, endpoint=replace(found.endpoint, **times))


def step_by_step(found: Situation, until: datetime) -> list[tuple[Wanted, bool]]:
    """At each step: the desired state, and whether the endpoint runs."""
    assert found.endpoint is not None
    runs, held, seen = found.endpoint.may_bill, None, []
    due = [(tick, action) for action in found.entry.cron for tick in ticks(action, found.now, until)]
    for now in sampled(found.now, until, STEP):
        found = replace(found, now=now)
        for do in (None, *(action.do for tick, action in due if tick == now)):
            wanted = scheduled(do, found) if do else None
            if do == "warm" and runs:
                found = noted(found, last_used_at=now)
            elif wanted and not wanted.left and runs == (do == "pause"):
                runs, held = do != "pause", wanted.wanted
                found = noted(found, updated_at=now)
            ruled = decide(found).wanted
            if ruled != "any":
                runs, held = ruled == "running", None
        seen.append((held or ruled, runs))
    return seen


KINDS = ["", "idle_after: 45m", "idle_after: 3h", "idle_after: 45m, protected: true", f"{OFFICE}, protected: true"]
ACTIONS = st.builds(
    lambda minute, hour, do: Cron(f"{minute} {hour} * * *", do, ("*",), BERLIN),
    st.sampled_from(["0", "30", "*/10", "*/40"]),
    st.sampled_from(["*", "8-19", "20", "9,21"]),
    st.sampled_from(["pause", "resume", "warm", "warm"]),
)


@st.composite
def scheduled_situations(draw: st.DrawFn) -> Situation:
    """Some time on a Tuesday, with scheduled actions, and often with an override."""
    now = at("Tue 00:00") + draw(st.integers(0, 143)) * 10 * MINUTE
    before = st.integers(0, 60).map(lambda count: now - count * 10 * MINUTE)
    end = st.integers(1, 60).map(lambda count: now + count * 10 * MINUTE)
    found = situation(
        draw(st.sampled_from(KINDS)),
        draw(st.sampled_from(["running", "paused"])),
        now,
        override=draw(st.none() | st.builds(Override, st.sampled_from(["running", "running", "paused"]), before, end)),
        last_used_at=draw(st.none() | before),
    )
    return replace(found, entry=replace(found.entry, cron=tuple(draw(st.lists(ACTIONS, min_size=1, max_size=3)))))


@given(found=scheduled_situations())
@properties(150)
def test_the_timeline_is_what_happens_step_by_step(found: Situation) -> None:
    until = found.now + LENGTH
    foretold = list(phases(found, until))
    standing = [[phase for phase in foretold if phase.at <= now][-1] for now in sampled(found.now, until, STEP)]
    assert [(phase.wanted, phase.runs) for phase in standing] == step_by_step(found, until)
