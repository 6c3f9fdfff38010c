"""The function `console`: the page over HTTP, and its forms. It does not wait for starts.

The answer to a form is a redirect to the page, with the outcome as a code, so a reload does not submit it again.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlencode

from flask import Request as HttpRequest
from flask import Response

from lifecycle.app import App
from lifecycle.config.schema import Invalid
from lifecycle.core.outcomes import REFUSED
from lifecycle.engine.dependencies import Caller
from lifecycle.engine.request import UnknownName
from lifecycle.engine.service import Answer
from lifecycle.errors import Failure
from lifecycle.huggingface.parsing import addressable
from lifecycle.web import body, forms, identity, page
from lifecycle.web.handler import caller_of, log_results
from lifecycle.web.identity import IdentityAwareProxy, Unverified
from lifecycle.web.logs import Log
from lifecycle.web.problem import Refused
from lifecycle.web.view import view_of

FORM = "application/x-www-form-urlencoded"
_proxy = lru_cache(IdentityAwareProxy)  # one for each audience, which keeps its keys


def respond(
    app: App,
    http: HttpRequest,
    headers: Mapping[str, str],
    log: Log,
    proxy: Callable[[str], IdentityAwareProxy] = _proxy,
) -> Response:
    """The page, or the redirect after a form. Raises `Refused`."""
    if http.method not in ("GET", "HEAD", "POST"):
        raise Refused(405, "console accepts GET, HEAD and POST", {"Allow": "GET, HEAD, POST"})
    if not app.environment.deployed and not identity.is_loopback(headers.get("host", "")):
        raise Refused(403, "on your own machine the page only answers to 127.0.0.1, ::1 and localhost")
    person = _person(app, headers, log, proxy)
    known = person is not None or not app.environment.deployed
    if http.method == "POST":
        return _submitted(app, http, headers, person, log, known=known)
    # A link from another site is a navigation; a script, form or image of another site is not.
    if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
        raise Refused(403, "cross-site requests of a browser are refused")
    return _shown(app, http, person, log, known=known)


def _person(app: App, headers: Mapping[str, str], log: Log, proxy: Callable[[str], IdentityAwareProxy]) -> str | None:
    """The person's email. If the proxy's assertion cannot be verified, a token is not used instead."""
    audience, assertion = app.environment.iap_audience, headers.get(identity.ASSERTION)
    if audience is None or assertion is None:
        return caller_of(headers, app.environment.invoker).email
    try:
        return proxy(audience).email(assertion)
    except Unverified as error:
        log.line("note", f"the assertion of Identity-Aware Proxy is not verified: {error}", "WARNING")
        return None


def _shown(app: App, http: HttpRequest, person: str | None, log: Log, *, known: bool) -> Response:
    query = http.args.to_dict(flat=False)
    visit = page.Visit(
        view=view_of(query),
        person=person,
        acts=known and app.service.deps.jobs is not None,
        known=known,
        outcome=query.get("done", [""])[-1],
        still="still" in query,
    )
    name, settings = http.path.strip("/"), app.settings
    if name and name not in settings.entries and not addressable(name):
        return _html(page.missing(name, settings, blind=False), 404, visit, log)
    status, events = app.run(app.service.overview([name] if name else []))
    for failure in status.failures:
        log.line("note", f"unknown: {failure}", "WARNING", code=failure.code)
    if not name:
        return _html(page.table(status, events, settings, visit), 200, visit, log)
    found = page.endpoint(name, status, events, settings, visit)
    if found is not None:
        return _html(found, 200, visit, log)
    blind = "huggingface" in status.answer["unknown"]
    return _html(page.missing(name, settings, blind=blind), 503 if blind else 404, visit, log)


def _html(text: str, status: int, visit: page.Visit, log: Log) -> Response:
    content = log.redact(text).encode("utf-8", "replace")
    return Response(content, status, mimetype="text/html", headers=visit.headers())


def _submitted(
    app: App, http: HttpRequest, headers: Mapping[str, str], person: str | None, log: Log, *, known: bool
) -> Response:
    if not identity.is_same_origin(headers):
        raise Refused(403, "the form was not sent from this page")
    if not known:
        raise Refused(403, "the sender of the form is unknown: open the page by `gcloud run services proxy`")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(415, f"forms are {FORM}")
    if (http.content_length or 0) > body.LARGEST:
        raise Refused(413, f"the body has more than {body.LARGEST} bytes")
    asked = forms.read(body.read(http))
    if asked is None:
        raise Refused(400, "this is not one of the page's forms")
    view, query = view_of(http.args.to_dict(flat=False)), []
    query += [("still", "")] if "still" in http.args else []
    done = _done(app, asked, Caller("manual", person), log)
    address = "?" + "&".join(filter(None, (urlencode([*query, ("done", done)]), view.query)))
    if asked.name and not http.path.strip("/"):
        address += f"#e-{asked.name}" if addressable(asked.name) else ""
    return Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


def _done(app: App, asked: forms.Asked, caller: Caller, log: Log) -> str:
    """Does what a form asks for, and returns the code of the outcome."""
    try:
        if asked.do == forms.RECONCILE:
            app.run(app.service.run_reconcile())
            return "reconciling"
        answer = app.run(app.service.handle(asked.function, asked.body, caller, at_once=True))
    except UnknownName:
        return "gone"
    except Invalid:
        if asked.do == "extend":
            return "late"
        raise
    except Failure as failure:
        log.line("note", f"{asked.do}: {failure}", "ERROR", code=failure.code)
        return "unavailable"
    log_results(answer, caller, log)
    return outcome_of(asked.do, answer)


def outcome_of(do: str, answer: Answer) -> str:
    """A code for an answer, of those in `forms.OUTCOMES`."""
    failed = [result for result in answer.results if result.outcome == "failed"]
    if failed:
        codes = {result.code or "" for result in failed}
        if refused := codes & REFUSED:
            return min(refused).replace("_", "-")
        if len(failed) < len(answer.results):
            return "partly"
        if codes == {"not_found"}:
            return "gone"
        return "unavailable" if answer.status == 503 else "failed"
    if not answer.results:
        return "gone"
    if answer.dry_run:
        return "dry-run"
    if do == "release":
        return "released"
    outcomes = {result.outcome for result in answer.results}
    if outcomes == {"skipped"}:
        return "nothing"
    if do in ("pause", "hold"):
        return "stopping" if "pending" in outcomes else "paused"
    return "starting" if "pending" in outcomes else "extended" if do == "extend" else "running"
