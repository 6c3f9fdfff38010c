"""A month's report: billed costs beside always-on and the forecast, and how often endpoints were on time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lifecycle.core.history import LogLine
from lifecycle.core.model import AT_REST
from lifecycle.core.money import Bill, Change, together
from lifecycle.core.times import format_rfc3339, parse_rfc3339


@dataclass(frozen=True)
class Morning:
    """One beginning of an endpoint's hours, and whether it was running by then."""

    name: str
    begin: datetime
    on_time: bool


@dataclass(frozen=True)
class Share:
    """The report's data of one endpoint. Money is in dollars; None: the price is unknown, or there is no forecast."""

    endpoint: str
    name: str
    bill: Bill
    tags: Sequence[str] = ()
    always_on: float | None = None
    forecast: float | None = None
    mornings: Sequence[Morning] = ()


@dataclass(frozen=True)
class Row:
    """The shares of one entry or tag, added up."""

    key: str
    shares: Sequence[Share] = field(repr=False)

    @property
    def bill(self) -> Bill:
        return together([share.bill for share in self.shares])

    @property
    def mornings(self) -> list[Morning]:
        return [morning for share in self.shares for morning in share.mornings]

    def as_json(self) -> dict[str, Any]:
        bill, mornings = self.bill, self.mornings
        return {
            "key": self.key,
            "endpoints": [share.name for share in self.shares],
            "hours": bill.running / timedelta(hours=1) if bill.since else None,
            "dollars": round(bill.dollars, 4) if bill.since else None,
            "always_on": _sum(share.always_on for share in self.shares),
            "forecast": _sum(share.forecast for share in self.shares),
            "mornings": len(mornings),
            "on_time": sum(morning.on_time for morning in mornings),
            "known_since": format_rfc3339(bill.since) if bill.since else None,
            "unknown_hours": bill.unknown / timedelta(hours=1),
        }


def by_entry(shares: Iterable[Share]) -> list[Row]:
    return _grouped((share.endpoint, share) for share in shares)


def by_tag(shares: Iterable[Share]) -> list[Row]:
    """An endpoint with several tags is in several rows."""
    return _grouped((tag, share) for share in shares for tag in (sorted(share.tags) or ["(no tag)"]))


def total(shares: Iterable[Share]) -> Row:
    return Row("total", list(shares))


# Which lines it is made from (Cloud Logging's query language).
CONDITION = (
    'jsonPayload.event="endpoint" AND (jsonPayload.on_time=true OR jsonPayload.on_time=false '
    'OR jsonPayload.recently_updated=true OR jsonPayload.slept_at=~"^2" OR jsonPayload.action="wake")'
)


def mornings(lines: Iterable[LogLine]) -> list[Morning]:
    """For each endpoint and beginning of hours, the first log line about it."""
    found: dict[tuple[str, datetime], Morning] = {}
    for line in sorted(lines, key=lambda line: line.at):
        name, begin = str(line.fields.get("name")), parse_rfc3339(str(line.fields.get("hours_begin")))
        if begin:
            found.setdefault((name, begin), Morning(name, begin, line.fields.get("on_time") is True))
    return list(found.values())


def changes(lines: Iterable[LogLine]) -> dict[str, list[Change]]:
    """When endpoints began and ceased to be billed, by their names, as far as lines say it to the second."""
    found: dict[str, list[Change]] = {}
    for line in lines:
        fields, after = line.fields, line.fields.get("after")
        slept, updated = (parse_rfc3339(str(fields.get(key))) for key in ("slept_at", "updated_at"))
        if slept:
            change = Change(slept, billed=False)
        elif updated and fields.get("recently_updated") is True and after != "failed":
            change = Change(updated, billed=after not in AT_REST)
        elif fields.get("action") == "wake" and fields.get("outcome") in ("done", "pending"):
            change = Change(line.begun, billed=True)
        else:
            continue
        found.setdefault(str(fields.get("name")), []).append(change)
    return found


def _grouped(pairs: Iterable[tuple[str, Share]]) -> list[Row]:
    groups: dict[str, list[Share]] = {}
    for key, share in pairs:
        groups.setdefault(key, []).append(share)
    return [Row(key, shares) for key, shares in groups.items()]


def _sum(amounts: Iterable[float | None]) -> float | None:
    """The sum of the known amounts; None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return round(sum(known), 4) if known else None
