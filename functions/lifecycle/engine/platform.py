"""Stores platform messages, if they are the newest."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from lifecycle.core.entries import Settings
from lifecycle.core.model import Message, PlatformState, Result
from lifecycle.engine.run import Run
from lifecycle.errors import Failure, catch_failure
from lifecycle.gcp.jobs import platform_id

AHEAD = timedelta(minutes=10)  # of this clock: such messages are in order among themselves; later ones are mistakes


async def store(run: Run, message: Message) -> bool:
    """Stores a message; false if it is older than the stored one. Raises `Failure` if it could not be stored."""
    if run.store is None:
        reason = "platform messages cannot be stored: SCHEDULER_PARENT is not set"
        raise Failure(reason, code="memory_unavailable", retryable=True)
    await run.read_state()
    if run.state_failure:
        raise run.state_failure
    known, now = run.state.platforms.get(message.platform), run.now()
    at, ahead = min(message.at, now), message.at > now
    if known and (at < known.since or (ahead and known.sent and message.at < known.sent)):
        return False
    new = _following(known, message, at, run.settings)
    new = replace(new, sent=message.at if ahead and message.at - now <= AHEAD else None)
    begun = run.clock()
    run.state = await run.store.put_platform_state(message.platform, new)
    run.state_from, run.state_at = begun, run.clock()
    newest = run.state.platforms.get(message.platform)
    return newest is None or (newest.state, newest.since) == (new.state, new.since)


async def run_when_pending(run: Run, platform: str, results: Iterable[Result]) -> None:
    """Makes Cloud Scheduler run the platform's job, which waits for endpoints that are starting."""
    if run.store and any(result.outcome == "pending" for result in results):
        failure = await catch_failure(run.store.jobs.run(platform_id(run.prefix, platform)))
        run.note("not warmed until the next reconcile run", failure)


def _following(known: PlatformState | None, message: Message, at: datetime, settings: Settings) -> PlatformState:
    """The platform state after a message; `first`: when the state began, if the message repeats it."""
    lasts = settings.platforms[message.platform].max_started if message.platform in settings.platforms else None
    if known is None or known.state != message.event:
        return PlatformState(message.event, at, started=known.last_start if known else None)
    if at == known.since:
        return known
    renewed = message.event == "started" and not (lasts and known.since + lasts <= at)
    return PlatformState(message.event, at, first=known.last_start if renewed else None, started=known.started)
