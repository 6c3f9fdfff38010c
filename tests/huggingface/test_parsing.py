"""Hugging Face's JSON, as full and as bare as it may come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.model import Endpoint
from lifecycle.core.times import parse_rfc3339
from lifecycle.huggingface.parsing import addressable, as_json, endpoint_of, prices_of, prose
from support.building import MINUTE, properties

# The facts' example.
FULL: dict[str, Any] = {
    "name": "my-endpoint",
    "type": "authenticated",
    "tags": ["dev"],
    "healthRoute": "/health",
    "provider": {"vendor": "aws", "region": "us-east-1"},
    "compute": {
        "accelerator": "gpu",
        "instanceType": "nvidia-l4",
        "instanceSize": "x1",
        "scaling": {"minReplica": 0, "maxReplica": 1, "scaleToZeroTimeout": 15, "measure": {"pendingRequests": 1.5}},
    },
    "model": {"repository": "gpt2", "revision": "11c5", "task": "text-generation", "image": {"huggingface": {}}},
    "status": {
        "state": "running",
        "message": "Endpoint is ready",
        "errorMessage": None,
        "url": "https://vksrvs8pc1xnifhq.us-east-1.aws.endpoints.huggingface.cloud",
        "readyReplica": 1,
        "targetReplica": 1,
        "lastUsedAt": "2026-10-10T12:00:00Z",
        "createdAt": "2023-10-26T12:41:53.263078506Z",
        "createdBy": {"id": "x", "name": "someone"},
        "updatedAt": "2023-10-26T12:41:53.263Z",
        "updatedBy": {"id": "x", "name": "someone"},
    },
}


def known(body: Any) -> Endpoint:
    found = endpoint_of(body)
    assert found is not None
    return found


def with_status(**fields: Any) -> Endpoint:
    return known(FULL | {"status": FULL["status"] | fields})


def test_a_full_endpoint_is_read() -> None:
    assert endpoint_of(FULL) == Endpoint(
        name="my-endpoint",
        state="running",
        type="authenticated",
        tags=frozenset({"dev"}),
        url="https://vksrvs8pc1xnifhq.us-east-1.aws.endpoints.huggingface.cloud",
        health_route="/health",
        message="Endpoint is ready",
        ready_replicas=1,
        target_replicas=1,
        min_replicas=0,
        max_replicas=1,
        scale_to_zero_after=15 * MINUTE,
        last_used_at=datetime(2026, 10, 10, 12, tzinfo=UTC),
        updated_at=datetime(2023, 10, 26, 12, 41, 53, 263_000, tzinfo=UTC),
        updated_by="someone",
        hardware=("aws", "us-east-1", "nvidia-l4", "x1"),
    )


BARE = Endpoint("my-endpoint", "unknown")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "my-endpoint"},
        {"name": "my-endpoint", **dict.fromkeys(["tags", "healthRoute", "provider", "compute", "model", "status"])},
        {"name": "my-endpoint", "tags": "dev", "healthRoute": 7, "provider": "aws", "compute": [], "status": "running"},
        {"name": "my-endpoint", "tags": [7, None], "compute": {"scaling": None}, "status": {"state": None}},
        {
            "name": "my-endpoint",
            "compute": {"scaling": {"minReplica": "0", "maxReplica": True, "scaleToZeroTimeout": []}},
        },
        {"name": "my-endpoint", "status": {"state": 7, "url": {}, "lastUsedAt": 1700000000, "updatedAt": "yesterday"}},
        {"name": "my-endpoint", "compute": {"scaling": {"scaleToZeroTimeout": 10**12}}},
        {"name": "my-endpoint", "new": {"field": 1}},
    ],
)
def test_what_is_absent_null_new_or_of_another_type_is_not_reported(body: Any) -> None:
    assert endpoint_of(body) == BARE


@pytest.mark.parametrize("count", [-1, 10**9, 10**400, 1.5, float("nan"), float("inf"), True, "1", None, []])
def test_replica_counts_beyond_reason_are_unknown(count: Any) -> None:
    body = FULL | {"compute": {"scaling": {"minReplica": count, "maxReplica": count, "scaleToZeroTimeout": count}}}
    found = known(body | {"status": FULL["status"] | {"readyReplica": count, "targetReplica": count}})
    assert found.ready_replicas is found.target_replicas is found.min_replicas is found.max_replicas is None
    assert found.scale_to_zero_after is None


def test_texts_beyond_reason_are_unknown() -> None:
    long = "x" * 5000
    found = known(FULL | {"healthRoute": "/" + long, "type": long, "status": {"state": long, "url": "https://" + long}})
    assert (found.health_route, found.type, found.state, found.url) == (None, None, "unknown", None)


def test_a_number_of_thousands_of_digits_spoils_no_other_value() -> None:
    assert as_json('{"a": ' + "9" * 5000 + ', "b": 7, "c": -3, "d": 1e999}') == {
        "a": None, "b": 7, "c": -3, "d": float("inf"),
    }  # fmt: skip


NAMELESS: list[Any] = [None, [], "my-endpoint", {}, {"name": None}, {"name": 7}]


@pytest.mark.parametrize("body", [*NAMELESS, {"name": ""}])
def test_without_a_name_it_is_none(body: Any) -> None:
    assert endpoint_of(body) is None


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "a?b", "<script>"])
def test_a_name_that_cannot_stand_in_a_path_is_reported_but_not_addressable(name: str) -> None:
    assert not addressable(known({"name": name}).name)


def test_a_state_that_nobody_knows_is_reported_as_it_is() -> None:
    assert with_status(state="migrating").state == "migrating"


def test_without_scale_to_zero_there_is_no_time_to_it() -> None:
    body = FULL | {"compute": {"scaling": {"minReplica": 1, "maxReplica": 1, "scaleToZeroTimeout": None}}}
    assert known(body).scale_to_zero_after is None


def test_an_error_says_more_than_a_message() -> None:
    assert (
        with_status(state="failed", message="Endpoint failed", errorMessage="out of memory").message == "out of memory"
    )


def test_without_all_of_its_hardware_its_price_cannot_be_looked_up() -> None:
    assert known(FULL | {"provider": {"vendor": "aws"}}).hardware is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["name", "status", "state", "compute", "scaling", "provider", "vendors", "regions", "computes", "updatedAt"]
    ), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(body=JSON)
@properties(150)
def test_whatever_the_api_answers_it_is_read(body: Any) -> None:
    endpoint_of(body)
    prices_of(body)


@given(status=JSON, compute=JSON, provider=JSON, tags=JSON)
@properties(150)
def test_whatever_stands_in_an_endpoint_its_name_and_a_state_are_known(
    status: Any, compute: Any, provider: Any, tags: Any
) -> None:
    found = known({"name": "x", "status": status, "compute": compute, "provider": provider, "tags": tags})
    assert (found.name, bool(found.state)) == ("x", True)


# Money.


def test_prices_are_by_hardware() -> None:
    computes = [
        {"id": "1", "instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": 0.8, "status": "available"},
        {"id": "2", "instanceType": "nvidia-l4", "instanceSize": "x4", "pricePerHour": 4},
        {"id": "3", "instanceType": "nvidia-t4", "pricePerHour": 0.5},
        {"id": "4", "instanceType": "nvidia-t4", "instanceSize": "x1", "pricePerHour": None},
        None,
    ]
    vendors = [{"name": "aws", "regions": [{"name": "us-east-1", "computes": computes}, {"name": "x"}, None]}, {}]
    assert prices_of({"vendors": vendors}) == {
        ("aws", "us-east-1", "nvidia-l4", "x1"): 0.8,
        ("aws", "us-east-1", "nvidia-l4", "x4"): 4.0,
    }


@pytest.mark.parametrize("price", [True, float("nan"), 1e999, -1, 10**400, "0.8", None])
def test_what_is_no_price_is_not_known(price: Any) -> None:
    compute = {"instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": price}
    assert prices_of({"vendors": [{"name": "aws", "regions": [{"name": "r", "computes": [compute]}]}]}) == {}


# Times.


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        *[
            ("2026-11-24T06:00:00Z", 0),
            ("2026-11-24T06:00:00.5Z", 500_000),
            ("2026-11-24T06:00:00.263Z", 263_000),
            ("2026-11-24t06:00:00z", 0),
        ],
        *[("2026-11-24T06:00:00.263078Z", 263_078), ("2026-11-24T06:00:00.263078506Z", 263_078)],
        *[("2026-11-24T06:00:00.999999999Z", 999_999), ("2026-11-24T07:00:00+01:00", 0), ("2026-11-24T06:00:00", 0)],
        ("2026-11-24t06:00:00z", 0),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, microseconds: int) -> None:
    assert parse_rfc3339(text) == datetime(2026, 11, 24, 6, tzinfo=UTC) + timedelta(microseconds=microseconds)


NO_TIMES = [None, "", "soon", "2026-11-31T06:00:00Z", "0001-01-01T00:00:00+14:00", "1700000000"]
OF_NO_DAYS = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("text", [*NO_TIMES, *OF_NO_DAYS])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert parse_rfc3339(text) is None


# What a body says, in a line.


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ('{"error": "missing permissions: x.write", "code": "FORBIDDEN"}', "missing permissions: x.write"),
        ('{"error":{"message":"Payment method required"}}', "Payment method required"),
        ("upstream\n  connect error", "upstream connect error"),
        ("", ""),
    ],
)  # fmt: skip
def test_of_json_its_error_is_said_and_of_text_the_text(body: str, output: str) -> None:
    assert prose(body) == output


@pytest.mark.parametrize(
    ("body", "kind"), [("<!DOCTYPE html><h1>502</h1>", None), (" <html>", None), ("oops", "text/html")]
)
def test_of_html_only_that_it_is_html(body: str, kind: str | None) -> None:
    assert "HTML" in prose(body, kind)
    assert "502" not in prose(body, kind)


@given(text=st.text(max_size=3000) | st.text(max_size=3000).map(lambda text: f'{{"error": "{text}"}}'))
@properties(100)
def test_it_is_one_short_line(text: str) -> None:
    output = prose(text)
    assert len(output) <= 300
    assert output.splitlines() in ([], [output])
