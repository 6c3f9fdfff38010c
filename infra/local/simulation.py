"""A week of the whole system on a simulated clock: the product's own code between the local services, and trouble."""

import asyncio
import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

import httpx
import yaml

from lifecycle import settings, timetable
from lifecycle.call import World
from lifecycle.failures import Failure
from lifecycle.timetable import Target
from lifecycle.token import Token
from local import trouble
from local.endpoints import Durations
from local.faults import Fault
from local.huggingface import ALL_SCOPES, HuggingFace, Quirks
from local.in_process import Delayed, Functions, LocalJobs, made
from local.oracle import Oracle, Wish, oracle
from local.scheduler import Scheduler
from local.simulated_time import SimulatedLoop
from local.trouble import Deed, Window

PARENT = "projects/p/locations/l"
INVOKER = "invoker@p.iam.gserviceaccount.com"
DAYS = (date(2026, 3, 2), date(2026, 3, 26), date(2026, 10, 19), date(2026, 10, 28), date(2026, 12, 21))
TOKEN = "hf_SimulatedTokenThatNobodySees"


@dataclass
class Plan:
    """What a run is made of: settings as YAML has them, the endpoints, trouble and deeds."""

    seed: int
    begin: datetime
    days: int
    document: dict[str, Any]
    endpoints: list[dict[str, Any]]
    windows: list[Window]
    deeds: list[Deed]
    quirks: Quirks = field(default_factory=Quirks)


def random_plan(seed: int, *, days: int = 7) -> Plan:
    """A week from its seed: some of the weeks have a change of clocks in them."""
    chance = random.Random(seed)
    day = chance.choice(
        [date(2026, 10, 19), date(2026, 10, 28), date(2026, 3, 2), date(2026, 3, 26), date(2026, 12, 21)]
    )
    begin = datetime.combine(day, time(), UTC)
    document = trouble.settings(chance)
    endpoints = []
    for key, entry in document["endpoints"].items():
        names = [entry["name"].replace("*", letter) for letter in "ab"] if "name" in entry else [key]
        endpoints += [_endpoint(chance, name) for name in names]
    endpoints.append({"name": "nobodys", "state": "running"})
    managed = [endpoint["name"] for endpoint in endpoints[:-1]]
    quirks = Quirks(
        pause_on_paused=chance.choice(["ok", "400", "409"]),
        resume_on_starting=chance.choice(["ok", "400", "409"]),
        resume_on_scaled_to_zero=chance.choice(["ok", "400"]),
        resume_on_failed=chance.choice(["ok", "400"]),
        scale_to_zero_on_paused=chance.choice(["ok", "400"]),
        pause_resets_replicas=chance.random() < 0.3,
    )
    found = trouble.windows(chance, begin, days, chance.randint(0, 8))
    deeds = trouble.deeds(chance, begin, days, list(document["endpoints"]), managed, ["main", "batch"])
    return Plan(seed, begin, days, document, endpoints, found, deeds, quirks)


def _endpoint(chance: random.Random, name: str) -> dict[str, Any]:
    resume, wake = chance.choice([30, 90, 240, 540, 1200]), chance.choice([36, 120, 360])
    durations = Durations(resume=resume, wake=wake, load=chance.choice([0, 0, 20]))
    start = chance.choices(["comes up", "never", "fails", "no capacity"], [20, 1, 1, 1])[0]
    least = chance.choice([0, 1])
    return {
        "name": name,
        "state": chance.choice(["paused", "running", "scaledToZero"]),
        "durations": durations,
        "start": start,
        "min_replica": least,
        "scale_to_zero_minutes": chance.choice([None, 15, 60]) if least == 0 else None,
    }


class Simulation:
    """One run. `told` is called with each line for people; `logs` keeps the product's own lines."""

    def __init__(self, plan: Plan, told: Callable[[datetime, str], None] = lambda _at, _text: None) -> None:
        self.plan = plan
        self.loop = SimulatedLoop(plan.begin)
        self.now = self.loop.now
        self.told = told
        self.chance = random.Random(plan.seed + 1)
        self.end = plan.begin + timedelta(days=plan.days)
        self.text = yaml.safe_dump(plan.document, sort_keys=False).encode()
        self.settings = settings.parse(self.text)
        self.oracle: Oracle = oracle(plan.document, plan.begin, self.end)
        self.tokens = [TOKEN]
        self.logs: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.replies: list[str] = []
        self.troubled_until = plan.begin  # the newest disturbance of everything
        self.disturbed: dict[str, datetime] = {}  # and of single entries
        self.delivering = 0
        self.asking: Counter[str] = Counter()
        self.broken: list[str] = []

    def running(self, kind: str) -> bool:
        return any(w.kind == kind and w.begin <= self.now() < w.end for w in self.plan.windows)

    def broke(self, promise: str, what: str) -> None:
        self.broken.append(f"{promise}: {self.now():%a %Y-%m-%d %H:%M:%S} {what}")

    async def play(self, watch: Callable[["Simulation"], Any]) -> None:
        """Plays the run; `watch` is a coroutine function that looks on."""
        self._build()
        async with httpx.AsyncClient(transport=Delayed(self.functions, self.chance)) as self.people:
            self.scheduler.client = self.people
            work = [self.scheduler.run(), self._deeds(), watch(self)]
            tasks = [asyncio.create_task(coroutine) for coroutine in work]
            await asyncio.sleep((self.end - self.now()).total_seconds())
            for task in tasks:
                if task.done():
                    task.result()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _build(self) -> None:
        plan = self.plan
        self.hub = HuggingFace(self.now, tokens={TOKEN: ALL_SCOPES}, quirks=plan.quirks, quota=1000)
        for endpoint in plan.endpoints:
            self.hub.add(**{**endpoint, "last_used": self.now()})
        self.scheduler = Scheduler(self.now, tick=self._tick)
        target = Target("http://functions/{name}", INVOKER, "lifecycle")
        for job in timetable.jobs(self.settings, target):
            self.scheduler.create(PARENT, made(job, PARENT))
        for window in plan.windows:
            self._fault(window)
        self.functions = Functions(self._world, INVOKER, self._kill, self._log)

    def _world(self) -> World:
        transport = Delayed(httpx.ASGITransport(self.hub), self.chance)

        async def read(_deadline: float) -> str:
            await asyncio.sleep(0.05)
            if self.running("secrets down"):
                raise Failure("Secret Manager: 503", code="token_unreadable", passing=True)
            return self.tokens[-1]

        return World(
            settings=self.settings,
            http=httpx.AsyncClient(transport=transport),
            token=Token(read, self.now, ages=True),
            base="http://127.0.0.1/v2",
            jobs=lambda deadline: LocalJobs(self.scheduler, PARENT, lambda: self.running("scheduler down"), deadline),
            prefix="lifecycle",
            now=self.now,
            chance=self.chance,
        )

    # What goes wrong.

    def _fault(self, window: Window) -> None:
        faults = {
            "hub down": Fault("status", status=503),
            "hub throttled": Fault("status", status=429, headers={"Retry-After": "20"}),
            "hub slow": Fault("slow", seconds=4),
            "hub hangs": Fault("hang", seconds=300),
            "hub resets": Fault("reset-after", "(POST|PUT)"),
            "hub html": Fault("html", status=502),
            "hub forbids": Fault("status", "(POST|PUT) /v2", status=403),
        }
        if window.kind in faults:
            self.hub.faults.add(replace(faults[window.kind], since=window.begin, until=window.end))

    def _tick(self, _job: str) -> tuple[float, ...]:
        if self.running("ticks lost"):
            return ()
        if self.running("ticks late"):
            return (self.chance.uniform(30, 600),)
        return (0.0, self.chance.uniform(0, 20)) if self.running("ticks doubled") else (0.0,)

    def _kill(self, _function: str) -> float | None:
        return self.chance.uniform(0, 5) if self.running("instances die") and self.chance.random() < 0.5 else None

    def _log(self, line: str) -> None:
        self.raw.append(line)
        entry = json.loads(line)
        self.logs.append({**entry, "at": self.now()})
        if entry["event"] == "endpoint" and entry["action"] != "none":
            self.told(self.now(), f"{entry['function']:<14} {entry['message']}")

    # What is done from outside.

    async def _deeds(self) -> None:
        async with asyncio.TaskGroup() as group:
            for deed in self.plan.deeds:
                await asyncio.sleep(max(0.0, (deed.at - self.now()).total_seconds()))
                group.create_task(self._do(deed))

    async def _do(self, deed: Deed) -> None:
        match deed.kind:
            case "ask":
                await self._ask(deed.detail["function"], deed.detail["body"])
            case "touch":
                endpoint = self.hub[deed.detail["endpoint"]]
                self.told(self.now(), f"somebody makes {endpoint.name} {deed.detail['state']} at Hugging Face")
                endpoint.to(deed.detail["state"], self.now())
                self.disturbed[self.entry_of(endpoint.name)] = self.now()
            case "rotate" | "revoke":
                await self._rotate(revoked=deed.kind == "revoke")
            case "platform":
                for _ in range(deed.detail["times"]):
                    await self._deliver(deed)

    async def _rotate(self, *, revoked: bool) -> None:
        """A new token; the old one goes on for an hour, or ends before the new one is there."""
        self.told(self.now(), "the token is revoked" if revoked else "the token is rotated")
        old, new = self.tokens[-1], f"{TOKEN}{len(self.tokens)}"
        if revoked:
            del self.hub.tokens[old]
            await asyncio.sleep(1200)
        self.hub.tokens[new] = ALL_SCOPES
        self.tokens.append(new)
        self.troubled_until = self.now()
        if not revoked:
            await asyncio.sleep(3600)
            del self.hub.tokens[old]
        self.troubled_until = self.now()

    async def _deliver(self, deed: Deed) -> None:
        """A platform's message as Pub/Sub pushes it: late, and again until it is taken."""
        detail, pause = deed.detail, 10.0
        self.delivering += 1
        await asyncio.sleep(detail["late"])
        attributes = {"platform": detail["platform"], "event": detail["event"]}
        message = {"attributes": attributes, "messageId": "1", "publishTime": deed.at.isoformat()}
        while True:
            status, _ = await self._post("platform_event", {"message": message, "subscription": "s"})
            if status == 200:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 600)
        if detail["platform"] in {entry.platform for entry in self.oracle.entries.values()}:
            self.oracle.heard(detail["platform"], detail["event"], min(deed.at, self.now()))
            self._remembers(detail["platform"])
        self.told(self.now(), f"platform {detail['platform']} {detail['event']} (said {deed.at:%a %H:%M} UTC)")
        self.delivering -= 1
        self.troubled_until = max(self.troubled_until, self.now())

    def _remembers(self, platform: str) -> None:
        """Promise b: the newest message decides."""
        memory = _body(self.scheduler.jobs[f"{PARENT}/jobs/lifecycle-platform-{platform}"]).get("memory", {})
        event, at, _ = self.oracle.news[platform]
        if (memory.get("state"), memory.get("since", "")[:19]) != (event, at.isoformat()[:19]):
            self.broke("b", f"{platform} is remembered as {memory}, the newest news is {event} at {at:%a %H:%M:%S}")

    async def _ask(self, function: str, asked: dict[str, Any]) -> None:
        key, begun = asked["endpoints"][0], self.now()
        self.told(begun, f"by hand: {function} {json.dumps(asked)}")
        before = self.oracle.entries[key].override
        calm_before = self.calm_since(key)
        self.asking[key] += 1
        status, answer = await self._post(function, asked)
        self.asking[key] -= 1
        took = bool(answer) and status in (200, 202)
        self.disturbed[key] = self.now()
        entry = self.oracle.entries[key]
        if not took:
            entry.override = self._kept(key)  # whatever it became: the next pass goes by it
            return
        entry.override = before
        if function == "reconcile":
            entry.override = None
        else:
            until = datetime.fromisoformat(asked["until"]) if asked.get("until", "released") != "released" else None
            length = {"20m": 20, "1h30m": 90, "5h": 300, "1d": 1440}.get(asked.get("for", ""), 0)
            until = begun + timedelta(minutes=length) if length else until
            state = "paused" if function == "pause" else "running"
            self.oracle.asked(key, state, begun, until, asked.get("until") == "released")
        expected, kept = entry.override, self._kept(key)
        if not _alike(expected, kept) and calm_before < begun - timedelta(seconds=5):
            self.broke("c", f"{function} {asked}: the override is {kept}, should be {expected}")
        entry.override = kept

    async def _post(self, function: str, asked: Mapping[str, Any]) -> tuple[int | None, Any]:
        try:
            response = await self.people.post(f"http://functions/{function}", json=asked, timeout=None)
        except httpx.HTTPError:
            return None, None
        self.replies.append(response.text)
        return response.status_code, response.json()

    def _kept(self, key: str) -> Wish | None:
        """The override that a job holds, read by hand."""
        job = self.scheduler.jobs.get(f"{PARENT}/jobs/lifecycle-override-{key}")
        told = _body(job).get("memory", {}).get("override") if job else None
        if not told:
            return None
        until = datetime.fromisoformat(told["until"]) if told["until"] else None
        return Wish(told["state"], datetime.fromisoformat(told["since"]), until, told["or_started"])

    def calm_since(self, key: str) -> datetime:
        """Since when nothing disturbed an entry."""
        now = self.now()
        if self.delivering or self.asking[key]:
            return now
        windows = [now if w.end > now else w.end for w in self.plan.windows if w.begin <= now]
        return max([self.troubled_until, self.disturbed.get(key, self.plan.begin), *windows])

    def entry_of(self, name: str) -> str:
        entries = self.plan.document["endpoints"].items()
        return next((key for key, entry in entries if fnmatchcase(name, entry.get("name", key))), "")


def _alike(a: Wish | None, b: Wish | None) -> bool:
    if a is None or b is None:
        return a is b
    near = a.until is b.until or (a.until and b.until and abs(a.until - b.until) < timedelta(seconds=10))
    return a.state == b.state and a.or_started == b.or_started and bool(near)


def _body(job: Mapping[str, Any]) -> Any:
    return json.loads(base64.b64decode(job["httpTarget"].get("body", "")) or b"{}")
