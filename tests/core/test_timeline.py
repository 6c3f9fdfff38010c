"""The timeline: rules and scheduled actions together, for plan, page and status."""

from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core.forecast import forecast
from lifecycle.core.rules import Situation
from lifecycle.core.timeline import changes, next_change, phases
from support.building import DAY, HOUR, OFFICE, at, override, read, situation, started

WEEKDAYS = [{"at": "0 8 * * 1-5", "do": "resume"}, {"at": "0 20 * * 1-5", "do": "pause"}]


def seen(text: str, state: str, now: str, *actions: dict[str, str], **more: Any) -> Situation:
    """A situation with scheduled actions on its entry; times of the week of 23 November."""
    cron = ", ".join(f"{{at: '{one['at']}', do: {one['do']}, endpoints: [embeddings]}}" for one in actions)
    made = read(f"platforms: {{main: }}\nendpoints: {{embeddings: {{{text}}}}}\ncron: [{cron}]")
    return replace(situation(text, state, at(now), **more), entry=made.entries["embeddings"])


def foretold(found: Situation, days: int = 7) -> list[str]:
    stretches = forecast(found, found.now + days * DAY, {}).stretches
    return [f"{one.begin.astimezone(found.entry.zone):%a %H:%M} {one.wanted}" for one in stretches]


def hours(found: Situation, days: int = 7) -> float:
    return forecast(found, found.now + days * DAY, {}).running / HOUR


@pytest.mark.parametrize("state", ["paused", "running", "scaledToZero"])
def test_scheduled_starts_and_stops_are_sixty_hours_a_week(state: str) -> None:
    found = seen("", state, "Mon 00:00", *WEEKDAYS)
    before = 8 if state == "running" else 0
    assert hours(found) == 60 + before


def test_a_plan_says_when_scheduled_actions_change_it() -> None:
    found = seen("", "paused", "Fri 12:00", *WEEKDAYS)
    assert foretold(found, 4) == ["Fri 12:00 any", "Mon 08:00 running", "Mon 20:00 paused", "Tue 08:00 running"]


@pytest.mark.parametrize(
    ("text", "state", "now", "when", "wanted"),
    [
        ("", "paused", "Tue 12:00", "Wed 08:00", "running"),
        ("", "running", "Tue 12:00", "Tue 20:00", "paused"),
        ("", "running", "Fri 20:30", "Mon 20:00", "paused"),  # Monday's start would change nothing
        ("idle_after: 3h", "paused", "Tue 12:00", "Wed 08:00", "running"),
    ],
)
def test_what_comes_next_counts_scheduled_actions(text: str, state: str, now: str, when: str, wanted: str) -> None:
    found = seen(text, state, now, *WEEKDAYS, last_used_at=at("Mon 08:00"))
    following = next_change(found)
    assert following is not None
    expected = at(when) if at(when) > found.now else at(when) + 7 * DAY
    assert (following.at, following.wanted) == (expected, wanted)
    assert following.reason.startswith("scheduled ")


def test_rules_win_over_scheduled_actions() -> None:
    found = seen(
        OFFICE, "running", "Tue 00:00", {"at": "0 12 * * *", "do": "pause"}, {"at": "0 22 * * *", "do": "resume"}
    )
    assert foretold(found, 1) == ["Tue 00:00 paused", "Tue 08:00 running", "Tue 20:00 paused"]


def test_an_override_wins_until_it_ends_and_a_later_action_acts() -> None:
    found = seen("", "running", "Tue 18:00", *WEEKDAYS, override=override("running", until="Tue 22:00"))
    assert foretold(found, 2) == ["Tue 18:00 running", "Tue 22:00 any", "Wed 20:00 paused", "Thu 08:00 running"]


def test_a_scheduled_action_holds_until_the_rules_change_it() -> None:
    found = seen("platform: main", "paused", "Tue 06:00", {"at": "0 8 * * *", "do": "resume"})
    assert foretold(found, 2) == ["Tue 06:00 any", "Tue 08:00 running"]
    known = seen(
        "platform: main", "paused", "Tue 06:00", {"at": "0 8 * * *", "do": "pause"}, platform_state=started("Tue 05:00")
    )
    assert foretold(known, 2) == ["Tue 06:00 running"]


def test_what_rests_when_unused_rests_again_after_a_scheduled_start() -> None:
    found = seen(
        "idle_after: 3h", "paused", "Tue 00:00", {"at": "0 8 * * *", "do": "resume"}, updated_at=at("Mon 08:00")
    )
    assert foretold(found, 1) == ["Tue 00:00 paused", "Tue 08:00 running", "Tue 11:00 paused"]


def test_pings_count_as_use() -> None:
    found = seen(
        "idle_after: 3h", "paused", "Tue 00:00", {"at": "*/30 8-9 * * *", "do": "warm"}, updated_at=at("Mon 08:00")
    )
    assert foretold(found, 1) == ["Tue 00:00 paused", "Tue 08:00 running", "Tue 12:30 paused"]


def test_two_actions_of_one_minute_are_taken_in_the_files_order() -> None:
    both = [{"at": "0 8 * * *", "do": "resume"}, {"at": "0 8 * * *", "do": "pause"}]
    assert (hours(seen("", "paused", "Mon 00:00", *both)), hours(seen("", "paused", "Mon 00:00", *both[::-1]))) == (
        0,
        160,
    )


def test_what_the_rules_never_start_is_not_foretold_as_running() -> None:
    found = seen(f"{OFFICE}, start: false", "running", "Tue 12:00")
    assert foretold(found, 2) == [
        "Tue 12:00 running",
        "Tue 20:00 paused",
        "Wed 08:00 any",
        "Wed 20:00 paused",
        "Thu 08:00 any",
    ]
    assert hours(found) == 8


def test_next_says_that_the_rules_never_start_it() -> None:
    following = next_change(seen(f"{OFFICE}, start: false", "paused", "Tue 21:00"))
    assert following is not None
    assert (following.at, following.wanted) == (at("Wed 08:00"), "any")
    assert following.reason.endswith("; but start is false: the rules never start it")


@pytest.mark.parametrize(("state", "following"), [("running", ["Mon 10:00 paused"]), ("paused", [])])
def test_what_is_unused_is_stopped_next_only_if_it_is_not_at_rest(state: str, following: list[str]) -> None:
    found = seen("idle_after: 3h", state, "Mon 08:00", updated_at=at("Mon 07:00"))
    assert [f"{phase.at:%a %H:%M} {phase.wanted}" for phase in changes(found)] == following


def test_a_scheduled_start_starts_what_the_rules_never_start() -> None:
    found = seen(f"{OFFICE}, start: false", "paused", "Tue 00:00", {"at": "0 9 * * *", "do": "resume"})
    assert hours(found, 1) == 11


def test_what_is_protected_runs_on() -> None:
    found = seen(f"{OFFICE}, protected: true", "running", "Tue 12:00", {"at": "0 22 * * *", "do": "pause"})
    assert foretold(found, 1) == ["Tue 12:00 running", "Tue 20:00 any", "Wed 08:00 running"]
    assert hours(found) == 168


def test_always_is_one_stretch_holidays_or_not() -> None:
    found = seen("hours: always, holidays: [DE]", "paused", "Fri 00:00", {"at": "0 22 * * *", "do": "pause"})
    assert (foretold(found, 365), hours(found, 365)) == (["Fri 00:00 running"], 365 * 24)
    assert next_change(found) is None


def test_the_timeline_is_played_to_its_end_only() -> None:
    found = seen("", "paused", "Mon 00:00", *WEEKDAYS)
    assert [phase.at for phase in phases(found, at("Mon 20:00"))] == [at("Mon 00:00"), at("Mon 08:00")]


def test_what_a_clock_change_leaves_no_time_for_is_no_change() -> None:
    """Clocks go forward at 02:00 on 28 March: both actions fire at 03:00."""
    found = seen("", "paused", "2027-03-27", {"at": "30 2 * * *", "do": "resume"}, {"at": "0 3 * * *", "do": "pause"})
    assert foretold(found, 3) == [
        "Sat 00:00 any",
        "Sat 02:30 running",
        "Sat 03:00 paused",
        "Mon 02:30 running",
        "Mon 03:00 paused",
    ]


def test_a_boundary_at_the_end_is_not_played() -> None:
    assert [phase.at for phase in phases(seen(OFFICE, "running", "Tue 12:00"), at("Tue 20:00"))] == [at("Tue 12:00")]


def test_an_action_that_is_due_now_acts_now() -> None:
    assert foretold(seen("", "paused", "Tue 08:00", *WEEKDAYS), 1) == ["Tue 08:00 running", "Tue 20:00 paused"]


def test_an_action_that_is_due_when_an_override_ends_acts_then() -> None:
    found = seen("", "paused", "Mon 18:00", *WEEKDAYS, override=override("paused", until="Tue 08:00"))
    assert foretold(found, 1) == ["Mon 18:00 paused", "Tue 08:00 running"]


def test_the_rules_change_it_before_a_later_action_does() -> None:
    found = seen(
        "idle_after: 45m", "paused", "Tue 12:00", {"at": "0 13 * * *", "do": "resume"}, last_used_at=at("Tue 11:30")
    )
    assert foretold(found, 1) == ["Tue 12:00 any", "Tue 12:15 paused", "Tue 13:00 running", "Tue 13:45 paused"]


def test_what_was_not_observed_counts_as_at_rest_until_something_starts_it() -> None:
    unseen = replace(seen("", "paused", "Tue 06:00", *WEEKDAYS), endpoint=None)
    assert foretold(unseen, 1) == ["Tue 06:00 any", "Tue 08:00 running", "Tue 20:00 paused"]
    assert hours(unseen, 1) == 12


@pytest.mark.parametrize(("text", "when"), [("idle_after: 3h", "Tue 22:57"), ("", "Tue 23:30")])
def test_what_comes_next_is_found_behind_hundreds_of_pings(text: str, when: str) -> None:
    actions = {"at": "*/3 8-19 * * *", "do": "warm"}, {"at": "30 23 * * *", "do": "pause"}
    following = next_change(seen(text, "running", "Tue 08:00", *actions, last_used_at=at("Tue 08:00")))
    assert following is not None
    assert (following.at, following.wanted) == (at(when), "paused")


def test_a_ping_makes_an_unknown_use_known() -> None:
    found = seen("idle_after: 3h", "running", "Tue 06:00", {"at": "0 8 * * *", "do": "warm"})
    assert foretold(found, 1) == ["Tue 06:00 any", "Tue 11:00 paused"]


def test_a_scheduled_start_of_what_runs_is_no_use() -> None:
    found = seen(
        "idle_after: 3h", "running", "Tue 09:00", {"at": "0 10 * * *", "do": "resume"}, updated_at=at("Tue 08:00")
    )
    assert foretold(found, 1) == ["Tue 09:00 any", "Tue 11:00 paused"]


def test_after_the_rules_have_decided_an_earlier_scheduled_action_no_longer_counts() -> None:
    found = seen(f"{OFFICE}, protected: true", "paused", "Tue 21:00", {"at": "0 22 * * *", "do": "resume"})
    assert foretold(found, 2) == [
        "Tue 21:00 any",
        "Tue 22:00 running",
        "Wed 20:00 any",
        "Thu 08:00 running",
        "Thu 20:00 any",
    ]


def test_pings_under_an_override_hide_neither_its_end_nor_later_actions() -> None:
    actions = {"at": "*/10 20-22 * * *", "do": "warm"}, {"at": "5 23 * * *", "do": "pause"}
    found = seen("idle_after: 3h", "running", "Tue 20:00", *actions, override=override("running", until="Tue 22:00"))
    assert foretold(found, 1) == ["Tue 20:00 running", "Tue 22:00 any", "Tue 23:05 paused"]


def test_pings_under_an_override_count_as_use() -> None:
    pings = {"at": "*/10 20 * * *", "do": "warm"}
    found = seen("idle_after: 3h", "running", "Tue 20:00", pings, override=override("running", until="Tue 22:00"))
    assert foretold(found, 1) == ["Tue 20:00 running", "Tue 22:00 any", "Tue 23:50 paused"]
