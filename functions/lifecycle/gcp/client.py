"""Creates Google's clients, and turns their exceptions into failures."""

import importlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from lifecycle.errors import Failure
from lifecycle.gcp.transport import mount
from lifecycle.retry import retry_after

_QUERY = re.compile(r"\?(?:\$|%24)alt=\S*?(?=: |$)")  # the clients add it to every URL

# Held while Google's packages are imported: they import each other in a circle, and two threads that begin at different
# points deadlock, which Python ends with an error.
IMPORTING = threading.Lock()


def client(module: str, kind: str, url: str | None) -> Any:
    """A client over REST, by its module and class. It sends within `transport.in_thread`, and follows no redirect."""
    with IMPORTING:
        made = getattr(importlib.import_module(module), kind)(**client_options(url))
    session = made.transport._session
    mount(session, objects=True)
    mount(session._auth_request.session)  # which fetches access tokens
    return made


def client_options(url: str | None) -> dict[str, Any]:
    """Keyword arguments for a client over REST: Google's own service, or a local server without credentials."""
    if url is None:
        return {"transport": "rest"}
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials

    anonymous = AnonymousCredentials()
    options = ClientOptions(api_endpoint=url.rstrip("/"))
    return {"transport": "rest", "credentials": anonymous, "client_options": options}


@contextmanager
def as_failure(what: str, *, code: str, codes: Mapping[int, str] = MappingProxyType({})) -> Iterator[None]:
    """Raises the exceptions of Google's clients as a `Failure` with this code; `codes`: other codes, by HTTP status."""
    with IMPORTING:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.protobuf.json_format import Error as JsonFormatError
        from requests import RequestException

    try:
        yield
    except GoogleAPICallError as error:
        status = error.code or 0
        retryable = status in (408, 409, 429) or status >= 500
        message = f"{what}: {status} {_QUERY.sub('', error.message)}"[:500]
        wait = retry_after(error.response.headers) if retryable and error.response is not None else None
        code = codes.get(status, code)
        raise Failure(message, code=code, retryable=retryable, retry_after=wait, ambiguous=retryable) from None
    except (RequestException, RetryError, TransportError) as error:
        message = f"{what}: no answer ({type(error).__name__})"
        raise Failure(message, code=code, retryable=True, ambiguous=True) from None
    except (JsonFormatError, AttributeError, TypeError, ValueError, KeyError, OverflowError, RecursionError) as error:
        # The clients raise these for an answer that is not Google's: HTML, or other JSON, also with an error's status.
        message = f"{what}: the answer is not understood ({type(error).__name__})"
        raise Failure(message, code=code, retryable=True, ambiguous=True) from None
    except GoogleAuthError as error:
        raise Failure(f"{what}: no Google credentials: {error}"[:500], code=code, retryable=False) from None
