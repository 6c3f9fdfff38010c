"""The state in Cloud Scheduler's jobs: what is written, and what is read."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.model import Override, PlatformState
from lifecycle.gcp import job_state, jobs
from lifecycle.gcp.jobs import Job
from support.building import MINUTE, NOON, at, override, properties, read, started, stopped
from support.jobs import JOB

RECONCILE = replace(
    JOB,
    id="lifecycle-reconcile",
    schedule="3-59/10 * * * *",
    description="made by lifecycle sync from settings " + "a" * 64,
)
SETTINGS = read(
    "platforms: {main: {}}\nendpoints: {embeddings: {platform: main}, playground: {}, search: {platform: main}}"
)


def made(kept: Override, now: datetime = NOON) -> Job:
    return job_state.override_job(RECONCILE, "lifecycle", "embeddings", kept, now)


def holding(id: str, body: Any) -> Job:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Job(id, "0 4 * * *", "UTC", "https://functions.example/reconcile", text)


# The job of an override.


def test_its_job_bears_the_entrys_name() -> None:
    assert made(override()).id == "lifecycle-override-embeddings"


@pytest.mark.parametrize(
    ("until", "now", "schedule"),
    [
        ("Tue 22:00", "Tue 12:00", "0 21 24 11 *"),
        ("Tue 22:00:01", "Tue 12:00", "1 21 24 11 *"),
        ("Tue 22:59:59.999999", "Tue 12:00", "0 22 24 11 *"),
        ("2027-01-01 00:30", "2026-12-31 12:00", "30 23 31 12 *"),
        ("2028-02-28 23:59:30+00:00", "2028-02-28 12:00", "0 0 29 2 *"),
        ("Tue 12:02", "Tue 12:01", "2 11 24 11 *"),
        ("Tue 12:02", "Tue 12:01:01", "3 11 24 11 *"),  # at least a minute ahead
        ("Tue 11:00", "Tue 12:00", "1 11 24 11 *"),
    ],
)
def test_it_fires_once_when_the_override_ends(until: str, now: str, schedule: str) -> None:
    job = made(override(until=until), at(now))
    assert (job.schedule, job.time_zone, job.state) == (schedule, "UTC", "ENABLED")


@pytest.mark.parametrize("or_started", [None, "main"])
def test_it_is_paused_when_the_override_has_no_end(or_started: str | None) -> None:
    assert made(override(until=None, or_started=or_started)).state == "PAUSED"


def test_it_copies_target_account_deadline_and_retries_from_the_reconcile_job() -> None:
    def copied(job: Job) -> tuple[Any, ...]:
        return job.url, job.method, job.headers, job.account, job.audience, job.deadline, job.retries

    assert copied(made(override())) == copied(RECONCILE)


def test_its_description_is_its_own() -> None:
    assert jobs.settings_sha256_of(made(override())) is None


def test_its_body_is_a_request_that_stores_the_override() -> None:
    kept = override("running", "Tue 11:00", "Tue 22:00", or_started="main", by="anna@example.com", note="load test")
    assert json.loads(made(kept).body) == {
        "endpoints": ["embeddings"],
        "memory": {
            "override": {
                "state": "running",
                "since": "2026-11-24T10:00:00Z",
                "until": "2026-11-24T21:00:00Z",
                "or_started": "main",
                "by": "anna@example.com",
                "note": "load test",
            }
        },
    }


def test_until_released_has_no_end_in_its_body() -> None:
    assert json.loads(made(override(until=None)).body)["memory"]["override"]["until"] is None


TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
OVERRIDES = st.builds(
    Override,
    st.sampled_from(["running", "paused", "scaledToZero"]),
    TIMES,
    st.none() | TIMES,
    st.none() | st.sampled_from(["main", "other"]),
    st.none() | st.text(max_size=20),
    st.none() | st.text(st.characters(), max_size=20),
)


@given(kept=OVERRIDES, now=TIMES)
@properties(60)
def test_an_override_reads_as_it_was_written(kept: Override, now: datetime) -> None:
    assert job_state.override_in(made(kept, now)) == kept


@given(kept=OVERRIDES, now=TIMES)
@properties(60)
def test_a_job_fires_no_sooner_than_a_minute_ahead_and_within_a_minute_of_its_end(
    kept: Override, now: datetime
) -> None:
    if kept.until is None:
        return
    minute, hour, day, month, weekday = made(kept, now).schedule.split()
    due = max(kept.until, now + MINUTE).astimezone(UTC)
    fires = (due + MINUTE - timedelta(microseconds=1)).replace(second=0, microsecond=0)
    assert [int(part) for part in (minute, hour, day, month)] == [fires.minute, fires.hour, fires.day, fires.month]
    assert weekday == "*"


# The job of a platform.


def test_a_platforms_body_is_a_request_for_its_followers_that_stores_its_state() -> None:
    assert json.loads(job_state.platform_body(SETTINGS, "main", stopped("Tue 11:00"))) == {
        "endpoints": ["embeddings", "search"],
        "memory": {"platform": "main", "state": "stopped", "since": "2026-11-24T10:00:00Z"},
    }


@given(platform_state=st.builds(PlatformState, st.sampled_from(["started", "stopped"]), TIMES, st.none() | TIMES))
@properties(60)
def test_platform_states_are_read_as_they_were_written(platform_state: PlatformState) -> None:
    assert (
        job_state.platform_state_in(
            holding("lifecycle-platform-main", job_state.platform_body(SETTINGS, "main", platform_state))
        )
        == platform_state
    )


def test_a_body_without_stored_state_is_a_plain_request() -> None:
    assert json.loads(job_state.body(["embeddings"])) == {"endpoints": ["embeddings"]}


# What the jobs store.


def test_overrides_and_platform_states_are_read_from_the_jobs() -> None:
    platform_state = holding("lifecycle-platform-main", job_state.platform_body(SETTINGS, "main", started("Tue 06:00")))
    found = job_state.stored_state([RECONCILE, made(override()), platform_state], SETTINGS, "lifecycle")
    assert (found.overrides, found.platforms) == ({"embeddings": (override(),)}, {"main": started("Tue 06:00")})


@pytest.mark.parametrize("id", ["lifecycle-platform-main", "other-override-embeddings", "lifecycle-hours-0800"])
def test_jobs_of_others_store_nothing(id: str) -> None:
    reported = json.loads(made(override()).body)
    assert dict(job_state.stored_state([holding(id, reported)], SETTINGS, "lifecycle").overrides) == {}


def test_a_platform_that_nothing_follows_is_not_stored() -> None:
    reported = {"memory": {"platform": "other", "state": "stopped", "since": "2026-11-24T10:00:00Z"}}
    assert (
        dict(job_state.stored_state([holding("lifecycle-platform-other", reported)], SETTINGS, "lifecycle").platforms)
        == {}
    )


def test_a_paused_job_stores_as_well() -> None:
    kept = override(until=None)
    assert job_state.stored_state([made(kept)], SETTINGS, "lifecycle").overrides == {"embeddings": (kept,)}


def test_a_platforms_job_as_sync_makes_it_stores_nothing() -> None:
    assert job_state.platform_state_in(holding("lifecycle-platform-main", job_state.body(["embeddings"]))) is None


NO_TIMES: list[Any] = ["tomorrow", 7, [], {}]
GOOD: dict[str, Any] = {"state": "paused", "since": "2026-11-24T10:00:00Z", "until": "2026-11-24T21:00:00Z"}


@pytest.mark.parametrize(
    "reported",
    [
        *[b"", b"\xff", b"[" * 30_000, [], None, {}, {"memory": None}, {"memory": []}, {"memory": {"override": []}}],
        *({"memory": {"override": GOOD | {"state": state}}} for state in ("any", "dancing", None, ["paused"])),
        *({"memory": {"override": GOOD | {"since": since}}} for since in (None, *NO_TIMES)),
        *({"memory": {"override": GOOD | {"until": until}}} for until in NO_TIMES),
    ],
)
def test_what_is_no_override_is_none(reported: Any) -> None:
    assert job_state.override_in(holding("lifecycle-override-embeddings", reported)) is None


@pytest.mark.parametrize(
    "memory",
    [
        *[None, [], {}, {"state": "paused", "since": "2026-11-24T10:00:00Z"}, {"state": "started"}],
        *[{"state": "started", "since": "soon"}, {"state": ["started"], "since": "2026-11-24T10:00:00Z"}],
    ],
)
def test_what_is_no_message_is_none(memory: Any) -> None:
    assert job_state.platform_state_in(holding("lifecycle-platform-main", {"endpoints": [], "memory": memory})) is None


def test_of_an_override_written_manually_only_state_and_since_are_needed() -> None:
    reported = {"memory": {"override": {"state": "paused", "since": "2026-11-24T11:00:00+01:00", "by": 7, "more": 1}}}
    assert job_state.override_in(holding("x", reported)) == override(until=None)


def test_a_long_note_in_a_job_is_cut() -> None:
    reported = {"memory": {"override": {"state": "paused", "since": "2026-11-24T10:00:00Z", "note": "x" * 65_000}}}
    found = job_state.override_in(holding("x", reported))
    assert found
    assert found.note == "x" * 500


# From which settings the jobs were made.


@pytest.mark.parametrize(
    ("description", "found"),
    [(f"settings {'0f' * 32}", "0f" * 32), ("0f" * 32, "0f" * 32), ("", None), ("0f" * 31, None), ("0f" * 33, None)],
)
def test_the_settings_sha256_is_in_the_reconcile_jobs_description(description: str, found: str | None) -> None:
    assert jobs.settings_sha256_of(Job("x", "", "", "", b"", description=description)) == found


def test_without_a_job_nobody_knows_the_settings() -> None:
    assert jobs.settings_sha256_of(None) is None
