"""The page: everything that it must say, escaped, without script and without anything from elsewhere."""

import base64
import hashlib
import html
import re
import time
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from lifecycle.core.model import Override, PlatformState
from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from lifecycle.web import page
from support.hub import TUESDAY_NOON, Harness

TEXT = """
holidays: [2026-11-26]
platforms: {main: {}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, platform: main}
"""
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def stage() -> Harness:
    made = Harness(TEXT)
    made.hub.add("embeddings-prod", "running")
    return made


def priced(stage: Harness, dollars: float = 0.8) -> Harness:
    computes = [{"instanceType": "nvidia-l4", "instanceSize": "x1", "pricePerHour": dollars}]
    body = {"vendors": [{"name": "aws", "regions": [{"name": "us-east-1", "computes": computes}]}]}
    stage.hub.script("GET /v2/provider/acme", lambda _: httpx.Response(200, json=body))
    return stage


def shown(stage: Harness, *, still: bool = False) -> str:
    async def told(service: Service) -> Status:
        return await service.status()

    return page.html(stage.run(told), stage.settings, still=still)


def words(text: str) -> str:
    """What a reader sees of a page, tags and runs of space left out."""
    apart = text.replace("</dt>", " ")
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]*>", "", apart, flags=re.DOTALL)).split())


def tile(text: str, label: str) -> str:
    found = re.search(rf"<dt>{label}[^<]*</dt><dd>(.*?)</dd>", text)
    assert found is not None
    return words(found[1])


# What it says of an endpoint.


def test_it_says_the_state_what_is_wanted_since_when_and_why(stage: Harness) -> None:
    text = words(shown(stage))
    assert "embeddings-prod embeddings ● running ✓ as wanted" in text
    assert "running since 08:00: inside hours Mon-Fri 08:00-20:00, until 20:00 Europe/Berlin" in text
    assert "Next paused at 20:00" in text


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("paused", "→ next pass will resume"), ("initializing", "→ starting"), ("failed", "! left as it is")],
)
def test_it_says_what_the_next_pass_makes_of_another_state(stage: Harness, state: str, verdict: str) -> None:
    stage.hub.add("embeddings-prod", state)
    assert verdict in words(shown(stage))


def test_it_says_that_a_dry_run_changes_nothing(stage: Harness) -> None:
    dry = Harness(f"dry_run: true{TEXT}")
    dry.hub.add("embeddings-prod", "paused")
    assert "next pass would resume" in words(shown(dry))
    assert "Dry run: nothing is changed" in words(shown(dry))


def test_it_says_what_an_endpoint_costs_against_always_on(stage: Harness) -> None:
    assert "Costs $0.80 an hour; $201.60 in 30 days, always on $576.00" in words(shown(priced(stage)))


def test_an_endpoint_that_is_not_there_is_told(stage: Harness) -> None:
    stage.hub.endpoints.clear()
    text = words(shown(stage))
    assert "Needs a look embeddings-prod: Hugging Face has no endpoint embeddings-prod" in text


def test_endpoints_of_one_entry_stand_together_under_its_commands(stage: Harness) -> None:
    many = Harness("endpoints: {trials: {name: trial-*, hours: Mon-Fri 08:00-20:00}}")
    for name in ("trial-a", "trial-b"):
        many.hub.add(name, "running")
    text = words(shown(many))
    assert "trials 2 endpoints; the commands are for all of them lifecycle pause trials" in text
    assert text.count("lifecycle pause trials --until released") == 1


def test_an_entry_that_covers_nothing_now_is_told() -> None:
    assert "Covers nothing trials" in words(shown(Harness("endpoints: {trials: {name: trial-*}}")))


# Its head.


def test_it_sums_up_what_may_bill_what_an_hour_costs_and_what_is_saved(stage: Harness) -> None:
    stage.hub.add("forgotten", "running")
    stage.hub.add("asleep", "paused")
    text = shown(priced(stage))
    assert tile(text, "may bill now") == "2 of 3"
    assert tile(text, "an hour now") == "$1.60"
    assert tile(text, "forecast for 30 days") == "$201.60"
    assert tile(text, "saved: 65 % of .576.00 always on") == "$374.40"


def test_an_hour_counts_every_replica(stage: Harness) -> None:
    stage.hub.add("embeddings-prod", "running", readyReplica=2, targetReplica=2)
    assert tile(shown(priced(stage)), "an hour now") == "$1.60"


def test_what_bills_in_no_entry_comes_first_with_what_it_costs_and_what_stops_it(stage: Harness) -> None:
    stage.hub.add("forgotten", "running")
    text = words(shown(priced(stage)))
    assert text.index("forgotten") < text.index("embeddings-prod")
    assert "forgotten is running, $0.80 an hour, $576.00 in 30 days. hf endpoints pause forgotten" in text


def test_what_rests_in_no_entry_is_not_loud(stage: Harness) -> None:
    stage.hub.add("asleep", "paused")
    assert "asleep" not in shown(stage)


def test_it_says_what_it_does_not_know_and_once_why(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    stage.hub.script("GET /", 403)
    text = words(shown(stage))
    for what in ("which endpoints there are, and their states", "Hugging Face: prices", "Cloud Scheduler: overrides"):
        assert what in text
    assert text.count("scripted 403") == 1
    assert tile(shown(stage), "forecast for 30 days") == "?"


def test_a_platform_that_could_not_be_read_is_not_known(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.refuse = frozenset({"list"})
    assert "Platform main not known" in words(shown(stage))


def test_an_override_is_shown_with_its_end_and_the_command_that_ends_it(stage: Harness) -> None:
    stage.override("embeddings", Override("paused", TUESDAY_NOON, TUESDAY_NOON + timedelta(hours=5), by="anna@x"))
    text = words(shown(stage))
    assert "By hand embeddings: asked by hand until 18:00 Europe/Berlin by anna@x" in text
    assert "lifecycle release embeddings" in text


def test_platforms_are_told(stage: Harness) -> None:
    stage.news("main", PlatformState("started", TUESDAY_NOON))
    assert "Platform main started since 13:00 Europe/Berlin" in words(shown(stage))


@pytest.mark.parametrize(
    ("state", "command"), [("running", "pause embeddings"), ("paused", "warm embeddings --for 2h")]
)
def test_the_command_that_changes_the_state_is_ready_to_copy(stage: Harness, state: str, command: str) -> None:
    stage.hub.add("embeddings-prod", state)
    assert f"lifecycle {command}" in words(shown(stage))


# The week.


def test_the_week_is_drawn_and_told(stage: Harness) -> None:
    text = shown(stage)
    assert 'class="holiday"' in text
    assert "wanted to run Tue 13:00 to 20:00, Wed 08:00 to 20:00, Fri 08:00 to 20:00, Mon" in text
    assert "holiday Thu 26; now running" in text


# What it is made of.


@pytest.mark.parametrize("where", ["name", "tag", "state", "message", "note"])
def test_everything_is_escaped(stage: Harness, where: str) -> None:
    if where == "note":
        stage.override("embeddings", Override("paused", TUESDAY_NOON, None, note=EVIL))
    elif where == "name":
        stage.hub.add(EVIL, "running")
    else:
        told = {"tag": ("running", (EVIL,)), "state": (EVIL, ()), "message": ("failed", ())}
        state, tags = told[where]
        stage.hub.add("embeddings-prod", state, tags=tags, errorMessage=f"it said {EVIL}")
    text = shown(stage)
    assert "<script" not in text
    assert where == "tag" or EVIL in words(text)


def test_it_renews_itself_unless_it_is_kept_still(stage: Harness) -> None:
    assert page.headers()["Refresh"] == "120"
    assert "Refresh" not in page.headers(still=True)
    assert '<a href="?">Renew it every two minutes</a>' in shown(stage, still=True)


def test_three_hundred_entries_are_quick_and_not_heavy() -> None:
    names = [f"e{number}" for number in range(300)]
    many = Harness("endpoints:\n" + "".join(f"  {name}: {{hours: Mon-Fri 08:00-20:00, lead: 10m}}\n" for name in names))
    for name in names:
        many.hub.add(name, "running")
    begun = time.process_time()
    text = shown(many)
    assert time.process_time() - begun < 3
    assert len(text) < 500_000


def test_it_has_no_script_no_form_and_nothing_from_elsewhere(stage: Harness) -> None:
    text = shown(stage)
    assert not re.search(r"<script|<form|<link|<img|javascript:|https?://|@import|url\(", text)


def test_its_policy_allows_its_own_style_and_nothing_else(stage: Harness) -> None:
    style = re.search(r"<style>(.*?)</style>", shown(stage), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = page.headers()["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy


def test_without_jobs_it_says_that_nothing_happens_by_the_clock(stage: Harness) -> None:
    assert stage.shelf is not None
    stage.shelf.jobs.clear()
    assert "There are no jobs yet" in words(shown(stage))


def test_jobs_that_were_made_from_other_settings_are_told(stage: Harness) -> None:
    assert stage.shelf is not None
    reconcile = stage.shelf.jobs["lifecycle-reconcile"]
    stage.shelf.jobs["lifecycle-reconcile"] = replace(reconcile, description=f"from {'0' * 64}")
    assert "The jobs were made from other settings" in words(shown(stage))
