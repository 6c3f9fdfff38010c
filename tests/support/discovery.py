"""Compares requests and answers with Google's discovery documents.

The documents come with google-api-python-client, which is installed for them alone. They name every method, its path
and parameters, and every field of a body; a field that they do not name is an error here.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import googleapiclient
from jsonschema import Draft202012Validator

from local.servers.serve import App

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
FORMATS = {
    "int64": r"-?[0-9]+",
    "google-duration": r"-?[0-9]+(\.[0-9]{1,9})?s",
    "google-datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)",
    "byte": r"[A-Za-z0-9+/_-]*={0,2}",
}


@cache
def document(api: str) -> dict[str, Any]:
    """The document of an API, such as "cloudscheduler.v1"."""
    found: dict[str, Any] = json.loads((DOCUMENTS / f"{api}.json").read_text())
    return found


def faults(api: str, schema: str, body: Any) -> list[str]:
    """What a body has that the schema of that name does not, or has otherwise; each with its path."""
    return sorted(f"{error.json_path}: {error.message}" for error in _validator(api, schema).iter_errors(body))


def request_faults(api: str, method: str, target: str, body: bytes) -> list[str]:
    """The same of a request, by its method, its path with the query, and its body."""
    path, _, query = target.partition("?")
    found = next((one for one in methods(api) if one["httpMethod"] == method and _matches(api, one, path)), None)
    if found is None:
        return [f"{method} {path}: no such method"]
    known = {*found.get("parameters", {}), *document(api)["parameters"], "$alt"}
    given = dict(parse_qsl(query))
    unknown = [f"{path}: unknown parameter {name}" for name in given if name not in known]
    if "request" not in found:
        return [*unknown, *([f"{path}: a body, where none belongs"] if body.strip() not in (b"", b"{}") else [])]
    schema = found["request"]["$ref"]
    mask = [
        f"updateMask: {part}"
        for part in filter(None, given.get("updateMask", "").split(","))
        if not _known(api, schema, part)
    ]
    return [*unknown, *mask, *faults(api, schema, json.loads(body or b"{}"))]


def answer_faults(api: str, method: str, target: str, body: bytes) -> list[str]:
    """What an answer to such a request has otherwise than the document says."""
    path = target.partition("?")[0]
    found = next((one for one in methods(api) if one["httpMethod"] == method and _matches(api, one, path)), None)
    return faults(api, found["response"]["$ref"], json.loads(body)) if found else []


def methods(api: str) -> Iterator[dict[str, Any]]:
    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from node.get("methods", {}).values()
        for inner in node.get("resources", {}).values():
            yield from walk(inner)

    return walk(document(api))


class Referee:
    """An app before which every request is compared with the document, and every answer where it is meant to be one."""

    def __init__(self, app: App, api: str, *, answers: bool = True) -> None:
        self.app = app
        self.api = api
        self.answers = answers
        self.faults: list[str] = []

    def judge(self) -> None:
        assert not self.faults, "; ".join(self.faults)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        target = f"{scope['path']}?{scope['query_string'].decode()}"
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        self.faults += request_faults(self.api, scope["method"], target, body)
        status, answer = 0, b""

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def heard(message: dict[str, Any]) -> None:
            nonlocal status, answer
            status, answer = message.get("status", status), answer + message.get("body", b"")
            await send(message)

        await self.app(scope, again, heard)
        if status == 200 and self.answers:
            self.faults += answer_faults(self.api, scope["method"], target, answer)


def _matches(api: str, method: dict[str, Any], path: str) -> bool:
    template = document(api)["servicePath"] + method.get("flatPath", method["path"])
    template = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    return re.fullmatch("/" + re.sub(r"{\w+}", "[^/:]+", template), path) is not None


def _known(api: str, schema: str, path: str) -> bool:
    """Whether a field mask's path is one of the schema's: in camel case, with dots."""
    name, _, rest = path.partition(".")
    field = document(api)["schemas"][schema].get("properties", {}).get(name)
    if field is None or not rest:
        return field is not None
    return "$ref" in field and _known(api, field["$ref"], rest)


@cache
def _validator(api: str, schema: str) -> Draft202012Validator:
    defined = {name: _as_json_schema(node) for name, node in document(api)["schemas"].items()}
    return Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": defined})


def _as_json_schema(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    match node.get("type"):
        case "object":
            inner = {name: _as_json_schema(one) for name, one in node.get("properties", {}).items()}
            inner |= {re.sub("([A-Z])", r"_\1", name).lower(): one for name, one in inner.items()}  # taken as well
            more = _as_json_schema(node["additionalProperties"]) if "additionalProperties" in node else False
            return {"type": "object", "properties": inner, "additionalProperties": more}
        case "array":
            return {"type": "array", "items": _as_json_schema(node["items"])}
        case "string" if "enum" in node:  # or its number, as Google's clients send it
            return {"anyOf": [{"enum": node["enum"]}, {"type": "integer", "maximum": len(node["enum"])}]}
        case "string" if node.get("format") in FORMATS:
            kinds = ["string", "integer"] if node["format"] == "int64" else ["string"]
            return {"type": kinds, "pattern": f"^{FORMATS[node['format']]}$"}
        case "any":
            return {}
        case kind:
            return {"type": kind}
