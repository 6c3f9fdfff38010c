"""Money: what an endpoint costs now, and what was billed. Pure.

Hugging Face bills each replica while it is initializing and running; stopped endpoints cost nothing. Billed costs are
the sum of what reconcile runs observed: the mean of a window × its length, so duplicate runs change nothing. Runs see a
change late; if single slots are read, a change is moved to its instant, if that is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from lifecycle.core.lead import run_offset
from lifecycle.core.model import BILLED, FREE, MOST_REPLICAS, Endpoint, Prices

NOTHING = timedelta()
# Cloud Monitoring keeps points of ten minutes after six weeks, so nothing shorter is counted.
SHORTEST_SLOT = timedelta(minutes=10)
MISSED_RUNS = 3  # a longer gap is not filled


def dollars_per_hour(endpoint: Endpoint, prices: Prices) -> float | None:
    """Target replicas × price while it is billed, else 0. None: replicas, price or state are not known."""
    if endpoint.state in FREE or endpoint.state == "pending":
        return 0.0
    price = prices.get(endpoint.hardware) if endpoint.hardware else None
    replicas = endpoint.target_replicas
    if endpoint.state not in BILLED or price is None or replicas is None or not 0 <= replicas <= MOST_REPLICAS:
        return None
    return replicas * price


def slept_at(endpoint: Endpoint, now: datetime) -> datetime | None:
    """When it scaled itself to zero, if it did: as long after its last use as it is set to wait. None: not known."""
    used, after, updated = endpoint.last_used_at, endpoint.scale_to_zero_after, endpoint.updated_at
    if endpoint.state != "scaledToZero" or used is None or after is None:
        return None
    return used + after if (updated is None or updated < used + after) and used + after <= now else None


def slot_of(every: timedelta) -> timedelta:
    """The length of one slot: the least whole number of reconcile intervals that is not too short."""
    return every * -(-SHORTEST_SLOT // every)


@dataclass(frozen=True)
class Window:
    """What was seen of one endpoint in the slots that end at `end` or up to `length` before.

    `seen`: the slots with a value. `mean`: of these slots, in dollars an hour.
    """

    end: datetime
    length: timedelta
    seen: int
    mean: float = 0.0


@dataclass(frozen=True)
class Change:
    """An endpoint began (`billed`) or ceased to be billed at an instant that is known."""

    at: datetime
    billed: bool


@dataclass(frozen=True)
class Bill:
    """What was billed, in dollars. `since`: when history began, None where there is none; before that it counts as 0.

    `unknown`: the time of gaps that are too long to fill; `silent`: how much of it is at the end, as where an endpoint
    is gone. `running`: the time that was billed, right to a slot where windows are single slots.
    """

    dollars: float = 0.0
    since: datetime | None = None
    unknown: timedelta = NOTHING
    running: timedelta = NOTHING
    silent: timedelta = NOTHING

    @property
    def of_gone(self) -> "Bill":
        """The bill of an endpoint that is not there any more: what is not known at its end was nothing."""
        return replace(self, unknown=self.unknown - self.silent, silent=NOTHING)


def bill(windows: Iterable[Window], every: timedelta) -> Bill:
    """The bill of one endpoint from its windows, in order and without holes. `every`: the reconcile interval."""
    slot, longest = slot_of(every), MISSED_RUNS * every
    dollars, since, last = 0.0, None, 0.0
    gap = unknown = running = NOTHING
    silent = NOTHING  # of the last window in which anything was seen; where in it is not known

    def fill(missing: timedelta, mean: float) -> None:
        nonlocal dollars, unknown, running
        if missing > longest:
            unknown += missing
        else:
            dollars += mean * _hours(missing)
            running += missing if mean > 0 else NOTHING

    for window in windows:
        if not window.seen:
            gap += window.length if since else NOTHING
            continue
        covered = window.seen * slot
        dollars += window.mean * _hours(covered)
        running += covered if window.mean > 0 else NOTHING
        if since is None:
            since = window.end - covered
        else:
            fill(gap, (last + window.mean) / 2)
            silent = window.length - covered if window.length - covered > longest else NOTHING
            fill(window.length - covered, window.mean)
        gap, last = NOTHING, window.mean
    fill(gap, last)
    return Bill(dollars, since, unknown, running, silent + (gap if gap > longest else NOTHING))


def exact_bill(windows: Sequence[Window], every: timedelta, changes: Sequence[Change]) -> Bill:
    """The bill of windows that are single slots, with each step between two of them moved to where the change was: to
    its known instant, else to the middle between the two runs."""
    slot, middle = slot_of(every), run_offset(every) - every / 2
    found = bill(windows, every)
    dollars, running = found.dollars, found.running
    for before, after in pairwise(window for window in windows if window.seen):
        begin, end = before.end, after.end - after.length  # of what is missing between them
        rise = after.mean - before.mean
        if not rise or end - begin > MISSED_RUNS * every:
            continue
        step = begin + (end - begin) / 2
        known = [one.at for one in changes if one.billed == (rise > 0) and begin - slot < one.at <= end + slot]
        at = min(known, key=lambda at: abs(at - step), default=step + middle)
        dollars += rise * _hours(step - at)
        if not before.mean or not after.mean:
            running += begin - at if rise > 0 else at - end
    return replace(found, dollars=dollars, running=running)


def together(bills: Sequence[Bill]) -> Bill:
    """The bills of several endpoints as one; unknown time is added up, as running time is."""
    return Bill(
        sum(one.dollars for one in bills),
        min((one.since for one in bills if one.since), default=None),
        sum((one.unknown for one in bills), NOTHING),
        sum((one.running for one in bills), NOTHING),
        sum((one.silent for one in bills), NOTHING),
    )


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
