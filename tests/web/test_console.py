"""What the page's forms do, what they report when it did not work, and the page over HTTP."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from lifecycle.core.model import Override
from lifecycle.web import forms
from support.console import ANNA, HOUR, Page, form
from support.hub import TUESDAY_NOON

# What the forms do.


def test_resume_holds_it_running_for_two_hours(page: Page) -> None:
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


def test_a_pause_until_the_next_hours_ends_when_they_begin(page: Page) -> None:
    page.hub.add("embeddings-prod", "running")
    assert "Pause until Wed 08:00" in page.shown("/embeddings")
    assert page.done(**form(page, "pause")) == forms.OUTCOMES["paused"]
    assert page.hub.state("embeddings-prod") == "paused"
    found = page.override()
    assert found is not None
    assert found.until == datetime(2026, 11, 25, 7, tzinfo=UTC)


def test_a_pause_until_released_has_no_end(page: Page) -> None:
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


def test_of_an_endpoint_that_is_gone_the_form_says_so(page: Page) -> None:
    assert page.done(do="resume", endpoint="nonesuch") == forms.OUTCOMES["gone"]


def test_a_pause_of_somebody_else_is_not_ended() -> None:
    page = Page(person=ANNA)
    page.front.stage.override(
        "embeddings", Override("paused", TUESDAY_NOON - HOUR, None, by="bob@example.com", holder="bob@example.com")
    )
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["held"]
    assert page.hub.state("embeddings-prod") == "paused"
    assert 'value="release"' not in page.shown("/embeddings")


def test_while_hugging_face_is_down_nothing_is_stored(page: Page) -> None:
    page.hub.script("GET /", *([503] * 60))
    assert "Hugging Face does not answer" in page.shown()
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["unavailable"]
    assert page.overrides() == []


def test_a_refusal_of_hugging_face_leaves_nothing_behind(page: Page) -> None:
    page.hub.script("POST embeddings-prod/resume", 403)
    assert page.done(do="resume", endpoint="embeddings") == forms.OUTCOMES["failed"]
    assert page.overrides() == []


def test_while_cloud_scheduler_is_down_nothing_is_done(page: Page) -> None:
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
        found = re.findall(r'<form method="post">.*?</form>', page.shown(address))
        assert found
        for text in found:
            fields: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text))
            (do,) = re.findall(r'<button name="do" value="([^"]*)"', text)
            assert forms.read(urlencode({**fields, "do": do}).encode()) is not None
