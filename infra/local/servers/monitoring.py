"""A local Cloud Monitoring: reading time series of log-based distribution metrics over its REST API v3.

Source: Cloud Monitoring API v3 (projects.timeSeries.list, Aggregation), and "Log-based metrics". Aggregations that are
not used here are refused, never guessed.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.servers.faults import Faults, google_error

Json = dict[str, Any]
Labels = tuple[tuple[str, str], ...]  # such as ("metric.label.name", "embeddings-prod"), in order
Aggregated = dict[Labels, dict[datetime, Any]]  # by the end of each window
MINUTE = timedelta(minutes=1)
LONGEST_PAGE = 100_000  # points
NOTHING = timedelta(0)
KEPT = 32  # aggregations, of the latest queries


@dataclass(frozen=True)
class LogMetric:
    """A log-based distribution metric: the number that it takes out of an entry's payload, and how it groups."""

    name: str
    field: str
    labels: Sequence[str] = ("endpoint", "name")
    # Upper bounds of all buckets but the last.
    bounds: Sequence[float] = (0.001,)


# Those of infra/history.tf.
METRICS = (
    LogMetric("lifecycle-dollars-per-hour", "dollars_per_hour"),
    LogMetric("lifecycle-start-seconds", "start_seconds", bounds=range(0, 1810, 10)),
)


@dataclass
class Distribution:
    """Count, sum and buckets of values."""

    bounds: Sequence[float]
    count: int = 0
    total: float = 0.0
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        index = bisect_left(self.bounds, value + 1e-12)
        self.counts[index] = self.counts.get(index, 0) + 1

    def merge(self, other: "Distribution") -> None:
        self.count += other.count
        self.total += other.total
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def mean(self) -> float:
        return self.total / self.count

    def as_json(self) -> Json:
        last = max(self.counts, default=-1)
        buckets = [str(self.counts.get(index, 0)) for index in range(last + 1)]
        options = {"explicitBuckets": {"bounds": list(self.bounds)}}
        return {"count": str(self.count), "mean": self.mean, "bucketOptions": options, "bucketCounts": buckets}


@dataclass
class Point:
    """A point of one series: the values of one minute, which ends at `end`; it is seen from `seen` on."""

    end: datetime
    seen: datetime
    value: Distribution


@dataclass
class Monitoring:
    """`late`: how long after a line its point can be read. `loses`: whether a line's value never arrives."""

    now: Callable[[], datetime]
    metrics: Sequence[LogMetric] = ()
    project: str = "local"
    late: timedelta = NOTHING
    loses: Callable[[], bool] = lambda: False
    page: int = LONGEST_PAGE
    series: dict[str, dict[Labels, list[Point]]] = field(default_factory=dict)  # by metric, and by labels

    def __post_init__(self) -> None:
        self.faults = Faults(self.now, google_error)
        self.lists = 0  # how many pages were read
        self.kept: dict[Any, Any] = {}  # aggregations, as most windows of a query were asked for before
        self.late_lines = 0  # those that changed a point that is not its series' last

    def count(self, entry: Json) -> None:
        """Takes a log entry into every metric that finds its number in it."""
        payload = entry.get("jsonPayload", {})
        for metric in self.metrics:
            value = payload.get(metric.field)
            if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and not self.loses():
                labels = {f"metric.label.{label}": str(payload.get(label)) for label in metric.labels}
                labels |= {f"resource.label.{key}": text for key, text in entry["resource"]["labels"].items()}
                self._add(metric, tuple(sorted(labels.items())), datetime.fromisoformat(entry["timestamp"]), value)

    def _add(self, metric: LogMetric, labels: Labels, at: datetime, value: float) -> None:
        points = self.series.setdefault(metric.name, {}).setdefault(labels, [])
        end = at.replace(second=0, microsecond=0) + MINUTE
        index = bisect_left(points, end, key=_end)
        self.late_lines += index < len(points) - 1
        if index == len(points) or points[index].end != end:
            points.insert(index, Point(end, at + self.late, Distribution(metric.bounds)))
        points[index].value.add(value)

    # The API.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        response = await self.faults.around(Request(scope, receive), self._answer)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if (request.method, request.url.path) != ("GET", f"/v3/projects/{self.project}/timeSeries"):
            return _refused(404, "NOT_FOUND", f"no such method: {request.method} {request.url.path}")
        self.lists += 1
        try:
            return JSONResponse(self.list(_Query.of(request.query_params)))
        except (ValueError, KeyError) as error:
            return _refused(400, "INVALID_ARGUMENT", str(error))

    def list(self, query: "_Query") -> Json:
        """The body of `timeSeries.list`. Raises ValueError: what is not understood."""
        found = list(self._series(query))
        begin, size = query.page, min(query.size, self.page)
        left = size
        # Pages are counted in points, and a series is not cut.
        shown: list[Json] = []
        for series in found[begin:]:
            if shown and len(series["points"]) > left:
                break
            shown.append(series)
            left -= len(series["points"])
        end = begin + len(shown)
        more = {"nextPageToken": str(end)} if end < len(found) and size else {}
        return ({"timeSeries": shown} if shown else {}) | {"unit": "1"} | more

    def _series(self, query: "_Query") -> Iterator[Json]:
        now, visible = self.now(), {}
        for labels, points in sorted(self.series.get(query.metric, {}).items()):
            first, last = (bisect_right(points, at, key=_end) for at in (query.start, query.end))
            while last > first and points[last - 1].seen > now:
                last -= 1
            if first < last:
                visible[labels] = points[first:last]
        for labels, values in self._aggregated(query, visible).items():
            yield _series_json(query.metric, labels, values, query.first.period)

    def _aggregated(self, query: "_Query", visible: Mapping[Labels, Sequence[Point]]) -> Aggregated:
        lines = [(labels, len(points), points[0].end, points[-1].value.count) for labels, points in visible.items()]
        key = (query.metric, query.start, query.end, query.first, self.late_lines, tuple(lines))

        def once(key: Any, step: _Step, series: Callable[[], Mapping[Labels, Mapping[datetime, Any]]]) -> Aggregated:
            if key not in self.kept:
                if len(self.kept) == KEPT:
                    del self.kept[next(iter(self.kept))]
                self.kept[key] = step.apply(series(), query.end)
            found: Aggregated = self.kept[key]
            return found

        def values() -> Mapping[Labels, Mapping[datetime, Any]]:
            return {labels: {point.end: point.value for point in points} for labels, points in visible.items()}

        first = partial(once, key, query.first, values)
        return once((key, query.second), query.second, first) if query.second else first()


@dataclass(frozen=True)
class _Step:
    """One aggregation: an aligner and a reducer."""

    period: timedelta
    aligner: str
    reducer: str
    by: tuple[str, ...]

    @staticmethod
    def of(params: Any, prefix: str) -> "_Step":
        seconds = params.get(f"{prefix}.alignmentPeriod", "0s")
        if not re.fullmatch(r"[0-9]+s", seconds):
            raise ValueError(f"{prefix}.alignmentPeriod: {seconds!r}")
        step = _Step(
            timedelta(seconds=int(seconds[:-1])),
            params.get(f"{prefix}.perSeriesAligner", "ALIGN_NONE"),
            params.get(f"{prefix}.crossSeriesReducer", "REDUCE_NONE"),
            tuple(params.getlist(f"{prefix}.groupByFields")),
        )
        if step.aligner not in ("ALIGN_NONE", "ALIGN_SUM", "ALIGN_COUNT"):
            raise ValueError(f"{prefix}.perSeriesAligner: {step.aligner} is not played here")
        if step.reducer not in ("REDUCE_NONE", "REDUCE_SUM", "REDUCE_MEAN"):
            raise ValueError(f"{prefix}.crossSeriesReducer: {step.reducer} is not played here")
        if (step.aligner == "ALIGN_NONE") != (step.period < MINUTE):
            raise ValueError(f"{prefix}: an aligner needs an alignmentPeriod of at least 60s, and the other way round")
        if step.reducer != "REDUCE_NONE" and step.aligner == "ALIGN_NONE":
            raise ValueError(f"{prefix}: a reducer needs an aligner")
        return step

    def apply(self, series: Mapping[Labels, Mapping[datetime, Any]], end: datetime) -> Aggregated:
        if self.aligner == "ALIGN_NONE":
            return {labels: dict(values) for labels, values in series.items()}
        aligned: dict[Labels, dict[int, list[Any]]] = {}
        for labels, values in series.items():
            windows: dict[int, list[Any]] = {}
            for at, value in values.items():
                # Windows are counted back from the interval's end, and an end belongs to its window.
                windows.setdefault((end - at) // self.period, []).append(value)
            group = labels if self.reducer == "REDUCE_NONE" else tuple(pair for pair in labels if pair[0] in self.by)
            into = aligned.setdefault(group, {})
            for number, found in windows.items():
                into.setdefault(number, []).append(len(found) if self.aligner == "ALIGN_COUNT" else _sum(found))
        reduce = _mean if self.reducer == "REDUCE_MEAN" else _sum
        return {
            labels: {end - number * self.period: reduce(found) for number, found in windows.items()}
            for labels, windows in aligned.items()
        }


@dataclass(frozen=True)
class _Query:
    metric: str
    start: datetime
    end: datetime
    first: _Step
    second: _Step | None
    page: int
    size: int

    @staticmethod
    def of(params: Any) -> "_Query":
        filters = dict(re.findall(r'([\w.]+) *= *"([^"]*)"', params["filter"]))
        kind = filters.pop("metric.type", "")
        prefix = "logging.googleapis.com/user/"
        if not kind.startswith(prefix) or filters not in ({}, {"resource.type": "cloud_run_revision"}):
            raise ValueError(f"filter: {params['filter']!r}: must name one metric.type below {prefix}")
        start, end = (datetime.fromisoformat(params[f"interval.{name}"]) for name in ("startTime", "endTime"))
        if start.tzinfo is None or end.tzinfo is None or start > end:
            raise ValueError("interval: two times with offsets, the end not before the start")
        second = _Step.of(params, "secondaryAggregation") if "secondaryAggregation.alignmentPeriod" in params else None
        size = min(int(params.get("pageSize") or LONGEST_PAGE), LONGEST_PAGE)
        first = _Step.of(params, "aggregation")
        return _Query(kind.removeprefix(prefix), start, end, first, second, int(params.get("pageToken") or 0), size)


def _end(point: Point) -> datetime:
    return point.end


def _sum(values: Sequence[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    if not isinstance(values[0], Distribution):
        return sum(values)
    total = Distribution(values[0].bounds)
    for value in values:
        total.merge(value)
    return total


def _mean(values: Sequence[Any]) -> float:
    means = [value.mean if isinstance(value, Distribution) else value for value in values]
    return float(sum(means) / len(means))


def _series_json(metric: str, labels: Labels, values: Mapping[datetime, Any], period: timedelta) -> Json:
    kept: dict[str, dict[str, str]] = {"metric": {}, "resource": {}}
    for path, text in labels:
        where, _, key = path.partition(".label.")
        kept[where][key] = text
    distribution = any(isinstance(value, Distribution) for value in values.values())
    return {
        "metric": {"type": f"logging.googleapis.com/user/{metric}", "labels": kept["metric"]},
        "resource": {"type": "cloud_run_revision", "labels": kept["resource"]},
        "metricKind": "DELTA" if distribution else "GAUGE",
        "valueType": "DISTRIBUTION" if distribution else _value_type(next(iter(values.values()), 0.0)),
        "points": [_point(at, values[at], period) for at in sorted(values, reverse=True)],
    }


def _value_type(value: Any) -> str:
    return "INT64" if isinstance(value, int) else "DOUBLE"


def _point(end: datetime, value: Any, period: timedelta) -> Json:
    if isinstance(value, Distribution):
        start = end - (period or MINUTE)
        return {"interval": {"startTime": _stamp(start), "endTime": _stamp(end)},
                "value": {"distributionValue": value.as_json()}}  # fmt: skip
    typed = {"int64Value": str(value)} if isinstance(value, int) else {"doubleValue": value}
    return {"interval": {"startTime": _stamp(end), "endTime": _stamp(end)}, "value": typed}


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _refused(code: int, status: str, message: str) -> Response:
    return JSONResponse(google_error(code, message, status), code)
