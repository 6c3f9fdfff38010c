"""The checks of `lifecycle doctor`, each with what to do if it fails. They change nothing and wake nothing."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from lifecycle.cli import functions, job_changes
from lifecycle.cli.desired_jobs import Target
from lifecycle.cli.finding import NOT_NEEDED, Finding, uses_google
from lifecycle.cli.rights import Policies, jobs_may_call, platforms_may_publish
from lifecycle.config import settings as reader
from lifecycle.config.environment import Environment
from lifecycle.config.schema import Invalid
from lifecycle.core.entries import Settings
from lifecycle.core.times import in_words, parse_rfc3339
from lifecycle.errors import Failure
from lifecycle.gcp.jobs import reconcile_id
from lifecycle.huggingface.own_url import is_loopback

SECONDS = 20.0
CLOCK_MAY_DIFFER = timedelta(minutes=1)
NOBODY = "doctor-asks-for-no-endpoint"  # a name that is not there, so that asking for its pause changes nothing
SYNC = "run `lifecycle sync`"
ALL = ("https://www.googleapis.com/auth/cloud-platform",)


async def findings(env: Environment) -> AsyncIterator[Finding]:
    settings, found = _settings(env)
    yield found
    yield _quota_project(env)
    status: Mapping[str, Any] | None = None
    if env.functions_url or settings is not None:
        try:
            async with asyncio.timeout(SECONDS):
                status, _ = await functions.status(env)
            yield Finding("functions", True, env.functions_url or "none; this machine acts directly, with HF_TOKEN")
        except (Failure, TimeoutError) as failure:
            yield Finding("functions", False, str(failure) or "no answer in time", _reach(failure))
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        yield await _clock(env, status, http)
        if status is not None and settings is not None and env.functions_url:
            yield _same_settings(settings, status)
        async for found in _hugging_face(env, settings, status, http):
            yield found
        policies = await _policies(env, http)
        async for found in _jobs(env, settings, status, http, policies):
            yield found
        if env.scheduler_parent:
            yield await platforms_may_publish(env, settings, policies)
    yield _history(status)


def _settings(env: Environment) -> tuple[Settings | None, Finding]:
    try:
        found = reader.parse(env.config.read_bytes())
    except OSError as error:
        do = "set LIFECYCLE_CONFIG to the settings' path, or write them with `lifecycle init`"
        return None, Finding("settings", False, f"{env.config}: {error.strerror}", do)
    except Invalid as error:
        return None, Finding("settings", False, f"{env.config}: {error}".replace("\n", "; "), "correct the file")
    dry = "; dry_run: true, so nothing is changed" if found.dry_run else ""
    return found, Finding("settings", True, f"{env.config}: {len(found.entries)} entries{dry}")


def _quota_project(env: Environment) -> Finding:
    about = "quota project"
    if not uses_google(env):
        return Finding(about, True, NOT_NEEDED)
    home = Path(os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config/gcloud")
    path = Path(os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or home / "application_default_credentials.json")
    set_it = f"`gcloud auth application-default set-quota-project {env.project}`"
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        return Finding(about, False, f"{path}: {error}", f"`gcloud auth application-default login`, then {set_it}")
    if not isinstance(given, dict) or given.get("type") != "authorized_user":
        return Finding(about, True, "a service account needs none")
    project = given.get("quota_project_id") or os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT")
    return Finding(about, bool(project), str(project or f"{path} names none"), set_it)


def _reach(failure: BaseException) -> str:
    code = failure.code if isinstance(failure, Failure) else "timeout"
    if code == "forbidden":
        return "sign in with `gcloud auth login`; whoever deployed it adds you to `people` in Terraform's variables"
    return 'set FUNCTIONS_URL as `eval "$(make -s shell)"` does, and look at the functions in the console'


async def _clock(env: Environment, status: Mapping[str, Any] | None, http: httpx.AsyncClient) -> Finding:
    """This machine's clock against the functions', or against Hugging Face's."""
    there = parse_rfc3339(status["now"]) if status and env.functions_url else None
    if there is None:
        try:
            answer = await http.get(env.endpoints_url)
            there = datetime.strptime(answer.headers["date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except (httpx.HTTPError, KeyError, ValueError):
            return Finding("clock", None, "nothing to compare it with")
    off = abs(datetime.now(UTC) - there)
    return Finding("clock", off < CLOCK_MAY_DIFFER, f"differs by {in_words(off)}", "set this machine's clock by NTP")


def _same_settings(settings: Settings, status: Mapping[str, Any]) -> Finding:
    same = status["settings_sha256"] == settings.sha256
    said = "the functions run with this file" if same else "the functions run with other settings than this file"
    return Finding("deployed settings", same, said, f"`terraform apply`, then {SYNC}; or set LIFECYCLE_CONFIG")


async def _hugging_face(
    env: Environment, settings: Settings | None, status: Mapping[str, Any] | None, http: httpx.AsyncClient
) -> AsyncIterator[Finding]:
    about, rows = "Hugging Face", status["endpoints"] if status else []
    if env.functions_url is None and settings is not None:
        async for found in _token(env, settings, rows, http):
            yield found
    elif status is not None:
        unread = [name for name in ("token", "huggingface", "prices") if name in status["unknown"]]
        do = "see the reason: `gcloud logging read 'jsonPayload.event=\"note\"' --limit 5`; a new token: add a version"
        yield Finding(about, not unread, f"not readable: {', '.join(unread)}" if unread else "readable", do)
    missing = [row["name"] for row in rows if row["state"] is None and "no endpoint" in (row["error"] or "")]
    if status is not None and "huggingface" not in status["unknown"]:
        said = f"no such endpoint: {', '.join(missing)}" if missing else f"{len(rows)} endpoints"
        yield Finding("names", not missing, said, "correct `name` or `namespace` in the settings; names are exact")


async def _token(
    env: Environment, settings: Settings, rows: list[dict[str, Any]], http: httpx.AsyncClient
) -> AsyncIterator[Finding]:
    about, url = "token", f"{env.endpoints_url}/endpoint/{settings.namespace}"
    new = "create a fine-grained token for the namespace at Hugging Face, and set HF_TOKEN"
    if not env.token:
        yield Finding(about, False, "HF_TOKEN is not set", new)
        return
    headers = {"Authorization": f"Bearer {env.token}"}
    status = await _status_of(http, "GET", url, headers)
    todo = {401: f"{new}; 401 also means no access to the namespace, or no billing", 404: "correct `namespace`"}
    yield Finding(about, status == 200, f"list of {settings.namespace}: {status}", todo.get(status, new))
    if status != 200:
        return
    status = await _status_of(http, "POST", f"{url}/{NOBODY}/pause", headers)
    said = f"inference.endpoints.write: {'there' if status == 404 else f'not there ({status})'}"
    yield Finding("permission to manage", status == 404, said, "add it to the token at Hugging Face")
    running = [row["url"] for row in rows if row["state"] == "running" and row["url"]]
    if not running:
        yield Finding("permission to call", None, "no endpoint runs, and doctor wakes none")
        return
    status = await _status_of(http, "GET", running[0], headers)
    said = f"inference.endpoints.infer.write: {f'not there ({status})' if status in (401, 403) else 'there'}"
    yield Finding("permission to call", status not in (401, 403), said, "add it to the token at Hugging Face")


async def _status_of(http: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str]) -> int:
    """The HTTP status; 0: no answer."""
    try:
        return (await http.request(method, url, headers=headers)).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0


async def _policies(env: Environment, http: httpx.AsyncClient) -> Policies:
    from lifecycle.gcp.rest import Credentials

    deadline = asyncio.get_running_loop().time() + SECONDS
    try:
        return Policies(http, await Credentials(ALL).headers(http, deadline) if uses_google(env) else {})
    except Failure as failure:
        return Policies(http, {}, str(failure))


async def _jobs(
    env: Environment, settings: Settings | None, status: Mapping[str, Any] | None, http: httpx.AsyncClient,
    policies: Policies,
) -> AsyncIterator[Finding]:  # fmt: skip
    about = "jobs"
    if not env.scheduler_parent:
        unread = status is not None and "scheduler" in status["unknown"]
        said = "the functions cannot read Cloud Scheduler" if unread else "SCHEDULER_PARENT is not set here"
        do = "without it no override can be stored: set SCHEDULER_PARENT for the functions"
        yield Finding(about, False if unread else None, said, do)
        return
    from lifecycle.gcp.scheduler import Client, Scheduler

    deadline = asyncio.get_running_loop().time() + SECONDS
    try:
        seen = await Scheduler(env.scheduler_parent, Client(env.scheduler_url, http), deadline, random.Random()).list()
    except Failure as failure:
        yield Finding(about, False, str(failure), "sign in, and have roles/cloudscheduler.viewer on the project")
        return
    target = Target(env.functions_url, env.invoker or "", env.prefix) if env.functions_url else None
    own = [job for job in seen if target and job_changes.is_own(job, target)]
    yield await jobs_may_call(env, settings, own, policies)
    reconcile = next((job for job in seen if job.id == reconcile_id(env.prefix)), None)
    if reconcile is None:
        yield Finding("reconcile job", False, f"{reconcile_id(env.prefix)} is not there", SYNC)
    else:
        said = f"{reconcile.id}: {reconcile.state}"
        yield Finding("reconcile job", reconcile.state == "ENABLED", said, f"{SYNC}; it resumes the job")
    if target is None or (not target.account and not is_loopback(target.functions_url)):
        missing = "INVOKER_SERVICE_ACCOUNT" if target else "FUNCTIONS_URL"
        yield Finding(about, False, f"not compared: {missing} is not set", 'set it, as `eval "$(make -s shell)"` does')
    elif settings is not None:
        found = job_changes.difference(settings, target, seen)
        listed = [f"{change.job.id}: {', '.join(name for name, _ in change.differs) or change.verb}"
                  for change in found.changes]  # fmt: skip
        yield Finding(about, not listed, "; ".join(listed) or f"{len(seen)} as the settings say", SYNC)
        foreign = ", ".join(job.id for job in found.foreign)
        if foreign:
            yield Finding("names of jobs", False, f"not ours: {foreign}", "delete them, or set another JOB_PREFIX")


def _history(status: Mapping[str, Any] | None) -> Finding:
    why = status.get("history") if status else None
    if status is None or (why and "is not set" in why):
        return Finding("history", None, why or "not looked at")
    do = "the functions' account needs roles/monitoring.viewer and the log view: `terraform apply`"
    return Finding("history", not why, why or "readable", do)
