"""Answers other than 2xx: as a failure that says what to do, or as the message that the goal is reached already."""

import re
from typing import Literal

from lifecycle.errors import Failure
from lifecycle.huggingface.parsing import prose
from lifecycle.huggingface.transport import Reply
from lifecycle.retry import retry_after

Goal = Literal["running", "paused", "scaledToZero", "scaled"]

_CODES = {401: "token_refused", 402: "payment_required", 403: "forbidden", 404: "not_found"}

_REFUSED = "add a valid token as a new version of its secret (without Secret Manager: set HF_TOKEN)"
_LISTS = "a list is also refused if the namespace has no billing, or the token has no access to the namespace"
_PERMISSIONS = "inference.endpoints.write, and inference.endpoints.infer.write for the endpoints' URLs"
_PAYMENT = "payment is required: check the billing of the namespace"

_SPENDING = "a spend limit is reached, until the month ends or the limit is raised; the endpoint may still run and bill"
_FEATURE = "this feature is not available to the resource group; an administrator can enable it"
_QUOTA = "the quota of the namespace is used up: endpoints that are scaled to zero count, paused ones do not"

# The advice for a 403, by words in its body: the first that fits.
_FORBIDDEN = (
    (r"spend|budget", _SPENDING),
    (r"payment|billing|credit", _PAYMENT),
    (r"permission|scope", f"the token lacks a permission; it needs {_PERMISSIONS}"),
    (r"feature|resource group|not enabled", _FEATURE),
    (r"quota", _QUOTA),
)
_OTHERWISE = "check the token's permissions, billing, spend limits and the features of the resource group"


class Refusal(Failure):
    """An answer other than 2xx. `body`: its text, without the token."""

    body: str = ""


def refusal(reply: Reply, what: str, *, lists: bool = False, own: bool = False) -> Refusal:
    """The failure for a reply. Redirects are final, because they are never followed. `lists`: the request was for a
    list of endpoints. `own`: the reply is from an endpoint's own URL, so little of its body is quoted."""
    status = reply.status
    text = prose(reply.text, reply.headers.get("content-type"), most=100 if own else 300)
    text = re.sub(rf"^{status}\b[\s:,-]*", "", text)
    code = _CODES.get(status, "refused")
    retryable = status in (408, 409, 425, 429) or status >= 500
    if retryable:
        code = {409: "conflict", 429: "rate_limited"}.get(status, "unavailable")
    elif "payment" in text.lower():
        code = "payment_required"
    advice = _advice(code, text, lists=lists)
    quoted = f" ({text})" if text else ""
    message = f"{what}: {status}: {advice}{quoted}" if advice else f"{what}: {status} {text}".strip()
    failure = Refusal(
        message,
        code=code,
        retryable=retryable,
        retry_after=retry_after(reply.headers) if retryable else None,
        ambiguous=retryable and status != 429,
    )
    failure.body = reply.text
    return failure


def _advice(code: str, text: str, *, lists: bool) -> str:
    if code == "token_refused":
        return f"the Hugging Face token was refused: {_REFUSED}" + (f"; {_LISTS}" if lists else "")
    if code == "payment_required":
        return _PAYMENT
    if code == "forbidden":
        found = (advice for words, advice in _FORBIDDEN if re.search(words, text, re.IGNORECASE))
        return next(found, f"forbidden: {_OTHERWISE}")
    return ""


# "already running", "is being paused", "state: scaledToZero", but not "is not running" or "has to be paused".
_IS = r"\b(?:already|currently|now|is|are|was|been|being|state|status)\b\W*"
_BETWEEN = r"(?:(?!not\b|no\b|never\b|only\b|to\b|must\b|can\b|cannot\b)\w+\W+){0,3}?"
_STATES = {
    "running": r"running|started|starting|resumed|resuming|active|initiali[sz]ing|pending|awake|ready",
    "paused": r"paused|pausing|stopped|stopping|suspended|inactive",
    "scaledToZero": r"scal(?:ed?|ing) to (?:zero|0)|at zero|asleep|sleeping|idle|paused|stopped|inactive",
}
_TRUE = {goal: re.compile(f"{_IS}{_BETWEEN}(?:{states})\\b") for goal, states in _STATES.items()}
_TRUE["running"] = re.compile(f"{_TRUE['running'].pattern}|\\bnot (?:currently )?(?:paused|stopped|suspended)\\b")
_TRUE["scaled"] = re.compile(
    r"\bno changes?\b|\bnothing to\b|\bunchanged\b|\bnot modified\b|\balready (?:set|has|up)\b"
)
_OTHER = re.compile(r"quota|limit|payment|billing|capacity|delet|permission")


def is_already(goal: Goal, failure: Failure) -> bool:
    """Whether a refusal means that the goal is reached already; the wording is not documented."""
    if not isinstance(failure, Refusal) or failure.code not in ("refused", "conflict"):
        return False
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", failure.body[:10_000]).lower()
    return bool(_TRUE[goal].search(text)) and not _OTHER.search(text)
