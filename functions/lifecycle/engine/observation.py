"""What one call of a function has read: endpoints, stored state, and the past; and what must be read again.

Seconds pass between reading and acting. Before a request that changes something, what is older is read again.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from lifecycle.core.entries import Entry
from lifecycle.core.model import Endpoint, Override, Prices, StoredState
from lifecycle.core.overrides import ended_now
from lifecycle.core.past import Past
from lifecycle.core.rules import Situation
from lifecycle.engine.dependencies import Caller, Dependencies
from lifecycle.engine.past import NOT_READ, Readings, past
from lifecycle.errors import Failure
from lifecycle.gcp.state_store import StateStore
from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.parsing import addressable

FRESH = 10.0  # seconds: an endpoint that was read earlier is read again before a write
FRESH_STATE = 3.0  # the same for the stored state


@dataclass(frozen=True)
class Target:
    """An entry, or one endpoint of it by its name at Hugging Face."""

    entry: Entry
    endpoint: str | None = None


class Observation:
    """What one call has read. What could not be read is empty, and its failure is kept."""

    def __init__(
        self, deps: Dependencies, seconds: float, caller: Caller, *, dry_run: bool = False, storing: float | None = None
    ) -> None:
        """`seconds`: the call's time. `storing`: how long it waits for Cloud Scheduler before it goes on without."""
        self.deps = deps
        self.settings = deps.settings
        self.caller = caller
        self.dry = dry_run or deps.settings.dry_run
        self.now = deps.now
        self.prefix = deps.prefix
        self.clock = asyncio.get_running_loop().time
        begun = self.clock()
        self.deadline = begun + seconds
        self.hf = HuggingFace(deps.http, deps.token, deps.base, self.settings.namespace, self.deadline, deps.rng)
        self.storing = storing or seconds
        self.storing_until = begun + self.storing
        jobs = deps.jobs(self.storing_until) if deps.jobs else None
        self.store = StateStore(jobs, self.settings, self.prefix, self.now, deps.turns.take) if jobs else None
        self.notes: list[str] = []  # what else must be seen
        self.endpoints_failure: Failure | None = None
        self.covered: dict[str, list[Endpoint]] = {}
        # By name: why an endpoint that the list does not show is not known. `gone`: those that are not there.
        self.unread: dict[str, Failure] = {}
        self.gone: set[str] = set()
        self.state = StoredState(unavailable_reason="SCHEDULER_PARENT is not set")
        self.state_failure: Failure | None = None
        self.state_at = self.state_from = begun  # when it was read, and when that began
        self.released: dict[str, tuple[Override, ...]] = {}  # by entry: what this call ends
        self.readings = NOT_READ
        self.known_prices: Prices = {}
        self._past: tuple[object, Past] | None = None
        self._seen_at: dict[str, float] = {}
        self._reading = asyncio.Lock()

    async def observe(
        self,
        entries: Iterable[Entry] = (),
        readings: Awaitable[Readings] | None = None,
        prices: Awaitable[Prices] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """Reads endpoints and stored state. Endpoints of `entries` and `names` that the list does not show are read one
        by one. `readings` of the past and `prices` are awaited at the same time, if given."""

        async def read() -> None:
            self.readings = await readings if readings else NOT_READ

        async def price() -> None:
            self.known_prices = await prices if prices else {}

        await asyncio.gather(self.list_endpoints(entries, names), self.read_state(), read(), price())
        if self.clock() - self.state_at > FRESH_STATE:
            known = self.state, self.state_failure, self.state_at, self.state_from
            if not self.state_failure:
                self.allow_more_time()
            await self.read_state()
            if self.state_failure and not known[1]:
                # What others left no time to read again still says more than nothing; before a change it is read again.
                self.state, self.state_failure, self.state_at, self.state_from = known

    async def list_endpoints(self, entries: Iterable[Entry] = (), names: Iterable[str] = ()) -> None:
        begun = self.clock()
        try:
            found = await self.hf.endpoints()
        except Failure as failure:
            self.endpoints_failure = failure
            return
        for endpoint in found:
            self._cover(endpoint, begun)
        named = [entry.name or entry.key for entry in entries if not entry.is_pattern]
        await asyncio.gather(*map(self.look_up, dict.fromkeys([*named, *names])))

    async def look_up(self, name: str) -> None:
        """Reads one endpoint: it can be missing from a list that changes while its pages are read."""
        if name in self._seen_at or name in self.gone:
            return
        begun = self.clock()
        try:
            found = await self.hf.endpoint(name)
        except Failure as failure:
            if failure.code == "not_found":
                self.gone.add(name)
            else:
                self.unread[name] = failure
            return
        self.unread.pop(name, None)
        if name not in self._seen_at:  # else another look at the same time was faster
            self._cover(found, begun)

    def _cover(self, endpoint: Endpoint, at: float) -> None:
        covering = self.settings.covering(endpoint.name, endpoint.tags) if addressable(endpoint.name) else ()
        self.covered.setdefault(covering[0].key if covering else "", []).append(endpoint)
        self._seen_at[endpoint.name] = at

    async def read_state(self) -> None:
        if not self.store:
            return
        begun = self.clock()
        try:
            self.state, self.state_failure = await self.store.read(), None
        except Failure as failure:
            self.state = StoredState(unavailable_reason="Cloud Scheduler could not be read")
            self.state_failure = failure
        self.state_at, self.state_from = self.clock(), begun

    def situations(self, entry: Entry, endpoint: str | None = None) -> list[Situation]:
        """One for each endpoint of the entry, or for the given one; none if the endpoints could not be read."""
        covered = self.covered.get(entry.key, ())
        return [self.situation(entry, found) for found in covered if endpoint in (None, found.name)]

    def situation(self, entry: Entry, endpoint: Endpoint | None) -> Situation:
        return Situation(entry, endpoint, self.after_release(entry), self.now(), self.past)

    @property
    def past(self) -> Past:
        """The past, as the rules get it."""
        key = (self.state_at, id(self.readings), id(self.known_prices))
        if self._past is None or self._past[0] != key:
            made = past(self.settings, self.state, self.readings, self.covered, self.known_prices, self.now())
            self._past = key, made
        return self._past[1]

    def after_release(self, entry: Entry) -> StoredState:
        """The stored state, as if the overrides that this call releases had ended."""
        released = [o for o in self.released.get(entry.key, ()) if o in self.state.overrides.get(entry.key, ())]
        return ended_now(self.state, entry.key, released, self.now()) if released else self.state

    def covers_no_longer(self, entry: Entry, name: str) -> bool:
        """Whether an endpoint is known to be gone, or to belong to other entries."""
        covered = any(found.name == name for found in self.covered.get(entry.key, ()))
        return name in self.gone or (name in self._seen_at and not covered)

    def unmanaged(self) -> list[Endpoint]:
        return self.covered.get("", [])

    def target_of(self, name: str) -> Target | None:
        """The target with this name at Hugging Face: an entry, or one of the endpoints that a pattern covers."""
        if entry := self.settings.exactly(name):
            return Target(entry)
        for key, endpoints in self.covered.items():
            if key and any(endpoint.name == name for endpoint in endpoints):
                return Target(self.settings.entries[key], name)
        return None

    async def read_since(self, when: float) -> None:
        """Reads the stored state, unless that has begun since then; those that ask meanwhile share one read."""
        if self.store and self.state_from < when:
            async with self._reading:
                if self.state_from < when:
                    if not self.state_failure:
                        self.allow_more_time()
                    await self.read_state()

    def allow_more_time(self) -> None:
        """Gives Cloud Scheduler time again, in a call that has acted since: at most half of what is left."""
        if not self.store or not self.deps.jobs:
            return
        left = self.deadline - self.clock()
        self.storing_until = max(self.storing_until, self.clock() + min(self.storing, left / 2))
        self.store.jobs = self.deps.jobs(self.storing_until)

    async def refreshed(self, situation: Situation, known_at: float, *, needs_state: bool, again: bool) -> Situation:
        """The situation, read again if it is old, or if this process has changed the endpoint since. `known_at`: when
        its stored state was read. `again`: before a request that is repeated."""
        endpoint = situation.endpoint
        assert endpoint is not None
        await self.read_since(self.clock() - (0 if again else FRESH_STATE))
        if self.state_at != known_at and self.state_failure and needs_state:
            raise self.state_failure
        seen_at = self._seen_at[endpoint.name]
        acted = self.deps.turns.changed_since(f"endpoint {endpoint.name}", seen_at)
        if not acted and self.clock() - seen_at <= FRESH:
            return situation if self.state_at == known_at else self.situation(situation.entry, endpoint)
        begun = self.clock()
        endpoint = await self.hf.peek(endpoint.name)
        self._seen_at[endpoint.name] = begun
        return self.situation(situation.entry, endpoint)

    def note(self, what: str, failure: Failure | None) -> None:
        if failure:
            self.notes.append(f"{what}: {failure}")
