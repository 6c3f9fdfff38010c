"""The page's forms: who may send them, what they do, and what the page shows afterwards."""

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import flask
import httpx
import pytest

from lifecycle.config import environment
from lifecycle.core.model import Override
from lifecycle.gcp.jobs import override_in
from lifecycle.web import console, forms, handler, identity
from lifecycle.web.console import FORM
from lifecycle.web.identity import IdentityAwareProxy
from lifecycle.web.logs import Log
from support.front import Front
from support.hub import TUESDAY_NOON
from support.iap import AUDIENCE, Google
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


@pytest.fixture
def page() -> Page:
    return Page()


def form(page: Page, do: str, address: str = "/embeddings") -> dict[str, str]:
    """The fields of the page's form with this button, as a browser sends them."""
    for text in re.findall(r'<form method="post">.*?</form>', page.shown(address)):
        buttons = re.findall(r'<button name="do" value="([^"]*)"', text)
        if buttons == [do]:
            return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)) | {"do": do}
    raise AssertionError(f"there is no form {do}")


# What the forms do.


def test_resume_for_two_hours(page: Page) -> None:
    assert page.done(**form(page, "resume")) == forms.OUTCOMES["running"]
    assert page.hub.state("embeddings-prod") == "running"
    found = page.override()
    assert found is not None
    assert (found.state, found.until) == ("running", TUESDAY_NOON + 2 * HOUR)


def test_a_start_is_not_waited_for(page: Page) -> None:
    def starting(_: httpx.Request) -> httpx.Response:
        page.hub.endpoints["embeddings-prod"]["status"]["state"] = "initializing"
        return httpx.Response(200, json=page.hub.endpoints["embeddings-prod"])

    page.hub.script("POST embeddings-prod/resume", starting)
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["starting"]
    assert page.front.took < timedelta(seconds=5)


def test_an_hour_more_carries_its_end_so_that_twice_is_once(page: Page) -> None:
    page.done(do="resume", endpoint="embeddings")
    more = form(page, "extend")
    assert more["until"] == "2026-11-24T15:00:00Z"
    for _ in range(2):
        assert page.done(**more) == forms.OUTCOMES["extended"]
        found = page.override()
        assert found is not None
        assert found.until == TUESDAY_NOON + 3 * HOUR


def test_an_end_that_has_passed_is_not_taken(page: Page) -> None:
    for until in ("2026-11-24T11:00:00Z", "2026-12-24T11:00:00Z", "soon"):
        assert page.done(do="extend", endpoint="embeddings", until=until) == forms.OUTCOMES["late"]
    assert page.overrides() == []


def test_pause_until_the_next_hours(page: Page) -> None:
    page.hub.add("embeddings-prod", "running")
    assert "Pause until Wed 08:00" in page.shown("/embeddings")
    assert page.done(**form(page, "pause")) == forms.OUTCOMES["paused"]
    assert page.hub.state("embeddings-prod") == "paused"
    found = page.override()
    assert found is not None
    assert found.until == datetime(2026, 11, 25, 7, tzinfo=UTC)


def test_pause_until_released(page: Page) -> None:
    page.hub.add("embeddings-prod", "running")
    assert page.done(**form(page, "hold")) == forms.OUTCOMES["paused"]
    found = page.override()
    assert found is not None
    assert (found.state, found.until, found.or_started) == ("paused", None, None)


def test_release_gives_it_back_to_the_rules_without_waiting(page: Page) -> None:
    page.hub.add("embeddings-prod", "running")
    page.done(do="hold", endpoint="embeddings")

    def starting(_: httpx.Request) -> httpx.Response:
        page.hub.endpoints["embeddings-prod"]["status"]["state"] = "initializing"
        return httpx.Response(200, json=page.hub.endpoints["embeddings-prod"])

    page.hub.script("POST embeddings-prod/resume", starting)
    assert page.done(**form(page, "release")) == forms.OUTCOMES["released"]
    assert page.front.took < timedelta(seconds=5)
    assert page.hub.state("embeddings-prod") == "initializing"
    assert 'value="release"' not in page.shown("/embeddings")


def test_reconcile_now_runs_the_job(page: Page) -> None:
    assert page.done(**form(page, "reconcile", "/")) == forms.OUTCOMES["reconciling"]
    assert page.shelf is not None
    assert "run lifecycle-reconcile" in page.shelf.calls


def test_one_endpoint_of_an_entry_can_be_meant(page: Page) -> None:
    page.hub.add("dev-b", "running", tags=("dev",))
    page.done(**form(page, "pause", "/dev-a"))
    assert (page.hub.state("dev-a"), page.hub.state("dev-b")) == ("paused", "running")


def test_submitting_twice_does_no_harm(page: Page) -> None:
    once = form(page, "resume")
    page.done(**once)
    before = page.overrides()
    page.done(**once)
    assert page.overrides() == before
    assert page.hub.actions().count("POST embeddings-prod/resume") == 1


def test_a_reload_shows_the_same_and_does_nothing(page: Page) -> None:
    address = page.submit(do="resume", endpoint="embeddings").headers["Location"].partition("#")[0]
    actions = page.hub.actions()
    for _ in range(2):
        assert forms.OUTCOMES["running"] in page.shown(address)
    assert page.hub.actions() == actions


def test_a_form_leads_back_to_the_page_that_it_was_on(page: Page) -> None:
    response = page.submit("/?state=paused&sort=cost&done=held&evil=1", do="resume", endpoint="embeddings")
    assert response.headers["Location"] == "?done=running&state=paused&sort=cost#e-embeddings"
    assert page.submit("/embeddings", do="pause", endpoint="embeddings").headers["Location"] == "?done=paused"


# What they tell when it did not work.


def test_a_name_that_is_gone(page: Page) -> None:
    assert page.done(do="resume", endpoint="nonesuch") == forms.OUTCOMES["gone"]


def test_a_pause_of_somebody_else_is_not_ended() -> None:
    page = Page(person=ANNA)
    page.front.stage.override(
        "embeddings", Override("paused", TUESDAY_NOON - HOUR, None, by="bob@example.com", holder="bob@example.com")
    )
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["held"]
    assert page.hub.state("embeddings-prod") == "paused"
    assert 'value="release"' not in page.shown("/embeddings")


def test_hugging_face_down(page: Page) -> None:
    page.hub.script("GET /", *([503] * 60))
    assert "Hugging Face does not answer" in page.shown()
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["unavailable"]
    assert page.overrides() == []


def test_a_refusal_of_hugging_face_leaves_nothing_behind(page: Page) -> None:
    page.hub.script("POST embeddings-prod/resume", 403)
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["failed"]
    assert page.overrides() == []


def test_cloud_scheduler_down(page: Page) -> None:
    assert page.shelf is not None
    page.shelf.refuse = frozenset({"list", "put", "run"})
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["unavailable"]
    assert page.done(do="reconcile") == forms.OUTCOMES["unavailable"]
    assert page.hub.actions() == []


@pytest.mark.parametrize("what", ["hub", "shelf"])
def test_a_service_that_hangs_is_not_waited_for(page: Page, what: str) -> None:
    assert page.shelf is not None
    page.shelf.hang = frozenset({"list", "put"} if what == "shelf" else ())
    if what == "hub":
        page.hub.script("GET /", *([429] * 60))
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["unavailable"]
    assert page.front.took < timedelta(seconds=10)


# Who may.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8081"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_elsewhere_does_nothing(page: Page, headers: dict[str, str]) -> None:
    assert page.submit(headers=headers, do="resume", endpoint="embeddings").status_code == 403
    assert page.hub.actions() == []
    assert page.overrides() == []


def test_an_old_browser_names_the_origin(page: Page) -> None:
    response = page.submit(headers={"Origin": f"http://{HOST}"}, do="resume", endpoint="embeddings")
    assert response.status_code == 303


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_on_ones_own_machine_a_foreign_host_gets_nothing(page: Page, method: str) -> None:
    page.headers = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080", "Content-Type": FORM, **OWN}
    assert page.ask(method, body=b"do=resume&endpoint=embeddings").status_code == 403
    assert page.hub.requests == []


def test_deployed_the_token_names_the_person() -> None:
    page = Page(deployed=True, person=ANNA, headers={"Host": "page.example"})
    page.done(do="resume", endpoint="embeddings")
    (found,) = page.overrides()
    assert (found.by, found.holder) == (ANNA, ANNA)
    assert f"You are {ANNA}." in page.shown()


def test_deployed_without_a_person_there_are_no_forms_and_a_post_is_refused() -> None:
    page = Page(deployed=True, headers={"Host": "page.example"})
    assert 'method="post"' not in page.shown()
    assert 'method="post"' not in page.shown("/embeddings")
    assert page.submit(do="resume", endpoint="embeddings").status_code == 403
    assert page.hub.actions() == []


def test_deployed_the_scheduler_is_not_a_person() -> None:
    page = Page(deployed=True, person="scheduler@example.com")
    page.front.environment = environment.read(
        {"HF_TOKEN": TOKEN, "K_SERVICE": "x", "INVOKER_SERVICE_ACCOUNT": "scheduler@example.com"}
    )
    assert page.submit(do="resume", endpoint="embeddings").status_code == 403


def test_an_assertion_that_is_not_verified_is_not_replaced_by_a_token() -> None:
    page = Page(deployed=True, person=ANNA, headers={"X-Goog-IAP-JWT-Assertion": token("eve@example.com")})
    page.front.environment = environment.read({"HF_TOKEN": TOKEN, "K_SERVICE": "x", "IAP_AUDIENCE": "/projects/1"})
    assert page.submit(do="resume", endpoint="embeddings").status_code == 403
    assert 'method="post"' not in page.shown()


def test_a_verified_assertion_names_the_person_and_holds_what_is_asked() -> None:
    google, page = Google(), Page(deployed=True)
    page.front.environment = environment.read({"HF_TOKEN": TOKEN, "K_SERVICE": "x", "IAP_AUDIENCE": AUDIENCE})
    headers = {
        "Content-Type": FORM,
        identity.ASSERTION: google.assertion(),
        "Authorization": f"Bearer {token('bob@x')}",
    }
    body = b"do=resume&endpoint=embeddings"
    with flask.Flask(__name__).test_request_context(
        "/", method="POST", headers={**headers, **OWN}, data=body
    ) as context:
        lower = {name.lower(): value for name, value in context.request.headers.items()}
        log = Log(str, "console", write=lambda _: None)
        proxy = lambda audience: IdentityAwareProxy(audience, google)  # noqa: E731
        assert console.respond(page.front, context.request, lower, log, proxy).status_code == 303
    (found,) = page.overrides()
    assert (found.by, found.holder) == (ANNA, ANNA)


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_only_forms_are_taken(page: Page, kind: str) -> None:
    response = page.ask("POST", headers={"Content-Type": kind, **OWN}, body=b"do=resume&endpoint=embeddings")
    assert response.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"do=resume", b"do=erase&endpoint=embeddings", b"endpoint=embeddings", b"do=resume&endpoint=*"),
        *(b"do=resume&endpoint=embeddings&do=pause", b"do=resume&endpoint=a&endpoint=b", b"do=extend&endpoint=e"),
        *(b"do=resume&endpoint=embeddings&until=2026-11-24T15:00:00Z", b"do=reconcile&endpoint=embeddings"),
        *(b"do=resume&endpoint=embeddings&force=true", b"\xff", b"do=%ff&endpoint=e", b"&".join([b"a=1"] * 99)),
    ],
)  # fmt: skip
def test_other_forms_than_the_pages_do_nothing(page: Page, body: bytes) -> None:
    response = page.ask("POST", headers={"Content-Type": FORM, **OWN}, body=body)
    assert response.status_code == 400
    assert page.hub.actions() == []


def test_a_large_form_is_refused(page: Page) -> None:
    body = b"do=resume&endpoint=" + b"x" * 70_000
    assert page.ask("POST", headers={"Content-Type": FORM, **OWN}, body=body).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(page: Page, method: str) -> None:
    response = page.ask(method)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")


# The page over HTTP.


@pytest.mark.parametrize("name", ["nonesuch", "favicon.ico", "a b", "é", "x" * 300])
def test_an_unknown_name_is_404_and_leads_back(page: Page, name: str) -> None:
    response = page.ask("GET", f"/{name}")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert '<a href="./">' in response.get_data(as_text=True)


def test_whether_a_name_is_there_is_not_known_without_hugging_face(page: Page) -> None:
    page.hub.script("GET /", *([503] * 60))
    assert page.ask("GET", "/dev-a").status_code == 503
    assert page.ask("GET", "/embeddings").status_code == 200


def test_scripts_and_pictures_of_other_sites_get_nothing(page: Page) -> None:
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert page.ask("GET", headers=cross).status_code == 403
    assert page.ask("GET", headers=cross | {"Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_head_is_get_without_the_page(page: Page) -> None:
    response = page.ask("HEAD")
    assert response.status_code == 200
    assert response.headers["Referrer-Policy"] == "same-origin"


def test_without_a_scheduler_the_page_is_read_only() -> None:
    page = Page()
    page.front.stage.shelf = None
    deps = replace(page.front.service.deps, jobs=None)
    page.front._service = replace(page.front.service, deps=deps)
    text = page.shown("/embeddings")
    assert 'method="post"' not in text
    assert "Read only: without Cloud Scheduler" in text


def test_filters_come_from_the_query(page: Page) -> None:
    assert 'id="e-playground"' in page.shown("/?tag=dev")
    assert 'id="e-embeddings"' not in page.shown("/?tag=dev")


def test_it_wakes_and_changes_nothing_by_being_looked_at(page: Page) -> None:
    page.shown()
    page.shown("/embeddings")
    assert page.hub.actions() == []


def test_every_form_on_the_page_is_one_that_is_taken(page: Page) -> None:
    for address in ("/", "/embeddings", "/search", "/playground", "/dev-a"):
        for text in re.findall(r'<form method="post">.*?</form>', page.shown(address)):
            fields: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text))
            (do,) = re.findall(r'<button name="do" value="([^"]*)"', text)
            assert forms.read(urlencode({**fields, "do": do}).encode()) is not None
