"""Who uses the page: assertions of Identity-Aware Proxy, and what browsers say about where a form comes from."""

import base64
import time
from typing import Any

import pytest

from lifecycle.web import identity
from lifecycle.web.identity import IdentityAwareProxy, Unverified
from support.iap import AUDIENCE, Google


@pytest.fixture
def google() -> Google:
    return Google()


def proxy(google: Google, clock: list[float] | None = None) -> IdentityAwareProxy:
    return IdentityAwareProxy(AUDIENCE, google, (lambda: clock[0]) if clock else time.monotonic)


def test_the_email_of_a_verified_assertion_names_the_person(google: Google) -> None:
    assert proxy(google).email(google.assertion()) == "anna@example.com"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.google.com"},
        {"aud": AUDIENCE + "-other"},
        {"aud": None},
        {"exp": 1},
        {"iat": int(time.time()) + 3600},
        {"email": None},
        {"email": ["anna@example.com"]},
        {"email": ""},
    ],
)
def test_an_assertion_with_a_wrong_claim_names_nobody(google: Google, claims: dict[str, Any]) -> None:
    with pytest.raises(Unverified):
        proxy(google).email(google.assertion(**claims))


def test_an_assertion_signed_by_somebody_else_names_nobody(google: Google) -> None:
    with pytest.raises(Unverified):
        proxy(google).email(Google().assertion())


def test_an_assertion_under_an_unknown_key_names_nobody(google: Google) -> None:
    with pytest.raises(Unverified):
        proxy(google).email(google.assertion(kid="k2"))


def unsigned(claims: str = '{"email": "anna@example.com"}', header: str = '{"alg": "none"}') -> str:
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, claims, ""))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        unsigned(),
        unsigned("[]"),
        unsigned(header="[]"),
        unsigned(header='{"alg": ["none"]}'),
    ],
)
def test_what_is_not_an_assertion_names_nobody(google: Google, text: str) -> None:
    with pytest.raises(Unverified):
        proxy(google).email(text)


def test_an_assertion_names_nobody_while_the_keys_cannot_be_fetched(google: Google) -> None:
    google.status = 503
    with pytest.raises(Unverified):
        proxy(google).email(google.assertion())


def test_the_keys_are_kept_for_an_hour(google: Google) -> None:
    clock = [0.0]
    reads = proxy(google, clock)
    for clock[0] in (0.0, 3599.0, 3601.0):
        reads.email(google.assertion())
    assert google.fetched == 2


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:8093", "[::1]", "[::1]:8080", "127.3.2.1:80"]
)
def test_loopback_hosts_are_this_machine(host: str) -> None:
    assert identity.is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0"),
        *("127.0.0.1@evil.example", "evil.example@127.0.0.1", "127.0.0.1/evil", "127.0.0.1:port", "[::1", "10.0.0.1"),
    ],
)
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not identity.is_loopback(host)


SAME = [
    {"sec-fetch-site": "same-origin", "host": "page.example"},
    {"origin": "http://127.0.0.1:8093", "host": "127.0.0.1:8093"},
    {"origin": "https://page.example", "host": "PAGE.example"},
    {"origin": "https://page.example", "host": "page.example:443"},
    {"origin": "http://[::1]:8093", "host": "[::1]:8093"},
]
OTHER = [
    {"host": "127.0.0.1:8093"},
    {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8093", "host": "127.0.0.1:8093"},
    {"sec-fetch-site": "cross-site", "host": "127.0.0.1:8093"},
    {"sec-fetch-site": "none", "host": "127.0.0.1:8093"},
    {"sec-fetch-site": "", "origin": "http://127.0.0.1:8093", "host": "127.0.0.1:8093"},
    {"origin": "null", "host": "127.0.0.1:8093"},
    {"origin": "", "host": ""},
    {"origin": "null", "host": "null"},
    {"origin": "http://127.0.0.1:8094", "host": "127.0.0.1:8093"},
    {"origin": "http://localhost:8093", "host": "127.0.0.1:8093"},
    {"origin": "https://evil.example", "host": "page.example"},
    {"origin": "https://page.example.evil.example", "host": "page.example"},
    {"origin": "https://page.example@evil.example", "host": "page.example"},
    {"origin": "https://evil.example@page.example", "host": "page.example"},
    {"origin": "https://page.example/", "host": "page.example"},
    {"origin": "https://page.example,https://evil.example", "host": "page.example"},
    {"origin": "ftp://page.example", "host": "page.example"},
    {"origin": "page.example", "host": "page.example"},
    {"origin": "https://page.example:x", "host": "page.example"},
    {"origin": "https://", "host": ""},
]


@pytest.mark.parametrize("headers", SAME)
def test_a_form_of_the_page_itself_is_known(headers: dict[str, str]) -> None:
    assert identity.is_same_origin(headers)


@pytest.mark.parametrize("headers", OTHER)
def test_a_form_from_elsewhere_or_from_nowhere_is_known(headers: dict[str, str]) -> None:
    assert not identity.is_same_origin(headers)
