"""`lifecycle explain NAME`: whether each rule applies, who changed it last, who can wake it, and the next changes."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

import click

from lifecycle.cli import functions, output
from lifecycle.cli.common import AS_JSON, only, read_environment, read_settings, run
from lifecycle.cli.observed import observed
from lifecycle.core.explain import verdicts
from lifecycle.core.model import AT_REST
from lifecycle.core.rules import Situation, decide
from lifecycle.core.text import visible_in
from lifecycle.core.timeline import changes
from lifecycle.core.times import format_rfc3339

CHANGES = 5
WAKES = {
    "public": "anybody, by a request",
    "authenticated": "anybody with a Hugging Face account, by a request",
    "protected": "whoever has a token for it, by a request",
    "private": "whoever has a token of the namespace, by a request from its network",
}


@click.command()
@click.argument("name")
@AS_JSON
def explain(name: str, as_json: bool) -> None:
    """Show which rule decides and which would decide next, who changed the endpoint last, who can wake it, and the next
    changes."""
    env = read_environment()
    settings = read_settings(env.config)
    answer, why = run(output.waiting(functions.status(env), "explain"))
    seen = observed(settings, answer, why)
    rows = {id(row): situation for row, situation in zip(seen.rows, seen.situations, strict=True)}
    found = [_explained(row, rows[id(row)]) for row in only(seen.rows, (name,))]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for one in visible_in(found):
        _show(one)
    for note in visible_in(seen.notes):
        output.line(note)


def _explained(row: Mapping[str, Any], situation: Situation) -> dict[str, Any]:
    """What is known of one endpoint. `decides`: the first rule that applies; `would_decide`: the next one."""
    rules = [
        {
            "rule": verdict.rule,
            "applies": verdict.decision is not None,
            "wanted": verdict.decision.wanted if verdict.decision else None,
            "reason": verdict.reason,
        }
        for verdict in verdicts(situation)
    ]
    applying = [rule["rule"] for rule in rules if rule["applies"]]
    decision = decide(situation)
    later = islice(changes(situation), CHANGES)
    return {
        "endpoint": row["endpoint"],
        "name": row["name"],
        "time_zone": situation.entry.zone.key,
        "state": row["state"],
        "wanted": row.get("wanted", decision.wanted),
        "reason": row.get("reason", decision.reason),
        "decides": applying[0],
        "would_decide": applying[1] if len(applying) > 1 else None,
        "protected": situation.entry.protected,
        "rules": rules,
        "changes": [{"at": format_rfc3339(one.at), "wanted": one.wanted, "reason": one.reason} for one in later],
        "updated_at": row.get("updated_at"),
        "updated_by": row.get("updated_by"),
        "woken_by": _woken_by(row),
    }


def _woken_by(row: Mapping[str, Any]) -> str:
    """Who can wake it where it rests: a paused endpoint nobody by a request."""
    if row["state"] == "paused":
        return "nobody by a request: it is paused"
    asleep = "" if row["state"] in AT_REST else "when it sleeps: "
    return asleep + WAKES.get(row.get("type") or "", "whoever may call it, by a request")


def _show(row: Mapping[str, Any]) -> None:
    output.line(f"{output.names(row)}: {row['state'] or 'unknown'}, wanted {row['wanted']}", "bold")
    output.line(f"  {row['reason']}")
    marks = {row["decides"]: "→", row["would_decide"]: "then"}
    output.rows(
        [[f"  {marks.get(rule['rule'], ''):<4} {rule['rule']}", rule["wanted"] or "–", rule["reason"]]
         for rule in row["rules"]]
    )  # fmt: skip
    if row["protected"]:
        output.line("  protected: no rule rests it")
    zone = output.zone_of(row)
    for change in row["changes"]:
        at = output.moment(change["at"], zone)
        output.line(f"  next: {at} {change['wanted']}: {change['reason']}")
    if row["updated_at"]:
        by = f" by {row['updated_by']}" if row["updated_by"] else ""
        output.line(f"  last changed at Hugging Face: {output.moment(row['updated_at'], zone)}{by}")
    output.line(f"  can wake it: {row['woken_by']}")
