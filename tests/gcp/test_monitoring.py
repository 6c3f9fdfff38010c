"""What is read back from Cloud Monitoring, against the local one."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import httpx
import pytest

from lifecycle.core.money import bill
from lifecycle.errors import Failure
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.gcp.rest import Rest
from local.servers.faults import Fault
from local.servers.monitoring import LogMetric
from local.servers.monitoring import Monitoring as LocalMonitoring
from support.discovery import Referee

T = TypeVar("T")
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEN = 10 * MINUTE
KEY = ("entry", "a")
METRICS = [
    LogMetric("lifecycle-dollars-per-hour", "dollars_per_hour"),
    LogMetric("lifecycle-start-seconds", "start_seconds", bounds=range(0, 1810, 10)),
]


def server(now: datetime) -> LocalMonitoring:
    return LocalMonitoring(lambda: now, METRICS)


def saw(local: LocalMonitoring, at: datetime, **fields: float) -> None:
    labels = {"service_name": "lifecycle-reconcile", "revision_name": "1"}
    payload = {"endpoint": KEY[0], "name": KEY[1], **fields}
    local.count({"timestamp": at.isoformat(), "jsonPayload": payload, "resource": {"labels": labels}})


def runs(local: LocalMonitoring, until: datetime, dollars: Callable[[datetime], float]) -> None:
    """A run every ten minutes from the month's begin."""
    at = MONTH + 3 * MINUTE
    while at < until:
        saw(local, at, dollars_per_hour=dollars(at))
        at += TEN


def ask(app: Any, work: Callable[[Monitoring, float], Coroutine[Any, Any, T]], seconds: float = 5.0) -> T:
    referee = Referee(app, "monitoring.v3", answers=False)  # some are broken on purpose

    async def once() -> T:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=referee)) as http:
            source = Monitoring("projects/local", Rest("Cloud Monitoring", "http://127.0.0.1", http, None), "lifecycle")
            return await work(source, asyncio.get_running_loop().time() + seconds)

    found = asyncio.run(once())
    referee.judge()
    return found


def office(at: datetime) -> float:
    return 0.8 if 8 <= at.hour < 18 else 0.0


NOW = MONTH + 9 * DAY + 17 * HOUR + 7 * MINUTE


@pytest.mark.parametrize("fine", [False, True])
def test_days_and_the_rest_cost_what_slots_cost(fine: bool) -> None:
    local = server(NOW)
    runs(local, NOW, office)
    found = ask(local, lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline, fine=fine))
    assert bill(found[KEY], TEN).dollars == pytest.approx(0.8 * (9 * 10 + 9))
    assert len(found[KEY]) == (9 * 144 + 17 * 6 if fine else 10)


def test_doubled_runs_change_nothing() -> None:
    local = server(NOW)
    runs(local, NOW, office)
    runs(local, MONTH + 9 * HOUR, office)  # all of a night again, as another revision might
    found = ask(local, lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline))
    assert bill(found[KEY], TEN).dollars == pytest.approx(0.8 * (9 * 10 + 9))


def test_a_lost_night_is_unknown_not_free() -> None:
    local = server(NOW)
    runs(local, MONTH + 2 * DAY, office)
    at = MONTH + 2 * DAY + 6 * HOUR + 3 * MINUTE
    while at < NOW:
        saw(local, at, dollars_per_hour=office(at))
        at += TEN
    found = bill(ask(local, lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline))[KEY], TEN)
    assert found.unknown == 6 * HOUR
    assert found.dollars == pytest.approx(0.8 * 99)


def test_many_endpoints_come_in_pages() -> None:
    local = server(NOW)
    local.page = 1
    for name in "abc":
        labels = {"service_name": "s", "revision_name": "1"}
        payload = {"endpoint": "entry", "name": name, "dollars_per_hour": 1}
        local.count({"timestamp": MONTH.isoformat(), "jsonPayload": payload, "resource": {"labels": labels}})
    found = ask(local, lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline))
    assert {name for _, name in found} == {"a", "b", "c"}
    assert local.lists == 8  # three pages of sums and of counts by the day, and one of each of the rest


def test_starts_of_thirty_days_are_counted_by_their_seconds() -> None:
    now = MONTH + 40 * DAY
    local = server(now)
    saw(local, MONTH, start_seconds=900)  # too long ago
    for seconds in (95, 100, 345):
        saw(local, MONTH + 20 * DAY, start_seconds=seconds)
    found = ask(local, lambda source, deadline: source.starts(now, deadline))["a"]
    assert (found.count, found.percentile(0.5), found.percentile(0.95)) == (3, 110, 350)


def test_a_month_that_has_just_begun_has_nothing_to_read() -> None:
    local = server(MONTH)
    assert ask(local, lambda source, deadline: source.costs(MONTH, MONTH + 8 * MINUTE, TEN, deadline)) == {}
    assert local.lists == 0


@pytest.mark.parametrize(
    ("fault", "message", "retryable"),
    [
        (Fault("status", status=403), "Cloud Monitoring: 403 on purpose", False),
        (Fault("status", status=503), "Cloud Monitoring: 503 on purpose", True),
        (Fault("html", status=200), "Cloud Monitoring: the answer is not understood", True),
        (Fault("reset-before"), "Cloud Monitoring: no answer", True),
        (Fault("hang"), "Cloud Monitoring: no answer in time", True),
    ],
)
def test_failures_are_reported_as_they_are(fault: Fault, message: str, retryable: bool) -> None:
    local = server(NOW)
    local.faults.add(fault)
    with pytest.raises(Failure, match=message) as caught:
        ask(local, lambda source, deadline: source.starts(NOW, deadline), seconds=0.2)
    assert (caught.value.retryable, caught.value.code) == (retryable, "history_unavailable")


AT = {"endTime": "2026-11-01T00:00:00Z"}
METRIC = {"labels": {"endpoint": "entry", "name": "a"}}


@pytest.mark.parametrize(
    "body",
    [
        {"timeSeries": 1}, {"timeSeries": [1]}, {"timeSeries": [{}]}, {"timeSeries": [{"metric": {"labels": 1}}]},
        {"timeSeries": [{"metric": METRIC, "points": [{}]}]},
        {"timeSeries": [{"metric": METRIC, "points": [{"interval": {"endTime": 1}, "value": {}}]}]},
        {"timeSeries": [{"metric": METRIC, "points": [{"interval": AT, "value": {"doubleValue": "NaN"}}]}]},
        {"timeSeries": [{"metric": METRIC, "points": [{"interval": AT, "value": {"doubleValue": 10**400}}]}]},
        {"timeSeries": [{"metric": METRIC, "points": [{"interval": AT, "value": {"doubleValue": 1e308}}]}]},
        {"timeSeries": [{"metric": METRIC, "points": [{"interval": AT, "value": {"doubleValue": -5}}]}]},
        {"nextPageToken": "again"}, [], None,
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_failure(body: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import JSONResponse

        await JSONResponse(body)(scope, receive, send)

    for work in (
        lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline),
        lambda source, deadline: source.starts(NOW, deadline),
    ):
        with pytest.raises(Failure, match="Cloud Monitoring"):
            ask(app, work)


def test_more_slots_than_a_window_has_are_not_counted() -> None:
    from starlette.responses import JSONResponse

    async def app(scope: Any, receive: Any, send: Any) -> None:
        query = dict(parse_qsl(scope["query_string"].decode()))
        point = {"interval": {"endTime": query["interval.endTime"]}, "value": {"int64Value": "1000000000"}}
        await JSONResponse({"timeSeries": [{"metric": METRIC, "points": [point]}]})(scope, receive, send)

    found = ask(app, lambda source, deadline: source.costs(MONTH, NOW, TEN, deadline))
    assert [window.seen for window in found[KEY]] == [0] * 8 + [144, 17 * 6]


BOUNDS = {"explicitBuckets": {"bounds": [10]}}
VALUES: list[Any] = [
    {"bucketCounts": ["x"], "bucketOptions": BOUNDS}, {"bucketCounts": ["1"], "bucketOptions": 1}, 1,
    {"bucketCounts": ["-5"], "bucketOptions": BOUNDS},
    {"bucketCounts": ["9" * 400], "bucketOptions": BOUNDS},
    {"bucketCounts": ["9"], "bucketOptions": {"explicitBuckets": {"bounds": [10**400]}}},
    {"bucketCounts": ["9"], "bucketOptions": {"explicitBuckets": {"bounds": ["NaN"]}}},
    {"bucketCounts": ["9"], "bucketOptions": {"linearBuckets": {"width": "Infinity", "numFiniteBuckets": 9}}},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_distribution_of_another_shape_is_a_failure(value: Any) -> None:
    series = {
        "metric": METRIC,
        "points": [{"interval": {"endTime": "2026-11-01T00:00:00Z"}, "value": {"distributionValue": value}}],
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import JSONResponse

        await JSONResponse({"timeSeries": [series]})(scope, receive, send)

    with pytest.raises(Failure, match="not understood"):
        ask(app, lambda source, deadline: source.starts(NOW, deadline))


def test_more_buckets_than_counts_cost_nothing() -> None:
    buckets = {"linearBuckets": {"width": 10, "numFiniteBuckets": 10**9}}
    value = {"bucketCounts": ["0", "0", "9"], "bucketOptions": buckets}
    series = {"metric": METRIC, "points": [{"interval": AT, "value": {"distributionValue": value}}]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import JSONResponse

        await JSONResponse({"timeSeries": [series]})(scope, receive, send)

    assert ask(app, lambda source, deadline: source.starts(NOW, deadline))["a"].percentile(0.95) == 20
