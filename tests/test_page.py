"""The page: everything that it must say, escaped, without script and without anything from elsewhere."""

import base64
import hashlib
import re
from datetime import timedelta

import pytest

from hub import TUESDAY_NOON, Stage
from lifecycle import page
from lifecycle.model import News, Override
from lifecycle.settings import Settings
from lifecycle.status import Status

TEXT = """
holidays: [2026-11-26]
platforms: {main: {}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, platform: main}
"""


@pytest.fixture
def stage() -> Stage:
    made = Stage(TEXT)
    made.hub.add("embeddings-prod", "running")
    return made


def shown(stage: Stage) -> str:
    async def told(service: object) -> Status:
        return await service.status()  # type: ignore[attr-defined,no-any-return]

    settings: Settings = stage.settings
    return page.html(stage.run(told), settings)


def test_it_says_the_state_what_is_wanted_and_why(stage: Stage) -> None:
    text = shown(stage)
    assert "embeddings-prod" in text
    assert "running: inside hours Mon-Fri 08:00-20:00, until 20:00 Europe/Berlin" in text


def test_what_bills_in_no_entry_comes_first(stage: Stage) -> None:
    stage.hub.add("forgotten", "running")
    text = shown(stage)
    assert text.index("forgotten") < text.index("embeddings-prod")


def test_it_says_what_it_does_not_know(stage: Stage) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    stage.hub.script("GET /", 403)
    assert "Could not be read: huggingface, prices, scheduler" in shown(stage)


def test_an_override_is_shown_with_its_end(stage: Stage) -> None:
    stage.override("embeddings", Override("paused", TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=5), by="anna@x"))
    assert "asked by hand until 18:00 Europe/Berlin by anna@x" in shown(stage)


def test_holidays_are_in_the_weeks_picture_and_in_its_words(stage: Stage) -> None:
    text = shown(stage)
    assert 'class="holiday"' in text
    assert "holiday 2026-11-26" in text


def test_platforms_are_told(stage: Stage) -> None:
    stage.news("main", News("started", TUESDAY_NOON))
    assert "<strong>main</strong> started" in shown(stage)


def test_the_commands_are_ready_to_copy(stage: Stage) -> None:
    assert "<code>lifecycle warm embeddings --for 2h</code>" in shown(stage)


@pytest.mark.parametrize("where", ["tag", "message", "note"])
def test_everything_is_escaped(stage: Stage, where: str) -> None:
    evil = "<script>alert(1)</script>"
    if where == "note":
        override = Override("paused", TUESDAY_NOON, None, note=evil)
        stage.override("embeddings", override)
    else:
        stage.hub.add("embeddings-prod", evil if where == "tag" else "failed", errorMessage=f"it said {evil}")
    assert "<script" not in shown(stage)


def test_it_has_no_script_no_form_and_nothing_from_elsewhere(stage: Stage) -> None:
    text = shown(stage)
    assert not re.search(r"<script|<form|<link|<img|javascript:|https?://|@import|url\(", text)


def test_its_policy_allows_its_own_style_and_nothing_else(stage: Stage) -> None:
    style = re.search(r"<style>(.*?)</style>", shown(stage), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = page.HEADERS["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy


def test_an_endpoint_that_is_not_there_is_told(stage: Stage) -> None:
    stage.hub.endpoints.clear()
    assert "Hugging Face has no endpoint embeddings-prod" in shown(stage)
