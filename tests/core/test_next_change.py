"""The next change of the desired state, as far as the clock alone causes it, and what is decided until then."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.model import Endpoint, Override, Wanted
from lifecycle.core.rules import Situation, decide, timeline
from lifecycle.core.timeline import next_change
from support.building import (
    HOUR,
    MINUTE,
    NIGHTS,
    OFFICE,
    STARTED,
    STOPPED,
    at,
    override,
    properties,
    sampled,
    situation,
)
from support.situations import ALWAYS, ruled


@pytest.mark.parametrize(
    ("text", "more", "when", "wanted"),
    [
        (OFFICE, {}, "Tue 20:00", "paused"),
        (f"{NIGHTS}, lead: 10m", {}, "Tue 21:50", "running"),
        ("hours: [Tue 08:00-13:00, Tue 13:00-14:00]", {}, "Tue 14:00", "paused"),
        (OFFICE, {"override": override("paused", until="Tue 13:00")}, "Tue 13:00", "running"),
        (OFFICE, {"override": override("paused", until="Tue 22:00")}, "Wed 08:00", "running"),
        ("platform: main", {"platform": "{max_started: 8h}", "platform_state": STARTED}, "Tue 14:00", "paused"),
        (
            f"{OFFICE}, platform: main",
            {"platform": "{max_started: 8h}", "platform_state": STARTED},
            "Tue 14:00",
            "paused",
        ),
        ("idle_after: 45m", {"last_used_at": at("Tue 11:30")}, "Tue 12:15", "paused"),
    ],
)
def test_the_next_change_is_known(text: str, more: dict[str, Any], when: str, wanted: Wanted) -> None:
    found = next_change(situation(text, **more))
    assert found is not None
    assert (found.at, found.wanted) == (at(when), wanted)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", {}),
        (ALWAYS, {}),
        ("platform: main", {"platform_state": STOPPED}),
        ("platform: main", {"platform_state": STARTED}),
        (OFFICE, {"override": override("paused", until=None)}),
    ],
)
def test_where_the_clock_changes_nothing_no_next_change_is_reported(text: str, more: dict[str, Any]) -> None:
    assert next_change(situation(text, **more)) is None


@st.composite
def any_situation(draw: st.DrawFn) -> Situation:
    found = draw(ruled())
    before = st.integers(0, 2 * 1440).map(lambda count: found.now - count * MINUTE)
    end = st.integers(-1440, 1440).map(lambda count: found.now + count * MINUTE)
    state, platform = st.sampled_from(["running", "paused"]), st.sampled_from([None, "main"])
    kept = draw(st.none() | st.builds(Override, state, before, st.none() | end, platform))
    used, updated = draw(st.none() | before), draw(st.none() | before)
    memory = replace(found.memory, overrides={"embeddings": (kept,)} if kept else {})
    return replace(
        found, memory=memory, endpoint=Endpoint("embeddings", "running", last_used_at=used, updated_at=updated)
    )


@given(found=any_situation())
@properties(150)
def test_the_forecast_is_what_will_be_decided(found: Situation) -> None:
    """Minute by minute what the rules say then is what they foretell now."""
    until = found.now + 26 * HOUR
    foretold = list(timeline(found, until))
    for now in sampled(found.now, until, 13 * MINUTE):
        standing = [wanted for since, wanted in foretold if since <= now][-1]
        assert decide(replace(found, now=now)).wanted == standing.wanted
