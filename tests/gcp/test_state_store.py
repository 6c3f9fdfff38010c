"""The memory between calls: one list reads it, and what several instances write at once is not lost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from lifecycle.core.model import Override, PlatformState
from lifecycle.errors import Failure
from lifecycle.gcp import jobs
from lifecycle.gcp.jobs import Job
from lifecycle.gcp.state_store import StateStore
from support.building import NOON, override, read, started, stopped
from support.hub import FakeJobs

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
        self.jobs[ID] = jobs.override_job(RECONCILE, "lifecycle", "embeddings", kept, NOON)

    def tell(self, news: PlatformState) -> None:
        self.jobs[PLATFORM] = replace(self.jobs[PLATFORM], body=jobs.platform_body(SETTINGS, "main", news))

    @property
    def held(self) -> Override | None:
        return jobs.override_in(self.jobs.get(ID))

    @property
    def told(self) -> PlatformState | None:
        return jobs.news_in(self.jobs.get(PLATFORM))


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
    assert (found.overrides, found.platforms) == ({"embeddings": override()}, {"main": NEWS})
    assert on.calls == ["list"]


def test_what_cannot_be_read_is_a_failure_that_may_pass() -> None:
    on = shelf()
    on.refuse = frozenset({"list"})
    with pytest.raises(Failure) as caught:
        asyncio.run(StateStore(on, SETTINGS, "lifecycle", lambda: NOON).read())
    assert caught.value.retryable


# Overrides by hand.


def test_an_override_is_kept() -> None:
    on = shelf()
    asyncio.run(store(on).keep("embeddings", override()))
    assert on.held == override()


def test_an_override_replaces_the_one_before() -> None:
    on = shelf()
    on.hold(override("running"))
    asyncio.run(store(on).keep("embeddings", override("paused")))
    assert on.held == override("paused")


def test_an_override_can_be_taken_away() -> None:
    on = shelf()
    on.hold(override())
    asyncio.run(store(on).keep("embeddings", None))
    assert ID not in on.jobs


def test_where_there_is_no_override_taking_it_away_asks_nothing_of_cloud_scheduler() -> None:
    on = shelf()
    asyncio.run(store(on).keep("embeddings", None))
    assert on.calls == []


def test_without_a_reconcile_job_to_copy_nothing_is_kept_and_it_says_so() -> None:
    on = shelf(without="lifecycle-reconcile")
    with pytest.raises(Failure, match="lifecycle-reconcile") as caught:
        asyncio.run(store(on).keep("embeddings", override()))
    assert caught.value.retryable
    assert on.held is None


def test_an_override_that_cannot_be_written_is_a_failure() -> None:
    on = shelf()
    on.refuse = frozenset({"put"})
    with pytest.raises(Failure):
        asyncio.run(store(on).keep("embeddings", override()))


FOREIGN = Job(ID, "0 8 * * *", "UTC", "https://elsewhere.example", b"hello")


def test_a_job_of_that_name_that_is_not_ours_is_not_overwritten() -> None:
    on = shelf()
    on.jobs[ID] = FOREIGN
    with pytest.raises(Failure, match="not ours"):
        asyncio.run(store(on).keep("embeddings", override()))
    assert on.jobs[ID] == FOREIGN


def test_a_job_of_that_name_that_is_not_ours_is_not_deleted() -> None:
    on = shelf()
    on.jobs[ID] = FOREIGN
    asyncio.run(store(on).keep("embeddings", None))
    assert on.jobs[ID] == FOREIGN


# Overrides that ended.

ENDED, REPLACED = override(until="Tue 11:59"), override("running", since="Tue 11:59:30")


def test_an_ended_override_is_deleted() -> None:
    on = shelf()
    on.hold(ENDED)
    asyncio.run(store(on).forget("embeddings", ENDED))
    assert on.held is None


def test_an_override_that_replaced_the_ended_one_meanwhile_is_not_deleted() -> None:
    on = shelf()
    on.hold(ENDED)
    made = store(on)
    on.hold(REPLACED)
    asyncio.run(made.forget("embeddings", ENDED))
    assert on.held == REPLACED


def test_an_ended_override_that_another_instance_deleted_is_no_failure() -> None:
    on = shelf()
    asyncio.run(store(on).forget("embeddings", ENDED))
    assert on.held is None


def test_an_override_that_is_gone_is_written_again() -> None:
    on = shelf()
    made = store(on)
    asyncio.run(made.confirm("embeddings", REPLACED))
    assert on.held == REPLACED


def test_an_override_that_is_there_is_not_written_again() -> None:
    on = shelf()
    on.hold(REPLACED)
    asyncio.run(store(on).confirm("embeddings", REPLACED))
    assert on.calls == [f"get {ID}"]


def test_a_newer_override_of_somebody_else_stands() -> None:
    on = shelf()
    on.hold(override("paused", since="Tue 11:59:45"))
    asyncio.run(store(on).confirm("embeddings", REPLACED))
    assert on.held == override("paused", since="Tue 11:59:45")


def test_an_override_that_went_with_the_ended_one_comes_back() -> None:
    """One instance clears an ended override away, while another replaces it between the last look and the deletion."""
    on = shelf()
    on.hold(ENDED)
    clearing, asking = store(on), store(on)
    on.before["delete"] = [lambda: on.hold(REPLACED)]
    asyncio.run(clearing.forget("embeddings", ENDED))
    asyncio.run(asking.confirm("embeddings", REPLACED))
    assert on.held == REPLACED


# What a platform said.


def test_news_are_remembered() -> None:
    on = shelf()
    assert asyncio.run(store(on).remember("main", NEWS)) == NEWS
    assert on.told == NEWS


def test_news_are_read_back_after_they_were_written() -> None:
    on = shelf()
    asyncio.run(store(on).remember("main", NEWS))
    assert on.calls[-2:] == [f"set_body {PLATFORM}", f"get {PLATFORM}"]


def test_news_that_older_ones_overwrote_are_written_again() -> None:
    on = shelf()
    on.before["get"] = [lambda: on.tell(OLDER), lambda: on.tell(OLDER)]
    assert asyncio.run(store(on).remember("main", NEWS)) == NEWS
    assert on.told == NEWS


def test_newer_news_that_came_meanwhile_stand() -> None:
    on = shelf()
    on.before["get"] = [lambda: on.tell(NEWER)]
    assert asyncio.run(store(on).remember("main", NEWS)) == NEWER
    assert on.told == NEWER


def test_newer_news_that_came_since_the_list_was_read_stand() -> None:
    on = shelf()
    made = store(on)
    on.tell(NEWER)
    assert asyncio.run(made.remember("main", NEWS)) == NEWER
    assert on.told == NEWER


def test_news_that_are_overwritten_for_ever_are_a_failure_that_may_pass() -> None:
    on = shelf()
    on.before["get"] = [lambda: on.tell(OLDER)] * 100
    with pytest.raises(Failure) as caught:
        asyncio.run(store(on).remember("main", NEWS))
    assert caught.value.retryable


@pytest.mark.parametrize("lacks", ["before", "meanwhile"])
def test_without_the_platforms_job_nothing_is_remembered_and_it_says_so(lacks: str) -> None:
    on = shelf(without=PLATFORM if lacks == "before" else "")
    made = store(on)
    on.jobs.pop(PLATFORM, None)
    with pytest.raises(Failure, match=PLATFORM) as caught:
        asyncio.run(made.remember("main", NEWS))
    assert caught.value.retryable
    assert PLATFORM not in on.jobs


@pytest.mark.parametrize("method", ["set_body", "get"])
def test_news_that_cannot_be_written_or_read_back_are_a_failure(method: str) -> None:
    on = shelf()
    on.refuse = frozenset({method})
    with pytest.raises(Failure):
        asyncio.run(store(on).remember("main", NEWS))
