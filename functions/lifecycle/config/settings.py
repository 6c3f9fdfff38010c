"""The settings, `lifecycle.yaml`: how they are read, what they mean, and their JSON Schema.

`parse` reports every mistake at once (`schema.Invalid`). The file is read as YAML 1.2 where that matters: only `true`
and `false` are booleans, `12:30` and `2026-12-25` are text, and a duplicate key is refused.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from lifecycle.config import fields as values
from lifecycle.config import yaml12
from lifecycle.config.document import doubled, line_of
from lifecycle.config.fields import (
    BUDGET,
    HOLIDAYS,
    HOURS,
    IDLE_TIMEOUT,
    LEAD,
    NAME_OF_ENDPOINT,
    NAME_OF_ENTRY,
    PATH,
    REPLICAS,
    ZONE,
)
from lifecycle.config.hints import look_alikes, nearest
from lifecycle.config.schema import (
    BOOLEAN,
    LENGTH,
    TEXT,
    Field,
    Invalid,
    Problem,
    Property,
    false_or,
    list_of,
    mapping,
    mapping_of,
    matching,
    one_of,
    shown,
)
from lifecycle.core import schedule as hours
from lifecycle.core.budget import Budget
from lifecycle.core.entries import GLOB, Cron, Entry, Platform, Scaling, Settings, Warm
from lifecycle.core.lead import LeadBounds

MOST_ENTRIES = 300
MOST_JOBS = 5_000  # in a region; 1,000 in older projects, of which `check` warns
ALL = "*"


def parse(text: bytes) -> Settings:
    """The settings in a file's bytes. Raises `Invalid` with everything that is wrong."""
    given, problems = yaml12.load(text)
    if given is None:
        raise Invalid(Problem((), "the file is empty; it must be a mapping with at least namespace and endpoints", 1))
    try:
        settings = cast(Settings, SETTINGS.read(given))
    except Invalid as error:
        problems += [replace(one, line=one.line or line_of(given, one.path)) for one in error.problems]
    if problems:
        raise Invalid(*sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    return replace(settings, sha256=hashlib.sha256(text).hexdigest())


def schema() -> dict[str, Any]:
    """The settings' JSON Schema (draft 2020-12), for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hf-endpoint-lifecycle settings",
        **SETTINGS.schema,
    }


def _between_scaling(given: Mapping[str, Any]) -> Iterator[Problem]:
    least, most = given.get("min_replicas"), given.get("max_replicas")
    if "scale_to_zero_after" in given and least != 0:
        yield Problem(("scale_to_zero_after",), "needs min_replicas: 0 too")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(("min_replicas",), f"{least}: must not exceed max_replicas, {most}")


SCALING = {
    "min_replicas": Property(REPLICAS, None, "minimum number of replicas; 0 lets it scale to zero"),
    "max_replicas": Property(
        REPLICAS.constrain(lambda count: count > 0, "must be at least 1", minimum=1), None, "maximum number of replicas"
    ),
    "scale_to_zero_after": Property(IDLE_TIMEOUT, None, "idle time after which Hugging Face scales it to zero"),
}

WARM = {
    "path": Property(PATH, "/", "path of the request that proves that the endpoint answers, below its URL"),
    "body": Property(Field(values.json_value, {}), None, "sent as JSON by POST; without one the request is a GET"),
}


def _between_entry(given: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("hours", "platform"):
        if "idle_after" in given and key in given:
            yield Problem(
                ("idle_after",), f"cannot be combined with {key}; it is for entries without hours and platform"
            )


ENTRY = {
    "name": Property(
        NAME_OF_ENDPOINT, None, "its name at Hugging Face, or a glob that covers several; default: the key"
    ),
    "tags": Property(list_of(TEXT, least=1), (), "covers every endpoint that has all of these tags"),
    "time_zone": Property(ZONE, None, "IANA name; default: the top-level one"),
    "holidays": Property(
        HOLIDAYS, None, "days on which no hours begin, or countries and regions; default: the top-level ones"
    ),
    "hours": Property(HOURS, None, "when it should run; always: day and night, also on holidays"),
    "lead": Property(
        LEAD,
        timedelta(),
        "how much earlier it is started, so that it answers when the hours begin; auto: learned from its earlier "
        "starts, within `{auto: {at_least: 2m, at_most: 30m}}`",
    ),
    "rest": Property(one_of("paused", "scaledToZero"), "paused", "the state in which it rests when it should not run"),
    "platform": Property(NAME_OF_ENTRY, None, "the platform that it follows; it rests while this platform is stopped"),
    "start": Property(BOOLEAN, True, "false: the rules stop it, and never start it"),
    "enforce": Property(
        BOOLEAN, True, "false: the rules act only in the hour after a change; later differences are reported"
    ),
    "protected": Property(
        BOOLEAN, False, "true: only a pause by its name, with force, stops it; rules, cron and pause of all do not"
    ),
    "idle_after": Property(LENGTH, None, "without hours and platform: rest when unused for this long"),
    "warm": Property(
        false_or(mapping(WARM, Warm)),
        None,
        "the request that proves that it answers; default: its health route; false: no request, running is enough",
    ),
    "scaling": Property(
        mapping(SCALING, Scaling, cross_checks=_between_scaling),
        Scaling(),
        "replica bounds, written when it is started; default: those that it has",
    ),
    "budget": Property(
        BUDGET, None, "dollars for a calendar month; when they are billed, it rests until the month ends"
    ),
}

PLATFORM = {
    "max_started": Property(LENGTH, None, '"started" counts as stopped when it is not repeated within this time'),
}

CRON = {
    "at": Property(values.CRON, doc="cron schedule in the top-level time zone"),
    "do": Property(one_of("pause", "resume", "warm"), doc="the action; skipped if the rules want another state"),
    "endpoints": Property(list_of(TEXT, least=1), doc='entries; ["*"] means all'),
}


def _between_settings(given: Mapping[str, Any]) -> Iterator[Problem]:
    every = [item for key, item in _all(given) if key == "endpoints" and isinstance(item, dict)]
    entries = [pair for one in every for pair in _all(one)]
    known = dict.fromkeys(key for key, _ in entries)
    platforms = given.get("platforms")
    if len(known) > MOST_ENTRIES:
        yield Problem(("endpoints",), f"{len(known)} entries; {MOST_ENTRIES} are allowed")
    first: dict[str, str] = {}
    for key, entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        name = fields.get("name", None if "tags" in fields else key)
        exact = name if isinstance(name, str) and "tags" not in fields and not GLOB.search(name) else None
        if exact and first.setdefault(exact, key) != key:
            yield Problem(("endpoints", key, "name"), f'"{exact}" at Hugging Face is endpoints.{first[exact]} already')
        platform = fields.get("platform")
        if isinstance(platform, str) and isinstance(platforms, dict) and platform not in platforms:
            yield Problem(("endpoints", key, "platform"), _unknown(platform, platforms))
    cron = given.get("cron")
    for index, action in enumerate(cron if isinstance(cron, list) else []):
        names = action.get("endpoints") if isinstance(action, dict) else None
        names = names if isinstance(names, list) else []
        if ALL in names and len(names) > 1:
            yield Problem(("cron", index, "endpoints"), f'"{ALL}" already means all; use "*" or names, not both')
        for place, name in enumerate(names):
            if isinstance(name, str) and name.strip() and name not in known and name != ALL:
                yield Problem(("cron", index, "endpoints", place), _unknown(name, known))


def _all(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Keys and values, also those of duplicate keys."""
    return [*((key, item) for key, item, _ in doubled(given)), *given.items()]


def _unknown(name: str, known: Mapping[Any, Any]) -> str:
    message = f"{shown(name)}: unknown name; known are {', '.join(map(str, known)) or 'none'}"
    return "; ".join(filter(None, (message, nearest(name, map(str, known)), look_alikes(name))))


def _make_settings(**given: Any) -> Settings:
    platforms: dict[str, Platform] = given["platforms"]
    holidays = _united(given["holidays"])
    cron = tuple(replace(action, zone=given["time_zone"]) for action in given["cron"])
    entries = {}
    for key, entry in given["endpoints"].items():
        zone = entry.pop("time_zone") or given["time_zone"]
        own = entry.pop("holidays")
        days = holidays if own is None else _united(own)
        periods, lead, dollars = entry.pop("hours"), entry.pop("lead"), entry.pop("budget")
        auto = replace(lead, every=given["reconcile_every"]) if isinstance(lead, LeadBounds) else None
        entries[key] = Entry(
            key=key,
            name=entry.pop("name") or (None if entry["tags"] else key),
            tags=frozenset(entry.pop("tags")),
            zone=zone,
            hours=None if periods is None else hours.Hours(periods, zone, auto.at_most if auto else lead, days),
            auto_lead=auto,
            budget=Budget(dollars, zone) if dollars else None,
            max_started=platforms.get(entry["platform"], Platform()).max_started,
            cron=tuple(action for action in cron if action.endpoints == (ALL,) or key in action.endpoints),
            **entry,
        )
    settings = Settings(
        namespace=given["namespace"],
        zone=given["time_zone"],
        reconcile_every=given["reconcile_every"],
        dry_run=given["dry_run"],
        platforms=platforms,
        entries=entries,
        cron=cron,
        holidays=holidays,
        budget=Budget(given["budget"], given["time_zone"]) if given["budget"] else None,
    )
    if (count := jobs_of(settings)) > MOST_JOBS:
        message = f"these settings ask for {count} Cloud Scheduler jobs; at most {MOST_JOBS} are allowed in a region"
        raise Invalid(Problem((), f"{message}: use fewer different times in hours and cron"))
    return settings


def jobs_of(settings: Settings) -> int:
    """How many jobs of Cloud Scheduler the settings ask for: boundaries, `cron:`, platforms, and reconcile."""
    followed = set(settings.platforms_followed)
    return len(settings.boundaries()) + len(set(settings.cron)) + len(followed) + 1


def _united(every: Iterable[hours.Holidays]) -> hours.Holidays:
    found = tuple(every)
    dates = frozenset[date]().union(*(one.dates for one in found))
    return hours.Holidays(dates, tuple(dict.fromkeys(calendar for one in found for calendar in one.calendars)))


SETTINGS = mapping(
    {
        "namespace": Property(
            matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", "must be a Hugging Face user or organization"),
            doc="Hugging Face user or organization",
        ),
        "time_zone": Property(ZONE, ZoneInfo("UTC"), "IANA name, or UTC; an entry may have its own"),
        "reconcile_every": Property(
            LENGTH.constrain(
                values.divides_an_hour,
                "must be whole minutes that divide an hour, such as 5m, 10m or 15m",
                examples=["5m", "10m", "15m", "1h"],
            ),
            timedelta(minutes=10),
            "how often endpoints are compared with the rules and corrected",
        ),
        "holidays": Property(
            HOLIDAYS, (), "days on which no hours begin, or countries and regions; an entry may have its own"
        ),
        "budget": Property(BUDGET, None, "dollars for a calendar month, over all entries"),
        "dry_run": Property(BOOLEAN, False, "true: observe and report only, for every request"),
        "platforms": Property(
            mapping_of(NAME_OF_ENTRY, mapping(PLATFORM, Platform, empty=True)), {}, "systems that endpoints serve"
        ),
        "endpoints": Property(
            mapping_of(NAME_OF_ENTRY, mapping(ENTRY, cross_checks=_between_entry, empty=True)),
            doc="the managed endpoints, by entry",
        ),
        "cron": Property(list_of(mapping(CRON, Cron)), (), "scheduled actions, in addition to the rules"),
    },
    _make_settings,
    cross_checks=_between_settings,
)
