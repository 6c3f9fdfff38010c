"""The settings: the allowed values and their meaning."""

import hashlib
import json
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.config import settings
from lifecycle.core.entries import Cron, Platform, Scaling, Warm
from lifecycle.core.times import duration, in_words
from support.building import BERLIN, DAY, HOUR, MINUTE, entry, properties, read
from support.files import FUNCTIONS, LEAST, SAMPLE

# The sample, and the defaults.


def test_the_sample_reads() -> None:
    made = settings.parse(SAMPLE)
    assert (made.namespace, made.zone, made.reconcile_every, made.dry_run) == ("acme", BERLIN, 10 * MINUTE, False)


def test_the_samples_endpoint_is_as_it_says() -> None:
    found = settings.parse(SAMPLE).entries["embeddings"]
    assert (found.name, found.rest, found.platform, found.max_started) == ("embeddings-prod", "paused", "main", DAY)
    assert (found.start, found.enforce, found.idle_after, found.zone) == (True, True, None, BERLIN)


def test_the_samples_hours_have_its_lead_and_holidays() -> None:
    found = settings.parse(SAMPLE).entries["embeddings"].hours
    assert found is not None
    assert [period.text for period in found.periods] == ["Mon-Fri 08:00-20:00"]
    assert (found.lead, found.zone) == (10 * MINUTE, BERLIN)
    first, last = date(2026, 12, 27), date(2027, 1, 1)
    assert found.holidays.dates == {
        date(2026, 12, 25),
        *(first + number * DAY for number in range((last - first).days + 1)),
    }


def test_the_samples_warming_and_scaling_are_as_they_say() -> None:
    found = settings.parse(SAMPLE).entries["embeddings"]
    assert found.warm == Warm("/", {"inputs": "warm-up"})
    assert found.scaling == Scaling(1, 2)


def test_the_samples_pattern_covers_by_tag() -> None:
    found = settings.parse(SAMPLE).entries["playground"]
    assert (found.name, found.tags, found.idle_after) == (None, frozenset({"dev"}), 45 * MINUTE)


def test_the_samples_scheduled_action_is_as_it_says() -> None:
    assert settings.parse(SAMPLE).cron == (Cron("0 22 * * *", "pause", ("playground",), BERLIN),)


def test_the_sample_points_editors_at_the_schema() -> None:
    assert b"yaml-language-server: $schema=lifecycle.schema.json" in SAMPLE


def test_the_schema_file_is_that_of_the_settings() -> None:
    assert json.loads((FUNCTIONS / "lifecycle.schema.json").read_bytes()) == json.loads(json.dumps(settings.schema()))


def test_a_namespace_and_an_endpoint_are_enough() -> None:
    made = settings.parse(LEAST.encode())
    assert (made.zone, made.reconcile_every, made.dry_run) == (ZoneInfo("UTC"), 10 * MINUTE, False)
    assert (dict(made.platforms), made.cron) == ({}, ())


def test_an_endpoint_of_which_nothing_is_said_is_left_alone_under_its_own_name() -> None:
    found = settings.parse(LEAST.encode()).entries["embeddings"]
    assert (found.name, found.hours, found.platform, found.idle_after) == ("embeddings", None, None, None)
    assert (found.rest, found.start, found.enforce, found.warm, found.scaling) == (
        "paused",
        True,
        True,
        None,
        Scaling(),
    )


def test_an_entry_may_be_empty() -> None:
    assert read("endpoints: {embeddings: }").entries["embeddings"].name == "embeddings"


def test_the_settings_know_the_sha256_of_their_file() -> None:
    assert settings.parse(SAMPLE).sha256 == hashlib.sha256(SAMPLE).hexdigest()


def test_an_entry_has_its_own_zone() -> None:
    found = entry("hours: daily 08:00-20:00, time_zone: America/New_York")
    assert found.zone == ZoneInfo("America/New_York")
    assert found.hours is not None
    assert found.hours.zone == found.zone


@pytest.mark.parametrize(
    ("own", "days"), [("", ["2026-12-25"]), ("holidays: [2026-05-01]", ["2026-05-01"]), ("holidays: []", [])]
)
def test_an_entrys_own_holidays_replace_those_of_all(own: str, days: list[str]) -> None:
    made = read(f"holidays: [2026-12-25]\nendpoints: {{embeddings: {{hours: daily 08:00-20:00, {own}}}}}")
    found = made.entries["embeddings"].hours
    assert found is not None
    assert [str(day) for day in found.holidays.dates] == days


def test_hours_may_be_a_list() -> None:
    found = entry("hours: [Mon-Fri 08:00-20:00, 'Sat,Sun 10:00-16:00']").hours
    assert found is not None
    assert [period.text for period in found.periods] == ["Mon-Fri 08:00-20:00", "Sat,Sun 10:00-16:00"]


def test_a_platform_needs_no_section_of_its_own() -> None:
    assert read("endpoints: {embeddings: {platform: main}}").entries["embeddings"].platform == "main"


def test_a_platform_may_be_empty() -> None:
    assert read("platforms: {main: }\nendpoints: {a: {platform: main}}").platforms == {"main": Platform()}


def test_a_platforms_followers_are_in_the_files_order() -> None:
    made = read("endpoints: {b: {platform: main}, c: {}, a: {platform: main}}")
    assert made.followers("main") == ("b", "a")


def test_an_asterisk_in_a_scheduled_action_means_all() -> None:
    made = read("endpoints: {a: {}, b: {}}\ncron: [{at: 0 23 * * *, do: pause, endpoints: ['*']}]")
    assert made.cron[0].endpoints == ("*",)


@pytest.mark.parametrize("every", ["1m", "5m", "10m", "12m", "15m", "30m", "1h", "60m", "600s"])
def test_reconcile_every_divides_an_hour(every: str) -> None:
    assert read(f"reconcile_every: {every}\nendpoints: {{}}").reconcile_every == duration(every)


def test_three_hundred_entries_are_allowed() -> None:
    assert len(read(f"endpoints: {{{', '.join(f'e{n}: ' for n in range(300))}}}").entries) == 300


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"])
def test_a_zone_is_utc_or_a_name_with_a_slash(zone: str) -> None:
    assert read(f"endpoints: {{a: {{time_zone: {zone}}}}}").entries["a"].zone.key == zone


@pytest.mark.parametrize(
    ("path", "body"), [("/", "{inputs: x}"), ("/v1/chat", "[1, 2.5]"), ("/?a=b", "text"), ("/health", "null")]
)
def test_what_proves_that_it_answers_is_a_path_and_any_json(path: str, body: str) -> None:
    assert entry(f"warm: {{path: '{path}', body: {body}}}").warm == Warm(path, yaml.safe_load(body))


# Durations.


@pytest.mark.parametrize(
    ("text", "length"),
    [
        *[("90s", 90 * MINUTE / 60), ("45m", 45 * MINUTE), ("1h30m", 90 * MINUTE), ("2d", 2 * DAY)],
        *[("1d1h1m1s", DAY + HOUR + MINUTE + MINUTE / 60), ("90m", 90 * MINUTE), ("0s", timedelta())],
    ],
)
def test_durations_are_numbers_with_units(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "90", "m", "1.5h", "-5m", "5 m", "1m1h", "1h1h", "5M", "PT5M", "٣m", "5m\n", "999999d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"90s, 45m, 1h30m, 2d|at most|not a duration"):
        duration(text)


@given(seconds=st.integers(0, 366 * 86400))
@properties(200)
def test_durations_read_as_they_are_written(seconds: int) -> None:
    assert duration(in_words(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


# Which entry decides.

OVERLAPPING = """
endpoints:
  first: {name: dev-*}
  second: {tags: [dev]}
  third: {name: dev-a}
  both: {name: "test-*", tags: [dev, gpu]}
"""


@pytest.mark.parametrize(
    ("name", "tags", "covering"),
    [
        ("dev-a", set(), ["third", "first"]),  # an exact name beats a pattern
        ("dev-b", set(), ["first"]),
        ("dev-b", {"dev"}, ["first", "second"]),  # the first in the file wins, the overlap can be reported
        ("other", {"dev"}, ["second"]),
        ("other", set(), []),
        ("test-a", {"gpu"}, []),  # a name and tags: both must fit
        ("test-a", {"dev", "gpu", "more"}, ["second", "both"]),
        ("Dev-b", set(), []),
    ],
)
def test_entries_cover_endpoints(name: str, tags: set[str], covering: list[str]) -> None:
    assert [found.key for found in read(OVERLAPPING).covering(name, frozenset(tags))] == covering
