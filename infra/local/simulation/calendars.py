"""Days without hours, for the oracle: dates as given, and those of countries and regions in the weeks that are played,
from public calendars. Nothing of the product is used here.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

CALENDARS = {
    "DE-BY": "2026-04-03 2026-04-06 2026-10-03 2026-11-01 2026-12-25 2026-12-26 2027-01-01 2027-01-06",
    "GB": "2026-04-03 2026-12-25 2026-12-26 2026-12-28 2027-01-01",
    "AU-NSW": "2026-04-03 2026-04-04 2026-04-05 2026-04-06 2026-10-05 2026-12-25 2026-12-26 2026-12-28 2027-01-01",
    "IN": "2026-03-04 2026-03-21 2026-03-26 2026-03-31 2026-04-03 2026-10-02 2026-10-20 2026-11-08 2026-12-25",
    "IL": "2026-04-02 2026-04-08 2026-09-21 2026-09-26 2026-10-03",
}


def days_off(texts: Iterable[str]) -> set[date]:
    """The days of a list of dates, stretches of dates and calendars."""
    return {day for text in texts for part in CALENDARS.get(text, text).split() for day in _stretch(part)}


def _stretch(text: str) -> Iterator[date]:
    first, _, last = text.partition("..")
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last or first):
        yield day
        day += timedelta(days=1)
