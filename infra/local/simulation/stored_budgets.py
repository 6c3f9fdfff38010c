"""Which budgets are spent, by what Cloud Scheduler's jobs store; read without the product."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class StoredBudgets:
    """`document`: the settings as YAML has them."""

    document: Mapping[str, Any]
    jobs: Mapping[str, Mapping[str, Any]]

    def spent_at(self, key: str, now: datetime) -> datetime | None:
        """Since when this month's budget of an entry is spent, or the one over all entries."""
        return self.of("", now) or (self.of(key, now) if key else None)

    def of(self, key: str, now: datetime) -> datetime | None:
        """Since when this month's budget is spent; that over all entries has no key."""
        given = self.document["endpoints"][key] if key else self.document
        if "budget" not in given:
            return None
        stored = self._memory(f"lifecycle-budget_{key}" if key else "lifecycle-budget").get("budget", {})
        spent = stored.get("spent_at") and stored["month"] == self.month(key, now)
        return datetime.fromisoformat(stored["spent_at"]) if spent else None

    def month(self, key: str, now: datetime) -> str:
        zone = self.document["endpoints"].get(key, {}).get("time_zone") or self.document.get("time_zone", "UTC")
        return f"{now.astimezone(ZoneInfo(zone)):%Y-%m}"

    def _memory(self, id: str) -> dict[str, Any]:
        found = next((job for name, job in self.jobs.items() if name.endswith(f"/{id}")), None)
        return _memory_in(found["httpTarget"].get("body", "")) if found else {}


@lru_cache
def _memory_in(body: str) -> dict[str, Any]:
    memory: dict[str, Any] = json.loads(base64.b64decode(body) or b"{}").get("memory", {})
    return memory
