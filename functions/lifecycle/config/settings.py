"""The settings, `lifecycle.yaml`: what they mean, how they are read, and their JSON Schema.

`parse` tells every mistake at once (`reading.Invalid`). The file is YAML 1.2 in what matters: only `true` and `false`
are booleans, `12:30` and `2026-12-25` are text, and a key that stands twice is refused.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from lifecycle.config import fields as values
from lifecycle.config import yaml12
from lifecycle.config.fields import (
    BUDGET,
    DATES,
    HOURS,
    IDLE_TIMEOUT,
    LEAD,
    NAME_OF_ENDPOINT,
    NAME_OF_ENTRY,
    PATH,
    REPLICAS,
    ZONE,
)
from lifecycle.config.schema import (
    BOOLEAN,
    LENGTH,
    TEXT,
    Field,
    Invalid,
    Problem,
    Property,
    list_of,
    mapping,
    mapping_of,
    matching,
    one_of,
    parsed,
    shown,
)
from lifecycle.core import schedule as hours
from lifecycle.core.budget import Budget
from lifecycle.core.entries import GLOB, Cron, Entry, Platform, Scaling, Settings, Warm
from lifecycle.core.lead import LeadBounds

MOST_ENTRIES = 300


def parse(text: bytes) -> Settings:
    """The settings in a file's bytes. Raises `Invalid` with everything that is wrong."""
    document, problems = yaml12.load(text)
    try:
        settings = cast(Settings, SETTINGS.read(document))
    except Invalid as error:
        raise Invalid(*problems, *error.problems) from None
    if problems:
        raise Invalid(*problems)
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
        yield Problem(("scale_to_zero_after",), "needs min_replicas: 0 beside it")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(("min_replicas",), f"{least}: must not exceed max_replicas, {most}")


SCALING = {
    "min_replicas": Property(REPLICAS, None, "the least replicas; 0 lets it scale to zero"),
    "max_replicas": Property(
        REPLICAS.constrain(lambda count: count > 0, "must be at least 1", minimum=1), None, "the most"
    ),
    "scale_to_zero_after": Property(IDLE_TIMEOUT, None, "idle time after which Hugging Face scales it to zero"),
}

WARM = {
    "path": Property(PATH, "/", "path of the request that proves that it answers, below the endpoint's URL"),
    "body": Property(Field(values.json_value, {}), None, "sent as JSON by POST; without one the request is a GET"),
}


def _between_entry(given: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("hours", "platform"):
        if "idle_after" in given and key in given:
            yield Problem(("idle_after",), f"does not go with {key}; it is for entries without hours and platform")


ENTRY = {
    "name": Property(
        NAME_OF_ENDPOINT, None, "its name at Hugging Face, or a glob that covers several; default: the key"
    ),
    "tags": Property(list_of(TEXT, least=1), (), "covers every endpoint that has all of these tags"),
    "time_zone": Property(ZONE, None, "IANA name; default: the top-level one"),
    "holidays": Property(DATES, None, "days on which no hours begin; default: the top-level ones"),
    "hours": Property(HOURS, (), "when it should run"),
    "lead": Property(
        LEAD,
        timedelta(),
        "begin this much earlier, so that it answers when the hours begin; auto: as long as its starts take, within "
        "`{auto: {at_least: 2m, at_most: 30m}}`",
    ),
    "rest": Property(one_of("paused", "scaledToZero"), "paused", "how it rests"),
    "platform": Property(NAME_OF_ENTRY, None, "rests while this platform is stopped"),
    "start": Property(BOOLEAN, True, "false: the rules only ever stop it"),
    "enforce": Property(
        BOOLEAN, True, "false: the rules act only in the hour after a change; later differences are reported"
    ),
    "idle_after": Property(LENGTH, None, "without hours and platform: rest when unused for this long"),
    "warm": Property(mapping(WARM, Warm), None, "the request that proves that it answers; default: its health route"),
    "scaling": Property(
        mapping(SCALING, Scaling, cross_checks=_between_scaling), Scaling(), "written when it is started"
    ),
    "budget": Property(
        BUDGET, None, "dollars for a calendar month; it rests until the month ends when they are billed"
    ),
}

PLATFORM = {
    "max_started": Property(LENGTH, None, '"started" counts as stopped when it is not said again for so long'),
}

CRON = {
    "at": Property(parsed(values.cron, examples=["*/10 8-19 * * 1-5"]), doc="cron schedule in the top-level time zone"),
    "do": Property(one_of("pause", "resume", "warm"), doc="what is done then, unless the rules want otherwise"),
    "endpoints": Property(list_of(TEXT, least=1), doc='entries; ["*"] means all'),
}


def _between_settings(given: Mapping[str, Any]) -> Iterator[Problem]:
    entries = given["endpoints"] if isinstance(given.get("endpoints"), dict) else {}
    platforms = given.get("platforms")
    if len(entries) > MOST_ENTRIES:
        yield Problem(("endpoints",), f"{len(entries)} entries; {MOST_ENTRIES} are allowed")
    first: dict[str, str] = {}
    for key, entry in entries.items():
        fields = entry if isinstance(entry, dict) else {}
        name = fields.get("name", None if "tags" in fields else key)
        if isinstance(name, str) and "tags" not in fields and not GLOB.search(name):
            if name in first:
                yield Problem(
                    ("endpoints", key, "name"), f'"{name}" at Hugging Face is endpoints.{first[name]} already'
                )
            first.setdefault(name, key)
        platform = fields.get("platform")
        if isinstance(platform, str) and isinstance(platforms, dict) and platform not in platforms:
            yield Problem(("endpoints", key, "platform"), _unknown(platform, platforms))
    cron = given.get("cron")
    for index, action in enumerate(cron if isinstance(cron, list) else []):
        names = action.get("endpoints") if isinstance(action, dict) else None
        names = names if isinstance(names, list) else []
        for place, name in enumerate(names):
            if isinstance(name, str) and name not in entries and names != ["*"]:
                yield Problem(("cron", index, "endpoints", place), _unknown(name, entries))


def _unknown(name: str, known: Mapping[Any, Any]) -> str:
    return f"{shown(name)}: unknown name; known are {', '.join(map(str, known)) or 'none'}"


def _make_settings(**given: Any) -> Settings:
    platforms: dict[str, Platform] = given["platforms"]
    holidays = frozenset().union(*given["holidays"])
    entries = {}
    for key, entry in given["endpoints"].items():
        zone = entry.pop("time_zone") or given["time_zone"]
        own = entry.pop("holidays")
        days = holidays if own is None else frozenset().union(*own)
        periods, lead, dollars = entry.pop("hours"), entry.pop("lead"), entry.pop("budget")
        auto = replace(lead, every=given["reconcile_every"]) if isinstance(lead, LeadBounds) else None
        entries[key] = Entry(
            key=key,
            name=entry.pop("name") or (None if entry["tags"] else key),
            tags=frozenset(entry.pop("tags")),
            zone=zone,
            hours=hours.Hours(periods, zone, auto.at_most if auto else lead, days) if periods else None,
            auto_lead=auto,
            budget=Budget(dollars, zone) if dollars else None,
            max_started=platforms.get(entry["platform"], Platform()).max_started,
            **entry,
        )
    return Settings(
        namespace=given["namespace"],
        zone=given["time_zone"],
        reconcile_every=given["reconcile_every"],
        dry_run=given["dry_run"],
        platforms=platforms,
        entries=entries,
        cron=given["cron"],
        budget=Budget(given["budget"], given["time_zone"]) if given["budget"] else None,
    )


SETTINGS = mapping(
    {
        "namespace": Property(
            matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", "must be a Hugging Face user or organisation"),
            doc="Hugging Face user or organisation",
        ),
        "time_zone": Property(ZONE, ZoneInfo("UTC"), "IANA name, or UTC; an entry may have its own"),
        "reconcile_every": Property(
            LENGTH.constrain(
                values.divides_an_hour,
                "must be whole minutes that divide an hour, such as 5m, 10m or 15m",
                examples=["5m", "10m", "15m", "1h"],
            ),
            timedelta(minutes=10),
            "how often everything is compared and mended",
        ),
        "holidays": Property(DATES, (), "days on which no hours begin; an entry may have its own"),
        "budget": Property(BUDGET, None, "dollars for a calendar month, over all entries"),
        "dry_run": Property(BOOLEAN, False, "true: observe and report only, whoever asks"),
        "platforms": Property(
            mapping_of(NAME_OF_ENTRY, mapping(PLATFORM, Platform, empty=True)), {}, "what endpoints serve"
        ),
        "endpoints": Property(
            mapping_of(NAME_OF_ENTRY, mapping(ENTRY, cross_checks=_between_entry, empty=True)),
            doc="what is looked after",
        ),
        "cron": Property(list_of(mapping(CRON, Cron)), (), "plain timed actions, beside the rules"),
    },
    _make_settings,
    cross_checks=_between_settings,
)
