"""Refusals: the advice in them, and whether the goal is reached already."""

import pytest

from lifecycle.huggingface.refusals import Goal, Refusal, is_already, refusal
from lifecycle.huggingface.transport import Reply


def refused(status: int, text: str = "", **options: bool) -> Refusal:
    return refusal(Reply(status, {}, text, True), "GET /endpoint/acme", **options)


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ("running", '{"error": "Bad Request: Endpoint is already running", "code": "BAD_REQUEST"}'),
        ("running", '{"error": "Conflict", "code": "ENDPOINT_ALREADY_RUNNING"}'),
        ("running", "endpoint state: RUNNING"),
        ("running", "Cannot resume an endpoint in state initializing"),
        ("running", "The endpoint has been started and is being initialized: status pending"),
        ("running", "Endpoint is not paused"),
        ("paused", '{"error": "Endpoint is already paused"}'),
        ("paused", "The endpoint is currently stopped"),
        ("paused", "Endpoint is being paused"),
        ("scaledToZero", '{"error": "bad state", "state": "scaledToZero"}'),
        ("scaledToZero", "Endpoint is paused"),
        ("scaled", "Nothing to update"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 409, 422])
def test_the_goal_is_reached_already(status: int, goal: Goal, text: str) -> None:
    assert is_already(goal, refused(status, text))


@pytest.mark.parametrize(
    ("status", "goal", "text"),
    [
        (400, "running", "Endpoint is not running"),
        (400, "running", "The endpoint has failed: create it again"),
        (400, "running", "Quota exceeded: 8 accelerators are already running"),
        (400, "paused", "Cannot pause: endpoint is initializing"),
        (400, "paused", "Only running endpoints can be paused"),
        (400, "paused", "The endpoint is to be paused by its owner"),
        (409, "paused", "Another update is already in progress"),
        (403, "running", "Endpoint is already running"),
        (500, "running", "Endpoint is already running"),
        (409, "scaled", "An update is already in progress"),
    ],
)  # fmt: skip
def test_other_refusals_stay_refusals(status: int, goal: Goal, text: str) -> None:
    assert not is_already(goal, refused(status, text))


def test_a_refused_token_says_so_once_and_what_to_do() -> None:
    failure = refused(401, '{"error": "401 Unauthorized"}')
    assert "token was refused" in str(failure)
    assert "new version of its secret" in str(failure)
    assert str(failure).count("401") == 1
    assert failure.code == "token_refused"


def test_a_refused_list_names_its_other_causes() -> None:
    assert "billing" in str(refused(401, lists=True))
    assert "access" in str(refused(401, lists=True))


@pytest.mark.parametrize(
    ("text", "advice", "code"),
    [
        ("Forbidden: missing permissions: inference.endpoints.write", "lacks a permission", "forbidden"),
        ("Payment method required", "billing", "payment_required"),
        ("The spend limit of the resource group is reached", "may still run and bill", "forbidden"),
        ("Feature access is restricted by your resource group", "not available to the resource group", "forbidden"),
        ("Quota exceeded: 8 accelerators in use", "quota", "forbidden"),
        ("", "spend limits", "forbidden"),
    ],
)
def test_a_403_says_what_to_do(text: str, advice: str, code: str) -> None:
    failure = refused(403, text)
    assert advice in str(failure)
    assert (failure.code, failure.retryable) == (code, False)


def test_of_what_an_endpoint_itself_answers_little_is_repeated() -> None:
    assert len(str(refused(400, "x" * 5000, own=True))) < 200
    assert "\x1b" not in str(refused(400, "red \x1b[31m\u202e text", own=True))
