"""Reads what reconcile runs observed from Cloud Monitoring: costs in windows, and how long starts took.

Source: Cloud Monitoring API v3, `projects.timeSeries.list`. The metrics are log-based distributions (infra/history.tf).
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from lifecycle.core.lead import REMEMBERED, Starts
from lifecycle.core.money import Window, slot_of
from lifecycle.core.times import format_rfc3339, parse_rfc3339
from lifecycle.errors import Failure
from lifecycle.gcp.rest import CODE, Api, Json

T = TypeVar("T")
DAY = timedelta(days=1)
LATE = timedelta(minutes=5)  # points of log-based metrics arrive some minutes late
PAGE = 20_000  # points; the API allows 100,000, but such a page takes long
MOST_PAGES = 1000
MOST = 1e12  # a count or an amount; more is a mistake
Series = tuple[str, str]  # an entry's key and an endpoint's name


@dataclass(frozen=True)
class Monitoring:
    """The metrics of the functions whose jobs have this prefix. `parent`: `projects/P`. All raise `Failure`."""

    parent: str
    api: Api
    prefix: str

    async def costs(
        self, begin: datetime, now: datetime, every: timedelta, deadline: float, *, fine: bool = False
    ) -> dict[Series, list[Window]]:
        """What was seen from `begin` until some minutes ago, in windows of a day and one of the rest; `fine`: in single
        slots. An endpoint that was not seen at all is not in it."""
        slot, end = slot_of(every), covered_until(begin, now, every)
        middle = begin if fine else begin + (end - begin) // DAY * DAY
        parts = [(begin, middle, DAY), (middle, end, slot if fine else end - middle)]
        read = [self._windows(first, last, length, slot, deadline) for first, last, length in parts if first < last]
        found: dict[Series, dict[datetime, Window]] = {}
        for windows in await asyncio.gather(*read):
            for key, window in windows:
                found.setdefault(key, {})[window.end] = window
        ends = [first + (number + 1) * length for first, last, length in parts if first < last
                for number in range((last - first) // length)]  # fmt: skip
        lengths = {end: length for first, last, length in parts for end in ends if first < end <= last}
        return {
            key: [windows.get(end) or Window(end, lengths[end], 0) for end in ends] for key, windows in found.items()
        }

    async def starts(self, now: datetime, deadline: float) -> dict[str, Starts]:
        """The starts of the last 30 days, by the endpoint's name."""
        query = _query(now - REMEMBERED, now, REMEMBERED, "REDUCE_SUM")
        return {name: starts async for (_, name), _, starts in self._points("start-seconds", query, _starts, deadline)}

    async def _windows(
        self, begin: datetime, end: datetime, length: timedelta, slot: timedelta, deadline: float
    ) -> list[tuple[Series, Window]]:
        """The mean of each window over its slots, of which each counts once however often it was seen."""
        sums, counts = await asyncio.gather(
            *(self._values(begin, end, length, slot, aligner, deadline) for aligner in ("ALIGN_SUM", "ALIGN_COUNT"))
        )
        return [
            (key, Window(at, length, min(int(count), length // slot), sums.get((key, at), 0.0) / count))
            for (key, at), count in counts.items()
            if count
        ]

    async def _values(
        self, begin: datetime, end: datetime, length: timedelta, slot: timedelta, aligner: str, deadline: float
    ) -> dict[tuple[Series, datetime], float]:
        query = [
            *_query(begin, end, slot, "REDUCE_MEAN"),
            ("secondaryAggregation.alignmentPeriod", f"{length // timedelta(seconds=1)}s"),
            ("secondaryAggregation.perSeriesAligner", aligner),
        ]
        points = self._points("dollars-per-hour", query, _number, deadline)
        return {(key, at): value async for key, at, value in points}

    async def _points(
        self, metric: str, query: list[tuple[str, str]], read: Callable[[Json], T], deadline: float
    ) -> AsyncIterator[tuple[Series, datetime, T]]:
        """Every point of a query, page by page. `read` converts a TypedValue."""
        kind = f"logging.googleapis.com/user/{self.prefix}-{metric}"
        query = [("filter", f'metric.type="{kind}" AND resource.type="cloud_run_revision"'), *query]
        token = ""
        for _ in range(MOST_PAGES):
            more = [("pageToken", token)] if token else []
            body = await self.api("GET", f"/v3/{self.parent}/timeSeries", deadline=deadline, query=[*query, *more])
            try:
                found = [
                    (_labels(series), _time(point["interval"]["endTime"]), read(point["value"]))
                    for series in body.get("timeSeries", [])
                    for point in series["points"]
                ]
            except (TypeError, KeyError, AttributeError, ValueError, OverflowError):
                raise Failure("Cloud Monitoring: the answer is not understood", code=CODE, retryable=True) from None
            for point in found:
                yield point
            before, token = token, str(body.get("nextPageToken") or "")
            if not token:
                return
            if token == before:
                break
        raise Failure("Cloud Monitoring: the list does not end", code=CODE, retryable=True)


def covered_until(begin: datetime, now: datetime, every: timedelta) -> datetime:
    """The time up to which costs are read: newer points may not have arrived yet."""
    slot = slot_of(every)
    return begin + max(0, (now - LATE - begin) // slot) * slot


def _query(begin: datetime, end: datetime, period: timedelta, reducer: str) -> list[tuple[str, str]]:
    return [
        ("interval.startTime", format_rfc3339(begin)),
        ("interval.endTime", format_rfc3339(end)),
        ("aggregation.alignmentPeriod", f"{period // timedelta(seconds=1)}s"),
        ("aggregation.perSeriesAligner", "ALIGN_SUM"),
        ("aggregation.crossSeriesReducer", reducer),
        ("aggregation.groupByFields", "metric.label.endpoint"),
        ("aggregation.groupByFields", "metric.label.name"),
        ("pageSize", str(PAGE)),
    ]


def _labels(series: Mapping[str, Any]) -> Series:
    labels = series["metric"]["labels"]
    return str(labels["endpoint"]), str(labels["name"])


def _time(text: Any) -> datetime:
    when = parse_rfc3339(text)
    if when is None:
        raise ValueError(text)
    return when


def _number(value: Json) -> float:
    number = float(value["doubleValue"] if "doubleValue" in value else value["int64Value"])
    if not 0 <= number < MOST:
        raise ValueError(number)
    return number


def _starts(value: Json) -> Starts:
    """A Distribution as counts with the upper bounds of its buckets."""
    distribution = value["distributionValue"]
    options = distribution["bucketOptions"]
    counts = [int(count) for count in distribution["bucketCounts"]]
    if linear := options.get("linearBuckets"):
        offset, width, buckets = float(linear.get("offset", 0)), float(linear["width"]), len(counts)
        bounds = [offset + width * index for index in range(min(int(linear["numFiniteBuckets"]) + 1, buckets))]
    else:
        bounds = [float(bound) for bound in options["explicitBuckets"]["bounds"]]
    if not all(map(math.isfinite, bounds)) or any(not 0 <= count < MOST for count in counts):
        raise ValueError(bounds)
    return Starts(bounds, counts)
