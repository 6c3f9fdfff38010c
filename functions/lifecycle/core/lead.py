"""The learned lead: how long before the hours an endpoint is started, from how long its starts took. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
OFFSET = 3  # minutes past the round ones, when everybody else's jobs run
SPARE = MINUTE  # added to the duration of starts
FEWEST = 5  # starts; from fewer nothing is learned
SHARE = 0.95  # the percentile of the starts' durations that the lead is
REMEMBERED = timedelta(days=30)
UNLEARNED = timedelta(minutes=10)


@dataclass(frozen=True)
class LeadBounds:
    """The bounds of `lead: auto`. `every`: the reconcile interval."""

    at_least: timedelta = 2 * MINUTE
    at_most: timedelta = 30 * MINUTE
    every: timedelta = 10 * MINUTE


@dataclass(frozen=True)
class Starts:
    """How long starts took, as counts in buckets. `bounds`: upper bounds in seconds; the last bucket has none."""

    bounds: Sequence[float]
    counts: Sequence[int]

    @property
    def count(self) -> int:
        return sum(self.counts)

    def percentile(self, share: float) -> float:
        """Seconds that this share of the starts (at least one) did not exceed, rounded up to its bucket."""
        needed, seen = math.ceil(share * self.count), 0
        for index, count in enumerate(self.counts):
            seen += count
            if seen >= needed:
                return self.bounds[index] if index < len(self.bounds) else math.inf
        raise ValueError("there are no starts")


@dataclass(frozen=True)
class Lead:
    """A lead, and how many starts it was learned from; `reason`: why it was not learned, else empty."""

    length: timedelta
    starts: int = 0
    reason: str = ""


def learned(starts: Starts | None, bounds: LeadBounds) -> Lead:
    """The lead from the starts of the last 30 days. None: they could not be read."""
    if starts is None or starts.count < FEWEST:
        why = "starts are unknown" if starts is None else f"{starts.count} starts known"
        count = starts.count if starts else 0
        return Lead(min(max(UNLEARNED, bounds.at_least), bounds.at_most), count, why)
    seconds = min(starts.percentile(SHARE), bounds.at_most.total_seconds())
    length = timedelta(seconds=seconds) + SPARE
    return Lead(min(max(length, bounds.at_least), bounds.at_most), starts.count)


def run_before(when: datetime, every: timedelta) -> datetime:
    """The last reconcile run that is not after `when`."""
    first = when.replace(minute=0, second=0, microsecond=0) + run_offset(every)
    return first + (when - first) // every * every


def run_offset(every: timedelta) -> timedelta:
    """The time from a full hour to the first run in it."""
    return min(OFFSET, every // MINUTE // 2) * MINUTE
