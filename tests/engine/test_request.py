"""Requests: the allowed values, and the mistakes, which are all reported at once."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.engine.request import UnknownName
from support.building import DAY, NOON, properties
from support.requests import FUNCTIONS, KNOWN, VERBS, asked, asked_of, refused, reported

# Which function takes which key.

EVERY_KEY = {
    "for": ("2h", VERBS),
    "until": ("2026-11-24T22:00:00+01:00", VERBS),
    "note": ("load test", VERBS),
    "clear_override": (True, ("reconcile",)),
    "memory": ({"platform": "main", "state": "stopped"}, ("reconcile",)),
    "dry_run": (True, FUNCTIONS),
    "force": (True, VERBS),
    "": (True, ()),
    "Endpoints": (["embeddings"], ()),
}
COMBINATIONS = [
    (function, key, value, function in takers) for key, (value, takers) in EVERY_KEY.items() for function in FUNCTIONS
]


@pytest.mark.parametrize(("function", "key", "value"), [row[:3] for row in COMBINATIONS if row[3]])
def test_a_function_takes(function: str, key: str, value: Any) -> None:
    assert asked(function, **{key: value}).entries == ("embeddings",)


@pytest.mark.parametrize(("function", "key", "value"), [row[:3] for row in COMBINATIONS if not row[3]])
def test_a_function_refuses_a_key_that_it_does_not_take(function: str, key: str, value: Any) -> None:
    (line,) = refused(function, **{key: value})
    assert line.startswith(f"{key}: ")
    assert "unknown key; allowed are endpoints, dry_run" in line


# Endpoints.


@pytest.mark.parametrize("function", FUNCTIONS)
def test_endpoints_are_names_of_the_settings(function: str) -> None:
    found = asked(function, endpoints=["search", "embeddings"])
    assert (found.entries, found.everything) == (("search", "embeddings"), False)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_asterisk_means_all(function: str) -> None:
    found = asked(function, endpoints=["*"])
    assert (found.entries, found.everything) == (KNOWN, True)


def test_all_named_one_by_one_are_not_everything() -> None:
    assert not asked("reconcile", endpoints=list(KNOWN)).everything


def test_a_name_said_twice_is_meant_once() -> None:
    assert asked("pause", endpoints=["search", "search"]).entries == ("search",)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "endpoints", [[], None, "embeddings", {"embeddings": {}}, [1], [None], [["embeddings"]], [True]]
)
def test_what_is_no_list_of_names_is_refused(function: str, endpoints: Any) -> None:
    assert all(line.startswith("endpoints") for line in refused(function, endpoints=endpoints))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_endpoints_are_required(function: str) -> None:
    assert reported(function, b"{}") == ["endpoints: is missing"]


# Names that are not in the settings.


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("endpoints", [["embedings"], ["embeddings", "x"], ["Embeddings"], ["x", "x"]])
def test_names_that_are_no_entries_may_be_endpoints(function: str, endpoints: list[str]) -> None:
    found = asked(function, endpoints=endpoints)
    assert set(found.entries) | set(found.others) == set(endpoints)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", ["../x", "a b", "é", "x" * 97])
def test_names_that_can_be_no_endpoint_are_not_found(function: str, name: str) -> None:
    with pytest.raises(UnknownName):
        asked(function, endpoints=[name])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("endpoints", [["*", "embeddings"], [""], ["x", "*"]])
def test_what_is_neither_names_nor_everything_is_refused(function: str, endpoints: list[str]) -> None:
    assert refused(function, endpoints=endpoints)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_everything_twice_is_everything(function: str) -> None:
    assert asked(function, endpoints=["*", "*"]).everything


def test_an_unknown_name_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"embed/ings.*embeddings, playground, search") as caught:
        asked("pause", endpoints=["embed/ings"])
    assert caught.value.known == list(KNOWN)


def test_with_other_mistakes_an_unknown_name_is_one_of_them() -> None:
    lines = refused("pause", endpoints=["embed/ings"], **{"for": "soon"})
    assert len(lines) == 2
    assert any("embed/ings" in line and "embeddings, playground, search" in line for line in lines)


# Holders.


@pytest.mark.parametrize("holder", ["", "a@b", "x" * 65, "ci 42", 7, None])
def test_a_holder_is_a_short_plain_word(holder: Any) -> None:
    assert refused("resume", holder=holder)[0].startswith("holder: ")


@pytest.mark.parametrize(("key", "value"), [("holder", "ci-42"), ("holders", "all")])
def test_reconcile_takes_holders_only_with_a_release(key: str, value: str) -> None:
    assert refused("reconcile", **{key: value}) == [f"{key}: only with clear_override: true"]
    assert asked("reconcile", clear_override=True, **{key: value}).clear_override


@pytest.mark.parametrize("holders", ["everybody", ["all"], True, None])
def test_holders_can_only_be_all(holders: Any) -> None:
    assert refused("reconcile", clear_override=True, holders=holders)[0].startswith("holders: ")


# The rest.


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_dry_unless_asked(function: str) -> None:
    assert [asked(function).dry_run, asked(function, dry_run=True).dry_run] == [False, True]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", ["true", 1, None])
def test_dry_run_is_true_or_false(function: str, value: Any) -> None:
    assert refused(function, dry_run=value)[0].startswith("dry_run: ")


def test_clearing_is_asked() -> None:
    assert asked("reconcile", clear_override=True).clear_override


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_cleared_unless_asked(function: str) -> None:
    assert not asked(function).clear_override


@pytest.mark.parametrize("memory", [{}, {"override": {"state": "paused"}}, None, 7, "x"])
def test_what_a_job_stores_is_ignored(memory: Any) -> None:
    assert asked("reconcile", memory=memory) == asked("reconcile")


def test_a_note_is_kept_as_it_is() -> None:
    assert asked("pause", note=" Lasttest ").note == " Lasttest "


@pytest.mark.parametrize(
    "note",
    [
        *("x" * 501, "two\nlines", "two\u2028lines", "two\u2029paragraphs", "\x1b[31mred", "\x7f", "\x85", "\ud800"),
        *("turned \u202eround", "\u2066isolated", "\u200fmarked", "zero\u200bwidth", "\ufeffordered", "soft\xadhyphen"),
    ],
)
def test_a_note_is_at_most_500_characters_without_control_characters(note: str) -> None:
    assert refused("pause", note=note)[0].startswith("note: ")


def test_a_note_may_have_500_characters() -> None:
    assert asked("pause", note="é" * 500).note == "é" * 500


@pytest.mark.parametrize("note", ["می\u200cخواهم", "क्\u200dष", "\U0001f469\u200d\U0001f4bb", "שלום", "no\u00a0break"])  # noqa: RUF001
def test_a_note_may_have_what_ordinary_text_of_any_script_has(note: str) -> None:
    assert asked("pause", note=note).note == note


@pytest.mark.parametrize("note", [7, None, ["x"], {}])
def test_a_note_is_text(note: Any) -> None:
    assert refused("pause", note=note)[0].startswith("note: ")


@pytest.mark.parametrize(
    "body",
    [
        *[b"", b"[]", b"null", b'"embeddings"', b"7", b"{", b'{"endpoints": ["embeddings"],}', b"endpoints=embeddings"],
        *[b"\xff", b"\x80{}", b"[" * 50_000, b"{}{}", b"9" * 10_000],
    ],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_json_object_is_refused(function: str, body: bytes) -> None:
    assert len(reported(function, body)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"endpoints": ["embeddings"], "endpoints": ["search"]}',
        b'{"endpoints": ["embeddings"], "dry_run": true, "dry_run": false}',
        b'{"endpoints": ["embeddings"], "dry_run": true, "dry_\\u0072un": false}',
    ],
)
def test_a_key_that_stands_twice_is_refused(body: bytes) -> None:
    (line,) = reported("pause", body)
    assert "duplicate key" in line


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    lines = refused(
        "pause", endpoints=["x/", 1], **{"for": "soon", "until": "later", "dry_run": 1, "note": 2, "force": 3}
    )
    assert {line.partition(":")[0] for line in lines} == {
        *("force", "endpoints[1]", "endpoints", "dry_run", "for", "until", "note"),
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
LIKELY = st.sampled_from(
    ["embeddings", "*", "2h", "9999999d", "released", "2026-11-24T22:00:00Z", "0001-01-01T00:00:00+14:00"]
)
BODIES = st.dictionaries(
    st.sampled_from([*EVERY_KEY, "endpoints"]), LIKELY | st.lists(LIKELY, max_size=2) | VALUES
).map(lambda body: json.dumps(body).encode())


@given(
    function=st.sampled_from(FUNCTIONS), body=BODIES | st.binary(max_size=40) | VALUES.map(json.dumps).map(str.encode)
)
@example(function="pause", body=b'{"endpoints": ["\\ud800"]}')
@example(function="pause", body='{"endpoints": ["embeddings"]}'.encode("utf-16"))
@properties(400)
def test_a_body_is_read_or_refused_and_nothing_else(function: str, body: bytes) -> None:
    found = asked_of(function, body)
    assert found is None or set(found.entries) <= set(KNOWN)
    assert found is None or found.until is None or NOON < found.until <= NOON + 7 * DAY
