"""The page's table: a line for each endpoint, sums, filters and order."""

import re
import time
from datetime import timedelta

import pytest

from lifecycle.core.model import Override, PlatformState
from lifecycle.web import page
from lifecycle.web.page import Visit
from lifecycle.web.view import View
from support.hub import TUESDAY_NOON, Harness
from support.pages import NO_HISTORY, TEXT, line, own, priced, shown, status_of, tile, words

HOUR = timedelta(hours=1)


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
    assert "running was requested manually and has not happened yet; next run will resume" in text


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


def test_what_is_stopped_after_a_request_to_run_says_nothing_about_the_forecast_of_others() -> None:
    """Without hours, the first is stopped when the request ends; the second runs on."""
    free = Harness("endpoints: {a: , b: }")
    for name in ("a", "b"):
        free.hub.add(name, "running", targetReplica=1)
    ended = Override("running", TUESDAY_NOON - 2 * HOUR, TUESDAY_NOON, found_at_rest=frozenset({"*"}))
    free.override("a", ended)
    assert tile(shown(priced(free)), "forecast for 30 days") == "$576.00 of $1,152 always on"


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
