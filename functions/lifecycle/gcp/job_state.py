"""The state that Cloud Scheduler's jobs store: overrides, platform messages, budgets. Pure.

A job's body is the request that it sends to `reconcile`. The key `memory` in it stores the state.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.core.entries import Settings
from lifecycle.core.model import BudgetRecord, Override, PlatformState, StoredState
from lifecycle.core.times import format_rfc3339, parse_rfc3339
from lifecycle.gcp.jobs import Job, budget_id, is_override_id, is_record_of, override_id, platform_id, record_id

MINUTE = timedelta(minutes=1)
MOST_DOLLARS = 1e12  # of what is stored
LONGEST_TEXT = 500  # characters of a text in an override; jobs of earlier versions, or created manually, may have more


def stored_state(jobs: Iterable[Job], settings: Settings, prefix: str) -> StoredState:
    """The state that the jobs store for the entries and platforms of the settings."""
    jobs = list(jobs)
    by_id = {job.id: job for job in jobs}
    overrides: dict[str, tuple[Override, ...]] = {}
    for job in jobs:
        found = override_in(job) if is_override_id(prefix, job.id) else None
        entry = _entry(job)
        if found and entry in settings.entries:
            overrides[entry] = (*overrides.get(entry, ()), found)
    platforms = {name: newest_of(jobs, prefix, name) for name in settings.platforms_followed}
    return StoredState(
        {entry: tuple(_one_a_slot(found)) for entry, found in overrides.items()},
        {name: state for name, state in platforms.items() if state},
        budgets={
            key: record for key in ("", *settings.entries) if (record := budget_in(by_id.get(budget_id(prefix, key))))
        },
    )


def newest_of(jobs: Iterable[Job], prefix: str, platform: str) -> PlatformState | None:
    """The newest message of a platform; of equally new ones, the one that was received last."""
    ours = (job for job in jobs if job.id == platform_id(prefix, platform) or is_record_of(prefix, platform, job.id))
    found = [state for job in ours if (state := platform_state_in(job))]
    return max(found, key=lambda state: (state.since, state.received or state.since), default=None)


def _one_a_slot(overrides: Iterable[Override]) -> Iterable[Override]:
    """One override for each holder and endpoint: the newest, if two jobs have the same."""
    found: dict[tuple[str | None, str | None], Override] = {}
    for override in sorted(overrides, key=lambda override: override.since):
        found[override.slot] = override
    return found.values()


def stores(job: Job, settings: Settings, prefix: str) -> bool:
    """Whether a job stores an override of an entry that exists, or a message of a platform that is followed."""
    kinds = {f"{prefix}-override-": settings.entries, f"{prefix}-platform-": settings.platforms_followed}
    for begin, names in kinds.items():
        if job.id.startswith(begin):
            return job.id.removeprefix(begin).partition("_")[0] in names or (
                override_in(job) is not None and _entry(job) in settings.entries
            )
    return False


def override_in(job: Job | None) -> Override | None:
    body = _memory(job).get("override")
    if not isinstance(body, dict):
        return None
    state, since = body.get("state"), _time(body, "since")
    if state not in ("running", "paused", "scaledToZero") or since is None:
        return None
    until = _time(body, "until")
    if until is None and body.get("until") is not None:
        return None
    names = body.get("found_at_rest")
    return Override(
        state,
        since,
        until,
        _text(body, "or_started"),
        _text(body, "by"),
        _text(body, "note"),
        holder=_text(body, "holder") or None,
        endpoint=_text(body, "endpoint") or None,
        force=body.get("force") is True,
        found_at_rest=_found_at_rest(names) if body.get("rests") is True else frozenset(),
    )


def _found_at_rest(names: Any) -> frozenset[str]:
    return frozenset(filter(lambda name: isinstance(name, str), names)) if isinstance(names, list) else frozenset({"*"})


def platform_state_in(job: Job | None) -> PlatformState | None:
    stored = _memory(job)
    state, since = stored.get("state"), _time(stored, "since")
    if state not in ("started", "stopped") or since is None:
        return None
    return PlatformState(state, since, *(_time(stored, name) for name in ("first", "received", "sent", "started")))


def budget_in(job: Job | None) -> BudgetRecord | None:
    stored = _memory(job).get("budget")
    if not isinstance(stored, dict):
        return None
    month, amount = _text(stored, "month"), _dollars(stored, "dollars")
    if month is None or amount is None:
        return None
    return BudgetRecord(month, amount, _time(stored, "spent_at"), _dollars(stored, "billed"), _text(stored, "warned"))


def budget_body(key: str, record: BudgetRecord | None = None) -> bytes:
    if record is None:
        return body([key or "*"])
    spent_at = format_rfc3339(record.spent_at) if record.spent_at else None
    return body([key or "*"], {"budget": {**vars(record), "spent_at": spent_at}})


def override_job(like: Job, prefix: str, entry: str, override: Override, now: datetime) -> Job:
    """The job of an override, which fires once. `like`: the reconcile job, whose target, account, deadline and retries
    it copies."""
    due = override.until or override.since
    fires = _minute(max(due, now + MINUTE)) if override.until else _minute(due)
    until = format_rfc3339(override.until) if override.until else "released"
    whose = f" for {override.holder}" if override.holder else ""
    return replace(
        like,
        id=override_id(prefix, entry, override.holder, override.endpoint),
        schedule=f"{fires.minute} {fires.hour} {fires.day} {fires.month} *",
        time_zone="UTC",
        body=body([entry], {"override": _stored(override)}),
        description=f"manual request{whose}: {override.endpoint or entry} {override.state} until {until}",
        state="ENABLED" if override.until else "PAUSED",
    )


def _stored(override: Override) -> dict[str, Any]:
    """An override in its job's body; null fields that came later are left out."""
    always = ("state", "since", "until", "or_started", "by", "note")
    stored = {key: value for key, value in override.as_json().items() if key in always or value}
    if override.found_at_rest:
        stored["rests"] = True
    if override.found_at_rest - {"*"}:
        stored["found_at_rest"] = sorted(override.found_at_rest)
    return stored


def platform_body(settings: Settings, platform: str, state: PlatformState) -> bytes:
    memory = {"platform": platform, "state": state.state, "since": format_rfc3339(state.since)}
    names = ("first", "received", "sent", "started")
    times = {name: getattr(state, name) for name in names}
    return body(
        settings.followers(platform), memory | {name: format_rfc3339(when) for name, when in times.items() if when}
    )


def record_job(like: Job, prefix: str, settings: Settings, platform: str, state: PlatformState) -> Job:
    """The job that stores one message of a platform; it fires once a year, as the platform's daily job does."""
    at = _minute(state.since)
    return replace(
        like,
        id=record_id(prefix, platform, state),
        schedule=f"{at.minute} {at.hour} {at.day} {at.month} *",
        time_zone="UTC",
        body=platform_body(settings, platform, state),
        description=f"platform {platform} {state.state} at {format_rfc3339(state.since)}",
        state="ENABLED",
    )


def body(endpoints: Iterable[str], memory: Mapping[str, Any] | None = None) -> bytes:
    request: dict[str, Any] = {"endpoints": list(endpoints)}
    return json.dumps(request | ({"memory": memory} if memory else {})).encode()


def _minute(when: datetime) -> datetime:
    """Rounded up to a whole minute, in UTC."""
    whole = when.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == when else whole + MINUTE


def _memory(job: Job | None) -> dict[str, Any]:
    try:
        content = json.loads(job.body) if job else {}
    except (ValueError, RecursionError):
        return {}
    memory = content.get("memory") if isinstance(content, dict) else None
    return memory if isinstance(memory, dict) else {}


def _entry(job: Job) -> str:
    """The entry that a job's request names first."""
    try:
        content = json.loads(job.body)
        return str(content["endpoints"][0])
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        return ""


def _time(body: Mapping[str, Any], key: str) -> datetime | None:
    value = body.get(key)
    return parse_rfc3339(value) if isinstance(value, str) else None


def _dollars(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    return float(value) if isinstance(value, int | float) and 0 <= value < MOST_DOLLARS else None


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value[:LONGEST_TEXT] if isinstance(value, str) else None
