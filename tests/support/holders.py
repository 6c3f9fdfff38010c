"""An endpoint that several hold: who they are, and what they store."""

from datetime import timedelta
from typing import Any

from lifecycle.core.model import Override
from lifecycle.engine.dependencies import Caller
from lifecycle.gcp.job_state import override_in
from support.hub import TUESDAY_NOON, Harness

ANNA, BEN = Caller(email="anna@example.com"), Caller(email="ben@example.com")
NOBODY = Caller()
HOUR = timedelta(hours=1)
SEVERAL = "endpoints: {dev: {name: dev-*%s}}"


def several(text: str = "", state: str = "paused") -> Harness:
    on = Harness(SEVERAL % (f", {text}" if text else ""))
    for name in ("dev-a", "dev-b"):
        on.hub.add(name, state)
    return on


def hold(on: Harness, state: Any, entry: str = "embeddings", **more: Any) -> Override:
    given = {"since": TUESDAY_NOON - HOUR, "until": TUESDAY_NOON + HOUR} | more
    made = Override(state, **given)
    on.override(entry, made)
    return made


def stored(on: Harness) -> dict[tuple[str | None, str | None], str]:
    assert on.shelf is not None
    found = filter(None, (override_in(job) for id, job in on.shelf.jobs.items() if "-override-" in id))
    return {override.slot: str(override.state) for override in found}


def later(on: Harness, length: timedelta) -> None:
    on.now += length
