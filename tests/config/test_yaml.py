"""The settings' YAML: words, times and duplicate keys, which YAML 1.1 would read differently."""

import json
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.config import settings, yaml12
from lifecycle.config.schema import Invalid
from lifecycle.core.entries import Settings, Warm
from support.building import properties, read, refusal
from support.files import LEAST, SAMPLE, with_entry

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
    (reported,) = refusal(text)
    assert reported.startswith(f"{path}: ")
    assert "duplicate key" in reported


def test_a_key_that_stands_twice_is_reported_with_its_line() -> None:
    (reported,) = refusal("namespace: acme\nendpoints:\n  a: {}\n  b: {}\n  a: {}\n")
    assert "line 5" in reported


def test_every_key_that_stands_twice_is_reported() -> None:
    reported = refusal("namespace: acme\nnamespace: acme\nendpoints: {a: {start: true, start: true}, a: {}}")
    assert [line.partition(": ")[0] for line in reported] == ["namespace", "endpoints.a.start", "endpoints.a"]


@pytest.mark.parametrize("key", ["123", "007", "1e3", "null", "true", "2026-12-25"])
def test_a_key_is_its_text(key: str) -> None:
    assert read(f"endpoints: {{a: {{warm: {{body: {{{key}: x}}}}}}}}").entries["a"].warm == Warm("/", {key: "x"})


def test_keys_that_are_equal_as_values_are_two_keys() -> None:
    assert refusal("namespace: acme\nendpoints: {a: {warm: {body: {1: a, true: b}}}}") == []


def test_a_key_that_is_no_text_is_refused() -> None:
    (reported,) = refusal("namespace: acme\nendpoints: {a: {warm: {body: {x: {[1]: a}}}}}")
    assert reported == "endpoints.a.warm.body.x: keys must be plain names (line 2)"


def test_merging_by_an_arrow_is_an_unknown_key() -> None:
    reported = refusal("namespace: acme\nendpoints: {a: &a {rest: paused}, b: {<<: *a}}")
    assert [line.partition(": ")[0] for line in reported] == ["endpoints.b.<<"]


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
    assert found
    assert (found.body, type(found.body["x"])) == ({"x": meant}, type(meant))


def test_a_time_without_quotes_is_no_number_of_minutes() -> None:
    (reported,) = refusal(with_entry("hours: 12:30"))
    assert '"12:30"' in reported


def test_holidays_need_no_quotes() -> None:
    found = read("holidays: [2026-12-25]\nendpoints: {a: {hours: daily 08:00-09:00}}").entries["a"].hours
    assert found is not None
    assert found.holidays.dates == {date(2026, 12, 25)}


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


# Bounds, which are checked before anything is built.


@pytest.mark.parametrize("nested", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_refused_at_once(nested: str) -> None:
    (reported,) = refusal(nested * 50_000)
    assert "50 deep" in reported or "not YAML" in reported


def test_brackets_that_overflow_a_stack_do_not_end_the_process() -> None:
    text = f"namespace: {'[' * 50_000}{']' * 50_000}"
    assert "50 deep" in "".join(refusal(text))


def test_aliases_count_with_their_depth() -> None:
    chain = "\n".join(f"x{n}: &x{n} [{f'*x{n - 1}' if n else 'x'}]" for n in range(60))
    assert any("50 deep" in line for line in refusal(LEAST + chain))


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert any("undefined alias *a" in line for line in refusal("namespace: acme\nendpoints: &a {b: *a}"))


def test_a_file_above_a_million_bytes_is_refused_by_its_size() -> None:
    (reported,) = refusal(LEAST + "#" * 1_000_000)
    assert "at most 1,000,000 are allowed" in reported


def test_a_second_document_is_refused_with_its_line() -> None:
    (reported,) = refusal(LEAST + "---\nnamespace: other\n")
    assert reported == "line 3: a second document; the file must hold one"


def test_where_an_unclosed_bracket_begins_is_reported() -> None:
    (reported,) = refusal("namespace: acme\nendpoints: {a: {tags: [x}}\n")
    assert "line 2" in reported


def test_both_of_pyyamls_parsers_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    read_by_libyaml = yaml12.load(SAMPLE)
    monkeypatch.setattr(yaml12, "_LOADER", yaml.SafeLoader)
    assert yaml12.load(SAMPLE) == read_by_libyaml
