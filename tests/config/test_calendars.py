"""Holidays of countries and regions: each zone's own day, and what is refused with the nearest."""

import subprocess
import sys
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.entries import Settings
from support.building import at, entry, read, refusal

WHIT_MONDAY = date(2027, 5, 17)
ALL_SAINTS = date(2027, 11, 1)


def office(holidays: str) -> Settings:
    return read(f"holidays: [{holidays}]\nendpoints: {{a: {{hours: Mon-Fri 08:00-20:00}}}}")


@pytest.mark.parametrize(
    ("codes", "day", "is_one"),
    [
        ("DE", WHIT_MONDAY, True),
        ("DE", ALL_SAINTS, False),
        ("DE-BY", ALL_SAINTS, True),
        ("DE-BE, 2027-11-01", ALL_SAINTS, True),
        ("DE, FR", date(2027, 7, 14), True),
        ("US-CA", date(2027, 3, 31), True),  # Cesar Chavez Day
        ("US", date(2027, 3, 31), False),
        ("US", date(2027, 7, 5), True),  # the 4th is a Sunday, observed on Monday
        ("NO", date(2027, 5, 17), True),  # not the "no" of YAML 1.1
        ("GB-SCT", date(2027, 11, 30), True),
        ("FR-57", date(2027, 12, 26), True),
    ],
)
def test_a_country_or_region_has_its_holidays(codes: str, day: date, is_one: bool) -> None:
    assert (day in office(codes).holidays) is is_one


def test_an_entrys_own_calendar_replaces_that_of_all() -> None:
    made = read("holidays: [DE]\nendpoints: {a: {hours: daily 08:00-20:00, holidays: [FR]}}").entries["a"].hours
    assert made is not None
    assert (date(2027, 7, 14) in made.holidays, date(2027, 10, 3) in made.holidays) == (True, False)


def test_a_holiday_is_the_day_of_the_entrys_own_zone() -> None:
    tokyo = entry("hours: daily 08:00-20:00, time_zone: Asia/Tokyo, holidays: [JP]").hours
    assert tokyo is not None
    new_year = [at(f"2027-01-{day:02} 12:00").astimezone(ZoneInfo("Asia/Tokyo")) for day in (1, 2)]
    assert [tokyo.at(when.replace(hour=12)) is None for when in new_year] == [True, False]


@pytest.mark.parametrize(
    ("code", "reported", "meant"),
    [
        ("DE-BX", "unknown part of DE; the parts of DE are BB, BE, BW, BY", "DE-B"),
        ("DE-Bayern", "unknown part of DE", "did you mean DE-BY?"),
        ("US-California", "unknown part of US", "did you mean US-CA?"),
        ("IL-X", "unknown part of IL; only IL itself is known", "IL"),
        ("UK", "unknown country", "did you mean GB?"),
        ("Germany", "unknown country", "did you mean DE?"),
        ("DEU-BY", "unknown country", "did you mean DE-BY?"),
        ("de-by", "unknown country", "did you mean DE-BY?"),
        ("XX", "unknown country; codes are those of ISO 3166", ""),
        ("DE-", "unknown part of DE", ""),
    ],
)
def test_an_unknown_code_is_refused_with_the_nearest(code: str, reported: str, meant: str) -> None:
    (line,) = refusal(f"namespace: a\nholidays: [2026-12-25, {code}]\nendpoints: {{}}")
    assert line.startswith(f'holidays[1]: "{code}": {reported}')
    assert meant in line


def test_a_code_without_brackets_is_refused_with_them() -> None:
    (line,) = refusal("namespace: a\nholidays: DE-BY\nendpoints: {}")
    assert "did you mean [DE-BY]?" in line


@pytest.mark.parametrize(("holidays", "imported"), [("2026-12-25", "False"), ("DE", "True")])
def test_the_library_is_imported_only_where_a_calendar_is_used(holidays: str, imported: str) -> None:
    text = f"namespace: a\\nholidays: [{holidays}]\\nendpoints: {{a: {{hours: daily 08:00-20:00}}}}"
    code = f"import sys, lifecycle.app\nfrom lifecycle.config import settings\nsettings.parse(b'{text}')\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print('holidays' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == imported
