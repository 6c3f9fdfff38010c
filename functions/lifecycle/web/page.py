"""The page: a table of all endpoints, and a page for each. One document each, no script, nothing from elsewhere.

Its Content-Security-Policy allows the one style sheet that is in it, by its hash, and forms to itself. Jinja2 escapes
everything that is put into it, and control characters are shown as escapes. `lines` makes the lines, `week_chart` the
weeks, `table.html` and `endpoint.html` are how it looks.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lifecycle.config import advice
from lifecycle.core.entries import Settings
from lifecycle.core.history import Event
from lifecycle.core.money import MISSED_RUNS
from lifecycle.core.text import visible
from lifecycle.core.times import format_local
from lifecycle.engine.status import Status
from lifecycle.errors import Failure
from lifecycle.web import forms
from lifecycle.web.card import card_of, commands, money, span
from lifecycle.web.happened import failures_of, happened
from lifecycle.web.lines import MARKS, Line, lines_of
from lifecycle.web.view import ORDERS, View, sums_of

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text()
DENSE = 60  # endpoints; more are shown in columns
MOST_EVENTS = 20
Events = Sequence[Event] | Failure
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_SOURCES = f"default-src 'none'; style-src 'sha256-{_HASH}'"
HEADERS = {
    "Content-Security-Policy": f"{_SOURCES}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
UNKNOWN = {
    "token": "the Hugging Face token could not be read",
    "huggingface": "Hugging Face does not answer: states are unknown",
    "prices": "prices are unknown",
    "scheduler": "Cloud Scheduler does not answer, or there is none: overrides and platform states are unknown",
}


@dataclass(frozen=True)
class Visit:
    """One request for the page. `person`: who asks, where that is known; `acts`: whether there are forms; `known`: who
    asks is known well enough for that; `outcome`: what became of the form before, a word of `forms.OUTCOMES`; `still`:
    it does not refresh."""

    view: View = field(default_factory=View)
    person: str | None = None
    acts: bool = False
    known: bool = True
    outcome: str = ""
    still: bool = False

    @property
    def query(self) -> str:
        return "&".join(filter(None, ("still" if self.still else "", self.view.query)))

    def headers(self) -> dict[str, str]:
        """The page refreshes every two minutes; the address for that has no form's outcome."""
        return HEADERS if self.still else {**HEADERS, "Refresh": f"120; url=?{self.query}"}


def table(status: Status, events: Events, settings: Settings, visit: Visit) -> str:
    """The page with all endpoints. `events`: those of the last day, newest first."""
    every = lines_of(status, settings, failures_of(events))
    shown = visit.view.of(every)
    looking = [line for line in shown if line.kind == "look"] if visit.view.sort == "look" else []
    covered = {line.key for line in every}
    return _render(
        "table.html",
        status,
        events,
        settings,
        visit,
        groups=[("Needs a look", looking), ("Endpoints", shown[len(looking) :])] if looking else [("", shown)],
        dense=len(shown) > DENSE,
        count=len(every),
        shown=len(shown),
        sums=sums_of(shown),
        states=sorted({line.state or "unknown" for line in every} | {*visit.view.states}),
        tags=sorted({tag for line in every for tag in line.tags} | {*visit.view.tags}),
        orders=ORDERS,
        nowhere=[key for key in settings.entries if key not in covered],
        platforms=list(_platforms(status, settings)),
        jobs=_jobs(status.answer),
        run=_last_run(status, settings),
        warnings=advice.warnings(settings, datetime.fromisoformat(status.answer["now"])),
        no_bills=status.answer["history"] or "no history yet",
        budget=status.answer["budget"],
    )


def endpoint(name: str, status: Status, events: Events, settings: Settings, visit: Visit) -> str | None:
    """The page of an entry, by its key, or of an endpoint, by its name at Hugging Face; None: there is none. `events`:
    its events of the last week, newest first."""
    every = lines_of(status, settings, failures_of(events))
    found = [line for line in every if line.key == name] or [line for line in every if line.name == name]
    if not found and name not in settings.entries:
        return None
    return _render(
        "endpoint.html",
        status,
        events,
        settings,
        visit,
        name=name,
        lines=found,
        target=name if name in settings.entries else found[0].target,
        card=card_of(found[0], status, settings) if found and found[0].situation else None,
        buttons=_buttons(found, visit),
        commands=list(commands(name, found, settings)),
    )


def missing(name: str, settings: Settings, *, blind: bool) -> str:
    """The page for a name that no endpoint has. `blind`: Hugging Face does not answer, so that is unknown."""
    return _environment.get_template("missing.html").render(
        name=name, namespace=settings.namespace, style=STYLE, blind=blind
    )


def _render(template: str, status: Status, events: Events, settings: Settings, visit: Visit, **more: Any) -> str:
    now = datetime.fromisoformat(status.answer["now"])
    return _environment.get_template(template).render(
        visit=visit,
        settings=settings,
        style=STYLE,
        now=now,
        shown_now=f"{now.astimezone(settings.zone):%a %Y-%m-%d %H:%M} {settings.zone.key}",
        unread=status.answer["unknown"],
        unknown=[UNKNOWN[name] for name in status.answer["unknown"]],
        events=[]
        if isinstance(events, Failure)
        else [happened(event, now, settings) for event in events[:MOST_EVENTS]],
        no_events=str(events) if isinstance(events, Failure) else "",
        failures=list(dict.fromkeys(str(failure) for failure in status.failures)),
        outcome=forms.OUTCOMES.get(visit.outcome, ""),
        bad=visit.outcome in forms.BAD,
        offered=lambda line: forms.offered(line, visit.person) if visit.acts else (),
        **more,
    )


def _buttons(lines: Sequence[Line], visit: Visit) -> list[forms.Form]:
    """The forms of all lines, each once."""
    made = {form.do: form for line in reversed(lines) for form in forms.offered(line, visit.person)}
    order = ("resume", "extend", "pause", "hold", "release")
    return [made[do] for do in order if do in made] if visit.acts else []


def _jobs(answer: Mapping[str, Any]) -> str:
    """What is wrong with Cloud Scheduler's jobs; `lifecycle sync` corrects it."""
    made_from = answer["jobs_settings_sha256"]
    if made_from is None:
        return "" if "scheduler" in answer["unknown"] else "There are no jobs yet, so nothing runs on a schedule."
    return "" if made_from == answer["settings_sha256"] else "The jobs were made from other settings."


def _last_run(status: Status, settings: Settings) -> tuple[str, bool]:
    """When the reconcile job last fired, in words, and whether that is too long ago."""
    now, at = datetime.fromisoformat(status.answer["now"]), status.reconciled_at
    if at is None:
        return "" if "scheduler" in status.answer["unknown"] else "no reconcile run yet", False
    late = now - at > MISSED_RUNS * settings.reconcile_every + timedelta(minutes=1)
    return f"last reconcile run {format_local(at, settings.zone, now).removesuffix(f' {settings.zone.key}')}", late


def _platforms(status: Status, settings: Settings) -> Iterator[tuple[str, str]]:
    now = datetime.fromisoformat(status.answer["now"])
    silent = "unknown" if "scheduler" in status.answer["unknown"] else "no message yet"
    for name, platform in status.answer["platforms"].items():
        since = format_local(datetime.fromisoformat(platform["since"]), settings.zone, now) if platform["since"] else ""
        yield name, f"{platform['state']} since {since}" if platform["state"] else silent


def _made_environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    made.filters |= {"money": money}
    made.globals |= {"MARKS": MARKS, "span": span}
    return made


_environment = _made_environment()
