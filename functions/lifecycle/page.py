"""The status as a page: one document, no script, nothing from elsewhere.

Its Content-Security-Policy allows the one style sheet that is in it, by its hash, and nothing else. Jinja2 escapes
everything that is put into it.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from lifecycle.decide import Situation, changed_at, clock, ended_at, said
from lifecycle.hours import DAYS
from lifecycle.model import FREE
from lifecycle.plan import clock_changes, forecast
from lifecycle.settings import Settings
from lifecycle.status import Status

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text()
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
HOUR_WIDTH, HEIGHT = 4, 46  # of the picture, in its own units
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_SOURCES = f"default-src 'none'; style-src 'sha256-{_HASH}'"
HEADERS = {
    "Content-Security-Policy": f"{_SOURCES}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    # Gently: two minutes, and as a header, so that nothing in the document moves by itself.
    "Refresh": "120",
}


@dataclass(frozen=True)
class Mark:
    """Something in the picture of a week: a bar from `x` on, `width` wide (0: a line), and what it says."""

    kind: str
    x: float
    width: float
    told: str


@dataclass(frozen=True)
class Card:
    """One endpoint on the page: its row of the status, and what the page says beside it."""

    row: dict[str, Any]
    bills: bool
    since: str
    next: str
    override: str
    money: str
    marks: tuple[Mark, ...]
    days: tuple[Mark, ...]
    told: str
    name: str


def html(status: Status, settings: Settings) -> str:
    """The page. Prices are dollars an hour for one replica, the forecast is for 30 days."""
    rows = zip(status.told["endpoints"], status.situations, strict=True)
    cards = [_card(row, situation, status) for row, situation in rows]
    told = status.told
    made_from = told["jobs_settings_sha256"]
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return template.from_string((HERE / "page.html").read_text()).render(
        told=told,
        cards=cards,
        namespace=settings.namespace,
        dry_run=settings.dry_run,
        style=STYLE,
        billing=[found for found in told["unmanaged"] if found["state"] not in FREE],
        drifted=made_from is not None and made_from != told["settings_sha256"],
        now=f"{datetime.fromisoformat(told['now']).astimezone(settings.zone):%Y-%m-%d %H:%M} {settings.zone.key}",
        width=7 * 24 * HOUR_WIDTH,
        height=HEIGHT,
    )


def _card(row: dict[str, Any], situation: Situation, status: Status) -> Card:
    entry, now = situation.entry, situation.now
    following = row["next"]
    override = situation.memory.overrides.get(entry.key)
    holds = override if override and not ended_at(override, situation.memory, now) else None
    changed = holds.since if holds else changed_at(situation)
    month = forecast(situation, now + MONTH, status.prices)
    money = f"${month.cost} of ${month.cost_always_on} always on" if month.cost is not None else "price unknown"
    marks = tuple(_marks(situation, status))
    return Card(
        row=row,
        bills=row["after"] is not None and row["after"] not in FREE,
        since=clock(changed, entry.zone, now) if changed else "",
        next=f"{following['wanted']} at {clock(_time(following['at']), entry.zone, now)}" if following else "",
        override=said(holds, entry.zone, now) if holds else "",
        money=money,
        marks=marks,
        days=tuple(_days(situation)),
        told="; ".join(mark.told for mark in marks),
        name=entry.key,
    )


def _marks(situation: Situation, status: Status) -> Iterator[Mark]:
    """The coming week from the wishes that the functions act on, from midnight of today."""
    entry, now = situation.entry, situation.now
    begin = _midnight(situation)
    end = begin + WEEK

    def bar(kind: str, since: datetime, until: datetime, told: str) -> Mark:
        x = _x(since, begin)
        return Mark(kind, x, max(0.0, _x(min(until, end), begin) - x), told)

    for day in sorted(entry.hours.holidays if entry.hours else ()):
        midnight = datetime(day.year, day.month, day.day, tzinfo=entry.zone)
        if begin <= midnight < end:
            yield bar("holiday", midnight, midnight + timedelta(days=1), f"holiday {day}")
    for stretch in forecast(situation, end, status.prices).stretches:
        if stretch.wanted == "running":
            since, until = (clock(at, entry.zone, now) for at in (stretch.begin, stretch.end))
            yield bar("running", stretch.begin, stretch.end, f"runs from {since} to {until}")
    override = situation.memory.overrides.get(entry.key)
    if override and not ended_at(override, situation.memory, now):
        yield bar("override", now, override.until or end, said(override, entry.zone, now))
    for change in clock_changes(entry.zone, now, end):
        yield bar("change", change, change, f"the clock changes at {clock(change, entry.zone, now)}")
    state = situation.endpoint.state if situation.endpoint else "unknown"
    yield bar("now", now, now, f"now: {state}")


def _days(situation: Situation) -> Iterator[Mark]:
    begin = _midnight(situation)
    for number in range(7):
        at = begin + timedelta(days=number)
        local = at.astimezone(situation.entry.zone)
        yield Mark("day", _x(at, begin), 24 * HOUR_WIDTH, f"{DAYS[local.weekday()]} {local.day}")


def _midnight(situation: Situation) -> datetime:
    local = situation.now.astimezone(situation.entry.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _x(when: datetime, begin: datetime) -> float:
    return round((when.timestamp() - begin.timestamp()) / 3600 * HOUR_WIDTH, 1)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
