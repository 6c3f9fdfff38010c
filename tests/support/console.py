"""The page's function in one process, and the browser of somebody who looks at it."""

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import flask

from lifecycle.config import environment
from lifecycle.core.model import Override
from lifecycle.gcp.job_state import override_in
from lifecycle.web import handler
from lifecycle.web.console import FORM
from support.front import Front
from support.secret import TOKEN

HOST = "127.0.0.1:8080"
OWN = {"Sec-Fetch-Site": "same-origin"}
HOUR = timedelta(hours=1)
ANNA = "anna@example.com"


@dataclass
class Page:
    """The function in one process, in the browser of somebody who is `person`, where it is deployed."""

    deployed: bool = False
    person: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.front = Front()
        self.hub, self.shelf = self.front.hub, self.front.stage.shelf
        if self.deployed:
            self.front.environment = environment.read({"HF_TOKEN": TOKEN, "K_SERVICE": "lifecycle-console"})

    def ask(
        self, method: str, address: str = "/", headers: Mapping[str, str] = {}, body: bytes = b""
    ) -> flask.Response:
        given = {"Host": HOST, **self.headers, **headers}
        if self.person:
            given["Authorization"] = f"Bearer {token(self.person)}"
        with flask.Flask(__name__).test_request_context(address, method=method, headers=given, data=body) as context:
            response = handler.serve(self.front, "console", context.request)
        assert TOKEN.encode() not in response.data
        return response

    def shown(self, address: str = "/") -> str:
        response = self.ask("GET", address)
        assert response.status_code == 200, response.data
        return html.unescape(response.get_data(as_text=True))

    def submit(self, address: str = "/", headers: Mapping[str, str] = OWN, **fields: str) -> flask.Response:
        return self.ask("POST", address, {"Content-Type": FORM, **headers}, urlencode(fields).encode())

    def done(self, address: str = "/", **fields: str) -> str:
        """What became of a form, in the words of the page that it leads to."""
        response = self.submit(address, OWN, **fields)
        assert response.status_code == 303, response.data
        output = re.search(
            r'<p role="status"[^>]*>(.*?)</p>', self.shown(response.headers["Location"].partition("#")[0])
        )
        assert output is not None
        return output[1]

    def override(self, id: str = "lifecycle-override-embeddings") -> Override | None:
        assert self.shelf is not None
        return override_in(self.shelf.jobs.get(id))

    def overrides(self) -> list[Override]:
        assert self.shelf is not None
        return [found for id, job in self.shelf.jobs.items() if "-override-" in id and (found := override_in(job))]


def token(email: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).decode()
    return f"e30.{claims}.SIGNATURE_REMOVED_BY_GOOGLE"


def form(page: Page, do: str, address: str = "/embeddings") -> dict[str, str]:
    """The fields of the page's form with this button, as a browser sends them."""
    for text in re.findall(r'<form method="post">.*?</form>', page.shown(address)):
        buttons = re.findall(r'<button name="do" value="([^"]*)"', text)
        if buttons == [do]:
            return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)) | {"do": do}
    raise AssertionError(f"there is no form {do}")
