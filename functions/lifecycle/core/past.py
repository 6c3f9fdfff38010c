"""The past, as the rules get it: what was billed of budgets, and how long starts took. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.core.budget import ALL, Spending
from lifecycle.core.entries import Entry
from lifecycle.core.lead import Lead, LeadBounds, Starts, learned

NO_STARTS = Starts((), ())


@dataclass(frozen=True)
class Past:
    """`spendings`: by entry, and "" for the top level. `starts`: by the endpoint's name; None: not known."""

    spendings: Mapping[str, Spending] = field(default_factory=dict)
    starts: Mapping[str, Starts] | None = None

    def spent(self, entry: Entry, now: datetime) -> Spending | None:
        """The budget that is spent and covers an entry, its own first."""
        return next((spending for spending in self.of(entry) if spending.spent_at(now)), None)

    def of(self, entry: Entry) -> list[Spending]:
        """The budgets that cover an entry."""
        return [self.spendings[key] for key in (entry.key, ALL) if key in self.spendings]

    def lead(self, name: str | None, bounds: LeadBounds) -> Lead:
        starts = None if self.starts is None or name is None else self.starts.get(name, NO_STARTS)
        return learned(starts, bounds)


NOTHING_KNOWN = Past()
