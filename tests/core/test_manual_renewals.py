"""Manual requests: whether an override of one's own is written again, and what its end puts back to rest."""

from dataclasses import replace

import pytest

from lifecycle.core.manual import plan_request
from lifecycle.core.model import Override
from support.building import NIGHTS, at, situation, started
from support.situations import A, B, asked, holding, pause, run

# Renewals.


@pytest.mark.parametrize(
    ("own", "until", "written"),
    [
        (run("ci", until="Tue 13:00"), "Tue 13:00", False),
        (run("ci", until="Tue 12:54"), "Tue 13:00", False),  # nine tenths of what is asked
        (run("ci", until="Tue 12:53"), "Tue 13:00", True),
        (run("ci", until="Tue 20:00"), "Tue 13:00", False),  # longer
        (run("ci", until=None), "Tue 13:00", False),
        (run("ci", until="Tue 11:59"), "Tue 13:00", True),  # it has ended
        (run("anna", until="Tue 13:00"), "Tue 13:00", True),  # another's
        (run("ci", until="Tue 13:00", endpoint=A), "Tue 13:00", True),  # of one endpoint
        (pause("ci", until="Tue 13:00"), "Tue 13:00", True),
    ],
)
def test_a_request_to_run_that_lasts_nine_tenths_of_what_is_asked_is_not_written_again(
    own: Override, until: str, written: bool
) -> None:
    plan = plan_request(asked("resume", until=until), [holding(replace(own, found_at_rest=frozenset({"*"})))])
    assert plan.write == written
    assert plan.override is not None
    assert written or plan.override.until == own.until


@pytest.mark.parametrize(
    ("own", "until", "written"),
    [
        (pause("ci", until="Tue 13:00"), "Tue 13:00", False),
        (pause("ci", until="Tue 20:00"), "Tue 13:00", True),  # what should run again must not wait for it
        (pause("ci", until="Tue 12:59"), "Tue 13:00", True),
        (pause("ci", until="Tue 13:00", or_started="main"), "Tue 13:00", True),
        (run("ci", until="Tue 13:00"), "Tue 13:00", True),
    ],
)
def test_a_pause_is_kept_only_where_it_ends_when_asked(own: Override, until: str, written: bool) -> None:
    assert plan_request(asked("pause", until=until), [holding(own)]).write == written


@pytest.mark.parametrize(
    ("own", "newer", "force", "written"),
    [
        (pause("ci"), run("anna", "Tue 11:30", force=True), False, True),
        (pause("ci"), run("anna", "Tue 10:30", force=True), False, False),
        (pause("ci"), run("anna", "Tue 11:30"), False, False),  # it stands over that already
        (run("ci", force=True), pause("boss", "Tue 11:30"), True, True),
        (run("ci", force=True), pause("boss", "Tue 10:30"), True, False),
        (run("ci"), pause("boss", "Tue 10:30"), True, True),  # it was not forced
    ],
)
def test_an_own_one_that_another_overruled_since_is_written_again(
    own: Override, newer: Override, force: bool, written: bool
) -> None:
    own = replace(own, found_at_rest=frozenset({"*"}))
    request = asked("pause" if own.state == "paused" else "resume", until="Tue 22:00", force=force)
    assert plan_request(replace(request, force=force), [holding(own, newer)]).write == written


def test_a_pause_that_its_platforms_start_ended_is_written_again() -> None:
    own = pause("ci", until=None, or_started="main")
    found = situation("platform: main", platform_state=started("Tue 11:30"), override=own)
    assert plan_request(asked("pause"), [found]).write


def test_a_forced_renewal_that_finds_it_at_rest_is_written() -> None:
    own = run("ci", force=True)
    assert plan_request(asked("resume", until="Tue 22:00", force=True), [holding(own, state="paused")]).write


def test_a_renewal_that_covers_more_endpoints_at_rest_is_written() -> None:
    own = run("ci", until="Tue 13:00", found_at_rest=frozenset({A}))
    request = asked("resume", until="Tue 13:00")
    same = [holding(own, name=A, state="running"), holding(own, name=B, state="running")]
    more = [holding(own, name=A, state="running"), holding(own, name=B, state="paused")]
    assert [plan_request(request, found).write for found in (same, more)] == [False, True]


def test_of_overrides_by_clocks_that_are_ahead_the_new_one_is_the_newest() -> None:
    ahead, far = pause("anna", "Tue 12:20"), pause("boss", "Tue 13:00")
    plan = plan_request(asked("pause", until="Tue 22:00"), [holding(ahead, far)])
    assert plan.override is not None
    assert at("Tue 12:20") < plan.override.since < at("Tue 12:21")


# What its end puts back to rest.


@pytest.mark.parametrize(
    ("text", "states", "kept", "found"),
    [
        ("", {A: "paused"}, [], {"*"}),
        ("", {A: "scaledToZero"}, [], {"*"}),
        ("", {A: "running"}, [], set()),
        ("", {A: "paused", B: "running"}, [], {A}),
        ("", {A: "paused", B: "scaledToZero"}, [], {"*"}),
        ("", {A: "running", B: "running"}, [run("anna", found_at_rest=frozenset({B}))], {B}),  # inherited
        ("", {A: "paused", B: "running"}, [run("anna", found_at_rest=frozenset({"*"}))], {"*"}),
        ("", {A: "running"}, [pause("ci", found_at_rest=frozenset({A}))], set()),  # pauses hand nothing on
        (NIGHTS, {A: "paused"}, [], set()),  # the rules put it back
    ],
)
def test_a_request_to_run_stores_what_it_found_at_rest_where_no_rule_applies(
    text: str, states: dict[str, str], kept: list[Override], found: set[str]
) -> None:
    situations = [holding(*kept, text=text, name=name, state=state) for name, state in states.items()]
    plan = plan_request(asked("resume", until="Tue 14:00"), situations)
    assert plan.override is not None
    assert plan.override.found_at_rest == found


def test_what_was_not_observed_is_not_taken_for_stopped() -> None:
    found = replace(holding(run("anna", found_at_rest=frozenset({"*"}))), endpoint=None)
    plan = plan_request(asked("resume", until="Tue 14:00"), [found])
    assert plan.override is not None
    assert plan.override.found_at_rest == frozenset()
