"""One address for all functions: `/pause` and the others are passed to their processes, everything else to the page."""

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

# Hop by hop, or set by the server itself (RFC 9110, 7.6.1).
NOT_PASSED = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "server", "date"}
)


class Gateway:
    """An ASGI app; `functions` maps names to the URLs of their processes."""

    def __init__(self, functions: Mapping[str, str], client: httpx.AsyncClient) -> None:
        self.functions = functions
        self.client = client

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            response = await self._passed(Request(scope, receive))
            await response(scope, receive, send)

    async def _passed(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        name = path.strip("/")
        if name not in self.functions:
            name = "console"
        else:
            path = "/"
        headers = [(key, value) for key, value in request.headers.items() if key not in NOT_PASSED]
        body = await request.body()
        url = f"{self.functions[name]}{path}?{request.url.query}"
        try:
            answer = await self.client.request(request.method, url, content=body, headers=headers, timeout=600)
        except httpx.HTTPError as error:
            return PlainTextResponse(f"{name} does not answer: {type(error).__name__}\n", 502)
        passed = {key: value for key, value in answer.headers.items() if key not in NOT_PASSED}
        return Response(answer.content, answer.status_code, passed)
