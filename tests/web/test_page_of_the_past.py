"""What the page says of the past, and of what it does not know."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lifecycle.core.history import Event
from lifecycle.web import page
from lifecycle.web.page import Visit
from support.hub import TUESDAY_NOON, Harness
from support.pages import line, own, shown, status_of, tile, words

HOUR = timedelta(hours=1)


def test_it_says_what_it_does_not_know_and_once_why(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    stage.hub.script("GET /", 403)
    text = words(shown(stage))
    for what in (
        "Hugging Face does not answer",
        "prices are unknown",
        "Cloud Scheduler does not answer, or there is none",
    ):
        assert what in text
    assert text.count("scripted 403") == 1
    assert tile(shown(stage), "forecast for 30 days") == "?"


def test_without_hugging_face_nothing_needs_a_look_for_that(stage: Harness) -> None:
    stage.hub.script("GET /", 403)
    text = shown(stage)
    assert "Needs a look" not in text
    assert line(text, "embeddings-prod").startswith("? embeddings-prod embeddings state unknown → running")


def test_a_platform_that_could_not_be_read_is_not_known(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    assert "Platform main unknown" in words(shown(stage))


def test_without_jobs_it_says_that_nothing_happens_on_a_schedule(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.jobs.clear()
    assert "There are no jobs yet" in words(shown(stage))


def test_jobs_that_were_made_from_other_settings_are_reported(stage: Harness) -> None:
    assert stage.shelf is not None
    reconcile = stage.shelf.jobs["lifecycle-reconcile"]
    stage.shelf.jobs["lifecycle-reconcile"] = replace(reconcile, description=f"from {'0' * 64}")
    assert "The jobs were made from other settings" in words(shown(stage))


# The past.


def with_events(stage: Harness, *events: Event) -> str:
    return words(page.table(status_of(stage), events, stage.settings, Visit()))


RESUMED = Event(TUESDAY_NOON - HOUR, "embeddings", "embeddings-prod", "resume done", "hours begin", rule="hours")
REFUSED = replace(RESUMED, what="resume failed", why="503 no capacity", failed=True, by="anna@x", at=TUESDAY_NOON)


def test_what_happened_lately_is_shown_with_when_what_who_and_why(stage: Harness) -> None:
    text = with_events(stage, REFUSED, RESUMED)
    assert "13:00 embeddings-prod ! resume failed by anna@x 503 no capacity" in text
    assert "12:00 embeddings-prod resume done by rule hours hours begin" in text


def test_twenty_events_are_shown(stage: Harness) -> None:
    assert with_events(stage, *[RESUMED] * 30).count("resume done") == 20


def test_what_was_repeated_says_how_often(stage: Harness) -> None:
    assert "resume failed, 6 times until 13:00" in with_events(stage, replace(REFUSED, count=6, until=TUESDAY_NOON))


def test_a_change_that_did_not_happen_says_why_the_last_try_failed(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "paused")
    assert "has not happened; next run will resume; it failed: 503 no capacity" in with_events(stage, REFUSED)
    assert "it failed" not in with_events(stage, RESUMED, REFUSED)


def test_an_unknown_history_is_said(stage: Harness) -> None:
    assert "The history is unavailable: LOGGING_PARENT is not set." in words(shown(stage))
    assert "The history is unavailable" in words(own(stage))


@pytest.mark.parametrize(("ago", "loud"), [(timedelta(minutes=7), False), (timedelta(hours=1), True)])
def test_the_last_reconcile_run_is_shown_and_loud_when_it_is_long_ago(
    stage: Harness, ago: timedelta, loud: bool
) -> None:
    assert stage.shelf is not None
    job = stage.shelf.jobs["lifecycle-reconcile"]
    stage.shelf.jobs[job.id] = replace(job, attempted_at=TUESDAY_NOON - ago)
    text = words(shown(stage))
    assert "last reconcile run 12:" in text
    assert ("Nothing is corrected" in text) == loud


def test_warnings_of_the_settings_are_folded_away() -> None:
    surprising = Harness("holidays: [2026-12-25]\nendpoints: {e: {hours: daily 00:00-24:00}}")
    assert "Settings: 2 warnings" in words(shown(surprising))
