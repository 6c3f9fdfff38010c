"""What is done from outside in a simulation: by people over HTTP, at Hugging Face, to the token, by a platform.

Requests and platform messages go into the oracle; that the stored state then has them is invariant b, and c.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from local.servers.huggingface import ALL_SCOPES
from local.simulation.deployment import deployed
from local.simulation.oracle import Decision
from local.simulation.outages import ExternalEvent
from local.simulation.wall_clock import minute_of

if TYPE_CHECKING:
    from local.simulation.runner import Simulation

LENGTHS = {"20m": 20, "1h30m": 90, "5h": 300, "1d": 1440}  # minutes
LONGEST_ANSWER = timedelta(seconds=5)
SEEN_BEYOND = timedelta(days=7)  # so far beyond the end the oracle knows the hours
# Errors that are final; all others may pass.
FINAL = re.compile(
    r": (400|401|402|403|404|405|422)\b|it did not start|has no endpoint|held|superseded|protected|force overrules it$"
)


async def done(s: "Simulation", event: ExternalEvent) -> None:
    """Does it."""
    match event.kind:
        case "ask":
            await _ask(s, event.detail["function"], event.detail["body"])
        case "oppose":
            await _oppose(s, event.detail["entry"], event.detail["holder"])
        case "touch" | "rescale" | "delete" | "use":
            _change(s, event)
        case "rotate" | "revoke":
            await (_rotate if event.kind == "rotate" else _revoke)(s)
        case "sync":
            await _deploy(s, event.detail["document"])
        case "platform":
            async with asyncio.TaskGroup() as group:
                for _ in range(event.detail["times"]):
                    group.create_task(_deliver(s, event))


def _change(s: "Simulation", event: ExternalEvent) -> None:
    """Somebody changes an endpoint of the settings at Hugging Face."""
    name = event.detail["endpoint"]
    if name not in s.hub.endpoints or not s.entry_of(name):
        return
    endpoint = s.hub[name]
    with s.trouble(s.entry_of(name)):
        if event.kind == "touch":
            s.show(s.now(), f"somebody makes {name} {event.detail['state']} at Hugging Face")
            endpoint.to(event.detail["state"], s.now())
            endpoint.updated = s.now()
        elif event.kind == "use":
            s.show(s.now(), f"somebody uses {name}")
            endpoint.used(s.now())
        elif event.kind == "rescale":
            s.show(s.now(), f"somebody changes the scaling of {name} at Hugging Face")
            endpoint.min_replica, endpoint.max_replica = event.detail["min"], max(1, endpoint.max_replica)
        else:
            s.show(s.now(), f"somebody deletes {name} at Hugging Face")
            del s.hub.endpoints[name]


async def _rotate(s: "Simulation") -> None:
    """A new token; the old one goes on for an hour."""
    s.show(s.now(), "the token is rotated")
    old, new = s.tokens[-1], f"{s.tokens[0]}{len(s.tokens)}"
    s.hub.tokens[new] = ALL_SCOPES
    s.tokens.append(new)
    await asyncio.sleep(3600)
    del s.hub.tokens[old]


async def _revoke(s: "Simulation") -> None:
    """The token ends before a new one is there."""
    s.show(s.now(), "the token is revoked")
    with s.trouble(""):
        del s.hub.tokens[s.tokens[-1]]
        await asyncio.sleep(1200)
        s.tokens.append(f"{s.tokens[0]}{len(s.tokens)}")
        s.hub.tokens[s.tokens[-1]] = ALL_SCOPES


async def _deploy(s: "Simulation", document: dict[str, Any]) -> None:
    """New settings; the platforms' states are kept."""
    await deployed(s, document)
    for platform in s.oracle.platforms:
        if _followers(s, platform):
            _is_remembered(s, platform)


async def _deliver(s: "Simulation", event: ExternalEvent) -> None:
    """A platform's message as Pub/Sub pushes it: late, and again until it is taken."""
    detail, pause = event.detail, 10.0
    platform, state = detail["platform"], detail["event"]
    followers = _followers(s, platform)
    await asyncio.sleep(detail["late"])
    message = {
        "attributes": {"platform": platform, "event": state},
        "messageId": "1",
        "publishTime": event.at.isoformat(),
    }
    with s.trouble(*followers), s.oracle.delivering(platform, state, event.at):
        while True:
            status, _ = await _post(s, "platform_event", {"message": message, "subscription": "s"})
            if status == 200:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 600)
    if followers := _followers(s, platform):
        s.oracle.delivered(platform, state, event.at, s.newest(platform))
        for key in followers:
            s.oracle.entries[key].changed_at = s.now()
        _is_remembered(s, platform)
    s.show(s.now(), f"platform {platform} {state} (sent {event.at:%a %H:%M} UTC)")


def _followers(s: "Simulation", platform: str) -> list[str]:
    return [key for key, entry in s.oracle.entries.items() if entry.platform == platform]


def _is_remembered(s: "Simulation", platform: str) -> None:
    """Invariant b: the newest message decides. One that is still being delivered may be remembered already."""
    event, at, _ = s.oracle.platforms[platform]
    under_way = [message for message in s.oracle.under_way.get(platform, ()) if message[1] >= at]
    fitting = [(event, at.isoformat()[:19]) for event, at in [(event, at), *under_way]]
    s.checked["b"] += 1
    stored = s.newest(platform)
    if not stored or (stored["state"], stored["since"][:19]) not in fitting:
        kept = f"{stored['state']} at {stored['since']}" if stored else "unknown"
        s.broke("b", f"{platform} is stored as {kept}, the newest message is {event} at {at:%a %H:%M:%S}")


async def _oppose(s: "Simulation", key: str, holder: str) -> None:
    """Somebody asks for what is not wanted now."""
    if key not in s.oracle.entries:
        return
    runs = s.oracle.wanted(key, s.now()) == "running"
    asked: dict[str, Any] = {"endpoints": [key], "for": "1h30m", **({"holder": holder} if holder else {})}
    await _ask(s, *(("pause", asked) if runs else ("resume", {**asked, "force": True})))


async def _ask(s: "Simulation", function: str, asked: dict[str, Any]) -> None:
    """A manual request. In calm it leads to the overrides that the documents describe."""
    begun, named = s.now(), [*s.oracle.entries] if asked["endpoints"] == ["*"] else asked["endpoints"]
    keys = [key for key in named if key in s.oracle.entries]
    s.show(begun, f"manual request: {function} {json.dumps(asked)}")
    ruled = {key: s.oracle.by_rules(key, begun) for key in keys}
    unsure = {key for key in keys if _changes_soon(s, key)}
    unsure |= {key for key in keys if minute_of(begun) in s.oracle.entries[key].may_start}
    calm = {key for key in keys if s.calm_since(key) < begun - LONGEST_ANSWER}
    for key in keys:
        _forget_deleted(s, key)
    s.asked.update(keys)
    numbers, alone = {key: s.asked[key] for key in keys}, {key for key in keys if not s.asking[key]}
    s.disturbing.update(keys)
    s.asking.update(keys)
    stored = {key for key in keys if s.kept(key)}
    _, answer = await _post(s, function, asked)
    s.asking.subtract(keys)
    s.disturbing.subtract(keys)
    for key in [key for key in keys if key in s.oracle.entries]:  # new settings may have come meanwhile
        entry = s.oracle.entries[key]
        undisturbed = key in calm and s.calm_since(key) < begun  # nothing else disturbed it meanwhile
        s.disturb(key)
        results = [one for one in (answer or {}).get("results", ()) if one["endpoint"] == key]
        undisturbed = undisturbed and key not in unsure
        if asked.get("clear_override"):
            _released(s, key, results, stored=key in stored)
        elif key in alone and s.asked[key] == numbers[key]:
            _is_stored(s, key, asked, begun, results)
        if results and undisturbed and any(s.entry_of(name) == key for name in s.hub.endpoints):
            _check(s, key, function, asked, begun, results, ruled[key])
        # In trouble: whatever they became, the next run goes by it.
        entry.overrides, entry.changed_at = s.kept(key), s.now()


def _changes_soon(s: "Simulation", key: str) -> bool:
    """Whether a request that comes now may be answered by what is wanted then."""
    now, then = s.now(), s.now() + LONGEST_ANSWER
    held, holds = (s.oracle.held(key, at) for at in (now, then))
    return s.oracle.by_rules(key, now) != s.oracle.by_rules(key, then) or held != holds


def _forget_deleted(s: "Simulation", key: str) -> None:
    """What has ended is over for the oracle, too, when it was deleted."""
    entry, kept = s.oracle.entries[key], s.kept(key)
    ended = [who for who, one in entry.overrides.items() if s.oracle.over(one, s.now())]
    entry.overrides = {who: one for who, one in entry.overrides.items() if who not in ended or who in kept}


def _check(
    s: "Simulation", key: str, function: str, asked: dict[str, Any], begun: datetime, results: list[dict[str, Any]],
    ruled: str,
) -> None:  # fmt: skip
    """`ruled`: what the rules alone wanted when it came. What ended while the call waited does not matter."""

    def lasting(overrides: Mapping[str, Decision]) -> dict[str, Decision]:
        return {who: one for who, one in overrides.items() if not s.oracle.over(one, s.now())}

    s.checked["c"] += 1
    made = _expected(s, key, function, asked, begun, results, ruled)
    expected, kept = None if made is None else lasting(made), lasting(s.kept(key))
    if expected is not None and not _alike(expected, kept, s.end + SEEN_BEYOND):
        s.broke("c", f"{function} {asked}: the overrides are {kept}, should be {expected}")
    everything = asked["endpoints"] == ["*"]
    if function == "pause" and s.oracle.entries[key].protected and (everything or not asked.get("force")):
        several = everything or "*" in s.plan.document["endpoints"][key].get("name", "")
        outcome = "skipped" if several else "failed"
        if {one["outcome"] for one in results} != {outcome}:
            s.broke("c", f"{function} {asked}: {key} is protected, and not {outcome}: {results}")


def _released(s: "Simulation", key: str, results: list[dict[str, Any]], *, stored: bool) -> None:
    """A release that has something to do is a change. One that failed and is repeated has, while its override is
    stored."""
    entry = s.oracle.entries[key]
    if entry.overrides or (entry.release_failed and stored):
        entry.released_at = s.now()
    entry.release_failed = not results or any(result["outcome"] == "failed" for result in results)


def _is_stored(
    s: "Simulation", key: str, asked: Mapping[str, Any], begun: datetime, results: list[dict[str, Any]]
) -> None:
    """Invariant c: what is answered as asked for is stored, also in trouble; nobody else undid it meanwhile."""
    kept, holder = s.kept(key), asked.get("holder", "")
    for result in results:
        own = next((one for one in result["overrides"] if (one["holder"] or "") == holder), None)
        if result["outcome"] == "failed" or own is None or datetime.fromisoformat(own["since"]) < begun:
            continue
        s.checked["c"] += 1
        s.races.accepted(key, asked)
        if holder not in kept or kept[holder].state != own["state"]:
            s.broke("c", f"{result['name']} is answered as {own}, and stored is {kept}")
        return


def _expected(
    s: "Simulation", key: str, function: str, asked: dict[str, Any], begun: datetime, results: list[dict[str, Any]],
    ruled: str,
) -> dict[str, Decision] | None:  # fmt: skip
    """The overrides after it; None: they depend on how far the endpoints came."""
    entry, holder = s.oracle.entries[key], asked.get("holder", "")
    final = all(result["outcome"] == "failed" and FINAL.search(str(result["error"])) for result in results)
    if function == "reconcile":
        done = all(result["outcome"] in ("done", "unchanged") for result in results)
        everybody = "holders" in asked
        gone = {who for who in entry.overrides if everybody or who == holder}
        left = {who: one for who, one in entry.overrides.items() if not s.oracle.over(one, begun)}
        return {who: one for who, one in left.items() if who not in gone} if done else None
    state, (until, released) = "paused" if function == "pause" else "running", _until(asked, begun)
    spared = function == "pause" and entry.protected and asked["endpoints"] == ["*"]
    force = asked.get("force", False) and not spared
    made = s.oracle.asked(key, holder, state, begun, until, ruled=ruled, released=released, force=force)
    if final and made.get(holder) is not entry.overrides.get(holder):
        made.pop(holder, None)
    return {who: one for who, one in made.items() if not s.oracle.over(one, begun)}


def _until(asked: Mapping[str, Any], begun: datetime) -> tuple[datetime | None, bool]:
    """To when, and whether it is until released."""
    if "for" in asked:
        return begun + timedelta(minutes=LENGTHS[asked["for"]]), False
    until = asked.get("until")
    return (datetime.fromisoformat(until), False) if until and until != "released" else (None, until == "released")


async def _post(s: "Simulation", function: str, asked: Mapping[str, Any]) -> tuple[int | None, Any]:
    try:
        response = await s.people.post(f"http://functions/{function}", json=asked, timeout=None)
    except httpx.HTTPError:
        return None, None
    s.replies.append(response.text)
    return response.status_code, response.json()


def _alike(a: Mapping[str, Decision], b: Mapping[str, Decision], horizon: datetime) -> bool:
    return a.keys() == b.keys() and all(_same(a[holder], b[holder], horizon) for holder in a)


def _same(a: Decision, b: Decision, horizon: datetime) -> bool:
    """Ends beyond the horizon count as the same."""
    one, other = (found.until if found.until and found.until < horizon else None for found in (a, b))
    near = one is other or (one and other and abs(one - other) < 2 * LONGEST_ANSWER)
    return (a.state, a.or_started) == (b.state, b.or_started) and bool(near)
