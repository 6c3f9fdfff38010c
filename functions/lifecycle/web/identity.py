"""Who uses the page, and whether a request comes from the page itself.

Cloud Run checks bearer tokens before a request arrives. The assertion of Identity-Aware Proxy is checked here
(docs.cloud.google.com/iap/docs/signed-headers-howto), and so are a browser's cross-site requests.
"""

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from lifecycle.core.text import hides
from lifecycle.gcp.client import IMPORTING

ASSERTION = "x-goog-iap-jwt-assertion"
ISSUER = "https://cloud.google.com/iap"
KEYS_URL = "https://www.gstatic.com/iap/verify/public_key"
KEYS_KEPT_FOR = 3600.0  # seconds
FETCHED_WITHIN = 5.0  # seconds
CLOCK_SKEW = 30  # seconds
LONGEST_EMAIL = 254  # characters (RFC 5321)


class Unverified(Exception):
    """An assertion cannot be verified, and why."""


def is_email(value: Any) -> TypeGuard[str]:
    """Whether it can be somebody's: what is hidden, or longer than an address may be, cannot be stored as it is."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_EMAIL and not any(map(hides, value))


def is_loopback(host: str) -> bool:
    """Whether a `Host` header names this machine. Another site's page can reach a local port under its own name."""
    name = _host(f"//{host}")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether the browser's headers (by lower-case name) show that a form was sent from a page of this server."""
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] == "same-origin"
    origin = headers.get("origin", "")
    scheme, _, authority = origin.partition("://")
    if scheme not in ("http", "https") or not authority or authority != urlsplit(origin).netloc:
        return False
    default = 443 if scheme == "https" else 80
    of_origin, of_host = _host(f"//{authority}"), _host(f"//{headers.get('host', '')}")
    return bool(of_origin[0]) and (of_origin[0], of_origin[1] or default) == (of_host[0], of_host[1] or default)


def _host(url: str) -> tuple[str, int | None]:
    """The lower-case host and the port of a URL; an empty host if the URL is malformed or has a user."""
    try:
        parts = urlsplit(url)
        named = "" if "@" in parts.netloc or parts.path or parts.query or parts.fragment else parts.hostname
        return named or "", parts.port
    except ValueError:
        return "", None


@dataclass
class IdentityAwareProxy:
    """Verifies assertions for `audience`. Keys are fetched with `fetch` and kept for an hour.

    `fetch` is a `google.auth.transport.Request`; None: Google's, over HTTPS.
    """

    audience: str
    fetch: Callable[..., Any] | None = None
    clock: Callable[[], float] = time.monotonic
    _kept: tuple[float, Any] | None = field(default=None, repr=False)

    def email(self, assertion: str) -> str:
        """The person's email. Raises `Unverified`: a wrong signature, issuer, audience or time, or no email."""
        with IMPORTING:
            from google.auth.exceptions import GoogleAuthError
            from google.oauth2 import id_token

        try:
            keys: Any = self._keys
            claims = id_token.verify_token(assertion, keys, self.audience, KEYS_URL, clock_skew_in_seconds=CLOCK_SKEW)
        except (GoogleAuthError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Unverified(f"{type(error).__name__}: {error}") from None
        if claims.get("iss") != ISSUER:
            raise Unverified("the issuer is not Identity-Aware Proxy")
        email = claims.get("email")
        if not is_email(email):
            raise Unverified("the assertion has no email")
        return email

    def _keys(self, url: str, method: str = "GET", **_: Any) -> Any:
        """The answer with the public keys, as google-auth asks for it."""
        if self._kept is None or self.clock() - self._kept[0] > KEYS_KEPT_FOR:
            answer = (self.fetch or _over_https())(url, method=method, timeout=FETCHED_WITHIN)
            if answer.status != 200:
                return answer
            self._kept = self.clock(), answer
        return self._kept[1]


def _over_https() -> Callable[..., Any]:
    from google.auth.transport.requests import Request

    return Request()
