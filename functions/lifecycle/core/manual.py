"""Which override a wish by hand sets, so that the rules do not undo it. Pure (design, the table "By hand")."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from lifecycle.core.model import AT_REST, Override
from lifecycle.core.rules import Situation, decide, timeline

RUNS_FOR = timedelta(hours=2)


@dataclass(frozen=True)
class ManualRequest:
    """A request by hand: what, until when (None: not said, or "released"), by whom, and why."""

    state: Literal["running", "paused"]
    until: datetime | None = None
    released: bool = False
    by: str | None = None
    note: str | None = None


def override_for(asked: ManualRequest, situations: Sequence[Situation]) -> Override | None:
    """The override for one entry; None: the rules would not undo it.

    `situations`: those of the endpoints that the entry covers, at least one.
    """
    alone = [_alone(situation) for situation in situations]
    now, entry = alone[0].now, alone[0].entry
    made = Override(asked.state, now, None, by=asked.by, note=asked.note)
    if asked.until or asked.released:
        return replace(made, until=asked.until)
    wanted = {decide(situation).wanted for situation in alone}
    if asked.state == "paused":
        if "running" not in wanted:
            return None
        following = entry.hours.next(now) if entry.hours else None
        return replace(made, until=following.lead if following else None, or_started=entry.platform)
    if wanted & AT_REST or ("running" in wanted and _would_stop(alone, now + RUNS_FOR)):
        return replace(made, until=now + RUNS_FOR)
    return None


def _alone(situation: Situation) -> Situation:
    """As the rules alone see it: without any override."""
    return replace(situation, memory=replace(situation.memory, overrides={}))


def _would_stop(alone: Sequence[Situation], until: datetime) -> bool:
    return any(found.wanted in AT_REST for situation in alone for _, found in timeline(situation, until))
