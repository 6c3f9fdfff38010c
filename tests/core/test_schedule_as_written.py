"""Weekly hours as they are written in the settings: what they mean, and what is refused."""

import re

import pytest

from lifecycle.core.schedule import parse
from lifecycle.core.times import DAYS


@pytest.mark.parametrize(
    ("text", "days", "begin", "end"),
    [
        ("Mon-Fri 08:00-20:00", "Mon Tue Wed Thu Fri", "08:00", "20:00"),
        ("Sun-Thu 22:00-06:00", "Sun Mon Tue Wed Thu", "22:00", "30:00"),
        ("Fri-Mon 08:00-09:00", "Fri Sat Sun Mon", "08:00", "09:00"),
        ("Wed-Wed 08:00-09:00", "Wed", "08:00", "09:00"),
        ("Sat,Sun 10:00-16:00", "Sat Sun", "10:00", "16:00"),
        ("Mon,Wed-Fri 10:00-16:00", "Mon Wed Thu Fri", "10:00", "16:00"),
        ("daily 07:00-24:00", "Mon Tue Wed Thu Fri Sat Sun", "07:00", "24:00"),
        ("daily 00:00-24:00", "Mon Tue Wed Thu Fri Sat Sun", "00:00", "24:00"),
        ("Tue 20:00-00:00", "Tue", "20:00", "24:00"),
        ("Tue 00:00-23:59", "Tue", "00:00", "23:59"),
    ],
)
def test_hours_are_days_and_times(text: str, days: str, begin: str, end: str) -> None:
    period = parse(text)
    assert {DAYS[day] for day in period.days} == set(days.split())
    assert [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (period.begin, period.end)] == [begin, end]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Mon-Fry 08:00-20:00", 'unknown day "Fry"; days are Mon … Sun'),
        ("mon 08:00-20:00", 'unknown day "mon"'),
        ("Mon,,Tue 08:00-20:00", 'unknown day ""'),
        ("Mon-Tue-Wed 08:00-20:00", 'unknown day "Tue-Wed"'),
        ("daily,Mon 08:00-20:00", 'unknown day "daily"'),
        ("Mon 08:00-08:00", "without length"),
        ("Mon 00:00-00:00", "without length"),
        ("Mon 24:00-24:00", "without length"),
        ("Mon 24:00-06:00", "24:00"),
        ("Mon 8:00-20:00", '"8:00" is not a time'),
        ("Mon 08:00-25:00", '"25:00" is not a time'),
        ("Mon 08:60-20:00", '"08:60" is not a time'),
        ("Mon 08:00-24:01", '"24:01" is not a time'),
        ("Mon 08-20", '"08" is not a time'),
        ("Mon \u0660\u0668:\u0660\u0660-20:00", "is not a time"),  # Arabic digits
        ("08:00-20:00", "hours look like"),
        ("Mon", "hours look like"),
        ("", "hours look like"),
        ("Mon 08:00 - 20:00", "hours look like"),
        ("Mon 08:00-20:00 UTC", "hours look like"),
        ("Mon 08:00-20:00\n", "hours look like"),
    ],
)
def test_what_is_no_hours_is_refused_with_what_is_allowed(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)
