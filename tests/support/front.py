"""The functions over HTTP with everything behind them, on a simulated clock, with scripted services."""

from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import flask
import httpx

from lifecycle.app import App
from lifecycle.config import environment
from lifecycle.engine.service import Service
from lifecycle.huggingface.credentials import Token
from lifecycle.web import handler
from local.simulation.simulated_time import SimulatedLoop, play
from support.hub import TUESDAY_NOON, Answer, Harness, Hub
from support.secret import TOKEN

T = TypeVar("T")
LIMITS = {"warm": timedelta(minutes=9), "reconcile": timedelta(minutes=9)}  # the others: a minute
SETTINGS = """
platforms: {main: {max_started: 24h}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, scaling: {min_replicas: 0, max_replicas: 2}}
  search: {platform: main, rest: scaledToZero}
  playground: {tags: [dev], idle_after: 45m}
"""


class Front(App):
    """The app of one process. `took`: how long its last call did."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.stage = Harness(SETTINGS)
        self.hub: Hub = self.stage.hub
        for name, state in (("embeddings-prod", "paused"), ("search", "running"), ("dev-a", "running")):
            self.hub.add(name, state, tags=("dev",) if name == "dev-a" else ())
        super().__init__(environment.read({"HF_TOKEN": TOKEN}), self.stage.settings)
        self.took = timedelta()
        transport = httpx.MockTransport(answer or self.hub)
        self._service = Service(self.stage.world(httpx.AsyncClient(transport=transport)))

    @property
    def service(self) -> Service:
        return self._service

    @property
    def token(self) -> Token:
        return self._service.deps.token

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        loop = SimulatedLoop(TUESDAY_NOON)
        try:
            return play(loop, work)
        finally:
            self.took = timedelta(seconds=loop.elapsed)

    def ask(self, function: str, method: str, headers: Mapping[str, str], body: bytes) -> flask.Response:
        """The response to a request, as `main` gives it. It is never a 500, and never late."""
        with flask.Flask(__name__).test_request_context(method=method, headers=dict(headers), data=body) as context:
            response = handler.serve(self, function, context.request)
        assert response.status_code != 500, response.data
        assert self.took <= LIMITS.get(function, timedelta(minutes=1)) - timedelta(seconds=10)
        assert TOKEN.encode() not in response.data
        return response
