"""The page's lines: one for each endpoint, and whether a person should look at it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from lifecycle.core.entries import Settings
from lifecycle.core.forecast import Stretch, dollars, forecast
from lifecycle.core.model import FREE, Prices
from lifecycle.core.money import dollars_per_hour
from lifecycle.core.overrides import deciding
from lifecycle.core.planner import plan_step
from lifecycle.core.rules import Situation, changed_at, decide
from lifecycle.core.text import visible
from lifecycle.core.times import DAYS, format_local, in_words
from lifecycle.engine.status import Status
from lifecycle.huggingface.parsing import addressable

MONTH = timedelta(days=30)
SHORTEST = 96  # characters of a reason in a line; the endpoint's own page shows all of it
NO_FAILURES: Mapping[str, str] = MappingProxyType({})
SPARE = timedelta(minutes=5)  # for a reconcile run to begin and to act
MARKS = {"look": "!", "due": "→", "up": "●", "down": "○", "unknown": "?"}


@dataclass(frozen=True)
class Range:
    """A forecast in dollars: `low` when endpoints with `idle_after` are not used, `high` when they always are."""

    low: float
    high: float
    always: float


@dataclass(frozen=True)
class Line:
    """One endpoint. Money is in dollars; None: unknown. An unmanaged endpoint has an empty `key` and no `situation`.

    `kind`: look, due, up, down or unknown. `look`: why a person should look at it, else empty. `verdict`: what the next
    reconcile run does.
    """

    key: str
    name: str
    state: str | None
    wanted: str
    verdict: str
    why: str
    next: str
    rate: float | None
    price: float | None
    forecast: Range | None
    kind: str
    look: str = ""
    tags: frozenset[str] = frozenset()
    row: Mapping[str, Any] = field(default_factory=dict)
    situation: Situation | None = None
    alone: bool = True  # the entry covers this endpoint only
    missing: bool = False  # Hugging Face answers, and has no such endpoint

    @property
    def target(self) -> str:
        """The name for requests: the entry's key, or the endpoint's own name if the entry covers several endpoints."""
        return self.key if self.alone else self.name

    @property
    def href(self) -> str:
        """The address of its own page; empty for a name that Hugging Face does not give."""
        return self.target if self.key else self.name if addressable(self.name) else ""

    @property
    def holders(self) -> int:
        """How many manual requests are in force."""
        return len(self.row.get("overrides", ()))

    @property
    def bills(self) -> bool:
        return self.state is not None and self.state not in FREE

    @property
    def change(self) -> str:
        """State → desired state; only the state if they are equal."""
        state = self.state or ("not at Hugging Face" if self.missing else "state unknown")
        wanted = "left alone" if self.wanted == "any" else self.wanted
        return state if state == self.wanted else f"{state} → {wanted}"


def lines_of(status: Status, settings: Settings, failures: Mapping[str, str] = NO_FAILURES) -> list[Line]:
    """A line for every endpoint at Hugging Face, and for every entry without one, in the settings' order; unmanaged
    endpoints last. `failures`: by endpoint, why the last action failed."""
    shared: dict[Any, Sequence[Stretch]] = {}
    covered = Counter(situation.entry.key for situation in status.situations)
    managed = [
        _managed(
            row,
            situation,
            status,
            settings,
            shared,
            alone=covered[situation.entry.key] == 1,
            failure=failures.get(row["name"], ""),
        )
        for row, situation in zip(status.answer["endpoints"], status.situations, strict=True)
    ]
    return managed + [_unmanaged(found) for found in status.answer["unmanaged"]]


def _managed(
    row: Mapping[str, Any],
    situation: Situation,
    status: Status,
    settings: Settings,
    shared: dict[Any, Sequence[Stretch]],
    *,
    alone: bool,
    failure: str,
) -> Line:
    entry, found, decision = situation.entry, situation.endpoint, decide(situation)
    verdict, due, level = _verdict(situation, dry_run=settings.dry_run)
    blind = "huggingface" in status.answer["unknown"]
    look = visible(row["error"] or "") if not blind else ""
    look = look or (_plain(verdict, decision.reason) if level != "INFO" else "")
    overdue = _overdue(situation, settings, verdict) if due else ""
    look = look or (f"{overdue}; it failed: {failure}" if overdue and failure else overdue)
    state = row["state"]
    following = row["next"]
    return Line(
        key=entry.key,
        name=row["name"],
        state=state,
        wanted=decision.wanted,
        verdict=verdict,
        why=_short(decision.reason, settings),
        next=f"{following['wanted']} {brief(_time(following['at']), situation)}" if following else "",
        rate=dollars_per_hour(found, status.prices) if found else None,
        price=row["price_per_hour"],
        forecast=_forecast(situation, status.prices, shared) if found else None,
        kind="look" if look else "due" if due else "unknown" if not state else "down" if state in FREE else "up",
        look=look,
        tags=found.tags if found else frozenset(),
        row=row,
        situation=situation,
        alone=alone,
        missing=found is None and not blind,
    )


def _unmanaged(found: Mapping[str, Any]) -> Line:
    price, state = found["price_per_hour"], found["state"]
    bills = state not in FREE
    month = None if price is None else float(dollars(MONTH, 1, price))
    return Line(
        key="",
        name=found["name"],
        state=state,
        wanted="any",
        verdict="left as it is",
        why="unmanaged: no entry covers it",
        next="",
        rate=price if bills else 0.0,
        price=price,
        forecast=(Range(month, month, month) if bills else Range(0.0, 0.0, month)) if month is not None else None,
        kind="look" if bills else "down",
        look="unmanaged and may bill: no rule stops it" if bills else "",
    )


def _verdict(situation: Situation, *, dry_run: bool) -> tuple[str, bool, str]:
    """What the next reconcile run does, whether it is a change, and its level."""
    if situation.endpoint is None:
        return "", False, "INFO"
    found = plan_step(decide(situation), situation)
    if found.action != "none":
        would = "would" if dry_run else "will"
        return f"next run {would} {found.action.replace('-', ' ')}", True, found.level
    if found.outcome == "pending":
        return "starting", True, found.level
    if found.outcome == "skipped" or found.level != "INFO":
        return f"left as it is: {found.reason}", False, found.level
    return "as wanted", False, found.level


def _overdue(situation: Situation, settings: Settings, verdict: str) -> str:
    """Why a person should look at a due change; empty: no need. A manual request has its effect at once; a change by
    the rules is late if a reconcile run has passed without it."""
    wanted, override, found = decide(situation).wanted, deciding(situation.in_force), situation.endpoint
    if settings.dry_run or verdict == "starting":
        return ""
    if override:
        return f"{wanted} was requested manually and has not happened yet; {verdict}"
    since = changed_at(situation)
    if since is None:
        return ""
    touched = found.updated_at if found and found.updated_at and found.updated_at <= situation.now else since
    late = situation.now - max(since, touched)
    if late < settings.reconcile_every + SPARE:
        return ""
    return f"{wanted} was due {in_words(_minutes(late))} ago and has not happened; {verdict}"


def _minutes(length: timedelta) -> timedelta:
    return timedelta(minutes=length // timedelta(minutes=1))


def _plain(verdict: str, reason: str) -> str:
    return visible(verdict.removeprefix("left as it is: ") or reason)


def _forecast(situation: Situation, prices: Prices, shared: dict[Any, Sequence[Stretch]]) -> Range | None:
    """The forecast for 30 days. `shared`: the stretches of entries with the same rules, which are computed once."""
    entry, found = situation.entry, situation.endpoint
    special = entry.idle_after or entry.auto_lead or entry.cron or situation.overrides or situation.past.of(entry)
    rules = (entry.hours, entry.zone, entry.rest, entry.platform, entry.max_started, entry.start, entry.protected)
    made = forecast(situation, situation.now + MONTH, prices, like=None if special else shared.get(rules))
    if not special:
        shared.setdefault(rules, made.stretches)
    if made.cost is None or made.cost_always_on is None:
        return None
    used = entry.idle_after is not None and found is not None and found.state != "paused"
    return Range(float(made.cost), float(made.cost_always_on if used else made.cost), float(made.cost_always_on))


def local(when: datetime, situation: Situation, settings: Settings) -> str:
    """On the entry's clock. The page's own zone is named once, at its top."""
    return format_local(when, situation.entry.zone, situation.now).removesuffix(f" {settings.zone.key}")


def brief(when: datetime, situation: Situation) -> str:
    """The same in few characters: the day only when it is not today, the date only when it is a week away."""
    zone = situation.entry.zone
    there, today = when.astimezone(zone), situation.now.astimezone(zone).date()
    days = (there.date() - today).days
    day = "" if days == 0 else f"{DAYS[there.weekday()]} " if 0 < days < 7 else f"{there.date()} "
    return f"{day}{there:%H:%M}"


def _short(reason: str, settings: Settings) -> str:
    text = visible(reason).replace(f" {settings.zone.key}", "")
    return text if len(text) <= SHORTEST else text[: SHORTEST - 1] + "…"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
