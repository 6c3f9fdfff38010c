"""Several holders with real processes: overlapping holds, and a hundred equal requests at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from local.servers.endpoints import Durations
from support.processes import Deployment

QUICK = Durations(pending=0, resume=0.3, wake=0.3, update=0.2, load=0.2)
SLOW = Durations(pending=0, resume=60, wake=60, update=0.2, load=0.2)
TEXT = "namespace: acme\nendpoints: {embeddings: {name: embeddings-prod, hours: daily 00:00-00:01}}"
FUNCTIONS = ("pause", "resume", "warm", "reconcile")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with ExitStack() as stack:
        made = Deployment(tmp_path_factory.mktemp("shared"), stack)
        made.start(TEXT, *FUNCTIONS)
        yield made


@pytest.fixture
def world(deployed: Deployment) -> Deployment:
    deployed.empty()
    deployed.hub.add("embeddings-prod", "paused", durations=QUICK)
    return deployed


def result(world: Deployment, function: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    response = world.ask(function, {"endpoints": ["embeddings"], **asked})
    return response.status_code, response.json()["results"][0]


def test_a_persons_hold_outlives_the_release_by_ci(world: Deployment) -> None:
    result(world, "warm", holder="anna", **{"for": "5h"})
    result(world, "warm", holder="ci-42", **{"for": "90m"})
    status, released = result(world, "reconcile", clear_override=True, holder="ci-42")
    assert (status, released["outcome"], released["after"]) == (200, "unchanged", "running")
    assert [override["holder"] for override in released["overrides"]] == ["anna"]
    assert result(world, "reconcile")[1]["after"] == "running"


def test_a_pause_by_a_third_names_whom_it_hits_and_then_refuses_ci(world: Deployment) -> None:
    result(world, "warm", holder="anna", **{"for": "5h"})
    result(world, "warm", holder="ci-42", **{"for": "90m"})
    status, paused = result(world, "pause", holder="ben", until="released")
    assert (status, paused["after"]) == (200, "paused")
    assert "anna" in paused["reason"]
    assert "ci-42" in paused["reason"]
    status, refused = result(world, "warm", holder="ci-42", **{"for": "90m"})
    assert (status, refused["outcome"], refused["override"]["holder"]) == (409, "failed", "ben")
    assert "ben" in refused["error"]


def test_a_warm_that_waits_ends_within_seconds_when_another_holder_pauses(world: Deployment) -> None:
    world.hub.endpoints.clear()
    world.hub.add("embeddings-prod", "paused", durations=SLOW)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(result, world, "warm", holder="ci-42", **{"for": "1h"})
        while world.hub["embeddings-prod"].state == "paused":
            assert not waiting.done()
        result(world, "pause", holder="ben", until="released")
        status, refused = waiting.result(timeout=20)
    assert (status, refused["outcome"]) == (409, "failed")
    assert "ben" in refused["error"]


@pytest.mark.parametrize("holders", [1, 4])
def test_a_hundred_at_once_are_one_resume_and_one_write_for_each_holder(world: Deployment, holders: int) -> None:
    world.hub.endpoints.clear()
    world.hub.add("embeddings-prod", "paused", durations=SLOW)
    before = len(world.scheduler.writes)
    with ThreadPoolExecutor(100) as pool:
        asked = [{"holder": f"gateway-{number % holders}", "for": "1h"} for number in range(100)]
        answers = list(pool.map(lambda body: world.ask("resume", {"endpoints": ["embeddings"], **body}), asked))
    assert {answer.status_code for answer in answers} == {202}
    assert {int(answer.headers["Retry-After"]) for answer in answers} == {60}
    resumed = [path for _, path, _ in world.hub.requests if path.endswith("/resume")]
    assert len(resumed) == 1
    assert len(world.scheduler.writes) - before == holders
