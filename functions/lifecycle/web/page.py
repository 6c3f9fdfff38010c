"""The status as a page: one document, no script, nothing from elsewhere.

Its Content-Security-Policy allows the one style sheet that is in it, by its hash, and nothing else. Jinja2 escapes
everything that is put into it. `picture` makes the weeks, `page.html` and `page.css` are how it looks.
"""

import base64
import hashlib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from lifecycle.core.entries import Settings
from lifecycle.core.forecast import Forecast, dollars, forecast
from lifecycle.core.model import FREE, Override
from lifecycle.core.overrides import deciding, describe
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Situation, changed_at, decide
from lifecycle.core.times import format_local
from lifecycle.engine.status import Status
from lifecycle.huggingface.parsing import addressable
from lifecycle.web.week_chart import Week, week

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text()
MONTH = timedelta(days=30)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_SOURCES = f"default-src 'none'; style-src 'sha256-{_HASH}'"
HEADERS = {
    "Content-Security-Policy": f"{_SOURCES}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
UNKNOWN = {
    "token": "the Hugging Face token",
    "huggingface": "Hugging Face: which endpoints there are, and their states",
    "prices": "Hugging Face: prices",
    "scheduler": "Cloud Scheduler: overrides, and what platforms said",
}
MARKS = {"settled": "✓", "due": "→", "left": "·", "wrong": "!"}


@dataclass(frozen=True)
class Verdict:
    """How the state compares with what is wanted. `kind`: settled, due, left, wrong, or nothing to say."""

    kind: str
    told: str
    reason: str


@dataclass(frozen=True)
class Card:
    """One endpoint: its row of the status, and what the page says beside it."""

    row: dict[str, Any]
    bills: bool
    verdict: Verdict
    since: str
    next: str
    used: str
    replicas: int
    rate: float | None
    cost: Decimal | None
    cost_always_on: Decimal | None
    week: Week
    looks: bool  # needs a look


@dataclass(frozen=True)
class Group:
    """One entry: its endpoints, its override, and the commands that change something now."""

    key: str
    cards: Sequence[Card]
    override: str
    commands: Sequence[str]


def headers(*, still: bool = False) -> dict[str, str]:
    """The page's headers. It renews itself every two minutes; `still` (the page with `?still`): it does not."""
    return HEADERS if still else {**HEADERS, "Refresh": "120"}


def html(status: Status, settings: Settings, *, still: bool = False) -> str:
    """The page. Prices are dollars an hour for one replica, the forecast is for 30 days."""
    told = status.told
    now = datetime.fromisoformat(told["now"])
    pairs = groupby(zip(told["endpoints"], status.situations, strict=True), lambda pair: pair[1].entry.key)
    groups = [_group(key, list(of_entry), status, settings) for key, of_entry in pairs]
    cards = [card for group in groups for card in group.cards]
    billing = [_unmanaged(found, settings) for found in told["unmanaged"] if found["state"] not in FREE]
    blind = "huggingface" in told["unknown"]
    return str(
        _TEMPLATE.render(
            told=told,
            groups=groups,
            looks=[] if blind else [card for card in cards if card.looks],
            namespace=settings.namespace,
            dry_run=settings.dry_run,
            style=STYLE,
            still=still,
            billing=billing,
            unknown=[UNKNOWN[name] for name in told["unknown"]],
            failure=cards[0].row["error"] if blind and cards else "",
            nowhere=[] if blind else [key for key in settings.entries if key not in {group.key for group in groups}],
            jobs=_jobs(told),
            now=f"{now.astimezone(settings.zone):%a %Y-%m-%d %H:%M} {settings.zone.key}",
            sums=_sums(cards, billing, len(told["unmanaged"])),
            platforms=list(_platforms(told, settings, now)),
        )
    )


def _group(key: str, of_entry: Sequence[tuple[dict[str, Any], Situation]], status: Status, settings: Settings) -> Group:
    situation = of_entry[0][1]
    month = forecast(situation, situation.now + MONTH, status.prices)
    cards = [_card(row, each, status, settings, month) for row, each in of_entry]
    override = _override(situation)
    there = situation.endpoint is not None or "huggingface" in status.told["unknown"]
    return Group(
        key=key,
        cards=cards,
        override=describe(override, situation.entry.zone, situation.now) if override else "",
        commands=list(_commands(key, cards, override)) if there else [],
    )


def _card(row: dict[str, Any], situation: Situation, status: Status, settings: Settings, first: Forecast) -> Card:
    def said_at(when: datetime) -> str:
        # The page's own zone stands once, at its top.
        return format_local(when, entry.zone, now).removesuffix(f" {settings.zone.key}")

    entry, now, found = situation.entry, situation.now, situation.endpoint
    following, override = row["next"], _override(situation)
    changed = override.since if override else changed_at(situation)
    month = forecast(situation, now + MONTH, status.prices, like=first.stretches)
    price, replicas = row["price_per_hour"], max(1, row["replicas"]["target"] or 1)
    bills = row["state"] is not None and row["state"] not in FREE
    verdict, level = _verdict(situation, settings.dry_run)
    return Card(
        row=row,
        bills=bills,
        verdict=verdict,
        since=said_at(changed) if changed else "",
        next=f"{following['wanted']} at {said_at(_time(following['at']))}" if following else "",
        used=said_at(found.last_used_at) if found and found.last_used_at else "",
        replicas=replicas,
        rate=None if price is None else price * replicas,
        cost=month.cost,
        cost_always_on=month.cost_always_on,
        week=week(situation, month),
        looks=row["error"] is not None or level != "INFO",
    )


def _verdict(situation: Situation, dry_run: bool) -> tuple[Verdict, str]:
    """What the next pass of reconcile makes of it, and how loud that is."""
    wanted = decide(situation)
    if situation.endpoint is None:
        return Verdict("", "", wanted.reason), "INFO"
    found = plan_step(wanted, situation)
    if found.action != "none":
        told = f"next pass {'would' if dry_run else 'will'} {found.action.replace('-', ' ')}"
        return Verdict("due", told, found.reason), found.level
    if found.outcome == "pending":
        return Verdict("due", "starting", found.reason), found.level
    if found.outcome == "skipped" or found.level != "INFO":
        return Verdict("wrong" if found.level != "INFO" else "left", "left as it is", found.reason), found.level
    return Verdict("settled" if wanted.wanted != "any" else "", "as wanted", found.reason), found.level


def _commands(key: str, cards: Sequence[Card], override: Override | None) -> Iterator[str]:
    """What may be wished now, as it is typed; each is for the whole entry."""
    if override:
        yield f"lifecycle release {key}"
    if any(not card.bills for card in cards):
        yield f"lifecycle warm {key} --for 2h"
    if any(card.bills or card.row["state"] is None for card in cards):
        yield f"lifecycle pause {key}"
    if not override or override.until:
        yield f"lifecycle pause {key} --until released"


def _jobs(told: dict[str, Any]) -> str:
    """What is wrong with Cloud Scheduler's jobs, which `lifecycle sync` mends."""
    settings_sha256_of = told["jobs_settings_sha256"]
    if settings_sha256_of is None:
        return "" if "scheduler" in told["unknown"] else "There are no jobs yet: nothing happens by the clock"
    return "" if settings_sha256_of == told["settings_sha256"] else "The jobs were made from other settings"


def _unmanaged(found: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """An endpoint in no entry that may bill: what it costs in a month, and what stops it."""
    name, price = found["name"], found["price_per_hour"]
    return {
        **found,
        "month": None if price is None else dollars(MONTH, 1, price),
        "command": f"hf endpoints pause {shlex.quote(name)} --namespace {settings.namespace}"
        if addressable(name)
        else "",
    }


def _platforms(told: dict[str, Any], settings: Settings, now: datetime) -> Iterator[tuple[str, str]]:
    silent = "not known" if "scheduler" in told["unknown"] else "has said nothing yet"
    for name, news in told["platforms"].items():
        since = format_local(_time(news["since"]), settings.zone, now) if news["since"] else ""
        yield name, f"{news['state']} since {since}" if news["state"] else silent


def _override(situation: Situation) -> Override | None:
    return deciding(situation.in_force)


def _sums(cards: Sequence[Card], billing: Sequence[dict[str, Any]], unmanaged: int) -> dict[str, Any]:
    """What stands at the top. Money is None where no price is known; `partly`: some prices are not."""
    there = [card for card in cards if card.row["state"] is not None]
    up = [card.rate for card in there if card.bills] + [found["price_per_hour"] for found in billing]
    return {
        "up": len(up),
        "count": unmanaged + len(there),
        "rate": _total(up) if up else 0,
        "cost": _total(card.cost for card in there),
        "always": _total(card.cost_always_on for card in there),
        "partly": None in up or any(card.cost is None for card in there),
    }


def _total(amounts: Iterable[float | Decimal | None]) -> float | None:
    known = [float(amount) for amount in amounts if amount is not None]
    return sum(known) if known else None


def _money(amount: float | Decimal) -> str:
    """Dollars: $0.067, $0.80, $12.40, $1,234."""
    if amount >= 1000:
        return f"${amount:,.0f}"
    fine = f"{amount:.3f}"
    return f"${fine.removesuffix('0')}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["money"] = _money
    environment.globals["MARKS"] = MARKS
    return environment.from_string((HERE / "page.html").read_text())


_TEMPLATE = _template()
