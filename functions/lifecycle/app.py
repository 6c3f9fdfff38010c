"""Creates the objects of one process: settings, environment, clients, and one event loop in a thread.

Everything with a connection or a thread is created at the first call: the functions framework imports `main` before it
forks.
"""

import asyncio
import os
import random
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from lifecycle.config import environment, settings
from lifecycle.config.environment import Environment
from lifecycle.config.schema import Invalid, Problem
from lifecycle.core.entries import Settings
from lifecycle.engine.dependencies import Dependencies
from lifecycle.engine.service import Service
from lifecycle.errors import Failure
from lifecycle.gcp.log_reader import LogReader
from lifecycle.gcp.monitoring import Monitoring
from lifecycle.gcp.rest import Credentials, Rest
from lifecycle.gcp.scheduler import Client, Scheduler
from lifecycle.gcp.secret_manager import SecretManager
from lifecycle.huggingface.credentials import Token, TokenFile
from lifecycle.lookups import use_own_threads

T = TypeVar("T")


class App:
    """The objects of one process. `environment` and `settings` are there at once, the others at the first use."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self.environment = environment
        self.settings = settings
        self._lock = threading.Lock()
        self._running: _Running | None = None

    @property
    def running(self) -> "_Running":
        with self._lock:
            if self._running is None:
                self._running = _start(self.environment, self.settings)
            return self._running

    @property
    def service(self) -> Service:
        return self.running.service

    @property
    def token(self) -> Token:
        return self.running.service.deps.token

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run on the process's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.running.loop).result()


@dataclass(frozen=True)
class _Running:
    service: Service
    loop: asyncio.AbstractEventLoop


def _start(env: Environment, settings: Settings) -> _Running:
    loop = asyncio.new_event_loop()
    use_own_threads(loop)
    threading.Thread(target=loop.run_forever, name="lifecycle", daemon=True).start()
    return _Running(Service(dependencies(env, settings)), loop)


def dependencies(env: Environment, settings: Settings) -> Dependencies:
    """The clients that the environment's variables describe: of the real services, or of local servers."""
    rng = random.Random()
    http = http_client()
    parent, client = env.scheduler_parent, Client(env.scheduler_url, http)
    return Dependencies(
        settings=settings,
        http=http,
        token=_token(env, http, rng),
        base=env.endpoints_url,
        jobs=(lambda deadline: Scheduler(parent, client, deadline, rng)) if parent else None,
        prefix=env.prefix,
        now=now,
        rng=rng,
        monitoring=monitoring(env, http),
        logs=log_reader(env, http),
    )


def log_reader(env: Environment, http: httpx.AsyncClient) -> LogReader | None:
    """None: LOGGING_PARENT is not set."""
    if env.logging_parent is None:
        return None
    credentials = None if env.logging_url else Credentials()
    url = env.logging_url or "https://logging.googleapis.com"
    return LogReader(env.logging_parent, Rest("Cloud Logging", url, http, credentials), env.prefix)


def monitoring(env: Environment, http: httpx.AsyncClient) -> Monitoring | None:
    """None: MONITORING_PARENT is not set."""
    if env.monitoring_parent is None:
        return None
    credentials = None if env.monitoring_url else Credentials()
    url = env.monitoring_url or "https://monitoring.googleapis.com"
    return Monitoring(env.monitoring_parent, Rest("Cloud Monitoring", url, http, credentials), env.prefix)


def _token(env: Environment, http: httpx.AsyncClient, rng: random.Random) -> Token:
    """The token's source, the first that is set: HF_TOKEN_FILE, HF_TOKEN_SECRET, HF_TOKEN."""
    if env.token_file:
        return Token(TokenFile(env.token_file).read, now, ages=True)
    if env.token_secret:
        secret = SecretManager(env.token_secret, env.secrets_url, http, rng)
        return Token(secret.read, now, ages=env.token_secret.endswith("/latest"))

    async def own(_deadline: float) -> str:
        if env.token:
            return env.token
        message = "no Hugging Face token: set HF_TOKEN_SECRET or HF_TOKEN_FILE, or HF_TOKEN on your own machine"
        raise Failure(message, code="token_unreadable", retryable=False)

    return Token(own, now, ages=False)


def load() -> App:
    """The app that the environment describes. Raises `Invalid` with everything that is wrong with it."""
    env = environment.read(os.environ)
    return App(env, read_settings(env))


def read_settings(env: Environment) -> Settings:
    """Raises `Invalid`: the file cannot be read, or everything that is wrong in it."""
    try:
        text = env.config.read_bytes()
    except OSError as error:
        raise Invalid(Problem((), f"{env.config}: cannot be read: {error.strerror}")) from None
    return settings.parse(text)


def now() -> datetime:
    return datetime.now(UTC)


def http_client() -> httpx.AsyncClient:
    # No limit here: slots limit the calls of the API, and the number of starting endpoints limits warming.
    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        headers={"User-Agent": "hf-endpoint-lifecycle"},
        follow_redirects=False,
    )
