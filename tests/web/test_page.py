"""The page: its content, escaped, without script and without external resources."""

import base64
import hashlib
import html
import re
import time
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from lifecycle.core.history import Event
from lifecycle.core.model import Override, PlatformState
from lifecycle.web import forms, page
from lifecycle.web.page import Visit
from lifecycle.web.view import View
from support.hub import TUESDAY_NOON, Harness
from support.pages import NO_HISTORY, line, own, shown, status_of, tile, words

TEXT = """
holidays: [2026-11-26]
platforms: {main: {}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, platform: main}
"""
EVIL = "<script>alert(1)</script>"
HOUR = timedelta(hours=1)


@pytest.fixture
def stage() -> Harness:
    made = Harness(TEXT)
    made.hub.add("embeddings-prod", "running", targetReplica=1)
    return made


def priced(stage: Harness, dollars: float = 0.8) -> Harness:
    computes = [{"instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": dollars}]
    body = {"vendors": [{"name": "aws", "regions": [{"name": "us-east-1", "computes": computes}]}]}
    stage.hub.script("GET /v2/provider/acme", *[lambda _: httpx.Response(200, json=body)] * 5)
    return stage


# The table.


def test_a_line_has_marker_names_state_why_next_and_dollars(stage: Harness) -> None:
    assert line(shown(priced(stage)), "embeddings-prod") == (
        "● embeddings-prod embeddings running inside hours Mon-Fri 08:00-20:00, until 20:00 next paused 20:00 $0.80/h"
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("paused", "→ embeddings-prod embeddings paused → running"),
        ("initializing", "→ embeddings-prod embeddings initializing → running"),
        ("failed", "! embeddings-prod embeddings failed → running"),
    ],
)
def test_a_line_shows_the_state_and_the_other_that_is_wanted(stage: Harness, state: str, expected: str) -> None:
    stage.hub.add("embeddings-prod", state, updatedAt=TUESDAY_NOON.isoformat())
    assert line(shown(stage), "embeddings-prod").startswith(expected)


def test_what_needs_a_look_comes_first_and_says_why(stage: Harness) -> None:
    many = Harness("endpoints: {a: {hours: Mon-Fri 08:00-20:00}, b: {hours: Mon-Fri 08:00-20:00}}")
    many.hub.add("a", "running")
    many.hub.add("b", "failed", errorMessage="CUDA out of memory")
    text = words(shown(many))
    assert "Needs a look 1 ! b failed → running CUDA out of memory" in text
    assert text.index("! b") < text.index("● a")


def test_a_manual_request_without_effect_needs_a_look_at_once(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "paused")
    stage.override("embeddings", Override("running", TUESDAY_NOON, TUESDAY_NOON + HOUR))
    text = words(shown(stage))
    assert "Needs a look 1 ! embeddings-prod" in text
    assert "running was asked for by hand and has not happened yet; next run will resume" in text


def test_a_manual_request_that_is_starting_does_not(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "initializing")
    stage.override("embeddings", Override("running", TUESDAY_NOON, TUESDAY_NOON + HOUR))
    assert "Needs a look" not in shown(stage)


def test_several_holders_are_counted_in_the_line(stage: Harness) -> None:
    for holder in ("ci-1", "ci-2"):
        stage.override("embeddings", Override("running", TUESDAY_NOON, TUESDAY_NOON + HOUR, holder=holder))
    assert line(shown(stage), "embeddings-prod").startswith("● embeddings-prod embeddings 2 holders running")


def test_a_change_by_the_rules_that_did_not_happen_needs_a_look(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "paused")
    assert "running was due 5h ago and has not happened" in shown(stage)


def test_what_changed_at_hugging_face_just_now_is_not_overdue(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "paused", updatedAt=(TUESDAY_NOON - timedelta(minutes=3)).isoformat())
    assert "was due" not in shown(stage)


def test_an_endpoint_that_is_not_there_needs_a_look(stage: Harness) -> None:
    stage.hub.endpoints.clear()
    text = words(shown(stage))
    assert (
        "embeddings-prod embeddings not at Hugging Face → running Hugging Face has no endpoint embeddings-prod" in text
    )


def test_what_is_unmanaged_and_may_bill_needs_a_look(stage: Harness) -> None:
    stage.hub.add("forgotten", "running", targetReplica=1)
    assert line(shown(priced(stage)), "forgotten") == (
        "! forgotten running → left alone unmanaged and may bill: no rule stops it $0.80/h"
    )


def test_what_is_unmanaged_and_stopped_does_not(stage: Harness) -> None:
    stage.hub.add("asleep", "paused")
    assert line(shown(stage), "asleep").startswith("○ asleep paused → left alone")


def test_an_entry_that_covers_nothing_now_is_named() -> None:
    assert "No endpoint matches trials" in words(shown(Harness("endpoints: {trials: {name: trial-*}}")))


def test_platforms_are_shown(stage: Harness) -> None:
    stage.platform_state("main", PlatformState("started", TUESDAY_NOON))
    assert "Platform main started since 13:00 Europe/Berlin" in words(shown(stage))


def test_a_dry_run_is_announced(stage: Harness) -> None:
    dry = Harness(f"dry_run: true{TEXT}")
    dry.hub.add("embeddings-prod", "paused")
    assert "Dry run: nothing is changed, not even by manual requests." in words(shown(dry))
    assert "would resume" in words(own(dry))


# Sums.


def test_all_sums_are_over_the_same_endpoints_unmanaged_ones_too(stage: Harness) -> None:
    stage.hub.add("forgotten", "running", targetReplica=1)
    stage.hub.add("asleep", "paused", targetReplica=1)
    text = shown(priced(stage))
    assert tile(text, "may bill now") == "2 of 3"
    assert tile(text, "an hour now") == "$1.60"
    assert tile(text, "forecast for 30 days") == "$777.60 of $1,728 always on"


def test_sums_are_over_what_a_filter_shows(stage: Harness) -> None:
    stage.hub.add("forgotten", "running", targetReplica=1)
    stage.hub.add("asleep", "paused")
    text = shown(priced(stage), Visit(View(states=("paused",))))
    assert tile(text, "may bill now") == "0 of 1"
    assert "1 of 3 shown, in the sums, too." in words(text)
    assert ">forgotten<" not in text


def test_an_hour_counts_every_replica(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "running", readyReplica=2, targetReplica=2)
    assert tile(shown(priced(stage)), "an hour now") == "$1.60"


def test_a_sum_that_lacks_a_price_says_that_it_is_more(stage: Harness) -> None:
    stage.hub.add("other", "running", targetReplica=1)
    stage.hub.endpoints["other"]["compute"]["instanceType"] = "unheard-of"
    assert tile(shown(priced(stage)), "an hour now") == "≥ $0.80"


def test_unknown_use_makes_the_forecast_a_range() -> None:
    idle = Harness("endpoints: {playground: {name: dev-a, idle_after: 45m}}")
    idle.hub.add("dev-a", "running", targetReplica=1, lastUsedAt=TUESDAY_NOON.isoformat())
    assert tile(shown(priced(idle)), "forecast for 30 days") == "$0.60 to $576.00 of $576.00 always on"


# Filters and order.


def crowd(count: int) -> Harness:
    names = [f"e{number}" for number in range(count)]
    many = Harness("endpoints:\n" + "".join(f"  {name}: {{hours: Mon-Fri 08:00-20:00, lead: 10m}}\n" for name in names))
    for number, name in enumerate(names):
        many.hub.add(name, "running", tags=(f"t{number % 2}",), targetReplica=number % 3 + 1)
    return many


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(), ["e0", "e1", "e2", "e3"]),
        (View(tags=("t1",)), ["e1", "e3"]),
        (View(tags=("t0", "t1")), ["e0", "e1", "e2", "e3"]),
        (View(states=("paused",)), []),
        (View(sort="cost"), ["e2", "e1", "e0", "e3"]),
        (View(tags=("t0",), sort="cost"), ["e2", "e0"]),
    ],
)
def test_filters_and_order_come_from_the_query(view: View, expected: list[str]) -> None:
    text = shown(priced(crowd(4)), Visit(view))
    assert re.findall(r'<li class="[a-z]+" id="e-([^"]+)"', text) == expected


def test_no_match_is_said() -> None:
    assert "No endpoint matches these filters." in shown(crowd(2), Visit(View(states=("paused",))))


def test_two_hundred_endpoints_are_quick_and_not_heavy() -> None:
    many = priced(crowd(200))
    status = status_of(many)
    page.table(status, NO_HISTORY, many.settings, Visit(acts=True))  # the templates are compiled once
    begun = time.process_time()
    text = page.table(status, NO_HISTORY, many.settings, Visit(acts=True))
    assert time.process_time() - begun < 0.3
    assert len(text.encode()) < 150_000


# What is not known.


def test_it_says_what_it_does_not_know_and_once_why(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    stage.hub.script("GET /", 403)
    text = words(shown(stage))
    for what in ("Hugging Face does not answer", "prices are unknown", "Cloud Scheduler does not answer"):
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


# An endpoint's own page.


def test_it_is_found_by_key_and_by_its_name_at_hugging_face(stage: Harness) -> None:
    stage.hub.add("asleep", "paused")
    for name in ("embeddings", "embeddings-prod"):
        assert "<h1>embeddings-prod <small>embeddings</small></h1>" in own(stage, name)
    assert "<h1>asleep" in own(stage, "asleep")
    assert page.endpoint("nonesuch", status_of(stage), NO_HISTORY, stage.settings, Visit()) is None


def test_its_facts_are_there(stage: Harness) -> None:
    text = words(own(priced(stage)))
    assert "Wanted running, since 08:00: inside hours Mon-Fri 08:00-20:00, until 20:00 Europe/Berlin" in text
    assert "Next change paused 20:00: outside hours until Wed 2026-11-25 08:00 Europe/Berlin" in text
    assert "$0.80 an hour now, $0.80 an hour for a replica; forecast for 30 days $201.60, always on $576.00" in text


def test_it_says_who_can_wake_it(stage: Harness) -> None:
    stage.hub.endpoints["embeddings-prod"]["type"] = "public"
    assert "Access anybody can wake this while it sleeps; paused it cannot be woken" in words(own(stage))


def test_its_week_is_drawn_and_written(stage: Harness) -> None:
    text = own(stage)
    assert 'class="holiday"' in text
    assert "wanted to run Tue 13:00 to 20:00, Wed 08:00 to 20:00, Fri 08:00 to 20:00, Mon" in text


def test_every_rule_is_there_with_its_verdict(stage: Harness) -> None:
    text = words(own(stage))
    assert "platform main has sent no message yet" in text
    assert "hours → running: inside hours Mon-Fri 08:00-20:00, until 20:00 Europe/Berlin decides" in text


def test_holders_are_there_with_both_names(stage: Harness) -> None:
    since = TUESDAY_NOON - timedelta(minutes=1)
    override = Override("paused", since, TUESDAY_NOON + 5 * HOUR, by="anna@x", note="load", holder="ci-42")
    stage.override("embeddings", override)
    assert "ci-42 (anna@x): paused since 12:59, until 18:00: load decides" in words(own(stage))


def test_an_entry_of_several_endpoints_lists_them() -> None:
    many = Harness("endpoints: {trials: {name: trial-*, hours: Mon-Fri 08:00-20:00}}")
    for name in ("trial-a", "trial-b"):
        many.hub.add(name, "running")
    text = own(many, "trials")
    assert "<h1>trials <small>2 endpoints</small></h1>" in text
    assert line(text, "trial-a").startswith("● trial-a trials running")
    assert "<h1>trial-b <small>trials</small></h1>" in own(many, "trial-b")


def test_commands_are_folded_away(stage: Harness) -> None:
    text = own(stage)
    folded = re.search(r"<details>(.*?)</details>", text, re.DOTALL)
    assert folded is not None
    assert "lifecycle pause embeddings --until released" in folded[1]
    assert "lifecycle" not in words(text.replace(folded[0], ""))


def test_of_an_unmanaged_endpoint_it_says_how_to_stop_it(stage: Harness) -> None:
    stage.hub.add("forgotten", "running")
    assert "hf endpoints pause forgotten --namespace acme" in own(stage, "forgotten")


# What it is made of.


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


def test_it_refreshes_unless_that_is_stopped_and_forgets_what_became_of_a_form(stage: Harness) -> None:
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
