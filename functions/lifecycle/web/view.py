"""The page's query: filters and order of its lines, and sums over the lines that are shown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from lifecycle.web.lines import Line, Range

ORDERS = {"look": "needs a look first", "cost": "dollars an hour", "name": "name", "state": "state"}


@dataclass(frozen=True)
class View:
    """A query such as `?state=running&tag=dev&sort=cost`; a filter may be given several times."""

    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sort: str = "look"

    @property
    def filters(self) -> bool:
        return bool(self.states or self.tags)

    @property
    def query(self) -> str:
        given = [("state", state) for state in self.states] + [("tag", tag) for tag in self.tags]
        given += [("sort", self.sort)] if self.sort != "look" else []
        return urlencode(given)

    def of(self, lines: Iterable[Line]) -> list[Line]:
        """The lines that fit the filters, in the requested order."""
        shown = [line for line in lines if self._fits(line)]
        keys = {
            "look": lambda line: ("look", "due").index(line.kind) if line.kind in ("look", "due") else 2,
            "cost": lambda line: -(float("inf") if line.rate is None and line.bills else line.rate or 0.0),
            "name": lambda line: line.name,
            "state": lambda line: line.state or "",
        }
        return sorted(shown, key=keys[self.sort])

    def _fits(self, line: Line) -> bool:
        state = not self.states or (line.state or "unknown") in self.states
        return state and (not self.tags or bool(line.tags & {*self.tags}))


def view_of(query: Mapping[str, Sequence[str]]) -> View:
    """The view in a query's values, empty and unknown ones left out."""
    sort = next((value for value in query.get("sort", ()) if value in ORDERS), "look")
    states, tags = (tuple(dict.fromkeys(filter(None, query.get(name, ())))) for name in ("state", "tag"))
    return View(states, tags, sort)


@dataclass(frozen=True)
class Sums:
    """Sums over the lines that are shown: how many may bill, dollars an hour now, billed this month, and the forecast.

    None: nothing is known. `partly_…`: some are unknown, so the sum is a lower bound.
    """

    count: int
    bills: int
    rate: float | None
    billed: float | None
    forecast: Range | None
    partly_rate: bool
    partly_billed: bool
    partly_forecast: bool


def sums_of(lines: Sequence[Line]) -> Sums:
    there = [line for line in lines if line.state is not None]
    rates = [line.rate for line in there if line.rate is not None]
    billed = [line.row["billed_this_month"] for line in there if line.row.get("billed_this_month") is not None]
    known = [line.forecast for line in there if line.forecast]
    low, high, always = (sum(getattr(one, part) for one in known) for part in ("low", "high", "always"))
    return Sums(
        count=len(there),
        bills=sum(line.bills for line in there),
        rate=sum(rates) if rates or not there else None,
        billed=sum(billed) if billed else None,
        forecast=Range(low, high, always) if known or not there else None,
        partly_rate=len(rates) < len(there),
        partly_billed=len(billed) < len(there),
        partly_forecast=len(known) < len(there),
    )
