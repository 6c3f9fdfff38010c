"""A local Cloud Scheduler: its REST API v1, and its clock that fires the jobs.

Source: Cloud Scheduler API v1 (projects.locations.jobs), and Google's documents on headers, retries and OIDC tokens.
Jobs are kept as the API's own JSON. In a simulation the clock runs on the simulated loop, without sockets.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from cronsim import CronSim, CronSimError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.servers.faults import Faults, google_error

Json = dict[str, Any]
STATUS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ALREADY_EXISTS", 500: "INTERNAL", 503: "UNAVAILABLE"}
CODES = {401: 16, 403: 7, 404: 5}  # of google.rpc.Code, by HTTP status; others count as unknown
METHODS = ("POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS")  # by number, from 1
RETRIES = {
    "maxRetryDuration": "0s",
    "minBackoffDuration": "5s",
    "maxBackoffDuration": "3600s",
    "maxDoublings": 5,
}


class Refused(Exception):
    """An error as Google's APIs have it."""

    def __init__(self, code: int, message: str, status: str | None = None) -> None:
        super().__init__(message)
        self.response = JSONResponse(google_error(code, message, status or STATUS[code]), code)


@dataclass
class Firing:
    """One attempt of a job, for tests and for the output."""

    at: datetime
    job: str
    status: int | None  # None: no answer


@dataclass
class Scheduler:
    """`client` sends the requests of the jobs. `late`: seconds by which ticks come late; `lost`: how many are lost."""

    now: Callable[[], datetime]
    client: httpx.AsyncClient | None = None
    jobs: dict[str, Json] = field(default_factory=dict)  # by full name
    firings: list[Firing] = field(default_factory=list)
    update_fails: bool = False
    tick: Callable[[str], tuple[float, ...]] = lambda _: (
        0.0,
    )  # a job's id to when it fires after its time: none, late, twice

    def __post_init__(self) -> None:
        self.faults = Faults(self.now, google_error)
        self.writes: list[str] = []  # the requests that were to change something
        self._next: dict[str, datetime] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        self._changed: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # The API.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.url.path}")
        response = await self.faults.around(request, self._answer)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            return JSONResponse(self._do(request, body))
        except Refused as refused:
            return refused.response

    def _do(self, request: Request, body: Json) -> Json:
        match = re.fullmatch(
            r"/v1/(?P<parent>projects/[^/]+/locations/[^/]+)/jobs(?:/(?P<id>[^/:]+))?(?::(?P<verb>\w+))?",
            request.url.path,
        )
        if match is None:
            raise Refused(404, f"no such method: {request.url.path}")
        name = f"{match['parent']}/jobs/{match['id']}"
        match (request.method, match["id"], match["verb"]):
            case ("GET", None, None):
                return self._list(match["parent"], request.query_params)
            case ("POST", None, None):
                return self.create(match["parent"], body)
            case ("GET", str(), None):
                return self.get(name)
            case ("PATCH", str(), None):
                return self.update(name, body, request.query_params.get("updateMask", ""))
            case ("DELETE", str(), None):
                return self.delete(name)
            case ("POST", str(), "pause" | "resume" | "run" as verb):
                return {"pause": self.pause, "resume": self.resume, "run": self.run_job}[verb](name)
        raise Refused(404, f"no such method: {request.method} {request.url.path}")

    def _list(self, parent: str, query: Any) -> Json:
        size, start = int(query.get("pageSize") or 500), int(query.get("pageToken") or 0)
        every = [job for name, job in sorted(self.jobs.items()) if name.startswith(f"{parent}/jobs/")]
        page = every[start : start + size]
        more = {"nextPageToken": str(start + size)} if start + size < len(every) else {}
        return {"jobs": page, **more}

    def get(self, name: str) -> Json:
        if name not in self.jobs:
            raise Refused(404, f"Job not found: {name}")
        return self.jobs[name]

    def create(self, parent: str, body: Json) -> Json:
        name = body.get("name") or f"{parent}/jobs/{len(self.jobs)}"
        if not re.fullmatch(re.escape(parent) + r"/jobs/[A-Za-z0-9_-]{1,500}", name):
            raise Refused(400, f"Job name must be {parent}/jobs/ID: {name}")
        if name in self.jobs:
            raise Refused(409, f"Job {name} already exists.")
        return self._keep(name, {**body, "name": name, "state": "ENABLED"})

    def update(self, name: str, body: Json, mask: str) -> Json:
        changed = json.loads(json.dumps(self.get(name)))
        for path in mask.split(",") if mask else [key for key in body if key not in ("name", "state")]:
            keys = [re.sub("_([a-z])", lambda m: m[1].upper(), key) for key in path.split(".")]
            into, source = changed, body
            for key in keys[:-1]:
                into, source = into.setdefault(key, {}), source.get(key, {})
            if keys[-1] in source:
                into[keys[-1]] = source[keys[-1]]
            else:
                into.pop(keys[-1], None)
        if changed["state"] == "UPDATE_FAILED":
            changed["state"] = "ENABLED"
        if self.update_fails:
            changed["state"] = "UPDATE_FAILED"
        return self._keep(name, changed)

    def delete(self, name: str) -> Json:
        self.get(name)
        del self.jobs[name]
        self._next.pop(name, None)
        self._notice()
        return {}

    def pause(self, name: str) -> Json:
        if self.get(name)["state"] != "ENABLED":
            raise Refused(400, "Job is not enabled.", "FAILED_PRECONDITION")
        return self._keep(name, {**self.get(name), "state": "PAUSED"})

    def resume(self, name: str) -> Json:
        if self.get(name)["state"] != "PAUSED":
            raise Refused(400, "Job is not paused.", "FAILED_PRECONDITION")
        return self._keep(name, {**self.get(name), "state": "ENABLED"})

    def run_job(self, name: str) -> Json:
        job = self.get(name)
        self._start(self._attempt(job, self.now()))
        return job

    def _keep(self, name: str, job: Json) -> Json:
        job = json.loads(json.dumps(job))
        target = job.get("httpTarget") or {}
        if not re.match(r"https?://", target.get("uri", "")):
            raise Refused(400, "HttpTarget.uri must be a valid URL.")
        try:
            zone = ZoneInfo(job.get("timeZone") or "UTC")
            following = next(CronSim(job.get("schedule", ""), self.now().astimezone(zone)), None)
        except CronSimError as error:
            raise Refused(400, f"Schedule or time zone is invalid: {error}") from None
        except (ValueError, OSError, KeyError):
            raise Refused(400, f"Time zone is invalid: {job.get('timeZone')}") from None
        job.setdefault("timeZone", "UTC")
        job.setdefault("attemptDeadline", "180s")
        job["retryConfig"] = RETRIES | (job.get("retryConfig") or {})
        job["userUpdateTime"] = self.now().isoformat().replace("+00:00", "Z")
        # Google's clients may send an enum's number.
        method = target.get("httpMethod") or "POST"
        target["httpMethod"] = METHODS[method - 1] if isinstance(method, int) else method
        target["headers"] = {"User-Agent": "Google-Cloud-Scheduler", **(target.get("headers") or {})}
        if "oidcToken" in target:
            target["oidcToken"].setdefault("audience", target["uri"])
        if target.get("body"):
            target["headers"].setdefault("Content-Type", "application/octet-stream")
        self._next.pop(name, None)
        if following and job["state"] == "ENABLED":
            self._next[name] = following
            job["scheduleTime"] = following.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
        self.jobs[name] = job
        self._notice()
        return job

    # The clock.

    async def run(self) -> None:
        """Fires jobs when they are due, until it is cancelled."""
        self._changed = asyncio.Event()
        while True:
            due = min(self._next.values(), default=None)
            wait = (due - self.now()).total_seconds() if due else None
            if wait is None or wait > 0:
                self._changed.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    pass
                continue
            for name in [name for name, at in self._next.items() if at <= self.now()]:
                at, job = self._next[name], self.jobs[name]
                for late in self.tick(name.rpartition("/")[2]):
                    self._start(self._on_time(name, at, late))
                following = next(CronSim(job["schedule"], at.astimezone(ZoneInfo(job["timeZone"]))), None)
                self._next.pop(name)
                if following:
                    self._next[name] = following

    def _notice(self) -> None:
        if self._changed:
            self._changed.set()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _on_time(self, name: str, at: datetime, late: float) -> None:
        """One tick with its retries; runs of one job wait for each other."""
        await asyncio.sleep(late)
        async with self._busy.setdefault(name, asyncio.Lock()):
            job = self.jobs.get(name)
            if job is None or job["state"] != "ENABLED":
                return
            retries, pause = job["retryConfig"], _seconds(job["retryConfig"]["minBackoffDuration"])
            for count in range(int(retries.get("retryCount", 0)) + 1):
                if count:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _seconds(retries["maxBackoffDuration"]))
                if await self._attempt(job, at):
                    return

    async def _attempt(self, job: Json, at: datetime) -> bool:
        """One request; whether it succeeded."""
        target = job["httpTarget"]
        id = job["name"].rpartition("/")[2]
        headers = {
            **target["headers"],
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": id,
            "X-CloudScheduler-ScheduleTime": at.isoformat(),
            **self._bearer(target),
        }
        status: int | None = None
        try:
            assert self.client is not None
            async with asyncio.timeout(_seconds(job["attemptDeadline"])):
                body = base64.b64decode(target.get("body", ""))
                response = await self.client.request(
                    target["httpMethod"], target["uri"], content=body, headers=headers, timeout=None
                )
                status = response.status_code
        except (TimeoutError, httpx.HTTPError):
            status = None
        self.firings.append(Firing(self.now(), id, status))
        if job["name"] in self.jobs:
            code = {} if status and status < 300 else {"code": CODES.get(status or 0, 2)}
            self.jobs[job["name"]] |= {"lastAttemptTime": self.now().isoformat().replace("+00:00", "Z"), "status": code}
        return status is not None and status < 300

    def _bearer(self, target: Json) -> dict[str, str]:
        """An unsigned token with the claims of an OIDC token."""
        token = target.get("oidcToken")
        if not token:
            return {}
        now = int(self.now().timestamp())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": token["audience"],
            "email": token["serviceAccountEmail"],
            "email_verified": True,
            "iat": now,
            "exp": now + int(timedelta(hours=1).total_seconds()),
        }
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return {"Authorization": f"Bearer {text}.local"}


def _seconds(duration: str) -> float:
    return float(duration.rstrip("s") or 0)
