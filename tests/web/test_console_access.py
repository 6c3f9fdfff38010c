"""The page's forms: who may send them, and which are taken."""

import flask
import pytest

from lifecycle.config import environment
from lifecycle.web import console, identity
from lifecycle.web.console import FORM
from lifecycle.web.identity import IdentityAwareProxy
from lifecycle.web.logs import Log
from support.console import ANNA, HOST, OWN, Page, token
from support.iap import AUDIENCE, Google
from support.secret import TOKEN

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
