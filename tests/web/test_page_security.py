"""The page is made of escaped text, without script and without external resources."""

import base64
import hashlib
import html
import re

import pytest

from lifecycle.core.model import Override
from lifecycle.web import forms
from lifecycle.web.page import Visit
from lifecycle.web.view import View
from support.hub import TUESDAY_NOON, Harness
from support.pages import line, own, priced, shown, words

EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize("where", ["name", "tag", "state", "message", "note"])
def test_everything_is_escaped_control_characters_too(stage: Harness, where: str) -> None:
    evil = f"{EVIL}\x1b[31m\u202e"
    if where == "note":
        stage.override("embeddings", Override("paused", TUESDAY_NOON, None, note=evil))
    elif where == "name":
        stage.hub.add(evil, "running")
    else:
        values = {"tag": ("running", (evil,)), "state": (evil, ()), "message": ("failed", ())}
        state, tags = values[where]
        stage.hub.add("embeddings-prod", state, tags=tags, errorMessage=f"it said {evil}")
    for text in (shown(stage), own(stage)):
        assert "<script" not in text
        assert not re.search("[\x1b\u202e]", text)
    both = words(shown(stage)) + words(own(stage))
    assert EVIL + (" [31m" if where == "message" else "\\x1b[31m\\u202e") in both


@pytest.mark.parametrize("odd", [10**30, -1, 1e300, "two", None, True, [], {}])
@pytest.mark.parametrize("where", ["readyReplica", "targetReplica", "minReplica"])
def test_odd_values_are_unknown_and_never_an_error(stage: Harness, where: str, odd: object) -> None:
    stage.hub.add("embeddings-prod", "running")
    found = stage.hub.endpoints["embeddings-prod"]
    (found["compute"]["scaling"] if where == "minReplica" else found["status"])[where] = odd
    assert line(shown(priced(stage)), "embeddings-prod")
    assert words(own(priced(stage)))


def test_it_refreshes_unless_that_is_stopped_and_then_omits_what_became_of_a_form(stage: Harness) -> None:
    visit = Visit(View(tags=("dev",), sort="cost"), outcome="running")
    assert visit.headers()["Refresh"] == "120; url=?tag=dev&sort=cost"
    assert "Refresh" not in Visit(still=True).headers()
    assert '<a href="?still">Stop refreshing</a>' in shown(stage)
    assert '<a href="?">Refresh every 2 minutes</a>' in shown(stage, Visit(still=True))


@pytest.mark.parametrize("code", [*forms.OUTCOMES])
def test_what_became_of_a_form_is_said_in_words(stage: Harness, code: str) -> None:
    assert f'role="status" class="{"loud" if code in forms.BAD else "good"}">{forms.OUTCOMES[code]}<' in html.unescape(
        shown(stage, Visit(outcome=code))
    )


def test_an_unknown_code_says_nothing(stage: Harness) -> None:
    assert 'role="status"' not in shown(stage, Visit(outcome=EVIL))


def test_it_has_no_script_and_nothing_from_elsewhere(stage: Harness) -> None:
    for text in (shown(stage, Visit(acts=True)), own(stage, visit=Visit(acts=True))):
        assert not re.search(r"<script|<link|<img|javascript:|https?://|@import|url\(|formaction| action=", text)


def test_without_the_right_to_act_there_are_no_forms_that_do(stage: Harness) -> None:
    for text in (shown(stage), own(stage)):
        assert 'method="post"' not in text


def test_its_policy_allows_its_own_style_and_forms_to_itself(stage: Harness) -> None:
    style = re.search(r"<style>(.*?)</style>", shown(stage), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    headers = Visit().headers()
    assert headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
