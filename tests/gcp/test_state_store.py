"""The stored state: one list reads it, and nothing is lost when several instances write at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from lifecycle.core.model import BudgetRecord, Override, PlatformState
from lifecycle.errors import Failure
from lifecycle.gcp import job_state
from lifecycle.gcp.jobs import Job
from lifecycle.gcp.state_store import StateStore
from support.building import NOON, override, read, started, stopped
from support.hub import FakeJobs

T = TypeVar("T")
SETTINGS = read("platforms: {main: {}}\nendpoints: {embeddings: {platform: main}, playground: {}}")
RECONCILE = Job("lifecycle-reconcile", "3-59/10 * * * *", "UTC", "https://functions.example/reconcile", b"{}")
ID, PLATFORM = "lifecycle-override-embeddings", "lifecycle-platform-main"
OLDER, NEWS, NEWER = stopped("Tue 10:00"), started("Tue 11:00"), stopped("Tue 11:30")


@dataclass
class Shared(FakeJobs):
    """Jobs that other instances use at the same time: what they do just before a call of a method, one by one."""

    before: dict[str, list[Callable[[], None]]] = field(default_factory=dict)

    def _others(self, method: str) -> None:
        if self.before.get(method):
            self.before[method].pop(0)()

    async def get(self, id: str) -> Job | None:
        self._others("get")
        return await super().get(id)

    async def delete(self, id: str) -> None:
        self._others("delete")
        await super().delete(id)

    def hold(self, kept: Override) -> None:
        self.jobs[ID] = job_state.override_job(RECONCILE, "lifecycle", "embeddings", kept, NOON)

    def tell(self, platform_state: PlatformState) -> None:
        self.jobs[PLATFORM] = replace(
            self.jobs[PLATFORM], body=job_state.platform_body(SETTINGS, "main", platform_state)
        )

    @property
    def held(self) -> Override | None:
        return job_state.override_in(self.jobs.get(ID))

    @property
    def reported(self) -> PlatformState | None:
        return job_state.platform_state_in(self.jobs.get(PLATFORM))


class Busy(Shared):
    """The first write or deletion fails for a while, and meanwhile another instance acts."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)
    failed = False

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await attempt()
        except Failure:
            self.meanwhile()
            return await attempt()

    async def _call(self, method: str, id: str = "") -> None:
        await super()._call(method, id)
        if method in ("put", "set_body", "delete") and not self.failed:
            self.failed = True
            raise Failure("scripted: 429", code="memory_unavailable", retryable=True)


class Overtaken(Shared):
    """Another instance acts before the first body is written."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def set_body(self, id: str, body: bytes) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile()
        return await super().set_body(id, body)


def shelf(*, without: str = "") -> Shared:
    every = [RECONCILE, Job(PLATFORM, "0 4 * * *", "UTC", "https://functions.example/reconcile", b"{}")]
    return Shared({job.id: job for job in every if job.id != without})


def store(on: Shared) -> StateStore:
    """A keeper that has read what is there."""
    made = StateStore(on, SETTINGS, "lifecycle", lambda: NOON)
    asyncio.run(made.read())
    on.calls.clear()
    return made


# Reading.


def test_one_list_reads_it_all() -> None:
    on = shelf()
    on.hold(override())
    on.tell(NEWS)
    found = asyncio.run(StateStore(on, SETTINGS, "lifecycle", lambda: NOON).read())
    assert (found.overrides, found.platforms) == ({"embeddings": (override(),)}, {"main": NEWS})
    assert on.calls == ["list"]


def test_what_cannot_be_read_is_a_retryable_failure() -> None:
    on = shelf()
    on.refuse = frozenset({"list"})
    with pytest.raises(Failure) as caught:
        asyncio.run(StateStore(on, SETTINGS, "lifecycle", lambda: NOON).read())
    assert caught.value.retryable


# Overrides.


def test_an_override_is_kept() -> None:
    on = shelf()
    asyncio.run(store(on).put_override("embeddings", override()))
    assert on.held == override()


def test_an_override_replaces_the_one_before() -> None:
    on = shelf()
    on.hold(override("running"))
    asyncio.run(store(on).put_override("embeddings", override("paused")))
    assert on.held == override("paused")


def test_without_a_reconcile_job_to_copy_nothing_is_kept_and_it_says_so() -> None:
    on = shelf(without="lifecycle-reconcile")
    with pytest.raises(Failure, match="lifecycle-reconcile") as caught:
        asyncio.run(store(on).put_override("embeddings", override()))
    assert caught.value.retryable
    assert on.held is None


def test_an_override_that_cannot_be_written_is_a_failure() -> None:
    on = shelf()
    on.refuse = frozenset({"put"})
    with pytest.raises(Failure):
        asyncio.run(store(on).put_override("embeddings", override()))


FOREIGN = Job(ID, "0 8 * * *", "UTC", "https://elsewhere.example", b"hello")


def test_a_job_of_that_name_that_is_not_ours_is_not_overwritten() -> None:
    on = shelf()
    on.jobs[ID] = FOREIGN
    with pytest.raises(Failure, match="not ours"):
        asyncio.run(store(on).put_override("embeddings", override()))
    assert on.jobs[ID] == FOREIGN


def test_a_holder_has_a_job_of_its_own() -> None:
    on = shelf()
    on.hold(override("running"))
    asyncio.run(store(on).put_override("embeddings", override("paused", holder="ci-42")))
    assert on.held == override("running")
    assert [id for id in on.jobs if id.startswith(f"{ID}_ci-42-")]


def test_a_repeated_write_leaves_a_newer_request_of_the_same_holder() -> None:
    newer = override("running", since="Tue 11:30")
    on = Busy(shelf().jobs)
    made = store(on)
    on.meanwhile = lambda: on.hold(newer)
    with pytest.raises(Failure, match="newer request"):
        asyncio.run(made.put_override("embeddings", override("paused", since="Tue 11:00")))
    assert on.held == newer


# Overrides that ended.

ENDED, REPLACED = override(until="Tue 11:59"), override("running", since="Tue 11:59:30")


def test_an_ended_override_is_deleted() -> None:
    on = shelf()
    on.hold(ENDED)
    asyncio.run(store(on).delete_override("embeddings", ENDED))
    assert on.held is None


def test_an_override_that_replaced_the_ended_one_meanwhile_is_not_deleted() -> None:
    on = shelf()
    on.hold(ENDED)
    made = store(on)
    on.hold(REPLACED)
    asyncio.run(made.delete_override("embeddings", ENDED))
    assert on.held == REPLACED


def test_an_ended_override_that_another_instance_deleted_is_no_failure() -> None:
    on = shelf()
    asyncio.run(store(on).delete_override("embeddings", ENDED))
    assert on.held is None


def test_a_repeated_deletion_reads_again_what_it_deletes() -> None:
    on = Busy(shelf().jobs)
    on.hold(ENDED)
    made = store(on)
    on.meanwhile = lambda: on.hold(REPLACED)
    asyncio.run(made.delete_override("embeddings", ENDED))
    assert on.held == REPLACED


def test_an_override_can_be_ended_and_kept() -> None:
    on = shelf()
    on.hold(override())
    asyncio.run(store(on).end_override("embeddings", override(), NOON))
    assert on.held == replace(override(), until=NOON)


def test_an_override_that_was_replaced_meanwhile_is_not_ended() -> None:
    on = shelf()
    on.hold(override())
    made = store(on)
    on.hold(REPLACED)
    asyncio.run(made.end_override("embeddings", override(), NOON))
    assert on.held == REPLACED


def test_whether_another_instance_deleted_a_new_override_can_be_asked() -> None:
    on = shelf()
    made = store(on)
    assert not asyncio.run(made.has("embeddings", REPLACED))
    on.hold(REPLACED)
    assert asyncio.run(made.has("embeddings", REPLACED))


# Platform messages.


def newest(on: FakeJobs) -> PlatformState | None:
    return job_state.newest_of(on.jobs.values(), "lifecycle", "main")


def test_a_message_is_stored_in_a_job_of_its_own_and_in_the_platforms_job() -> None:
    on = shelf()
    state = asyncio.run(store(on).put_platform_state("main", NEWS))
    assert state.platforms == {"main": NEWS}
    assert on.reported == NEWS
    assert len([id for id in on.jobs if id.startswith(f"{PLATFORM}_")]) == 1


def test_an_older_message_that_is_slow_to_write_decides_nothing() -> None:
    """Two instances: the older message lands last."""
    on = shelf()
    slow = store(on)
    asyncio.run(store(on).put_platform_state("main", NEWS))
    state = asyncio.run(slow.put_platform_state("main", OLDER))
    assert (state.platforms["main"], newest(on)) == (NEWS, NEWS)


def test_a_newer_message_that_an_older_one_overwrites_in_the_platforms_job_is_shown_again() -> None:
    """Two instances: the newer message comes between the older one's read and its write."""
    on = shelf()
    other, overtaken = store(on), Overtaken(on.jobs)
    overtaken.meanwhile = lambda: other.put_platform_state("main", NEWER)
    asyncio.run(store(overtaken).put_platform_state("main", NEWS))
    assert (on.reported, newest(on)) == (NEWER, NEWER)


@pytest.mark.parametrize("order", [(OLDER, NEWS, NEWER), (NEWER, NEWS, OLDER), (NEWS, NEWER, OLDER)])
def test_the_newest_message_decides_in_whatever_order_they_are_written(order: tuple[PlatformState, ...]) -> None:
    on = shelf()
    instances = [store(on) for _ in order]
    for instance, platform_state in zip(instances, order, strict=True):
        asyncio.run(instance.put_platform_state("main", platform_state))
    assert newest(on) == NEWER


def test_an_older_message_cannot_be_written_over_a_newer_one_at_any_moment() -> None:
    """The platform's own job is overwritten by an older instance at the last moment."""
    on = shelf()
    asyncio.run(store(on).put_platform_state("main", NEWER))
    on.tell(OLDER)
    assert newest(on) == NEWER


def test_older_messages_are_deleted() -> None:
    on = shelf()
    for platform_state in (OLDER, NEWS, NEWER):
        asyncio.run(store(on).put_platform_state("main", platform_state))
    assert len([id for id in on.jobs if id.startswith(f"{PLATFORM}_")]) == 1


def test_without_the_platforms_job_nothing_is_stored_and_it_says_so() -> None:
    on = shelf(without=PLATFORM)
    with pytest.raises(Failure, match="main") as caught:
        asyncio.run(store(on).put_platform_state("main", NEWS))
    assert caught.value.retryable
    assert list(on.jobs) == [RECONCILE.id]


@pytest.mark.parametrize("method", ["put", "set_body", "list"])
def test_a_message_that_cannot_be_written_or_read_back_is_a_failure(method: str) -> None:
    on = shelf()
    made = store(on)
    on.refuse = frozenset({method})
    with pytest.raises(Failure):
        asyncio.run(made.put_platform_state("main", NEWS))


# Budgets.

NEAR = BudgetRecord("2026-11", 20, warned="2026-11-24")
SPENT = BudgetRecord("2026-11", 20, spent_at=NOON, billed=21)


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [(NEAR, SPENT, SPENT), (SPENT, NEAR, SPENT), (SPENT, replace(SPENT, billed=22), replace(SPENT, billed=22))],
)
def test_a_repeated_write_of_a_budget_does_not_forget_that_it_is_spent(
    ours: BudgetRecord, theirs: BudgetRecord, kept: BudgetRecord
) -> None:
    id = "lifecycle-budget_embeddings"
    on = Busy({job.id: job for job in (RECONCILE, Job(id, "0 0 1 * *", "UTC", "https://x.example", b"{}"))})
    written = replace(on.jobs[id], body=job_state.budget_body("embeddings", theirs))
    on.meanwhile = lambda: on.jobs.update({id: written})
    asyncio.run(store(on).put_budget("embeddings", ours, None))
    assert job_state.budget_in(on.jobs[id]) == kept


def test_a_write_that_waited_does_not_forget_that_a_budget_is_spent() -> None:
    id = "lifecycle-budget_embeddings"
    spent = Job(id, "0 0 1 * *", "UTC", "https://x.example", job_state.budget_body("embeddings", SPENT))
    on = Shared({RECONCILE.id: RECONCILE, id: spent})
    asyncio.run(store(on).put_budget("embeddings", NEAR, None))
    assert job_state.budget_in(on.jobs[id]) == SPENT
