"""A local Secret Manager: versions of secrets over its REST API v1, with checksums.

Source: Secret Manager API v1 (projects.secrets.versions).
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import google_crc32c
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.servers.faults import Faults, google_error

State = Literal["ENABLED", "DISABLED", "DESTROYED"]


@dataclass
class Version:
    payload: bytes
    state: State = "ENABLED"


@dataclass
class SecretManager:
    """Secrets by "projects/P/secrets/S", each a list of versions. `damaged`: payloads arrive with one bit changed."""

    now: Callable[[], datetime]
    secrets: dict[str, list[Version]] = field(default_factory=dict)
    damaged: bool = False

    def __post_init__(self) -> None:
        self.faults = Faults(self.now, google_error)

    def add(self, secret: str, payload: str) -> str:
        """A new version; its name."""
        versions = self.secrets.setdefault(secret, [])
        versions.append(Version(payload.encode()))
        return f"{secret}/versions/{len(versions)}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        response = await self.faults.around(Request(scope, receive), self._answer)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if added := re.fullmatch(r"/v1/(projects/[^/]+/secrets/[^/]+):addVersion", path):
            return await self._added(added[1], request)
        found = re.fullmatch(r"/v1/(projects/[^/]+/secrets/[^/]+)/versions(?:/(\w+))?(?::(\w+))?", path)
        if found is None or found[1] not in self.secrets:
            return _refused(404, "NOT_FOUND", f"Secret [{path.removeprefix('/v1/')}] not found")
        versions = self.secrets[found[1]]
        if found[2] is None:
            names = [self._json(found[1], number + 1) for number in range(len(versions))]
            return JSONResponse({"versions": names, "totalSize": len(names)})
        number = len(versions) if found[2] == "latest" else int(found[2]) if found[2].isdigit() else 0
        if not 1 <= number <= len(versions):
            return _refused(404, "NOT_FOUND", f"Secret Version [{found[1]}/versions/{found[2]}] not found")
        match found[3]:
            case None:
                return JSONResponse(self._json(found[1], number))
            case "access":
                return self._access(found[1], number)
            case "disable" | "enable" | "destroy" as verb:
                states: dict[str, State] = {"disable": "DISABLED", "enable": "ENABLED", "destroy": "DESTROYED"}
                versions[number - 1].state = states[verb]
                return JSONResponse(self._json(found[1], number))
        return _refused(404, "NOT_FOUND", f"no such method: {path}")

    async def _added(self, secret: str, request: Request) -> Response:
        if secret not in self.secrets:
            return _refused(404, "NOT_FOUND", f"Secret [{secret}] not found")
        payload = (await request.json())["payload"]
        data, checksum = base64.b64decode(payload["data"]), payload.get("dataCrc32c")
        if checksum is not None and int(checksum) != google_crc32c.value(data):
            return _refused(400, "INVALID_ARGUMENT", "The payload does not match its checksum.")
        self.secrets[secret].append(Version(data))
        checked = {"clientSpecifiedPayloadChecksum": checksum is not None}
        return JSONResponse(self._json(secret, len(self.secrets[secret])) | checked)

    def _access(self, secret: str, number: int) -> Response:
        version = self.secrets[secret][number - 1]
        name = f"{secret}/versions/{number}"
        if version.state != "ENABLED":
            return _refused(400, "FAILED_PRECONDITION", f"Secret Version [{name}] is in {version.state} state.")
        sent = bytes([version.payload[0] ^ 1]) + version.payload[1:] if self.damaged else version.payload
        checksum = str(google_crc32c.value(version.payload))
        payload = {"data": base64.b64encode(sent).decode(), "dataCrc32c": checksum}
        return JSONResponse({"name": name, "payload": payload})

    def _json(self, secret: str, number: int) -> dict[str, Any]:
        return {"name": f"{secret}/versions/{number}", "state": self.secrets[secret][number - 1].state}


def _refused(code: int, status: str, message: str) -> Response:
    return JSONResponse(google_error(code, message, status), code)
