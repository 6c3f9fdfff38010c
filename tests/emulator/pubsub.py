"""The Pub/Sub emulator of the Google Cloud SDK, and requests to it over REST."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.servers.serve import listen

PROJECT = "projects/local"
STARTS_WITHIN = 60.0  # seconds; it is a Java program
INSTALL = "gcloud components install pubsub-emulator (or apt-get install google-cloud-cli-pubsub-emulator), and Java"


@dataclass
class PubSub:
    """`url`: where the emulator answers."""

    url: str
    made: int = 0

    def topic(self) -> str:
        self.made += 1
        topic = f"{PROJECT}/topics/topic-{self.made}"
        self._ask("PUT", topic, {})
        return topic

    def push(self, topic: str, url: str, *, ordered: bool = False, dead: str | None = None) -> str:
        """A subscription that pushes to `url`, and tries again soon; `dead`: where it puts what is never taken."""
        self.made += 1
        wanted = {
            "topic": topic,
            "enableMessageOrdering": ordered,
            "pushConfig": {"pushEndpoint": url},
            "retryPolicy": {"minimumBackoff": "0.1s", "maximumBackoff": "0.5s"},
        }
        if dead:
            wanted["deadLetterPolicy"] = {"deadLetterTopic": dead, "maxDeliveryAttempts": 5}
        subscription = f"{PROJECT}/subscriptions/push-{self.made}"
        self._ask("PUT", subscription, wanted)
        return subscription

    def redirect(self, subscription: str, url: str) -> None:
        self._ask("POST", f"{subscription}:modifyPushConfig", {"pushConfig": {"pushEndpoint": url}})

    def publish(self, topic: str, *messages: dict[str, Any]) -> None:
        self._ask("POST", f"{topic}:publish", {"messages": list(messages)})

    def _ask(self, method: str, path: str, body: Any) -> None:
        httpx.request(method, f"{self.url}/v1/{path}", json=body, timeout=30).raise_for_status()


@contextmanager
def emulator(log: Path) -> Iterator[PubSub]:
    """The emulator in a process of its own. It is the one that belongs to the `gcloud` on the path."""
    with listen() as free:
        port = free.getsockname()[1]
    command = [str(_program()), "--host=127.0.0.1", f"--port={port}"]
    with log.open("w") as out:
        made = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield PubSub(_answering(f"http://127.0.0.1:{port}", made, log))
    finally:
        os.killpg(made.pid, signal.SIGKILL)
        made.wait()


def _program() -> Path:
    try:
        asked = ["gcloud", "info", "--format=value(installation.sdk_root)"]
        root = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    except FileNotFoundError:
        raise AssertionError(f"gcloud is not on this machine, and so no Pub/Sub emulator: {INSTALL}") from None
    program = Path(root, "platform/pubsub-emulator/bin/cloud-pubsub-emulator")
    assert program.exists(), f"this gcloud has no Pub/Sub emulator: {INSTALL}"
    return program


def _answering(url: str, made: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        assert made.poll() is None, f"the Pub/Sub emulator ended:\n{log.read_text()}"
        try:
            httpx.get(url)
            return url
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"the Pub/Sub emulator does not answer:\n{log.read_text()}")
