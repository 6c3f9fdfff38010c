"""The page's forms: which ones an endpoint has, the request in a submitted one, and the texts for its outcome. Pure.

A form has absolute times, so that submitting it twice has no further effect.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from lifecycle.core.model import Override
from lifecycle.core.overrides import runs
from lifecycle.core.rules import Situation
from lifecycle.core.times import format_rfc3339
from lifecycle.engine.request import LONGEST
from lifecycle.web.lines import Line, brief

HOUR = timedelta(hours=1)
RECONCILE = "reconcile"

# The outcomes of a form: the code in the address of the page that follows, and the text there.
OUTCOMES: Mapping[str, str] = {
    "running": "Done: it runs.",
    "starting": "Done: it is starting. That takes minutes; its state shows here when the page refreshes.",
    "extended": "Done: an hour more.",
    "paused": "Done: it is paused.",
    "stopping": "Accepted: it is stopping. Its state shows here when the page refreshes.",
    "released": "Done: no manual request of yours is in force here.",
    "reconciling": "Done: a reconcile run has been started. What it changes shows here when the page refreshes.",
    "nothing": "Nothing was changed. The reason is beside the endpoint.",
    "dry-run": "Dry run: nothing was changed.",
    "held": "Not done: somebody else has paused it. Who, and until when, is under its holders.",
    "protected": "Not done: it is protected. The command line can force it.",
    "budget": "Not done: the budget of this month is spent.",
    "too-many": "Not done: too many requests to run are in force. Release one, or wait until one ends.",
    "late": "Not done: the end in this form has passed, or is more than 7 days ahead. The page is current again.",
    "gone": "Not done: there is no such endpoint.",
    "unavailable": "Not done, or not confirmed: a service did not answer. Try again in a minute.",
    "partly": "Done for some endpoints of the entry, but not for all.",
    "failed": "Not done: Hugging Face refused. Trying again does not help until the cause is removed.",
}
BAD = frozenset(OUTCOMES) - {
    *("running", "starting", "extended", "paused", "stopping", "released", "reconciling", "nothing", "dry-run"),
}


@dataclass(frozen=True)
class Form:
    """One button. `until`: the end in it, as RFC 3339. `short`: its label in a line of the table; without one, the
    button is only on the endpoint's own page."""

    do: str
    label: str
    short: str = ""
    until: str = ""


@dataclass(frozen=True)
class Asked:
    """The request in a submitted form. `name`: the endpoint's name; "": all."""

    do: str
    name: str
    function: str
    body: bytes


def offered(line: Line, holder: str | None) -> list[Form]:
    """The forms for one endpoint and one person."""
    situation = line.situation
    if situation is None:
        return []
    in_force = situation.in_force
    own = [override for override in in_force if override.holder == holder and override.endpoint in (None, line.name)]
    up, forms = line.bills, []
    if not line.missing:
        paused = any(override.state != "running" for override in in_force)
        end = _last_end(in_force)
        if not up or paused:
            forms.append(Form("resume", "Resume for 2 h", "" if up else "Resume 2 h"))
        if end and end + HOUR <= situation.now + LONGEST:
            forms.append(Form("extend", "1 h more", "1 h more" if up else "", format_rfc3339(end + HOUR)))
        elif up and not paused:
            forms.append(Form("resume", "Run for 2 h"))
        if up or line.state is None:
            forms.append(Form("pause", _pause_label(situation), "Pause"))
        if not any(override.state == "paused" and not override.until and not override.or_started for override in own):
            forms.append(Form("hold", "Pause until released"))
    if own:
        forms.append(Form("release", "Release", "Release"))
    return forms


def _last_end(in_force: Sequence[Override]) -> datetime | None:
    last = runs(in_force)
    return last[-1].until if last else None


def _pause_label(situation: Situation) -> str:
    following = situation.entry.hours.next(situation.now) if situation.entry.hours else None
    if following:
        return f"Pause until {brief(following.lead, situation)}"
    return f"Pause until {situation.entry.platform} starts" if situation.entry.platform else "Pause"


def read(body: bytes) -> Asked | None:
    """The request in a submitted form; None: it is not one of the page's forms."""
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError:
        return None
    given = {key: values[0] for key, values in fields.items() if len(values) == 1}
    do, name, until = (given.pop(key, "") for key in ("do", "endpoint", "until"))
    asks: dict[str, tuple[str, dict[str, Any]]] = {
        "resume": ("resume", {"for": "2h"}),
        "extend": ("resume", {"until": until}),
        "pause": ("pause", {}),
        "hold": ("pause", {"until": "released"}),
        "release": ("reconcile", {"clear_override": True}),
        RECONCILE: ("reconcile", {}),
    }
    odd = given or any(len(values) > 1 for values in fields.values())
    if odd or do not in asks or bool(until) != (do == "extend") or bool(name) == (do == RECONCILE) or name == "*":
        return None
    function, more = asks[do]
    return Asked(do, name, function, json.dumps({"endpoints": [name], **more}).encode())
