"""The content of an endpoint's own page: facts, holders, week, rules and commands. Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lifecycle.core.access import who_can_wake
from lifecycle.core.entries import Settings
from lifecycle.core.explain import Verdict, verdicts
from lifecycle.core.forecast import forecast
from lifecycle.core.overrides import deciding
from lifecycle.core.rules import changed_at
from lifecycle.core.times import in_words
from lifecycle.engine.status import Status
from lifecycle.huggingface.parsing import addressable
from lifecycle.web.lines import MONTH, Line, local
from lifecycle.web.week_chart import Week, week


@dataclass(frozen=True)
class Card:
    """The content of an endpoint's own page, with times in the entry's zone."""

    facts: Sequence[tuple[str, str]]
    overrides: Sequence[Mapping[str, Any]]
    week: Week
    rules: Sequence[Verdict]


def card_of(line: Line, status: Status, settings: Settings) -> Card:
    situation = line.situation
    assert situation is not None
    return Card(
        facts=[*_decided(line, settings), *_observed(line, settings), *_past(line)],
        overrides=[_override(override, line, settings) for override in line.row["overrides"]],
        week=week(situation, forecast(situation, situation.now + MONTH, status.prices)),
        rules=verdicts(situation),
    )


def _decided(line: Line, settings: Settings) -> Iterator[tuple[str, str]]:
    row, situation = line.row, line.situation
    assert situation is not None
    override = deciding(situation.in_force)
    since = override.since if override else changed_at(situation)
    began = f", since {local(since, situation, settings)}" if since else ""
    yield "Wanted", f"{'left alone' if row['wanted'] == 'any' else row['wanted']}{began}: {row['reason']}"
    if situation.entry.protected:
        yield "Protected", "the rules never stop it"
    yield "Next run", line.verdict.removeprefix("next run ") or "unknown"
    if row["next"]:
        yield "Next change", f"{line.next}: {row['next']['reason']}"


def _observed(line: Line, settings: Settings) -> Iterator[tuple[str, str]]:
    row, situation = line.row, line.situation
    found = situation.endpoint if situation else None
    if situation is None or found is None:
        return
    replicas = row["replicas"]
    ready, target, least, most = (
        "?" if replicas[n] is None else replicas[n] for n in ("ready", "target", "min", "max")
    )
    yield "Replicas", f"{ready} of {target} ready; {least} to {most} allowed"
    if found.last_used_at:
        yield "Last used", local(found.last_used_at, situation, settings)
    if found.updated_at:
        by = f" by {found.updated_by}" if found.updated_by else ""
        yield "Last updated", local(found.updated_at, situation, settings) + by
    yield "Access", who_can_wake(found.type)
    if found.tags:
        yield "Tags", ", ".join(sorted(found.tags))


def _past(line: Line) -> Iterator[tuple[str, str]]:
    row = line.row
    if line.state is not None:
        yield "Costs", _costs(line)
    if row["billed_this_month"] is not None:
        yield "Billed this month", money(row["billed_this_month"])
    if row["budget"]:
        yield "Budget", row["budget"]["summary"]
    if row["started_in"]:
        yield "Starts", _starts(row["started_in"])


def _starts(starts: Mapping[str, Any]) -> str:
    seconds, lead = starts["seconds"], starts["lead_seconds"]
    took = f"95 of 100 took at most {in_words(timedelta(seconds=seconds))}; " if seconds is not None else ""
    learned = f"; lead {in_words(timedelta(seconds=lead))}" if lead is not None else ""
    return f"{took}{starts['starts']} starts known in the last 30 days{learned}"


def _costs(line: Line) -> str:
    if line.price is None:
        return "the price is unknown"
    now = "unknown" if line.rate is None else f"{money(line.rate)} an hour"
    made = line.forecast
    month = f"; forecast for 30 days {span(made.low, made.high)}, always on {money(made.always)}" if made else ""
    return f"{now} now, {money(line.price)} an hour for a replica{month}"


def _override(override: Mapping[str, Any], line: Line, settings: Settings) -> Mapping[str, Any]:
    assert line.situation is not None
    at = {
        name: local(datetime.fromisoformat(override[name]), line.situation, settings)
        for name in ("since", "until")
        if override[name]
    }
    ends = [at["until"]] if "until" in at else [] if override["or_started"] else ["released"]
    ends += [f"platform {override['or_started']} starts"] if override["or_started"] else []
    return {**override, **at, "ends": " or ".join(ends), "decides": override == line.row["override"]}


def commands(name: str, lines: Sequence[Line], settings: Settings) -> Iterator[str]:
    """The same on the command line."""
    if lines and not lines[0].key:
        if addressable(lines[0].name):
            yield f"hf endpoints pause {shlex.quote(lines[0].name)} --namespace {settings.namespace}"
        return
    for command in ("warm {} --for 2h", "pause {}", "pause {} --until released", "release {}", "explain {}"):
        yield f"lifecycle {command.format(name)}"


def money(amount: float) -> str:
    """Dollars: $0, $0.067, $0.80, $12.40, $1,234."""
    if amount >= 1000:
        return f"${amount:,.0f}"
    return f"${amount:.3f}".removesuffix("0") if amount else "$0"


def span(low: float, high: float) -> str:
    return money(low) if money(low) == money(high) else f"{money(low)} to {money(high)}"
