"""Which rules apply to an endpoint, in order, and which one decides. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from lifecycle.core.rules import RULES, Decision, Situation, decide


@dataclass(frozen=True)
class Verdict:
    """Whether a rule applies. `decision` None: it does not, and `reason` is why. `decides`: it is the first that
    applies; `decision` is then the final one, which for a protected entry differs from the rule's own."""

    rule: str
    decision: Decision | None
    reason: str
    decides: bool


def verdicts(situation: Situation) -> list[Verdict]:
    """The verdicts of all rules, in order; the last one always applies."""
    found: list[Verdict] = []
    decided = False
    for (title, why_not), rule in zip(_TITLES, RULES, strict=True):
        decision = rule(situation)
        decides = decision is not None and not decided
        decided = decided or decides
        decision = decide(situation) if decides else decision
        found.append(Verdict(title, decision, decision.reason if decision else why_not(situation), decides))
    return found


def _no_budget(s: Situation) -> str:
    if not s.past.of(s.entry):
        return "it has no budget"
    return "it is protected" if s.entry.protected else "the budget is not known to be spent"


def _no_platform(s: Situation, state: str) -> str:
    if s.entry.platform is None:
        return "it follows no platform"
    if s.memory.unavailable_reason:
        return f"the state of platform {s.entry.platform} is unknown: {s.memory.unavailable_reason}"
    if s.platform_state is None:
        return f"platform {s.entry.platform} has sent no message yet"
    return f"platform {s.entry.platform} is not {state}"


def _not_idle(s: Situation) -> str:
    return "it has no idle_after" if s.entry.idle_after is None else "it was not observed"


# In the order of RULES: the rule's name, and why it does not apply.
_TITLES: tuple[tuple[str, Callable[[Situation], str]], ...] = (
    ("pause or forced request", lambda _: "none is in force"),
    ("budget", _no_budget),
    ("request to run", lambda _: "none is in force"),
    ("platform stopped", lambda s: _no_platform(s, "stopped")),
    ("hours", lambda _: "it has no hours"),
    ("platform started", lambda s: _no_platform(s, "started")),
    ("end of a request to run", lambda _: "no ended request found the endpoint stopped"),
    ("idle_after", _not_idle),
    ("no rule", lambda _: ""),
)
