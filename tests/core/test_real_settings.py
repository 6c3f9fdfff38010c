"""Settings as people have them: what the plan says, against calendars made by hand.

A calendar has a line for each time that it runs, on the clock of its zone; a month's days are enough to read it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from lifecycle.core.forecast import forecast
from lifecycle.core.model import Endpoint, StoredState
from lifecycle.core.rules import Situation
from support.building import read

OFFICE = "Mon-Fri 08:00-20:00"


@dataclass(frozen=True)
class Case:
    """`entry`: the settings of the entry; `cron`: at and do of scheduled actions. `since`: on the clock of its zone."""

    name: str
    entry: str
    since: str
    days: int
    calendar: str
    cron: tuple[tuple[str, str], ...] = ()
    state: str = "paused"


CASES = [
    Case("office hours with a lunch break", "hours: [Mon-Fri 08:00-12:00, Mon-Fri 13:00-17:00]", "2026-11-26", 5, """
        Thu 26 08:00 - Thu 26 12:00
        Thu 26 13:00 - Thu 26 17:00
        Fri 27 08:00 - Fri 27 12:00
        Fri 27 13:00 - Fri 27 17:00
        Mon 30 08:00 - Mon 30 12:00
        Mon 30 13:00 - Mon 30 17:00
    """),
    Case("ready at eight", f"hours: {OFFICE}, lead: 10m", "2026-11-27", 4, """
        Fri 27 07:50 - Fri 27 20:00
        Mon 30 07:50 - Mon 30 20:00
    """),
    Case("shifts over midnight on Fridays only", "hours: Fri 22:00-06:00", "2026-11-26", 11, """
        Fri 27 22:00 - Sat 28 06:00
        Fri 04 22:00 - Sat 05 06:00
    """),
    Case("Israel's week, with Yom Kippur on Monday",
         "hours: Sun-Thu 09:00-18:00, time_zone: Asia/Jerusalem, holidays: [IL]", "2026-09-20", 7, """
        Sun 20 09:00 - Sun 20 18:00
        Tue 22 09:00 - Tue 22 18:00
        Wed 23 09:00 - Wed 23 18:00
        Thu 24 09:00 - Thu 24 18:00
    """),
    Case("two countries' holidays: Bastille Day", "hours: Mon-Fri 09:00-17:00, holidays: [DE, FR]", "2027-07-12", 7, """
        Mon 12 09:00 - Mon 12 17:00
        Tue 13 09:00 - Tue 13 17:00
        Thu 15 09:00 - Thu 15 17:00
        Fri 16 09:00 - Fri 16 17:00
    """),
    Case("always on, at Christmas too", "hours: always, holidays: [DE, 2026-12-24]", "2026-12-24", 4, """
        Thu 24 00:00 - Mon 28 00:00
    """),
    Case("spared", f"hours: {OFFICE}, protected: true", "2026-11-27", 3, """
        Fri 27 00:00 - Mon 30 00:00
    """, cron=(("0 20 * * *", "pause"),), state="running"),
    Case("one weekend a year", "", "2027-06-10", 7, """
        Sat 12 08:00 - Sun 13 20:00
    """, cron=(("0 8 12 6 *", "resume"), ("0 20 13 6 *", "pause"))),
    Case("month's end batch", "", "2026-11-30", 33, """
        Tue 01 00:00 - Tue 01 06:00
        Fri 01 00:00 - Fri 01 06:00
    """, cron=(("0 0 1 * *", "resume"), ("0 6 1 * *", "pause"))),
    Case("nights for batch work", "hours: Sun-Thu 22:00-06:00", "2026-11-26", 4, """
        Thu 26 00:00 - Thu 26 06:00
        Thu 26 22:00 - Fri 27 06:00
        Sun 29 22:00 - Mon 30 00:00
    """),
    Case("shop at weekends", "hours: 'Sat,Sun 10:00-16:00'", "2026-11-27", 7, """
        Sat 28 10:00 - Sat 28 16:00
        Sun 29 10:00 - Sun 29 16:00
    """),
    Case("from Friday evening through the weekend",
         "hours: [Fri 18:00-24:00, 'Sat,Sun 00:00-24:00']", "2026-11-26", 7, """
        Fri 27 18:00 - Mon 30 00:00
    """),
    Case("three shifts without a gap",
         "hours: [daily 06:00-14:00, daily 14:00-22:00, daily 22:00-06:00]", "2026-11-26", 3, """
        Thu 26 00:00 - Sun 29 00:00
    """),
    Case("New York at Thanksgiving",
         "hours: Mon-Fri 07:00-22:00, time_zone: America/New_York, holidays: [US]", "2026-11-25", 4, """
        Wed 25 07:00 - Wed 25 22:00
        Fri 27 07:00 - Fri 27 22:00
    """),
    Case("Bavaria's Whit Monday and Corpus Christi", f"hours: {OFFICE}, holidays: [DE-BY]", "2027-05-14", 15, """
        Fri 14 08:00 - Fri 14 20:00
        Tue 18 08:00 - Tue 18 20:00
        Wed 19 08:00 - Wed 19 20:00
        Thu 20 08:00 - Thu 20 20:00
        Fri 21 08:00 - Fri 21 20:00
        Mon 24 08:00 - Mon 24 20:00
        Tue 25 08:00 - Tue 25 20:00
        Wed 26 08:00 - Wed 26 20:00
        Fri 28 08:00 - Fri 28 20:00
    """),
    Case("closed between the years", f"hours: {OFFICE}, holidays: [2026-12-24..2027-01-03]", "2026-12-23", 13, """
        Wed 23 08:00 - Wed 23 20:00
        Mon 04 08:00 - Mon 04 20:00
    """),
    Case("nightly backup in a night of 23 hours", "hours: daily 01:00-05:00", "2027-03-28", 2, """
        Sun 28 01:00 - Sun 28 05:00
        Mon 29 01:00 - Mon 29 05:00
    """),
    Case("people start it, the evening stops it", f"hours: {OFFICE}, start: false", "2026-11-24T12:00", 3, """
        Tue 24 12:00 - Tue 24 20:00
    """, state="running"),
    Case("weekdays by two timers", "", "2026-11-27", 4, """
        Fri 27 08:00 - Fri 27 20:00
        Mon 30 08:00 - Mon 30 20:00
    """, cron=(("0 8 * * 1-5", "resume"), ("0 20 * * 1-5", "pause"))),
    Case("a timer outside the hours yields to them", f"hours: {OFFICE}", "2026-11-27", 4, """
        Fri 27 08:00 - Fri 27 20:00
        Mon 30 08:00 - Mon 30 20:00
    """, cron=(("0 10 * * 6", "resume"),)),
    Case("Tokyo on Labour Thanksgiving Day",
         "hours: Mon-Fri 09:00-18:00, time_zone: Asia/Tokyo, holidays: [JP]", "2026-11-23", 2, """
        Tue 24 09:00 - Tue 24 18:00
    """),
    Case("Scotland on St Andrew's Day, and one day more",
         f"hours: {OFFICE}, time_zone: Europe/London, holidays: [GB-SCT, 2026-12-01]", "2026-11-27", 6, """
        Fri 27 08:00 - Fri 27 20:00
        Wed 02 08:00 - Wed 02 20:00
    """),
    Case("a playground that a timer opens and idleness closes", "idle_after: 2h", "2026-11-24", 2, """
        Tue 24 09:00 - Tue 24 11:00
        Wed 25 09:00 - Wed 25 11:00
    """, cron=(("0 9 * * 1-5", "resume"),)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_plan_is_the_calendar(case: Case) -> None:
    cron = ", ".join(f"{{at: {at}, do: {do}, endpoints: [it]}}" for at, do in case.cron)
    entry = read(f"endpoints: {{it: {{{case.entry}}}}}\ncron: [{cron}]").entries["it"]
    since = datetime.fromisoformat(case.since).replace(tzinfo=entry.zone)
    endpoint = Endpoint("it", case.state, updated_at=since - timedelta(days=1))
    seen = Situation(entry, endpoint, StoredState(), since)
    found = forecast(seen, since + timedelta(days=case.days), {})
    runs: list[list[datetime]] = []
    for stretch in found.stretches:
        if stretch.runs and runs and runs[-1][1] == stretch.begin:
            runs[-1][1] = stretch.end
        elif stretch.runs:
            runs.append([stretch.begin, stretch.end])
    output = [" - ".join(f"{when.astimezone(entry.zone):%a %d %H:%M}" for when in run) for run in runs]
    assert output == [line.strip() for line in case.calendar.strip().splitlines()]


def test_a_night_of_23_hours_is_billed_as_three() -> None:
    (case,) = [case for case in CASES if "23 hours" in case.name]
    entry = read(f"endpoints: {{it: {{{case.entry}}}}}").entries["it"]
    since = datetime.fromisoformat(case.since).replace(tzinfo=entry.zone)
    found = forecast(Situation(entry, None, StoredState(), since), since + timedelta(days=2), {})
    assert found.running == timedelta(hours=3 + 4)
