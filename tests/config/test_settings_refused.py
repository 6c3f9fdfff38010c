"""Mistakes in the settings: every message has the path and what is allowed."""

import pytest

from support.building import refusal
from support.files import LEAST, with_entry

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
    ("lead: automatic", "lead", "auto, or {auto: {at_least: 2m, at_most: 30m}}"),
    ("lead: {auto: {least: 2m}}", "lead.auto.least", "unknown key"),
    ("lead: {}", "lead.auto", "is missing"),
    ("lead: {auto: {at_least: 0s}}", "lead.auto.at_least", "greater than"),
    ("lead: {auto: {at_most: 13h}}", "lead.auto.at_most", "at most 12h"),
    ("lead: {auto: {at_least: 31m}}", "lead.auto.at_least", "must not exceed at_most, 30m"),
    ("budget: 200", "budget", "must be a mapping"),
    ("budget: {}", "budget.dollars", "is missing"),
    ("budget: {dollars: 0}", "budget.dollars", "above 0"),
    ("budget: {dollars: true}", "budget.dollars", "a number of dollars"),
    ("budget: {dollars: .nan}", "budget.dollars", "a number of dollars"),
    ("budget: {dollars: $200}", "budget.dollars", "a number of dollars"),
    ("start: 'true'", "start", "true or false"),
    ("enforce: 0", "enforce", "true or false"),
    ("warm: /", "warm", "must be false or a mapping"),
    ("scaling: 2", "scaling", "must be a mapping"),
    *(
        (f"scaling: {{max_replicas: {given}}}", "scaling.max_replicas", "a whole number")
        for given in ("'2'", 1.5, "true")
    ),
    # Values
    ("name: Embeddings/Prod", "name", "a-z, 0-9 and -"),
    ("rest: stopped", "rest", "paused or scaledToZero"),
    ("lead: 10 minutes", "lead", "90s, 45m, 1h30m, 2d"),
    ("idle_after: 0m", "idle_after", "greater than zero"),
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
    ("at: 0 8 * * *, do: warm, endpoints: ['*', embeddings]", "endpoints", '"*" already means all'),
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
    ("reconcile_every: 0s", "reconcile_every", "greater than zero"),
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
    ("namespace: a/b\nendpoints: {}", "namespace", "must be a Hugging Face user or organization"),
    # Not YAML
    ("namespace: [acme", "", "line 1"),
    ("namespace: acme\n\tendpoints: {}", "", "line 2"),
    ("a: *b", "", "line 1"),
    ("namespace: acme\n---\nnamespace: acme", "", "line 2"),
    ("namespace: &a [*a]\nendpoints: {}", "", "undefined alias"),
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
    reported = refusal(text)
    assert [line for line in reported if line.startswith(f"{path}: " if path else "") and allowed in line], reported


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    reported = refusal(
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
    assert {line.partition(": ")[0] for line in reported} == {
        *("namespace", "time_zone", "colour", "platforms.main.max_started", "cron[0].at", "cron[0].do"),
        *("endpoints.a.hours", "endpoints.a.idle_after", "endpoints.a.lead", "cron[0].endpoints[0]"),
        *("endpoints.b.name", "endpoints.b.platform", "endpoints.b.scaling.scale_to_zero_after"),
    }


def test_one_mistake_is_reported_once() -> None:
    assert len(refusal(with_entry("hours: Mon-Fry 08:00-20:00"))) == 1


def test_the_message_is_as_the_design_shows_it() -> None:
    (reported,) = refusal(with_entry("hours: Mon-Fry 08:00-20:00"))
    assert reported.startswith(
        'endpoints.embeddings.hours: "Mon-Fry 08:00-20:00": unknown day "Fry"; days are Mon … Sun'
    )


def test_a_pattern_may_be_there_twice() -> None:
    assert (
        refusal("namespace: acme\nendpoints: {a: {name: dev-*}, b: {name: dev-*}, c: {tags: [x]}, d: {tags: [x]}}")
        == []
    )


def many_jobs(count: int) -> str:
    """Settings that ask for so many jobs: of cron, and reconcile."""
    cron = ", ".join(
        f"{{at: {n % 60} {n // 60 % 24} {n // 1440 + 1} * *, do: pause, endpoints: [a]}}" for n in range(count - 1)
    )
    return f"namespace: acme\nendpoints: {{a: }}\ncron: [{cron}]"


def test_as_many_jobs_as_cloud_scheduler_has_are_allowed() -> None:
    assert refusal(many_jobs(5000)) == []


def test_more_jobs_are_refused_with_their_number_and_the_limit() -> None:
    (reported,) = refusal(many_jobs(5001))
    assert "5001 Cloud Scheduler jobs; at most 5000" in reported


def test_boundaries_of_hours_count_as_jobs() -> None:
    days = ["Mon", "Tue", "Wed", "Thu"]
    times = [
        f"{day} {n // 60:02}:{n % 60:02}-{(n + 1) // 60:02}:{(n + 1) % 60:02}"
        for day in days
        for n in range(0, 1436, 2)
    ]
    entries = [f"e{n}: {{hours: [{', '.join(times[n * 100 : n * 100 + 100])}]}}" for n in range(28)]
    (reported,) = refusal(f"namespace: acme\nendpoints: {{{', '.join(entries)}}}")
    assert "5601 Cloud Scheduler jobs" in reported
