"""What `lifecycle doctor` finds of other accounts' rights: that jobs may call functions, and platforms may publish.

IAM policies are read with the caller's own credentials. That somebody may not read them is not a failed check.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from lifecycle.cli.finding import NOT_NEEDED, Finding, uses_google
from lifecycle.config.environment import Environment
from lifecycle.core.entries import Settings
from lifecycle.gcp.jobs import Job, same_url

CLOUD_RUN, PUBSUB = "https://run.googleapis.com/v2", "https://pubsub.googleapis.com/v1"
OK, PERMISSION_DENIED = 0, 7  # google.rpc.Code


@dataclass(frozen=True)
class Policies:
    """IAM policies of Google's resources. `headers`: the caller's access token; `unreadable`: why there is none."""

    http: httpx.AsyncClient
    headers: Mapping[str, str]
    unreadable: str = ""

    async def members(self, resource: str, role: str) -> frozenset[str] | str:
        """Who has a role by the resource's own policy; a text: why that is not known."""
        if self.unreadable:
            return self.unreadable
        try:
            answer = await self.http.get(f"{resource}:getIamPolicy", headers=self.headers)
            if answer.status_code in (401, 403):
                return f"you may not read the policy ({answer.status_code})"
            bindings = answer.raise_for_status().json().get("bindings", [])
            return frozenset(member for one in bindings if one["role"] == role for member in one["members"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            return f"the policy cannot be read: {str(error) or type(error).__name__}"


async def jobs_may_call(
    env: Environment, settings: Settings | None, seen: Iterable[Job], policies: Policies
) -> Finding:
    """Whether the jobs' account may call functions; where that is not known, whether a job was refused last time.

    `seen`: the jobs of these functions."""
    about, do = "jobs may call functions", "`terraform apply`: it gives the jobs' account roles/run.invoker on them"
    names = sorted({"reconcile", *(cron.do for cron in settings.cron)} if settings else {"reconcile"})
    callers = await _callers(env, names, policies)
    refused = [job.id for job in seen if job.last_code == PERMISSION_DENIED]
    if not isinstance(callers, str):
        account = {f"serviceAccount:{env.invoker}", "allUsers"}
        barred = [name for name, members in zip(names, callers, strict=True) if not members & account]
        said = f"{env.invoker} may{' not' if barred else ''} call {', '.join(barred or names)}"
        called = [job.url for job in seen if job.attempted_at and job.last_code == OK]
        works = [name for name in barred if any(same_url(url, env.function_url(name)) for url in called)]
        if barred and works == barred and not refused:
            said += " by their own policies, but jobs succeed: perhaps by the project's policy"
            return Finding(about, None, said)
        return Finding(about, not barred, said, do)
    if refused:
        return Finding(about, False, f"refused: {', '.join(refused)}", do)
    return Finding(about, None if uses_google(env) else True, callers)


async def _callers(env: Environment, names: Sequence[str], policies: Policies) -> list[frozenset[str]] | str:
    """Who may call each of these functions; a text: why that is not known."""
    if not uses_google(env):
        return NOT_NEEDED
    if not env.invoker:
        return "INVOKER_SERVICE_ACCOUNT is not set"
    where = re.fullmatch(r"https://(\S+-)\{name\}-[0-9]+\.([a-z0-9-]+)\.run\.app/?", env.functions_url or "")
    if where is None:
        return "FUNCTIONS_URL is not that of Cloud Run"
    services = f"{CLOUD_RUN}/projects/{env.project}/locations/{where[2]}/services/{where[1]}"
    found = await asyncio.gather(*(policies.members(services + name, "roles/run.invoker") for name in names))
    unknown = next((one for one in found if isinstance(one, str)), None)
    return unknown or [one for one in found if not isinstance(one, str)]


async def platforms_may_publish(env: Environment, settings: Settings | None, policies: Policies) -> Finding:
    """Whether anybody may publish platform messages, where entries follow a platform."""
    about, topic = "platforms may publish", f"{env.prefix}-platform-events"
    if settings is not None and not settings.platforms_followed:
        return Finding(about, True, "not needed: no entry follows a platform")
    if not uses_google(env):
        return Finding(about, True, NOT_NEEDED)
    found = await policies.members(f"{PUBSUB}/projects/{env.project}/topics/{topic}", "roles/pubsub.publisher")
    if isinstance(found, str):
        return Finding(about, None, found)
    do = "add the platform's account to `publishers` in Terraform's variables, then `terraform apply`"
    return Finding(about, bool(found), f"{topic}: {', '.join(sorted(found)) or 'nobody'}", do)
