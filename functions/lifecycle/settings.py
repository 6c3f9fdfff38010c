"""The settings, `lifecycle.yaml`: what they mean, how they are read, and their JSON Schema.

`parse` tells every mistake at once (`reading.Invalid`). The file is YAML 1.2 in what matters: only `true` and `false`
are booleans, `12:30` and `2026-12-25` are text, and a key that stands twice is refused.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from lifecycle import hours, values, yaml12
from lifecycle.reading import (
    BOOLEAN,
    DURATION,
    LENGTH,
    TEXT,
    Invalid,
    Key,
    Kind,
    Problem,
    list_of,
    mapping,
    mapping_of,
    matching,
    one_of,
    parsed,
    shown,
)
from lifecycle.values import DATES, HOURS, IDLE_TIMEOUT, NAME_OF_ENDPOINT, NAME_OF_ENTRY, PATH, REPLICAS, ZONE

MOST_ENTRIES = 300
GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Scaling:
    """Replica bounds; None: not declared, so not compared. `scale_to_zero_after` goes with `min_replicas` 0."""

    min_replicas: int | None = None
    max_replicas: int | None = None
    scale_to_zero_after: timedelta | None = None


@dataclass(frozen=True)
class Warm:
    """The request that proves that an endpoint answers: a POST of `body` as JSON, or a GET without one."""

    path: str = "/"
    body: Any = None


@dataclass(frozen=True)
class Platform:
    """What endpoints serve. `max_started`: how long "started" holds when it is not said again."""

    max_started: timedelta | None = None


@dataclass(frozen=True)
class Entry:
    """One name under `endpoints:`, with what it takes from the top level filled in."""

    key: str
    name: str | None
    tags: frozenset[str]
    zone: ZoneInfo
    hours: hours.Hours | None
    rest: Literal["paused", "scaledToZero"]
    platform: str | None
    max_started: timedelta | None
    start: bool
    enforce: bool
    idle_after: timedelta | None
    warm: Warm | None
    scaling: Scaling

    @property
    def is_pattern(self) -> bool:
        return bool(self.tags) or GLOB.search(self.name or "") is not None

    def covers(self, name: str, tags: frozenset[str]) -> bool:
        """Whether an endpoint of this name and these tags is meant; with `name` and `tags`, both must fit."""
        return self.tags <= tags and (self.name is None or fnmatchcase(name, self.name))


@dataclass(frozen=True)
class Cron:
    """One plain timed action; `endpoints` are entries, or `("*",)` for all."""

    at: str
    do: Literal["pause", "resume", "warm"]
    endpoints: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """All settings. `sha256` is that of the file's bytes."""

    namespace: str
    zone: ZoneInfo
    reconcile_every: timedelta
    dry_run: bool
    platforms: Mapping[str, Platform]
    entries: Mapping[str, Entry]
    cron: tuple[Cron, ...]
    sha256: str = field(default="", compare=False)

    @cached_property
    def _exact(self) -> dict[str, Entry]:
        return {cast(str, entry.name): entry for entry in self.entries.values() if not entry.is_pattern}

    def covering(self, name: str, tags: frozenset[str]) -> list[Entry]:
        """The entries that cover an endpoint at Hugging Face, the one that decides first."""
        exact = [self._exact[name]] if name in self._exact else []
        return exact + [e for e in self.entries.values() if e.is_pattern and e.covers(name, tags)]

    def followers(self, platform: str) -> tuple[str, ...]:
        """The entries that follow a platform, in the file's order."""
        return tuple(key for key, entry in self.entries.items() if entry.platform == platform)


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


# What may stand where: a table for each mapping, and what must hold between its keys.


def _between_scaling(given: Mapping[str, Any]) -> Iterator[Problem]:
    least, most = given.get("min_replicas"), given.get("max_replicas")
    if "scale_to_zero_after" in given and least != 0:
        yield Problem(("scale_to_zero_after",), "needs min_replicas: 0 beside it")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(("min_replicas",), f"{least}: must not exceed max_replicas, {most}")


SCALING = {
    "min_replicas": Key(REPLICAS, None, "the least replicas; 0 lets it scale to zero"),
    "max_replicas": Key(REPLICAS.where(lambda count: count > 0, "must be at least 1", minimum=1), None, "the most"),
    "scale_to_zero_after": Key(IDLE_TIMEOUT, None, "idle time after which Hugging Face scales it to zero"),
}

WARM = {
    "path": Key(PATH, "/", "path of the request that proves that it answers, below the endpoint's URL"),
    "body": Key(Kind(values.json_value, {}), None, "sent as JSON by POST; without one the request is a GET"),
}


def _between_entry(given: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("hours", "platform"):
        if "idle_after" in given and key in given:
            yield Problem(("idle_after",), f"does not go with {key}; it is for entries without hours and platform")


ENTRY = {
    "name": Key(NAME_OF_ENDPOINT, None, "its name at Hugging Face, or a glob that covers several; default: the key"),
    "tags": Key(list_of(TEXT, least=1), (), "covers every endpoint that has all of these tags"),
    "time_zone": Key(ZONE, None, "IANA name; default: the top-level one"),
    "holidays": Key(DATES, None, "days on which no hours begin; default: the top-level ones"),
    "hours": Key(HOURS, (), "when it should run"),
    "lead": Key(DURATION, timedelta(), "begin this much earlier, so that it answers when the hours begin"),
    "rest": Key(one_of("paused", "scaledToZero"), "paused", "how it rests"),
    "platform": Key(NAME_OF_ENTRY, None, "rests while this platform is stopped"),
    "start": Key(BOOLEAN, True, "false: the rules only ever stop it"),
    "enforce": Key(
        BOOLEAN, True, "false: the rules act only in the hour after a change; later differences are reported"
    ),
    "idle_after": Key(LENGTH, None, "without hours and platform: rest when unused for this long"),
    "warm": Key(mapping(WARM, Warm), None, "the request that proves that it answers; default: its health route"),
    "scaling": Key(mapping(SCALING, Scaling, between=_between_scaling), Scaling(), "written when it is started"),
}

PLATFORM = {
    "max_started": Key(LENGTH, None, '"started" counts as stopped when it is not said again for so long'),
}

CRON = {
    "at": Key(parsed(values.cron, examples=["*/10 8-19 * * 1-5"]), doc="cron schedule in the top-level time zone"),
    "do": Key(one_of("pause", "resume", "warm"), doc="what is done then, unless the rules want otherwise"),
    "endpoints": Key(list_of(TEXT, least=1), doc='entries; ["*"] means all'),
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
        periods, lead = entry.pop("hours"), entry.pop("lead")
        entries[key] = Entry(
            key=key,
            name=entry.pop("name") or (None if entry["tags"] else key),
            tags=frozenset(entry.pop("tags")),
            zone=zone,
            hours=hours.Hours(periods, zone, lead, days) if periods else None,
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
    )


SETTINGS = mapping(
    {
        "namespace": Key(
            matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", "must be a Hugging Face user or organisation"),
            doc="Hugging Face user or organisation",
        ),
        "time_zone": Key(ZONE, ZoneInfo("UTC"), "IANA name, or UTC; an entry may have its own"),
        "reconcile_every": Key(
            LENGTH.where(
                values.divides_an_hour,
                "must be whole minutes that divide an hour, such as 5m, 10m or 15m",
                examples=["5m", "10m", "15m", "1h"],
            ),
            timedelta(minutes=10),
            "how often everything is compared and mended",
        ),
        "holidays": Key(DATES, (), "days on which no hours begin; an entry may have its own"),
        "dry_run": Key(BOOLEAN, False, "true: observe and report only, whoever asks"),
        "platforms": Key(
            mapping_of(NAME_OF_ENTRY, mapping(PLATFORM, Platform, empty=True)), {}, "what endpoints serve"
        ),
        "endpoints": Key(
            mapping_of(NAME_OF_ENTRY, mapping(ENTRY, between=_between_entry, empty=True)), doc="what is looked after"
        ),
        "cron": Key(list_of(mapping(CRON, Cron)), (), "plain timed actions, beside the rules"),
    },
    _make_settings,
    between=_between_settings,
)
