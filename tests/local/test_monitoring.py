"""The local Cloud Monitoring against its referee, Google's client."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, TimeInterval

from local.servers.monitoring import LogMetric, Monitoring
from local.servers.serve import serve
from support.discovery import Referee
from support.grpc_bridge import monitoring_client

BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DOLLARS = LogMetric("lifecycle-dollars-per-hour", "dollars_per_hour")
SECONDS = LogMetric("lifecycle-start-seconds", "start_seconds", bounds=range(0, 1810, 10))


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN + 2 * HOUR

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def local() -> Monitoring:
    return Monitoring(Clock(), [DOLLARS, SECONDS])


@pytest.fixture
def client(local: Monitoring) -> Iterator[Any]:
    referee = Referee(local, "monitoring.v3")
    with serve(referee) as url, monitoring_client(url) as made:
        yield made
    referee.judge()


def seen(local: Monitoring, minutes: float, name: str = "a", revision: str = "1", **fields: float) -> None:
    payload = {"endpoint": "entry", "name": name, **fields}
    labels = {"service_name": "lifecycle-reconcile", "revision_name": f"lifecycle-reconcile-{revision}"}
    at = (BEGIN + minutes * MINUTE).isoformat()
    local.count({"timestamp": at, "jsonPayload": payload, "resource": {"labels": labels}})


def request(period: int, *, reducer: str = "REDUCE_NONE", metric: str = DOLLARS.name, second: Any = None) -> Any:
    first = Aggregation(
        alignment_period={"seconds": period},
        per_series_aligner="ALIGN_SUM",
        cross_series_reducer=reducer,
        group_by_fields=["metric.label.endpoint", "metric.label.name"] if reducer != "REDUCE_NONE" else [],
    )
    return ListTimeSeriesRequest(
        name="projects/local",
        filter=f'metric.type="logging.googleapis.com/user/{metric}" AND resource.type="cloud_run_revision"',
        interval=TimeInterval(start_time=BEGIN, end_time=BEGIN + HOUR),
        aggregation=first,
        secondary_aggregation=second,
    )


def test_values_of_a_window_are_one_distribution(client: Any, local: Monitoring) -> None:
    for minutes, dollars in ((3, 0.0), (13, 0.8), (23, 0.8), (63, 9.0)):
        seen(local, minutes, dollars_per_hour=dollars)
    (series,) = client.list_time_series(request(3600))
    (point,) = series.points
    value = point.value.distribution_value
    assert (value.count, round(value.mean, 6), list(value.bucket_counts)) == (3, 0.533333, [1, 2])
    assert (point.interval.start_time, point.interval.end_time) == (BEGIN, BEGIN + HOUR)


def test_revisions_are_series_of_their_own_until_they_are_reduced(client: Any, local: Monitoring) -> None:
    seen(local, 3, dollars_per_hour=1.0)
    seen(local, 4, revision="2", dollars_per_hour=3.0)
    assert len(list(client.list_time_series(request(3600)))) == 2
    (series,) = client.list_time_series(request(3600, reducer="REDUCE_MEAN"))
    assert dict(series.metric.labels) == {"endpoint": "entry", "name": "a"}
    assert [point.value.double_value for point in series.points] == [2.0]


@pytest.mark.parametrize(("aligner", "found"), [("ALIGN_SUM", 3.0), ("ALIGN_COUNT", 2)])
def test_a_second_step_counts_windows_not_values(client: Any, local: Monitoring, aligner: str, found: float) -> None:
    for minutes in (3, 5, 7):  # one window, which doubled runs do not change
        seen(local, minutes, dollars_per_hour=1.0)
    seen(local, 33, dollars_per_hour=2.0)
    second = Aggregation(alignment_period={"seconds": 3600}, per_series_aligner=aligner)
    (series,) = client.list_time_series(request(600, reducer="REDUCE_MEAN", second=second))
    (value,) = [point.value for point in series.points]
    assert (value.int64_value or value.double_value) == found


def test_windows_are_counted_back_from_the_end_and_the_newest_comes_first(client: Any, local: Monitoring) -> None:
    for minutes in (0.5, 59.5):
        seen(local, minutes, dollars_per_hour=minutes)
    (series,) = client.list_time_series(request(600, reducer="REDUCE_MEAN"))
    ends = [point.interval.end_time for point in series.points]
    assert ends == [BEGIN + HOUR, BEGIN + 10 * MINUTE]


def test_buckets_give_percentiles_of_starts(client: Any, local: Monitoring) -> None:
    for minutes, seconds in ((1, 95.0), (2, 100.0), (3, 341.0)):
        seen(local, minutes, start_seconds=seconds)
    (series,) = client.list_time_series(request(3600, reducer="REDUCE_SUM", metric=SECONDS.name))
    value = series.points[0].value.distribution_value
    bounds = list(value.bucket_options.explicit_buckets.bounds)
    assert {bounds[index]: count for index, count in enumerate(value.bucket_counts) if count} == {
        100: 1,
        110: 1,
        350: 1,
    }


def test_the_official_client_goes_through_pages(client: Any, local: Monitoring) -> None:
    for name in ("a", "b", "c"):
        seen(local, 3, name, dollars_per_hour=1.0)
    asked = request(3600)
    asked.page_size = 1
    assert len(list(client.list_time_series(asked))) == 3
    assert local.lists == 3


def test_points_come_late_and_some_never(client: Any, local: Monitoring) -> None:
    local.late = timedelta(minutes=4)
    local.now.now = BEGIN + 6 * MINUTE  # type: ignore[attr-defined]
    seen(local, 1, dollars_per_hour=1.0)
    seen(local, 3, dollars_per_hour=5.0)  # not yet there
    local.loses = lambda: True
    seen(local, 2, dollars_per_hour=9.0)
    (series,) = client.list_time_series(request(3600, reducer="REDUCE_MEAN"))
    assert [point.value.double_value for point in series.points] == [1.0]


def test_an_aggregation_that_is_not_played_is_refused(client: Any, local: Monitoring) -> None:
    with pytest.raises(InvalidArgument, match="REDUCE_MAX"):
        list(client.list_time_series(request(3600, reducer="REDUCE_MAX")))
