"""The decisions with a learned lead. Reconcile runs are at :03, :13, …"""

from datetime import datetime

import pytest

from lifecycle.core.lead import Starts
from lifecycle.core.model import Endpoint, StoredState
from lifecycle.core.past import Past
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Decision, Situation, decide
from lifecycle.core.timeline import next_change
from support.building import at, entry

PAUSED = Endpoint("embeddings-prod", "paused")
AUTO = "name: embeddings-prod, hours: Mon-Fri 08:00-20:00, lead: auto"


def past(seconds: int | None, count: int = 12) -> Past:
    """Starts of up to so many seconds; None: they could not be read."""
    return Past({}, None if seconds is None else {"embeddings-prod": Starts((seconds,), (count,))})


def decided(now: datetime, known: Past, text: str = AUTO) -> Decision:
    return decide(Situation(entry(text), PAUSED, StoredState(), now, known))


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("Tue 07:29", "paused"),  # before the longest lead
        ("Tue 07:30", "any"),  # its boundary's job
        ("Tue 07:43", "any"),
        ("Tue 07:52", "any"),
        ("Tue 07:53", "running"),  # the run after which 07:54 would be too late
        ("Tue 08:00", "running"),
    ],
)
def test_the_run_before_the_lead_begins_starts_it(now: str, wanted: str) -> None:
    assert decided(at(now), past(300)).wanted == wanted


def test_the_hours_decide_before_and_after_the_lead_begins() -> None:
    waits, runs = decided(at("Tue 07:40"), past(300)), decided(at("Tue 07:53"), past(300))
    assert (waits.rule, waits.until) == ("hours", at("Tue 07:53"))
    assert (runs.rule, runs.until, runs.begin) == ("hours", at("Tue 20:00"), at("Tue 08:00"))


def test_the_reason_says_the_lead_and_of_how_many_starts() -> None:
    assert decided(at("Tue 07:53"), past(300)).reason == (
        "hours begin at 08:00 Europe/Berlin, lead 6m (learned from 12 starts)"
    )
    assert decided(at("Tue 07:40"), past(300)).reason == (
        "hours begin at 08:00 Europe/Berlin, lead 6m (learned from 12 starts): it starts at 07:53 Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("known", "why"),
    [(past(300, 4), "4 starts known"), (past(None), "starts are unknown"), (Past({}, {}), "0 starts known")],
)
def test_unlearned_it_is_ten_minutes(known: Past, why: str) -> None:
    assert decided(at("Tue 07:42"), known).wanted == "any"
    found = decided(at("Tue 07:43"), known)
    assert (found.wanted, found.reason) == ("running", f"hours begin at 08:00 Europe/Berlin, lead 10m ({why})")


def test_bounds_are_kept() -> None:
    bounded = AUTO.replace("auto", "{auto: {at_least: 20m, at_most: 40m}}")
    assert decided(at("Tue 07:20"), past(60), bounded).wanted == "any"  # the longest lead is 40 minutes
    assert decided(at("Tue 07:32"), past(60), bounded).wanted == "any"
    assert decided(at("Tue 07:33"), past(60), bounded).wanted == "running"
    assert decided(at("Tue 07:13"), past(3600), bounded).wanted == "paused"
    assert decided(at("Tue 07:20"), past(3600), bounded).wanted == "running"


def test_what_comes_next_is_known_from_the_evening_on() -> None:
    known, evening = past(300), at("Mon 21:00")
    found = next_change(Situation(entry(AUTO), PAUSED, StoredState(), evening, known))
    assert found is not None
    assert (found.at, found.wanted) == (at("Tue 07:30"), "any")


def test_the_evenings_reason_names_the_hours_not_the_longest_lead() -> None:
    assert decided(at("Mon 21:00"), past(300)).reason == "outside hours until Tue 2026-11-24 08:00 Europe/Berlin"


def test_with_enforce_false_it_is_started_however_long_ago_the_longest_lead_began() -> None:
    text = AUTO.replace("auto", "{auto: {at_most: 4h}}, enforce: false")
    situation = Situation(entry(text), PAUSED, StoredState(), at("Tue 07:53"), past(300))
    assert plan_step(decide(situation), situation).action == "resume"
