"""The real Pub/Sub emulator pushes to the real function process: nothing is lost, and the end is right.

What the emulator does not model, and these tests therefore do not show: a subscription's `filter` (everything is
delivered), OIDC tokens (no Authorization header is sent), and dead letters of an ordered subscription (what is never
taken holds its key back forever, while the real one dead-letters it and goes on, out of order). It sends the data that
is missing as "", and never the ordering key.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.pubsub import PubSub, emulator
from local.servers.endpoints import Durations
from local.servers.faults import Fault
from local.servers.serve import listen
from support.processes import PARENT, Deployment, process

PLATFORMS = [f"vm-{number}" for number in range(5)]
TEXT = f"""
namespace: acme
platforms: {{{", ".join(f"{name}: {{}}" for name in PLATFORMS)}}}
endpoints:
{"".join(f"  {name}: {{platform: {name}}}" + chr(10) for name in PLATFORMS)}
"""
QUICK = Durations(pending=0, resume=0.2)
WITHIN = 60.0  # seconds


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSub]:
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as made:
        yield made


class Dependencies(Deployment):
    """One endpoint for each platform, running, and `platform_event` at a port that it keeps when it goes."""

    def prepare(self) -> None:
        self.start(TEXT)
        for name in PLATFORMS:
            self.hub.add(name, "running", durations=QUICK)
        with listen() as free:
            self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> AbstractContextManager[str]:
        """The function, as long as the context lasts."""
        return process("platform_event", self.environment, self.folder, port=self.port)

    def stored(self) -> dict[str, tuple[str, datetime] | None]:
        """The newest message of each platform, as its job stores it."""
        found: dict[str, tuple[str, datetime] | None] = {}
        for name in PLATFORMS:
            body = base64.b64decode(
                self.scheduler.jobs[f"{PARENT}/jobs/lifecycle-platform-{name}"]["httpTarget"]["body"]
            )
            reported = json.loads(body).get("memory")
            found[name] = (reported["state"], datetime.fromisoformat(reported["since"])) if reported else None
        return found

    def rests(self) -> list[str]:
        return [name for name in PLATFORMS if self.hub[name].state == "paused"]

    def ends_as(self, shown: dict[str, str]) -> None:
        """Every platform's newest message is stored, and its endpoint follows it."""
        stopped = [name for name in PLATFORMS if shown.get(name) == "stopped"]
        eventually(lambda: {name: reported[0] for name, reported in self.stored().items() if reported}, shown)
        eventually(self.rests, stopped)


def eventually(look: Callable[[], Any], expected: Any) -> None:
    until = time.monotonic() + WITHIN
    while look() != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert look() == expected


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Dependencies]:
    with ExitStack() as stack:
        made = Dependencies(tmp_path, stack)
        made.prepare()
        yield made


def platform_state(platform: str, event: str) -> dict[str, Any]:
    data = base64.b64encode(json.dumps({"platform": platform, "event": event}).encode()).decode()
    return {"data": data, "orderingKey": platform}


def without_data(platform: str, event: str) -> dict[str, Any]:
    return {"attributes": {"platform": platform, "event": event}, "orderingKey": platform}


def unordered(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != "orderingKey"}


# What each platform says in turn, the last of it being what must hold in the end.
SAYS = {name: ["stopped", "started"] * 3 + ["stopped"] * (number % 2) for number, name in enumerate(PLATFORMS)}
LAST = {name: events[-1] for name, events in SAYS.items()}


def turns() -> Iterator[tuple[str, str]]:
    for turn in range(max(map(len, SAYS.values()))):
        yield from ((name, events[turn]) for name, events in SAYS.items() if turn < len(events))


@pytest.mark.parametrize("message", [platform_state, without_data])
def test_ordered_messages_of_several_platforms_end_as_the_last_of_each_says(
    pubsub: PubSub, world: Dependencies, message: Callable[[str, str], dict[str, Any]]
) -> None:
    topic = pubsub.topic()
    with world.up():
        pubsub.push(topic, world.url, ordered=True)
        pubsub.publish(topic, *(message(*shown) for shown in turns()))
        world.ends_as(LAST)


@pytest.mark.parametrize("message", [platform_state, without_data])
def test_unordered_messages_end_as_the_newest_of_each_says(
    pubsub: PubSub, world: Dependencies, message: Callable[[str, str], dict[str, Any]]
) -> None:
    topic = pubsub.topic()
    with world.up():
        pubsub.push(topic, world.url)
        for shown in turns():
            pubsub.publish(topic, unordered(message(*shown)))
        world.ends_as(LAST)


def test_doubled_messages_change_nothing(pubsub: PubSub, world: Dependencies) -> None:
    topic = pubsub.topic()
    with world.up():
        for _ in range(2):
            pubsub.push(topic, world.url)
        for shown in turns():
            pubsub.publish(topic, unordered(platform_state(*shown)))
        world.ends_as(LAST)


def test_a_malformed_message_is_given_back_and_holds_up_no_other(pubsub: PubSub, world: Dependencies) -> None:
    topic = pubsub.topic()
    with world.up():
        pubsub.push(topic, world.url)
        text, event = base64.b64encode(b"stopped").decode(), {"platform": "vm-0", "event": "paused"}
        bad: list[dict[str, Any]] = [{"data": text}, {"attributes": event}]
        pubsub.publish(topic, *bad, unordered(platform_state("vm-1", "stopped")))
        world.ends_as({"vm-1": "stopped"})
        eventually(lambda: world.output.count("platform_event: 400") >= 2 * len(bad), True)


def test_a_malformed_message_is_dead_lettered(pubsub: PubSub, world: Dependencies) -> None:
    topic, dead = pubsub.topic(), pubsub.topic()
    with world.up():
        pubsub.push(topic, world.url, dead=dead)
        pubsub.push(dead, world.url)
        pubsub.publish(topic, {"data": base64.b64encode(b"stopped").decode()})
        eventually(lambda: world.output.count("platform_event: 400") > 5, True)


def test_what_was_said_while_the_function_was_down_is_not_lost(pubsub: PubSub, world: Dependencies) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, world.url, ordered=True)
    with world.up():
        pubsub.publish(topic, platform_state("vm-0", "stopped"))
        world.ends_as({"vm-0": "stopped"})
    pubsub.publish(topic, *(platform_state(*shown) for shown in turns()))
    with world.up():
        world.ends_as(LAST)


def test_what_could_not_be_stored_is_delivered_again(pubsub: PubSub, world: Dependencies) -> None:
    topic = pubsub.topic()
    with world.up():
        pubsub.push(topic, world.url, ordered=True)
        world.scheduler.faults.add(Fault("status", "PATCH", status=403, times=3))
        pubsub.publish(topic, *(platform_state(*shown) for shown in turns()))
        world.ends_as(LAST)


def test_a_message_that_comes_late_changes_nothing(pubsub: PubSub, world: Dependencies) -> None:
    topic, late = pubsub.topic(), pubsub.topic()
    with listen() as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    delayed = pubsub.push(late, nowhere)
    pubsub.publish(late, unordered(platform_state("vm-0", "started")))
    with world.up():
        pubsub.push(topic, world.url)
        pubsub.publish(topic, unordered(platform_state("vm-0", "stopped")))
        world.ends_as({"vm-0": "stopped"})
        pubsub.redirect(delayed, world.url)
        eventually(lambda: "older than the newest message of vm-0" in world.output, True)
    assert world.rests() == ["vm-0"]
