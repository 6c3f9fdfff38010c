"""Hints in messages: what a value looks like, what was probably meant, and the line."""

# ruff: noqa: RUF001

import pytest

from support.building import refusal

HEAD = "namespace: acme\nendpoints:\n  a:\n"


def reported(text: str) -> str:
    """The one mistake of these settings of the entry `a`, which begin on line 4."""
    (line,) = refusal(HEAD + text)
    return line


# What it looks like.


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("    lead: 10", '"45m"'),
        ("    idle_after: 45", '"45m"'),
        ("    idle_after: 1.5", '"45m"'),
        ("    lead: true", '"45m"'),
        ("    lead:", '"45m"'),
        ("    time_zone: 1", '"Europe/Berlin"'),
        ("    hours: 8", '"Mon-Fri 08:00-20:00"'),
        ("    holidays: [20261225]", '"2026-12-25"'),
        ("    scaling: {min_replicas: 0, scale_to_zero_after: 15}", '"45m"'),
        ("    name: 7", 'in quotes it is: "7"'),
        ("    tags: [1]", 'in quotes it is: "1"'),
        ("    start: 'true'", "write true without quotes"),
        ("    scaling: {max_replicas: '2'}", "write 2 without quotes"),
    ],
)
def test_a_wrong_type_is_refused_with_what_it_looks_like(text: str, looks: str) -> None:
    assert looks in reported(text)


@pytest.mark.parametrize(
    ("text", "looks"), [("reconcile_every: 10", '"45m"'), ("platforms: {main: {max_started: 24}}", '"45m"')]
)
def test_at_the_top_too(text: str, looks: str) -> None:
    (line,) = refusal(f"namespace: a\nendpoints: {{}}\n{text}")
    assert looks in line


# What was meant.


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("    hour: daily 08:00-20:00", "endpoints.a.hour: did you mean hours?"),
        ("    led: 5m", "did you mean lead?"),
        ("    timezone: UTC", "did you mean time_zone?"),
        ("    Protected: true", "did you mean protected?"),
        ("    scaling: {min_replica: 0}", "endpoints.a.scaling.min_replica: did you mean min_replicas?"),
        ("    rest: pause", "did you mean paused?"),
        ("    rest: scaledtozero", "did you mean scaledToZero?"),
        ("    time_zone: Europe/Berlyn", "did you mean Europe/Berlin?"),
        ("    time_zone: europe/berlin", "did you mean Europe/Berlin?"),
        ("    hours: Mon-Fri 8:00-20:00", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: Mon-Fri 8-20", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: Mon-Fri 9am-5pm", 'did you mean "Mon-Fri 09:00-17:00"?'),
        ("    hours: Mon-Fri 12am-12pm", 'did you mean "Mon-Fri 00:00-12:00"?'),
        ("    hours: mon-fri 08:00-20:00", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: Monday - Friday 08:00 - 20:00", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: Mon-Fry 08:00-20:00", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: weekdays 08:00-20:00", 'did you mean "Mon-Fri 08:00-20:00"?'),
        ("    hours: 08:00-20:00", 'did you mean "daily 08:00-20:00"?'),
        ("    hours: Mon, Wed 08:00-20:00", 'did you mean "Mon,Wed 08:00-20:00"?'),
        (
            "    hours: Mon-Fri 08:00-12:00, 13:00-18:00",
            'did you mean ["Mon-Fri 08:00-12:00", "Mon-Fri 13:00-18:00"]?',
        ),
        (
            "    hours: Mon-Fri 08:00-20:00, Sat 10:00-16:00",
            'did you mean ["Mon-Fri 08:00-20:00", "Sat 10:00-16:00"]?',
        ),
        ("    hours: 24/7", "did you mean always?"),
        ("    hours: [always]", "always cannot be combined with other hours; write hours: always"),
        ("    holidays: DE-BY", "did you mean [DE-BY]?"),
        ("    holidays: 2026-12-25", "did you mean [2026-12-25]?"),
        ("    tags: dev", "did you mean [dev]?"),
    ],
)
def test_what_was_probably_meant_is_said(text: str, meant: str) -> None:
    assert meant in reported(text)


@pytest.mark.parametrize("text", ["    hours: whenever", "    hours: Mon 25:00-26:00", "    zzz: 1", "    rest: off"])
def test_where_nothing_is_near_nothing_is_guessed(text: str) -> None:
    assert "did you mean" not in reported(text)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("demo-*", 'a pattern goes into name: demo: {name: "demo-*"}'),
        ("'*'", 'a pattern goes into name: all: {name: "*"}'),
        ("Embeddings", "did you mean embeddings?"),
        ("my_model", "did you mean my-model?"),
    ],
)
def test_a_key_that_names_no_entry_says_where_it_goes(key: str, meant: str) -> None:
    (line,) = refusal(f"namespace: acme\nendpoints: {{{key}: {{}}}}")
    assert meant in line


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n", "null\n"])
def test_an_empty_file_says_what_it_needs(text: str) -> None:
    (line,) = refusal(text)
    assert "the file is empty; it must be a mapping with at least namespace and endpoints" in line


def test_an_unknown_name_says_the_nearest() -> None:
    lines = refusal(
        HEAD + "    platform: mian\nplatforms: {main: }\ncron: [{at: 0 8 * * *, do: warm, endpoints: [aa]}]"
    )
    assert ["did you mean main?" in lines[0], "did you mean a?" in lines[1]] == [True, True]


def test_a_zone_that_is_not_allowed_is_not_suggested() -> None:
    assert "did you mean" not in reported("    time_zone: CET")
    assert "did you mean Asia/Singapore?" in reported("    time_zone: Singapore")


# Characters that look like others.


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("    hours: Mon–Fri 08:00-20:00", 'en dash (U+2013), which looks like -'),
        ("    hours: Mon-Fri 08:00—20:00", "em dash (U+2014)"),
        ("    hours: Mon-Fri 08:00−20:00", "minus sign (U+2212)"),
        ("    hours: Mon-Fri\u00a008:00-20:00", "no-break space (U+00A0), which is not a plain space"),
        ("    hours: Mon-Fri 08：00-20:00", 'fullwidth colon (U+FF1A), which looks like :'),
        ("    hours: Ｍon-Fri 08:00-20:00", "fullwidth latin capital letter m (U+FF2D)"),
        ("    hours: Mоn-Fri 08:00-20:00", 'cyrillic small letter o (U+043E), which looks like o'),
        ("    hours: Mon-Fri 08:00-2٠:00", 'arabic-indic digit zero (U+0660), which looks like 0'),
        ("    lead: 10\u200bm", "zero width space (U+200B), which cannot be seen"),
        ("    lead: “10m”", "left double quotation mark (U+201C)"),
        ("    rest: раused", "cyrillic small letter er (U+0440)"),
        ("    start: truе", "cyrillic small letter ie (U+0435)"),
        ("    platfоrm: main", "cyrillic small letter o (U+043E)"),
        ("    name: embeddings–prod", "en dash (U+2013)"),
        ("    warm: {path: ／health}", "fullwidth solidus (U+FF0F)"),
        ("    time_zone: Europe∕Berlin", "division slash (U+2215)"),
        ("    holidays: [2026‑12‑25]", "non-breaking hyphen (U+2011)"),
    ],
)  # fmt: skip
def test_look_alike_characters_are_named(text: str, named: str) -> None:
    assert f"it has {named}" in reported(text)


def test_look_alikes_where_yaml_ends_are_named() -> None:
    (line,) = refusal("namespace: acme\nendpoints： {}\n")
    assert "line 2" in line
    assert "fullwidth colon (U+FF1A)" in line


def test_other_letters_are_not_named() -> None:
    assert "it has" not in reported("    name: größe")


# Lines.

WRONG = """\
namespace: acme
time_zone: Berlin
endpoints:
  a:
    hours:
      - Mon-Fri 08:00-20:00
      - Mon-Fry 08:00-20:00
    idle_after: 45m
    warm:
      body: {x: 1}
      path: health
  b: {name: a}
  c: {hours: daily 08:00-20:00, scaling: {min_replicas: 2,
      max_replicas: 1}}
cron:
  - at: "*/90 * * * *"
    do: pause
    endpoints: [a, x]
  - do: pause
    at: 0 8 * * *
"""


def test_every_mistake_has_its_line() -> None:
    found = [(line.split(": ")[0], int(line.rpartition(" (line ")[2].rstrip(")"))) for line in refusal(WRONG)]
    assert found == [
        ("time_zone", 2),
        ("endpoints.a.hours[1]", 7),
        ("endpoints.a.idle_after", 8),
        ("endpoints.a.warm.path", 11),
        ("endpoints.b.name", 12),
        ("endpoints.c.scaling.min_replicas", 13),
        ("cron[0].at", 16),
        ("cron[0].endpoints[1]", 18),
        ("cron[1].endpoints", 19),
    ]


def test_the_message_that_the_design_quotes_stands_whole() -> None:
    line = reported("    hours: Mon-Fry 08:00-20:00")
    assert line.startswith('endpoints.a.hours: "Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun')
    assert line.endswith(" (line 4)")


def test_beside_a_duplicate_key_all_other_mistakes_are_reported() -> None:
    text = (
        "namespace: acme\nendpoints:\n"
        "  a: {hours: Mon-Fry 08:00-20:00}\n  b: {rest: paused, rest: stopped, rest: off}\n"
        "  a: {led: 5m}\n  a: {lead: 5}\nendpoints: {c: {rest: x}}\nplatforms: {}\nplatforms: []\n"
        "cron: [{at: 0 8 * * *, do: warm, endpoints: [a, c, d]}]\n"
    )
    found = [(line.split(": ")[0], int(line.rpartition(" (line ")[2].rstrip(")"))) for line in refusal(text)]
    assert sorted(found) == sorted([
        ("endpoints.a.hours", 3),
        ("endpoints.b.rest", 4), ("endpoints.b.rest", 4), ("endpoints.b.rest", 4),
        ("endpoints.a", 5), ("endpoints.a.led", 5),
        ("endpoints.a", 6), ("endpoints.a.lead", 6),
        ("endpoints", 7), ("endpoints.c.rest", 7),
        ("platforms", 9), ("platforms", 9),
        ("cron[0].endpoints[2]", 10),
    ])  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "endpoints: {a: {" + ", ".join(f"hour{number}: 1" for number in range(2000)) + "}}",
        "holidays: [" + ", ".join(f"X{number}" for number in range(2000)) + "]\nendpoints: {}",
    ],
    ids=["keys", "items"],
)
def test_very_many_mistakes_are_cut(text: str) -> None:
    assert 1000 <= len(refusal(f"namespace: a\n{text}")) <= 1002
