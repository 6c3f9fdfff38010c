"""The functions, asked by the command line: through FUNCTIONS_URL as deployed, or in this process."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from lifecycle.cli.common import read_settings
from lifecycle.config.environment import Environment
from lifecycle.config.schema import Invalid
from lifecycle.errors import Failure

if TYPE_CHECKING:
    from lifecycle.engine.service import Service

SECONDS = 600.0


async def ask(env: Environment, function: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    """The status and the JSON of a function's answer. Raises `Failure`."""
    return await (_remote(env, function, body) if env.functions_url else _direct(env, function, body))


async def status(env: Environment) -> tuple[Mapping[str, Any], list[str]]:
    """The answer of `status`, and why something is unknown, if that is known. Raises `Failure`."""
    if not env.functions_url:
        return await _direct_status(env)
    code, answer = await _remote(env, "status", None)
    if code != 200 or not isinstance(answer, dict) or "endpoints" not in answer:
        raise Failure(f"status: {refusal(code, answer)}", code="refused", retryable=code == 503)
    return answer, [f"unknown: {', '.join(answer['unknown'])}"] if answer["unknown"] else []


def refusal(code: int, answer: Any) -> str:
    """The message of an answer without results."""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    return str(detail) if detail and code < 500 else f"{code} {detail or answer}"


async def _remote(env: Environment, function: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
    from lifecycle.cli import identity

    url = env.function_url(function)
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        headers = {"Accept": "application/json", **await identity.header(url, http)}
        try:
            response = await http.request("GET" if body is None else "POST", url, json=body, headers=headers)
        except httpx.HTTPError as error:
            message = f"{url} does not answer: {error or type(error).__name__}. Is FUNCTIONS_URL right?"
            raise Failure(message, code="unreachable", retryable=True) from None
    if response.status_code in (401, 403) and "json" not in response.headers.get("content-type", ""):
        message = (
            f"{url}: {response.status_code}. You need the right to invoke it (roles/run.invoker); ask who deployed it"
        )
        raise Failure(message, code="forbidden", retryable=False)
    try:
        return response.status_code, response.json()
    except ValueError:
        message = f"{url}: {response.status_code}, and no JSON. Is FUNCTIONS_URL right?"
        raise Failure(message, code="malformed", retryable=False) from None


async def _direct(env: Environment, function: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    from lifecycle.engine import request
    from lifecycle.engine.dependencies import Caller

    async with _service(env) as service:
        try:
            answer = await service.handle(function, json.dumps(body).encode(), Caller())
        except (Invalid, request.UnknownName) as error:
            return 400, {"detail": str(error)}
        return answer.status, _redacted(service, answer.body())


async def _direct_status(env: Environment) -> tuple[Mapping[str, Any], list[str]]:
    async with _service(env) as service:
        made = await service.status()
        why = [f"unknown: {failure}" for failure in dict.fromkeys(map(str, made.failures))]
        unset = "unknown: overrides and platform states: SCHEDULER_PARENT is not set"
        answer = _redacted(service, made.answer)
        return answer, why if env.scheduler_parent else [*why, unset]


def _redacted(service: "Service", answer: Any) -> Any:
    """An answer without the token, which a note may contain; the functions redact it, too."""
    return json.loads(service.deps.token.redact(json.dumps(answer)))


@asynccontextmanager
async def _service(env: Environment) -> AsyncIterator["Service"]:
    from lifecycle.app import dependencies
    from lifecycle.engine.service import Service

    deps = dependencies(env, read_settings(env.config))
    async with deps.http:
        yield Service(deps)
