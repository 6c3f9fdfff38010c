"""Carries out scheduled actions (`cron:`), unless the rules want another state, or the endpoint was updated since."""

from lifecycle.core.cron import scheduled
from lifecycle.core.model import Result
from lifecycle.core.rules import Decision, Situation
from lifecycle.engine.dependencies import Verb
from lifecycle.engine.execute import ExecutionOptions
from lifecycle.engine.observation import Target
from lifecycle.engine.run import Run


async def act(run: Run, target: Target, verb: Verb, how: ExecutionOptions) -> list[Result]:
    if run.state_failure:
        return run.failed_results(target, run.state_failure)

    def rule(situation: Situation) -> Decision:
        return scheduled(verb, situation, run.caller.scheduled_at)

    return await run.drive(target, rule, how, only_running=verb == "warm")
