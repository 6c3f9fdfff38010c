"""The local Hugging Face follows the settings: each name, two for each pattern, and one that nobody manages."""

import pytest

from lifecycle.config import settings
from local.namespace import endpoints


def made(entries: str) -> dict[str, str | None]:
    """Each endpoint's name, and the entry that it was made for."""
    found = settings.parse(f"namespace: acme\nendpoints: {entries}".encode())
    made = endpoints(found)
    for one in made:
        covering = found.covering(one.name, frozenset(one.tags))
        assert (covering[0] if covering else None) == one.entry
        assert 1 <= len(one.name) <= 32
    return {one.name: one.entry.key if one.entry else None for one in made}


def test_an_exact_name_is_there_under_that_name() -> None:
    assert made("{a: {name: a-prod}, b: {}}") == {"a-prod": "a", "b": "b", "forgotten": None}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{tags: [dev]}", ["dev-a", "dev-b"]),
        ("{tags: [Team One, dev]}", ["team-one-a", "team-one-b"]),
        ("{name: 'dev-*'}", ["dev-a", "dev-b"]),
        ("{name: '*-dev-*'}", ["a-dev-a", "a-dev-b"]),
        ("{name: 'dev-?'}", ["dev-a", "dev-b"]),
        ("{name: 'dev-[xz]'}", ["dev-x", "dev-z"]),
        ("{name: 'dev-[!a-w]'}", ["dev-x", "dev-y"]),
        ("{name: 'dev-[q]'}", ["dev-q"]),
        ("{name: 'a*', tags: [dev]}", ["aa", "ab"]),
    ],
)
def test_a_pattern_has_two_where_it_can(pattern: str, names: list[str]) -> None:
    assert [name for name, key in made(f"{{p: {pattern}}}").items() if key == "p"] == names


def test_names_that_another_entry_covers_are_not_taken() -> None:
    found = made("{dev-a: {}, first: {name: 'dev-[bc]'}, second: {name: 'dev-*'}}")
    assert found == {"dev-a": "dev-a", "dev-b": "first", "dev-c": "first", "dev-d": "second", "dev-e": "second",
                     "forgotten": None}  # fmt: skip


def test_where_a_pattern_covers_everything_nothing_is_unmanaged() -> None:
    assert None not in made("{all: {name: '*'}}").values()


def test_an_entry_that_is_called_like_the_unmanaged_one_keeps_its_name() -> None:
    assert made("{forgotten: {}}") == {"forgotten": "forgotten", "left-over": None}
