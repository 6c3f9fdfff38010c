"""The settings: what may stand in them, what it means, and every refusal with its path and what is allowed."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from building import BERLIN, DAY, HOUR, MINUTE, entry, properties, read, refusal
from lifecycle import settings
from lifecycle.reading import Invalid, duration, in_words
from lifecycle.settings import Cron, Platform, Scaling, Settings, Warm

FUNCTIONS = Path(__file__).parent.parent / "functions"
SAMPLE = (FUNCTIONS / "lifecycle.yaml").read_bytes()
LEAST = "namespace: acme\nendpoints: {embeddings: {}}\n"


def with_entry(text: str) -> str:
    return f"namespace: acme\nendpoints: {{embeddings: {{{text}}}}}"


# The sample, and what holds where nothing is said.


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
    assert found.holidays == {date(2026, 12, 25), *(first + number * DAY for number in range((last - first).days + 1))}


def test_the_samples_warming_and_scaling_are_as_they_say() -> None:
    found = settings.parse(SAMPLE).entries["embeddings"]
    assert found.warm == Warm("/", {"inputs": "warm-up"})
    assert found.scaling == Scaling(0, 2, 15 * MINUTE)


def test_the_samples_pattern_covers_by_tag() -> None:
    found = settings.parse(SAMPLE).entries["playground"]
    assert (found.name, found.tags, found.idle_after) == (None, frozenset({"dev"}), 45 * MINUTE)


def test_the_samples_timed_action_is_as_it_says() -> None:
    assert settings.parse(SAMPLE).cron == (Cron("*/10 8-19 * * 1-5", "warm", ("embeddings",)),)


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
    assert [str(day) for day in found.holidays] == days


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


def test_an_asterisk_in_a_timed_action_means_all() -> None:
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


# Refusals: what is written, the path that the message begins with, and words of it that say what is allowed.

IN_AN_ENTRY = [
    # Unknown keys
    ("hour: daily 08:00-20:00", "hour", "unknown key; allowed are name, tags,"),
    ("warm: {url: /}", "warm.url", "unknown key; allowed are path, body"),
    ("scaling: {max: 1}", "scaling.max", "unknown key; allowed are min_replicas, max_replicas,"),
    # Wrong types
    ("name: 7", "name", "must be text"),
    ("tags: dev", "tags", "must be a list"),
    ("tags: []", "tags", "must not be empty"),
    ("tags: [1]", "tags[0]", "must be text"),
    ("hours: []", "hours", "must not be empty"),
    ("hours: {Mon: 1}", "hours", "must be text"),
    ("lead: 10", "lead", "must be text"),
    ("start: 'true'", "start", "true or false"),
    ("enforce: 0", "enforce", "true or false"),
    ("warm: /", "warm", "must be a mapping"),
    ("scaling: 2", "scaling", "must be a mapping"),
    *(
        (f"scaling: {{max_replicas: {given}}}", "scaling.max_replicas", "a whole number")
        for given in ("'2'", 1.5, "true")
    ),
    # Values
    ("name: Embeddings/Prod", "name", "a-z, 0-9 and -"),
    ("rest: stopped", "rest", "paused or scaledToZero"),
    ("lead: 10 minutes", "lead", "90s, 45m, 1h30m, 2d"),
    ("idle_after: 0m", "idle_after", "longer than nothing"),
    *(
        (f"warm: {{path: {given}}}", "warm.path", "exactly one /")
        for given in ("embed", "//x.example", "https://x.example")
    ),
    ("warm: {path: ''}", "warm.path", "text, not empty"),
    ("warm: {body: {x: 1e999}}", "warm.body", "JSON"),
    ("scaling: {min_replicas: -1}", "scaling.min_replicas", "must not be negative"),
    ("scaling: {max_replicas: 0}", "scaling.max_replicas", "at least 1"),
    ("scaling: {min_replicas: 3, max_replicas: 2}", "scaling.min_replicas", "must not exceed"),
    *(
        (f"scaling: {{min_replicas: 0, scale_to_zero_after: {after}}}", "scaling.scale_to_zero_after", "15m to 2880m")
        for after in ("14m", "2881m", "3d", "15m30s")
    ),
    # Hours
    ("hours: Mon-Fry 08:00-20:00", "hours", '"Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun'),
    ("hours: [Mon 08:00-20:00, Tue 8-20]", "hours[1]", "times are 00:00 … 23:59, and 24:00"),
    ("hours: Mon 08:00-08:00", "hours", "without length"),
    # What does not go together
    ("idle_after: 45m, hours: daily 08:00-20:00", "idle_after", "hours"),
    ("idle_after: 45m, platform: main", "idle_after", "platform"),
    ("scaling: {scale_to_zero_after: 15m}", "scaling.scale_to_zero_after", "min_replicas: 0"),
    ("scaling: {min_replicas: 1, scale_to_zero_after: 15m}", "scaling.scale_to_zero_after", "min_replicas: 0"),
    # Zones
    ("time_zone: +01:00", "time_zone", '"UTC" or a name with a slash'),
]
IN_A_TIMED_ACTION = [
    ("at: 0 8 * * *, do: warm, endpoints: ['*'], note: x", "note", "unknown key; allowed are at, do, endpoints"),
    ("do: warm, endpoints: ['*']", "at", "missing"),
    ("at: 0 8 * * *, endpoints: ['*']", "do", "missing"),
    ("at: 0 8 * * *, do: warm", "endpoints", "missing"),
    ("at: 0 8 * * *, do: reconcile, endpoints: ['*']", "do", "pause or resume or warm"),
    ("at: 0 8 * * *, do: warm, endpoints: []", "endpoints", "must not be empty"),
    ("at: 0 8 * * *, do: warm, endpoints: [x]", "endpoints[0]", '"x": unknown name; known are embeddings'),
    ("at: 0 8 * * *, do: warm, endpoints: ['*', embeddings]", "endpoints[0]", "unknown name"),
    *(
        (f"at: '{schedule}', do: warm, endpoints: ['*']", "at", "not a cron schedule")
        for schedule in ("0 8 * *", "0 0 8 * * *", "60 8 * * *", "0 8 L * *", "0 8 * * 5#1", "@daily", "0 8 31 2 *")
    ),
]
AT_THE_TOP = [
    ("time_zon: UTC", "time_zon", "unknown key; allowed are namespace, time_zone,"),
    ("holidays: 2026-12-25", "holidays", "must be a list"),
    ("holidays: [25.12.2026]", "holidays[0]", "2026-12-25 or 2026-12-27..2027-01-01"),
    ("holidays: [2026-12-25, 2026-02-30]", "holidays[1]", "no such day"),
    ("holidays: [2027-01-01..2026-12-27]", "holidays[0]", "ends on or after its beginning"),
    ("dry_run: 1", "dry_run", "true or false"),
    ("reconcile_every: 10", "reconcile_every", "must be text"),
    *((f"reconcile_every: {every}", "reconcile_every", "divide an hour") for every in ("7m", "2h", "90s", "25m")),
    ("reconcile_every: 0s", "reconcile_every", "longer than nothing"),
    ("time_zone:", "time_zone", "must be text"),
    *(
        (f"time_zone: {zone}", "time_zone", '"UTC" or a name with a slash')
        for zone in ("CET", "Berlin", "utc", "GMT+1")
    ),
    *(
        (f"time_zone: {zone}", "time_zone", "unknown time zone")
        for zone in ("Europe/Berlyn", "Europe/", "../etc/passwd", "/etc/localtime", "posix/Europe/Berlin")
    ),
    ("platforms: [main]", "platforms", "must be a mapping"),
    ("platforms: {Main: {}}", "platforms.Main", "1 to 32 of a-z, 0-9 and -"),
    ("platforms: {main: {max: 1h}}", "platforms.main.max", "unknown key; allowed are max_started"),
    ("platforms: {main: {max_started: soon}}", "platforms.main.max_started", "90s, 45m, 1h30m, 2d"),
    ("cron: {at: 0 8 * * *}", "cron", "must be a list"),
]
IN_ENDPOINTS = [
    ("[a]", "endpoints", "must be a mapping"),
    ("{a: b}", "endpoints.a", "must be a mapping"),
    ("{Embeddings: {}}", "endpoints.Embeddings", "1 to 32 of a-z, 0-9 and -"),
    ("{a_b: {}}", "endpoints.a_b", "1 to 32 of a-z, 0-9 and -"),
    (f"{{{'a' * 33}: {{}}}}", f"endpoints.{'a' * 33}", "1 to 32 of a-z, 0-9 and -"),
    ("{a: {platform: mian}}\nplatforms: {main: {}}", "endpoints.a.platform", '"mian": unknown name; known are main'),
    ("{a: {name: x}, b: {name: x}}", "endpoints.b.name", '"x" at Hugging Face is endpoints.a already'),
    ("{a: {name: b}, b: {}}", "endpoints.b.name", '"b" at Hugging Face is endpoints.a already'),
    (f"{{{', '.join(f'e{n}: ' for n in range(301))}}}", "endpoints", "300 are allowed"),
]
FILES = [
    ("", "", "must be a mapping"),
    ("- a", "", "must be a mapping"),
    ("endpoints: {}", "namespace", "missing"),
    ("namespace: acme", "endpoints", "missing"),
    ("namespace: [acme]\nendpoints: {}", "namespace", "must be text"),
    ("namespace: 7\nendpoints: {}", "namespace", "must be text"),
    ("namespace: a/b\nendpoints: {}", "namespace", "must be a Hugging Face user or organisation"),
    # Not YAML
    ("namespace: [acme", "", "line 1"),
    ("namespace: acme\n\tendpoints: {}", "", "line 2"),
    ("a: *b", "", "line 1"),
    ("namespace: acme\n---\nnamespace: acme", "", "line 2"),
    ("namespace: &a [*a]\nendpoints: {}", "", "too large"),
]
REFUSED = [
    *((with_entry(text), f"endpoints.embeddings.{path}", allowed) for text, path, allowed in IN_AN_ENTRY),
    *((f"{LEAST}cron: [{{{text}}}]", f"cron[0].{path}", allowed) for text, path, allowed in IN_A_TIMED_ACTION),
    *((LEAST + text, path, allowed) for text, path, allowed in AT_THE_TOP),
    *((f"namespace: acme\nendpoints: {text}", path, allowed) for text, path, allowed in IN_ENDPOINTS),
    *FILES,
]


@pytest.mark.parametrize(("text", "path", "allowed"), REFUSED, ids=lambda value: value[-40:])
def test_refused_with_its_path_and_what_is_allowed(text: str, path: str, allowed: str) -> None:
    told = refusal(text)
    assert [line for line in told if line.startswith(f"{path}: " if path else "") and allowed in line], told


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refusal(
        """
        namespace: 7
        time_zone: CET
        time_zone: UTC
        colour: blue
        endpoints:
          a: {hours: Mon-Fry 08:00-20:00, idle_after: 45m, lead: soon}
          b: {name: a, platform: mian, scaling: {scale_to_zero_after: 15m}}
        platforms: {main: {max_started: 1}}
        cron: [{at: daily, do: dance, endpoints: [c]}]
        """
    )
    assert {line.partition(": ")[0] for line in told} == {
        *("namespace", "time_zone", "colour", "platforms.main.max_started", "cron[0].at", "cron[0].do"),
        *("endpoints.a.hours", "endpoints.a.idle_after", "endpoints.a.lead", "cron[0].endpoints[0]"),
        *("endpoints.b.name", "endpoints.b.platform", "endpoints.b.scaling.scale_to_zero_after"),
    }


def test_one_mistake_is_told_once() -> None:
    assert len(refusal(with_entry("hours: Mon-Fry 08:00-20:00"))) == 1


def test_the_message_is_as_the_design_shows_it() -> None:
    (told,) = refusal(with_entry("hours: Mon-Fry 08:00-20:00"))
    assert told.startswith('endpoints.embeddings.hours: "Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun')


def test_a_pattern_may_be_there_twice() -> None:
    assert (
        refusal("namespace: acme\nendpoints: {a: {name: dev-*}, b: {name: dev-*}, c: {tags: [x]}, d: {tags: [x]}}")
        == []
    )


# What YAML 1.1 would make of it.


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("namespace: acme\nnamespace: acme\nendpoints: {}", "namespace"),
        ("namespace: acme\nendpoints: {a: {}, a: {}}", "endpoints.a"),
        ("namespace: acme\nendpoints: {a: {rest: paused, rest: paused}}", "endpoints.a.rest"),
        ("namespace: acme\nendpoints: {a: {warm: {body: {x: 1, x: 2}}}}", "endpoints.a.warm.body.x"),
        ("namespace: acme\nendpoints: {a: {warm: {body: [{x: 1, 'x': 2}]}}}", "endpoints.a.warm.body[0].x"),
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str, path: str) -> None:
    (told,) = refusal(text)
    assert told.startswith(f"{path}: ")
    assert "twice" in told


def test_a_key_that_stands_twice_is_told_with_its_line() -> None:
    (told,) = refusal("namespace: acme\nendpoints:\n  a: {}\n  b: {}\n  a: {}\n")
    assert "line 5" in told


def test_every_key_that_stands_twice_is_told() -> None:
    told = refusal("namespace: acme\nnamespace: acme\nendpoints: {a: {start: true, start: true}, a: {}}")
    assert [line.partition(": ")[0] for line in told] == ["namespace", "endpoints.a.start", "endpoints.a"]


@pytest.mark.parametrize("key", ["123", "007", "1e3", "null", "true", "2026-12-25"])
def test_a_key_is_its_text(key: str) -> None:
    assert read(f"endpoints: {{a: {{warm: {{body: {{{key}: x}}}}}}}}").entries["a"].warm == Warm("/", {key: "x"})


def test_keys_that_are_equal_as_values_are_two_keys() -> None:
    assert refusal("namespace: acme\nendpoints: {a: {warm: {body: {1: a, true: b}}}}") == []


def test_a_key_that_is_no_text_is_refused() -> None:
    (told,) = refusal("namespace: acme\nendpoints: {a: {warm: {body: {x: {[1]: a}}}}}")
    assert told == "endpoints.a.warm.body.x: line 2: keys are plain names"


def test_merging_by_an_arrow_is_an_unknown_key() -> None:
    told = refusal("namespace: acme\nendpoints: {a: &a {rest: paused}, b: {<<: *a}}")
    assert [line.partition(": ")[0] for line in told] == ["endpoints.b.<<"]


@pytest.mark.parametrize("name", ["on", "off", "yes", "no", "y", "n"])
def test_words_that_yaml_once_took_for_booleans_are_names(name: str) -> None:
    made = read(f"platforms: {{{name}: {{}}}}\nendpoints: {{{name}: {{tags: [{name}], platform: {name}}}}}")
    assert (made.entries[name].tags, made.entries[name].platform) == (frozenset({name}), name)


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "On", "OFF", "Yes", "NO"])
def test_words_that_yaml_once_took_for_booleans_are_none(word: str) -> None:
    assert [line.partition(": ")[0] for line in refusal(LEAST + f"dry_run: {word}")] == ["dry_run"]


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_true_is_true(word: str) -> None:
    assert read(f"dry_run: {word}\nendpoints: {{}}").dry_run


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *[("12:30", "12:30"), ("12:30:15", "12:30:15"), ("2026-12-25", "2026-12-25"), ("off", "off"), ("no", "no")],
        *[("2026-12-25T08:00:00Z", "2026-12-25T08:00:00Z"), ("1_000", "1_000"), ("=", "="), ("'true'", "true")],
        *[("true", True), ("False", False), ("null", None), ("~", None), ("", None)],
        *[("010", 10), ("-7", -7), ("+7", 7), ("1.5", 1.5), ("1e3", 1000.0), ("'7'", "7"), ("|\n   7", "7\n")],
    ],
)
def test_values_are_what_they_look_like(written: str, meant: Any) -> None:
    text = f"namespace: acme\nendpoints:\n  a:\n   warm:\n    body:\n     x: {written}\n"
    found = settings.parse(text.replace("|\n   7", "|\n      7").encode()).entries["a"].warm
    assert found is not None
    assert (found.body, type(found.body["x"])) == ({"x": meant}, type(meant))


def test_a_time_without_quotes_is_no_number_of_minutes() -> None:
    (told,) = refusal(with_entry("hours: 12:30"))
    assert '"12:30"' in told


def test_holidays_need_no_quotes() -> None:
    found = read("holidays: [2026-12-25]\nendpoints: {a: {hours: daily 08:00-09:00}}").entries["a"].hours
    assert found is not None
    assert found.holidays == {date(2026, 12, 25)}


def test_tags_of_yaml_run_nothing() -> None:
    assert refusal("namespace: !!python/object/apply:os.getcwd []\nendpoints: {}") != []


def test_aliases_that_unfold_without_end_are_refused() -> None:
    lists = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10) if n else 'x'}]" for n in range(12))
    assert "too large" in "".join(refusal(LEAST + lists))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
TOP = st.sampled_from([*settings.schema()["properties"]])
INNER = st.sampled_from(
    [
        *[
            "name",
            "tags",
            "time_zone",
            "holidays",
            "hours",
            "lead",
            "rest",
            "platform",
            "start",
            "enforce",
            "idle_after",
        ],
        *["warm", "scaling", "path", "body", "min_replicas", "max_replicas", "scale_to_zero_after", "max_started"],
        *["at", "do", "endpoints"],
    ]
)
DEEPER = st.dictionaries(INNER, ANY_JSON | st.dictionaries(INNER, ANY_JSON, max_size=2), max_size=4)
NAMED = st.dictionaries(st.sampled_from(["a", "b", "main"]), DEEPER, max_size=2)
LIKE_SETTINGS = st.dictionaries(TOP, NAMED | st.lists(DEEPER, max_size=2) | ANY_JSON, max_size=6).map(
    lambda document: json.dumps(document).encode()
)


@st.composite
def damaged_sample(draw: st.DrawFn) -> bytes:
    """The sample with a piece of it replaced."""
    begin = draw(st.integers(0, len(SAMPLE)))
    end = draw(st.integers(begin, min(begin + 20, len(SAMPLE))))
    piece = draw(st.text(alphabet="\n :,-[]{}&*!|>'\"%@#?~0a\\U", max_size=6) | st.text(max_size=3))
    return SAMPLE[:begin] + piece.encode("utf-8", "surrogatepass") + SAMPLE[end:]


def parsed(text: bytes) -> Settings | Invalid:
    try:
        return settings.parse(text)
    except Invalid as error:
        return error


@given(text=LIKE_SETTINGS | damaged_sample() | st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
@example(text=b'"\\UFFFFFFFF"')
@example(text=b"%YAML 1." + b"1" * 5000 + b"\n--- {}")
@example(text=b"[" * 5000)
@example(text=b"\xff\xfe\x00")
@properties(300)
def test_a_file_is_read_or_refused_and_nothing_else(text: bytes) -> None:
    found = parsed(text)
    assert isinstance(found, Settings) or found.problems


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
        ("dev-b", {"dev"}, ["first", "second"]),  # the first in the file wins, the overlap can be told
        ("other", {"dev"}, ["second"]),
        ("other", set(), []),
        ("test-a", {"gpu"}, []),  # a name and tags: both must fit
        ("test-a", {"dev", "gpu", "more"}, ["second", "both"]),
        ("Dev-b", set(), []),
    ],
)
def test_entries_cover_endpoints(name: str, tags: set[str], covering: list[str]) -> None:
    assert [found.key for found in read(OVERLAPPING).covering(name, frozenset(tags))] == covering
