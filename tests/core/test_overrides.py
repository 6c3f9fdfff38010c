"""Overrides as values: which are in force, which one decides, what is stored after a change, and how they read."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lifecycle.core.model import Override, StoredState
from lifecycle.core.overrides import (
    commanding,
    covering,
    deciding,
    describe,
    describe_all,
    ended_at,
    ended_now,
    in_force,
    runs,
    with_override,
    without,
)
from support.building import BERLIN, NOON, at, started, stopped
from support.situations import pause, run

EARLY, LATE = at("Tue 10:00"), at("Tue 11:00")
SECOND = timedelta(seconds=1)


def stored(*overrides: Override) -> StoredState:
    """They are those of `embeddings`; another entry has one, too."""
    return StoredState({"embeddings": overrides, "other": (pause("boss"),)})


# Which are in force.


@pytest.mark.parametrize(
    ("found", "now", "ended"),
    [
        (pause(), at("Tue 22:00") - SECOND, None),
        (pause(), at("Tue 22:00"), at("Tue 22:00")),
        (pause(until=None), NOON, None),
        (pause(until=None, or_started="main"), NOON, at("Tue 11:30")),
        (pause(until=None, or_started="main"), at("Tue 11:30") - SECOND, None),  # it has not been heard of yet
        (pause(since="Tue 11:30", until=None, or_started="main"), NOON, None),  # it was started already
        (pause(until=None, or_started="other"), NOON, None),
        (pause(until=None, or_started="new"), NOON, at("Tue 11:40")),
        (pause(until="Tue 11:45", or_started="main"), NOON, at("Tue 11:30")),
        (pause(until="Tue 11:15", or_started="main"), NOON, at("Tue 11:15")),
    ],
)
def test_it_ends_at_its_end_or_when_its_platform_starts(found: Override, now: datetime, ended: datetime | None) -> None:
    memory = StoredState(
        platforms={
            "main": started("Tue 11:50", first="Tue 11:30"),
            "new": started("Tue 11:40"),
            "other": stopped("Tue 11:30"),
        }
    )
    assert ended_at(found, memory, now) == ended


def test_one_for_a_single_endpoint_covers_no_other() -> None:
    whole, single = pause(), pause(endpoint="trial-a")
    assert covering(stored(whole, single), "embeddings", "trial-a") == [whole, single]
    assert covering(stored(whole, single), "embeddings", "trial-b") == [whole]


def test_those_in_force_are_listed_oldest_first() -> None:
    new, old, over = (
        pause(since="Tue 11:30"),
        pause(since="Tue 10:00", holder="ci"),
        pause(since="Tue 09:00", until="Tue 11:59"),
    )
    assert in_force(stored(new, old, over), "embeddings", None, NOON) == [old, new]


def test_an_entry_without_overrides_has_none() -> None:
    assert in_force(StoredState(), "embeddings", None, NOON) == []


# Which one decides.


@pytest.mark.parametrize(
    ("found", "index"),
    [
        ([], None),
        ([run()], None),  # nothing stands against it
        ([pause()], 0),
        ([pause(since="Tue 10:00"), run(since="Tue 11:00", holder="ci")], 0),  # a request to run does not lift a pause
        ([pause(since="Tue 10:00"), run(since="Tue 11:00", force=True)], 1),
        ([pause(since="Tue 11:00"), run(since="Tue 10:00", force=True)], 0),
        ([run(since="Tue 11:00", force=True), pause(since="Tue 11:00")], 1),  # of equally new ones the pause
        ([pause(since="Tue 11:00"), run(since="Tue 11:00", force=True)], 0),
        ([pause(since="Tue 10:00"), pause(since="Tue 11:00", holder="ci")], 1),
    ],
)
def test_the_newest_pause_or_forced_request_commands(found: list[Override], index: int | None) -> None:
    assert commanding(found) is (None if index is None else found[index])


@pytest.mark.parametrize(
    "last",
    [run("last", until="Tue 23:00"), run(since="Tue 09:00", until=None, holder="last"), run(until="Wed 01:00")],
)
def test_without_a_pause_the_request_to_run_that_ends_last_decides(last: Override) -> None:
    others = [run("a", until="Tue 13:00"), run("b", until="Tue 22:30")]
    assert deciding([last, *others]) is deciding([*others, last]) is deciding([others[0], last, others[1]]) is last


def test_a_pause_decides_over_longer_requests_to_run() -> None:
    held = pause(until="Tue 12:30")
    assert deciding([held, run("ci", until=None)]) is held


def test_nothing_decides_where_nothing_is_in_force() -> None:
    assert deciding([]) is None


def test_requests_to_run_are_listed_without_the_pauses() -> None:
    asked = run()
    assert runs([pause(), asked]) == [asked]


# What is stored.


def test_without_some_of_them_the_other_slots_and_entries_stay() -> None:
    own, others = pause("ci"), [pause("ci", endpoint="trial-a"), pause("anna"), pause()]
    left = without(stored(own, *others), "embeddings", [replace(own, since=EARLY)])
    assert left == stored(*others)


def test_without_any_in_an_entry_that_has_none() -> None:
    assert without(StoredState(), "embeddings", [pause()]).overrides == {"embeddings": ()}


def test_a_new_one_replaces_its_holders_own_for_the_same_endpoints() -> None:
    own, other, new = run("ci"), pause("anna"), pause(since="Tue 12:00", holder="ci")
    assert with_override(stored(own, other), "embeddings", new) == stored(other, new)


def test_what_ends_now_waits_for_no_platform() -> None:
    released, other = pause(until=None, or_started="main", holder="ci"), pause("anna")
    then = ended_now(stored(released, other), "embeddings", [released], NOON)
    assert then == stored(replace(released, until=NOON, or_started=None), other)


# How they read.


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (pause(), "asked by hand until 22:00 Europe/Berlin"),
        (pause(until="Wed 08:00"), "asked by hand until Wed 2026-11-25 08:00 Europe/Berlin"),
        (pause(until=None), "asked by hand until released"),
        (pause(until=None, or_started="main"), "asked by hand until platform main starts"),
        (pause(or_started="main"), "asked by hand until 22:00 Europe/Berlin or platform main starts"),
        (run(), "asked by hand until 22:00 Europe/Berlin"),
        (run(force=True), "asked by hand, forced, until 22:00 Europe/Berlin"),
        (pause(force=True), "asked by hand until 22:00 Europe/Berlin"),
        (pause(by="anna@example.com"), "asked by hand until 22:00 Europe/Berlin by anna@example.com"),
        (pause("ci-42"), "asked by hand until 22:00 Europe/Berlin by ci-42"),
        (pause("a@b.c", by="a@b.c"), "asked by hand until 22:00 Europe/Berlin by a@b.c"),
        (pause("ci-42", by="a@b.c"), "asked by hand until 22:00 Europe/Berlin by ci-42 (a@b.c)"),
        (pause(by="a@b.c", note="load test"), "asked by hand until 22:00 Europe/Berlin by a@b.c: load test"),
        (pause(note="load test"), "asked by hand until 22:00 Europe/Berlin: load test"),
    ],
)
def test_one_reads_as_who_asked_until_when_and_why(found: Override, text: str) -> None:
    assert describe(found, BERLIN, NOON) == text


def test_one_of_several_reads_as_one() -> None:
    assert describe_all([pause(by="a@b.c")], BERLIN, NOON) == "asked by hand until 22:00 Europe/Berlin by a@b.c"


def test_several_read_as_who_holds_it_with_the_zone_once() -> None:
    held = [run(until="Tue 17:00", by="a@b.c"), run("ci-42", until="Tue 13:30"), run(until="Tue 14:00")]
    assert describe_all(held[:2], BERLIN, NOON) == "held by a@b.c until 17:00 and ci-42 until 13:30 Europe/Berlin"
    assert describe_all(held, BERLIN, NOON) == (
        "held by a@b.c until 17:00, ci-42 until 13:30 and an unnamed caller until 14:00 Europe/Berlin"
    )
