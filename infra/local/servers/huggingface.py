"""A local Hugging Face: the Inference Endpoints API below `/v2`, and the endpoints' own URLs below `/own/{name}`.

Routes, bodies and errors are those of the official OpenAPI description and of huggingface_hub's `hf_api.py`. What they
leave open is a `Quirks` each. Nothing runs in the background: states follow from the time that is handed in.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.servers.endpoints import Endpoint
from local.servers.faults import Faults

Outcome = Literal["ok", "400", "409"]
PRICES = {("nvidia-l4", "x1"): 0.8, ("nvidia-t4", "x1"): 0.5, ("intel-spr", "x2"): 0.067}
STARTING = frozenset({"pending", "initializing", "updating"})


@dataclass
class Quirks:
    """Undocumented behavior. `ok`: the request succeeds; otherwise the status with which it is refused."""

    pause_on_paused: Outcome = "ok"
    resume_on_starting: Outcome = "ok"
    resume_on_scaled_to_zero: Outcome = "ok"
    resume_on_failed: Outcome = "ok"
    scale_to_zero_on_paused: Outcome = "400"
    scale_to_zero_on_failed: Outcome = "400"
    pause_resets_replicas: bool = False
    largest_page: int = 100


class Refused(Exception):
    def __init__(self, status: int, error: str, code: str) -> None:
        super().__init__(error)
        self.response = JSONResponse({"error": error, "code": code}, status)


@dataclass
class HuggingFace:
    """One namespace. `url`: where this server answers. `tokens`: the accepted ones, each with its scopes."""

    now: Callable[[], datetime]
    namespace: str = "acme"
    url: str = "http://127.0.0.1"
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)
    quota: int = 8
    requests: list[tuple[datetime, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.faults = Faults(self.now, lambda status: {"error": f"{status} on purpose", "code": "ON_PURPOSE"})

    def add(self, name: str, state: str = "paused", **more: Any) -> Endpoint:
        now = self.now()
        endpoint = Endpoint(name, state, now, created=now, updated=now, history=[(now, state)], **more)
        self.endpoints[name] = endpoint
        return endpoint

    def __getitem__(self, name: str) -> Endpoint:
        """The endpoint as it is now."""
        self.endpoints[name].advance(self.now())
        return self.endpoints[name]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The response to a request, through the faults."""
        response = await self.faults.around(request, self._answer)
        self.requests.append((self.now(), f"{request.method} {request.url.path}", response.status_code))
        return response

    async def _answer(self, request: Request) -> Response:
        try:
            parts = request.url.path.strip("/").split("/")
            if parts == ["api", "whoami-v2"]:
                self._authorize(request)
                return JSONResponse({"type": "user", "name": "somebody", "orgs": [{"name": self.namespace}]})
            if parts[0] == "own":
                return await self._own(request, parts[1])
            return JSONResponse(await self._manage(request, parts))
        except Refused as refused:
            return refused.response

    # The management API.

    async def _manage(self, request: Request, parts: list[str]) -> Any:
        self._authorize(request, "write")
        match (request.method, *parts):
            case ("GET", "v2", "provider", self.namespace):
                return self._catalog()
            case ("GET", "v2", "endpoint", self.namespace):
                return self._page(request)
            case ("POST", "v2", "endpoint", self.namespace):
                return self._create(await request.json())
            case (method, "v2", "endpoint", self.namespace, name, *verb):
                if name not in self.endpoints:
                    raise Refused(404, f"Endpoint {name} not found", "NOT_FOUND")
                return await self._one(request, method, self[name], verb)
        raise Refused(404, "Not Found", "NOT_FOUND")

    async def _one(self, request: Request, method: str, endpoint: Endpoint, verb: list[str]) -> Any:
        acts: dict[str, Callable[[Endpoint], None]] = {
            "pause": self._pause,
            "resume": self._resume,
            "scale-to-zero": self._scale_to_zero,
        }
        match (method, *verb):
            case ("GET",):
                pass
            case ("DELETE",):
                del self.endpoints[endpoint.name]
            case ("PUT",):
                self._update(endpoint, await request.json())
            case ("POST", act) if act in acts:
                acts[act](endpoint)
                endpoint.updated = self.now()
            case _:
                raise Refused(405 if verb else 404, "Method Not Allowed", "METHOD_NOT_ALLOWED")
        return self._json(endpoint)

    def _pause(self, endpoint: Endpoint) -> None:
        if endpoint.state == "paused":
            _unless_ok(self.quirks.pause_on_paused, "Endpoint is already paused")
            return
        if self.quirks.pause_resets_replicas:
            endpoint.min_replica = endpoint.max_replica = 0
        endpoint.to("paused", self.now())

    def _resume(self, endpoint: Endpoint) -> None:
        if endpoint.state == "running":
            raise Refused(400, "Bad Request: Endpoint is already running", "BAD_REQUEST")
        if endpoint.state in STARTING:
            _unless_ok(self.quirks.resume_on_starting, "Endpoint is starting")
            return
        if endpoint.state == "scaledToZero":
            _unless_ok(self.quirks.resume_on_scaled_to_zero, "Endpoint is scaled to zero")
        if endpoint.state in ("failed", "updateFailed"):
            _unless_ok(self.quirks.resume_on_failed, "Endpoint has failed")
        self._within_quota(endpoint)
        if self.quirks.pause_resets_replicas:
            endpoint.min_replica = endpoint.max_replica = 1
        endpoint.starts(self.now(), endpoint.durations.resume)

    def _scale_to_zero(self, endpoint: Endpoint) -> None:
        if endpoint.state == "paused":
            _unless_ok(self.quirks.scale_to_zero_on_paused, "Endpoint is paused")
        if endpoint.state == "failed":
            _unless_ok(self.quirks.scale_to_zero_on_failed, "Endpoint has failed")
        if endpoint.state != "scaledToZero":
            endpoint.to("scaledToZero", self.now())

    def _update(self, endpoint: Endpoint, body: Any) -> None:
        scaling = body.get("compute", {}).get("scaling", {})
        minutes = scaling.get("scaleToZeroTimeout", endpoint.scale_to_zero_minutes)
        least, most = scaling.get("minReplica", endpoint.min_replica), scaling.get("maxReplica", endpoint.max_replica)
        if minutes is not None and not 15 <= minutes <= 2880:
            raise Refused(422, "scaleToZeroTimeout must be between 15 and 2880", "UNPROCESSABLE_ENTITY")
        if not 0 <= least <= most:
            raise Refused(422, "minReplica must not exceed maxReplica", "UNPROCESSABLE_ENTITY")
        endpoint.min_replica, endpoint.max_replica, endpoint.scale_to_zero_minutes = least, most, minutes
        endpoint.updated = self.now()
        if endpoint.state == "running":
            endpoint.to("updating", self.now(), (endpoint.durations.update, "running"))

    def _create(self, body: Any) -> Any:
        name = body.get("name", "")
        if name in self.endpoints:
            raise Refused(409, f"Endpoint {name} already exists", "CONFLICT")
        endpoint = self.add(name, "pending", tags=body.get("tags", []))
        endpoint.starts(self.now(), endpoint.durations.resume)
        return self._json(endpoint)

    def _page(self, request: Request) -> Any:
        query = request.query_params
        limit, start = int(query.get("limit", 20)), int(query.get("cursor") or 0)
        if not 1 <= limit <= self.quirks.largest_page:
            raise Refused(400, f"limit must be between 1 and {self.quirks.largest_page}", "BAD_REQUEST")
        tags = set(query.getlist("tags"))
        fits = [
            self[name] for name in self.endpoints
            if query.get("search", "") in name and tags <= set(self.endpoints[name].tags)
        ]  # fmt: skip
        more = start + limit < len(fits)
        return {
            "items": [self._json(endpoint) for endpoint in fits[start : start + limit]],
            "nextCursor": str(start + limit) if more else None,
            "prevCursor": str(max(0, start - limit)) if start else None,
        }

    def _catalog(self) -> Any:
        used = sum(self[name].state not in ("paused",) for name in self.endpoints)
        computes = [
            {
                "id": f"{vendor}-{type_}-{size}",
                "instanceType": type_,
                "instanceSize": size,
                "accelerator": "gpu" if "nvidia" in type_ else "cpu",
                "numAccelerators": 1,
                "numCpus": 1,
                "memoryGb": 1,
                "gpuMemoryGb": 1,
                "architecture": type_,
                "pricePerHour": price,
                "status": "available",
                "quota": {"maxAccelerators": self.quota, "usedAccelerators": used},
            }
            for vendor in ("aws",)
            for (type_, size), price in PRICES.items()
        ]
        regions = [{"name": "us-east-1", "label": "N. Virginia", "status": "available", "computes": computes}]
        return {"vendors": [{"name": "aws", "status": "available", "regions": regions}]}

    def _within_quota(self, starting: Endpoint) -> None:
        used = [name for name in self.endpoints if self[name].state != "paused" and name != starting.name]
        if len(used) >= self.quota:
            raise Refused(403, f"Quota exceeded: {self.quota} accelerators in use", "QUOTA_EXCEEDED")

    # An endpoint's own URL.

    async def _own(self, request: Request, name: str) -> Response:
        if name not in self.endpoints:
            raise Refused(404, "Not Found", "NOT_FOUND")
        endpoint = self[name]
        if endpoint.state == "paused":
            message = "Bad Request: The endpoint is paused, ask a maintainer to restart it"
            raise Refused(400, message, "BAD_REQUEST")
        if endpoint.type != "public":
            self._authorize(request, "infer")
        endpoint.last_used = self.now()
        if endpoint.state == "scaledToZero":
            endpoint.starts(self.now(), endpoint.durations.wake)
        held = float(request.headers.get("x-scale-up-timeout", 0))
        while not self[name].ready and held > 0 and self[name].state not in ("paused", "failed"):
            pause = min(1.0, held)
            await asyncio.sleep(pause)
            held -= pause
        if self[name].state != "running" or not self[name].ready:
            raise Refused(503, "503 Service Unavailable", "SERVICE_UNAVAILABLE")
        endpoint.last_used = self.now()
        path = "/" + "/".join(request.url.path.strip("/").split("/")[2:])
        if request.method == "GET" and path not in ("/", endpoint.health_route) and endpoint.health_route:
            raise Refused(404, "Not Found", "NOT_FOUND")
        return JSONResponse({"ok": True})

    # Common.

    def _json(self, endpoint: Endpoint) -> dict[str, Any]:
        return endpoint.as_json(f"{self.url}/own/{endpoint.name}")

    def _authorize(self, request: Request, scope: Literal["write", "infer"] | None = None) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            raise Refused(401, "Unauthorized", "UNAUTHORIZED")
        if scope and scope not in self.tokens[token]:
            needed = {"write": "inference.endpoints.write", "infer": "inference.endpoints.infer.write"}[scope]
            raise Refused(403, f"Forbidden: missing permissions: {needed}", "FORBIDDEN")


def _unless_ok(outcome: Outcome, message: str) -> None:
    if outcome != "ok":
        raise Refused(int(outcome), f"Bad Request: {message}", "BAD_REQUEST" if outcome == "400" else "CONFLICT")


ALL_SCOPES = frozenset({"write", "infer"})
