"""History from the functions' log lines: what changed, when, by which rule or whom, and what failed. Pure.

Repeated events become one, with a count. An update that Hugging Face reports, and for which no log line has an action,
was made there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lifecycle.core.text import did
from lifecycle.core.times import format_rfc3339, parse_rfc3339

LONGEST_CALL = 3_600_000  # milliseconds; a longer duration is a mistake
OURS = timedelta(seconds=30)  # around our own action: for Hugging Face's clock and the updates that it makes


@dataclass(frozen=True)
class LogLine:
    """A line of the log: when it was written, and its fields."""

    at: datetime
    fields: Mapping[str, Any]

    @property
    def begun(self) -> datetime:
        """When the action of the line began, as far as its duration can be one."""
        spent = self.fields.get("duration_ms")
        known = isinstance(spent, int | float) and 0 <= spent <= LONGEST_CALL
        return self.at - timedelta(milliseconds=float(spent) if known and spent else 0)


@dataclass(frozen=True)
class Event:
    """A change or a failure. `until`, `count`: how long and in how many lines it was repeated. `by`: who requested it,
    or made it at Hugging Face, if that is known. `rule`: the rule that decided."""

    at: datetime
    endpoint: str
    name: str
    what: str
    why: str
    by: str | None = None
    rule: str | None = None
    failed: bool = False
    until: datetime | None = None
    count: int = 1
    changed: bool = True  # False: nothing; equal events of this kind become one

    @property
    def who(self) -> str:
        """By whom or by which rule, in words; empty if a person requested it and is unknown."""
        return f"by {self.by}" if self.by else f"by rule {self.rule}" if self.rule not in (None, "hand") else ""

    def as_json(self) -> dict[str, Any]:
        until = format_rfc3339(self.until) if self.until else None
        return {**vars(self), "at": format_rfc3339(self.at), "until": until}


# The lines that can lead to events (Cloud Logging's query language).
CONDITION = (
    'jsonPayload.event="budget" OR (jsonPayload.event="endpoint" AND (jsonPayload.action!="none" '
    'OR jsonPayload.outcome="failed" OR jsonPayload.outcome="skipped" OR jsonPayload.trigger="manual" '
    "OR jsonPayload.recently_updated=true))"
)


def events(lines: Iterable[LogLine], since: datetime) -> list[Event]:
    """What happened, oldest first. `since`: from when on there are lines."""
    lines = sorted(lines, key=lambda line: line.at)
    budgets: list[Event] = []
    found: list[Event] = []
    for line in lines:
        if line.fields.get("event") == "budget":
            budgets += _budget(line)
        elif event := _event(line):
            found.append(event)
    found += [event for event in _changed_elsewhere(lines) if event.at >= since]  # earlier ones may be our own
    # Budgets apart: an entry and its endpoint may have the same name.
    every = [*_folded(sorted(found, key=lambda event: event.at)), *_folded(budgets)]
    return sorted(every, key=lambda event: event.at)


def _event(line: LogLine) -> Event | None:
    """The event of a log line about an endpoint; None: nothing happened."""
    fields = line.fields
    action, outcome = _text(fields, "action"), _text(fields, "outcome")
    asked = _asked(fields)
    if action == "none" and outcome in ("unchanged", "pending") and not asked:
        return None
    before, after = fields.get("before"), fields.get("after")
    states = f": {before} → {after}" if before != after else ""
    done = did(action, outcome, dry_run=fields.get("dry_run") is True)
    if asked:
        done = f"manual {asked}: {outcome if action in (asked, 'none') and outcome != 'skipped' else done}"
    reason, error = _text(fields, "reason"), _text(fields, "error")
    return Event(
        at=line.at,
        endpoint=_text(fields, "endpoint"),
        name=_text(fields, "name"),
        what=done + states,
        why=reason if error in reason else f"{reason}; {error}",
        by=fields.get("by") or fields.get("holder"),
        rule=fields.get("rule") or None,
        failed=outcome == "failed",
        changed=outcome in ("done", "pending") or bool(asked),
    )


def _asked(fields: Mapping[str, Any]) -> str:
    """What a person requested; empty: nothing."""
    if fields.get("trigger") != "manual":
        return ""
    function = _text(fields, "function")
    return function if function != "reconcile" else "release" if fields.get("released") is True else ""


def _budget(line: LogLine) -> list[Event]:
    """The event of a budget that is spent, nearly spent, or unknown."""
    code, key = _text(line.fields, "code"), _text(line.fields, "endpoint")
    words = {
        "budget_spent": "budget spent",
        "budget_near": "budget nearly spent",
        "budget_unknown": "billed costs unknown",
    }
    if code not in words:
        return []
    return [Event(line.at, key, key, words[code], _text(line.fields, "message"), rule="budget", changed=False)]


def _changed_elsewhere(lines: Iterable[LogLine]) -> list[Event]:
    """Changes at Hugging Face for which no log line has an action; each once."""
    lines = [line for line in lines if line.fields.get("event") == "endpoint"]
    ours: dict[str, list[tuple[datetime, datetime]]] = {}
    for line in lines:
        if line.fields.get("action") not in ("none", "warm") and not line.fields.get("dry_run"):
            ours.setdefault(_text(line.fields, "name"), []).append((line.begun - OURS, line.at + OURS))
    found: dict[tuple[str, datetime], Event] = {}
    for line in lines:
        name, at = _text(line.fields, "name"), parse_rfc3339(_text(line.fields, "updated_at"))
        if not at or line.fields.get("recently_updated") is not True or (name, at) in found:
            continue
        if any(begin <= at <= end for begin, end in ours.get(name, ())):
            continue
        by = line.fields.get("updated_by")
        what = f"changed at Hugging Face: {line.fields.get('before')}"
        found[name, at] = Event(at, _text(line.fields, "endpoint"), name, what, "not by lifecycle", by=by)
    return list(found.values())


def _folded(events: Iterable[Event]) -> list[Event]:
    """Successive equal events of one endpoint as one event, with the first reason."""
    found: list[Event] = []
    last: dict[str, int] = {}
    for event in events:
        index = last.get(event.name)
        same = index is not None and not event.changed and _key(found[index]) == _key(event)
        if same and index is not None:
            found[index] = replace(found[index], until=event.at, count=found[index].count + 1)
        else:
            last[event.name] = len(found)
            found.append(event)
    return found


def _key(event: Event) -> tuple[Any, ...]:
    return event.what, event.by, event.rule, event.failed, event.changed


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
