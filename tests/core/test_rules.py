"""The desired state and its reason, by the six rules."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lifecycle.core.model import PlatformState, StoredState, Wanted
from lifecycle.core.overrides import ended_at
from lifecycle.core.rules import decide
from support.building import (
    DAY,
    HOUR,
    MINUTE,
    NIGHTS,
    NOON,
    OFFICE,
    STARTED,
    STOPPED,
    at,
    later,
    override,
    situation,
    started,
    stopped,
    taken,
)
from support.situations import ALWAYS

LONG_AGO = at("Tue 06:00")
DAYS_OFF = ("2026-11-24", "2026-11-25")

# The six rules, and which comes before which.


@pytest.mark.parametrize(
    ("text", "more", "wanted"),
    [
        # 1. an override in force beats all others
        (OFFICE, {"override": override("paused")}, "paused"),
        (NIGHTS, {"override": override("running")}, "running"),
        ("platform: main", {"override": override("running"), "platform_state": STOPPED}, "running"),
        ("platform: main", {"override": override("paused"), "platform_state": STARTED}, "paused"),
        ("idle_after: 45m", {"override": override("running"), "last_used_at": LONG_AGO}, "running"),
        ("", {"override": override("paused")}, "paused"),
        (OFFICE, {"override": override("paused", until=None)}, "paused"),
        # 2. a platform that is stopped beats the hours
        (f"{OFFICE}, platform: main", {"platform_state": STOPPED}, "paused"),
        (f"{OFFICE}, platform: main, rest: scaledToZero", {"platform_state": STOPPED}, "scaledToZero"),
        ("platform: main", {"platform_state": STOPPED}, "paused"),
        # 3. hours beat a platform that is started
        (OFFICE, {}, "running"),
        (NIGHTS, {}, "paused"),
        (f"{NIGHTS}, rest: scaledToZero", {}, "scaledToZero"),
        (f"{NIGHTS}, platform: main", {"platform_state": STARTED}, "paused"),
        (f"{OFFICE}, platform: main", {"platform_state": STARTED}, "running"),
        (f"{OFFICE}, platform: main", {}, "running"),
        # 4. a platform that is started
        ("platform: main", {"platform_state": STARTED}, "running"),
        # 5. unused for so long
        ("idle_after: 45m", {"last_used_at": LONG_AGO}, "paused"),
        ("idle_after: 45m, rest: scaledToZero", {"last_used_at": LONG_AGO}, "scaledToZero"),
        # 6. left alone
        ("", {}, "any"),
        ("platform: main", {}, "any"),
        ("", {"platform_state": STOPPED}, "any"),
        ("idle_after: 45m", {"last_used_at": NOON}, "any"),
        ("idle_after: 45m", {}, "any"),
    ],
)
def test_the_first_rule_that_applies_decides(text: str, more: dict[str, Any], wanted: Wanted) -> None:
    assert decide(situation(text, **more)).wanted == wanted


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("", {"override": override("paused", until="Tue 22:00")}, "asked by hand until 22:00 Europe/Berlin"),
        ("", {"override": override("paused", by="anna@example.com")}, "anna@example.com"),
        ("", {"override": override("paused", note="load test")}, "load test"),
        ("", {"override": override("paused", until=None)}, "released"),
        ("", {"override": override("paused", until=None, or_started="main")}, "platform main starts"),
        ("platform: main", {"platform_state": STOPPED}, "platform main stopped at 06:00 Europe/Berlin"),
        ("platform: main", {"platform_state": STARTED}, "platform main started at 06:00 Europe/Berlin"),
        (OFFICE, {}, "Mon-Fri 08:00-20:00"),
        (OFFICE, {}, "20:00 Europe/Berlin"),
        (NIGHTS, {}, "22:00 Europe/Berlin"),
        ("hours: Wed 08:00-20:00", {}, "Wed 2026-11-25 08:00 Europe/Berlin"),
        ("hours: Tue 12:05-20:00, lead: 10m", {}, "lead 10m"),
        ("idle_after: 45m", {"last_used_at": LONG_AGO}, "06:00 Europe/Berlin"),
        ("platform: main", {"unavailable_reason": "SCHEDULER_PARENT is not set"}, "SCHEDULER_PARENT is not set"),
    ],
)
def test_the_reason_names_what_decided(text: str, more: dict[str, Any], reason: str) -> None:
    assert reason in decide(situation(text, **more)).reason


def test_the_reason_of_an_override_is_as_the_design_shows_it() -> None:
    assert decide(situation(override=override("paused"))).reason == "asked by hand until 22:00 Europe/Berlin"


def test_hours_round_the_clock_name_no_end() -> None:
    assert "until" not in decide(situation(ALWAYS)).reason


@pytest.mark.parametrize(("text", "named"), [("", False), ("platform: main", True)])
def test_where_no_rule_applies_a_platform_is_named_that_might_have(text: str, named: bool) -> None:
    assert ("platform main has sent no message yet" in decide(situation(text)).reason) == named


def test_what_was_not_observed_is_not_taken_for_unused() -> None:
    assert decide(replace(situation("idle_after: 45m"), endpoint=None)).wanted == "any"


def test_a_holiday_is_named_in_the_reason() -> None:
    reasons = [decide(situation(f"{OFFICE}, holidays: [{day}]", now=at("Tue 21:00"))).reason for day in DAYS_OFF]
    assert ["holiday" in reason for reason in reasons] == [True, False]


def test_hours_that_never_come_leave_it_at_rest() -> None:
    assert decide(situation(f"{OFFICE}, holidays: [2026-01-01..2035-12-31]")).wanted == "paused"


def test_the_reason_speaks_in_the_entrys_own_zone() -> None:
    found = situation(f"{OFFICE}, time_zone: America/New_York", now=at("Tue 16:00"))
    assert "20:00 America/New_York" in decide(found).reason


# Overrides end.


def test_an_override_holds_up_to_its_end() -> None:
    found = situation(OFFICE, override=override("paused", until="Tue 13:00"))
    assert [decide(later(found, length)).wanted for length in (59 * MINUTE, HOUR)] == ["paused", "running"]


def test_an_override_until_released_holds_for_ever() -> None:
    found = situation(OFFICE, override=override("paused", until=None))
    assert decide(later(found, 300 * DAY)).wanted == "paused"


@pytest.mark.parametrize(
    ("platform_state", "ended"),
    [
        (None, False),
        (stopped("Tue 11:30"), False),
        (started("Tue 10:00"), False),  # was started when asked
        (started("Tue 11:30", first="Tue 10:00"), False),  # was started when asked, and repeated that
        (started("Tue 11:30"), True),
        (started("Tue 11:40", first="Tue 11:30"), True),
    ],
)
def test_an_override_ends_when_its_platform_next_changes_to_started(
    platform_state: PlatformState | None, ended: bool
) -> None:
    found = override("paused", "Tue 11:00", None, or_started="main")
    memory = StoredState(platforms={"main": platform_state} if platform_state else {})
    assert (ended_at(found, memory, NOON) is not None) == ended


def test_an_override_that_names_no_platform_outlasts_its_start() -> None:
    found = situation("platform: main", override=override("paused", until=None), platform_state=started("Tue 11:30"))
    assert decide(found).wanted == "paused"


def test_of_an_end_and_a_platforms_start_the_first_ends_an_override() -> None:
    found = override("paused", "Tue 11:00", "Tue 11:45", or_started="main")
    assert ended_at(found, StoredState(platforms={"main": started("Tue 11:30")}), NOON) == at("Tue 11:30")


# Platforms.


def test_started_counts_as_stopped_when_it_is_not_repeated() -> None:
    found = situation("platform: main", platform="{max_started: 6h}", platform_state=started("Tue 06:00"))
    assert [decide(later(found, length)).wanted for length in (-MINUTE, timedelta())] == ["running", "paused"]


def test_a_platform_not_renewed_is_reported_as_stopped_from_then_on() -> None:
    found = situation("platform: main", platform="{max_started: 5h}", platform_state=started("Tue 06:00"))
    assert "platform main stopped at 11:00 Europe/Berlin" in decide(found).reason


def test_without_max_started_started_holds() -> None:
    assert (
        decide(situation("platform: main", now=at("Tue 06:00") + 300 * DAY, platform_state=STARTED)).wanted == "running"
    )


def test_stopped_holds_however_long_ago() -> None:
    found = situation("platform: main", platform="{max_started: 1h}", platform_state=STOPPED, now=NOON + 300 * DAY)
    assert decide(found).wanted == "paused"


# Hours.


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        *[("Tue 07:49", "paused"), ("Tue 07:50", "running"), ("Tue 08:00", "running")],
        *[("Tue 19:59", "running"), ("Tue 20:00", "paused"), ("Sat 12:00", "paused")],
    ],
)
def test_hours_want_it_running_from_their_lead_to_their_end(now: str, wanted: Wanted) -> None:
    assert decide(situation(f"{OFFICE}, lead: 10m", now=at(now))).wanted == wanted


# Unused.


@pytest.mark.parametrize(
    ("used", "updated", "wanted"),
    [
        ("Tue 11:15", None, "paused"),
        ("Tue 11:16", None, "any"),
        (None, "Tue 11:15", "paused"),
        (None, "Tue 11:16", "any"),
        ("Tue 11:16", "Tue 06:00", "any"),
        ("Tue 06:00", "Tue 11:16", "any"),  # the later of both counts
        ("Tue 06:00", "Tue 06:00", "paused"),
    ],
)
def test_unused_since_the_later_of_last_use_and_last_update(used: str | None, updated: str | None, wanted: str) -> None:
    last_used_at, updated_at = (at(text) if text else None for text in (used, updated))
    assert decide(situation("idle_after: 45m", last_used_at=last_used_at, updated_at=updated_at)).wanted == wanted


def test_where_neither_last_use_nor_update_is_known_it_is_left_alone_and_reported() -> None:
    found = taken(situation("idle_after: 45m"))
    assert (found.action, found.outcome) == ("none", "skipped")
    assert found.level != "INFO"


# Always, and protected.


def test_always_runs_without_an_end() -> None:
    found = decide(situation("hours: always, holidays: [2026-11-24]"))
    assert (found.wanted, found.reason, found.until) == ("running", "hours: always", None)


def test_always_rests_while_its_platform_is_stopped() -> None:
    assert decide(situation("hours: always, platform: main", platform_state=STOPPED)).wanted == "paused"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (f"{OFFICE}, holidays: [2026-11-24]", {}),
        ("hours: daily 22:00-06:00", {}),
        ("hours: daily 22:00-06:00, rest: scaledToZero", {}),
        ("platform: main", {"platform_state": STOPPED}),
        ("platform: main", {"platform": "{max_started: 1h}", "platform_state": STARTED}),
        ("idle_after: 45m", {"last_used_at": at("Tue 01:00")}),
    ],
)
def test_no_rule_stops_what_is_protected(text: str, more: dict[str, Any]) -> None:
    unprotected = decide(situation(text, **more))
    found = decide(situation(f"{text}, protected: true", **more))
    assert (found.wanted, found.reason, found.until) == ("any", f"protected: {unprotected.reason}", unprotected.until)


def test_what_is_protected_is_started_for_its_hours() -> None:
    assert decide(situation(f"{OFFICE}, protected: true", "paused")).wanted == "running"


def test_an_override_stops_what_is_protected() -> None:
    assert decide(situation(f"{OFFICE}, protected: true", override=override("paused"))).wanted == "paused"
