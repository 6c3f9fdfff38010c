"""An endpoint's own page."""

import re
from datetime import timedelta

from lifecycle.core.model import Override
from lifecycle.web import page
from lifecycle.web.page import Visit
from support.hub import TUESDAY_NOON, Harness
from support.pages import NO_HISTORY, line, own, priced, status_of, words

HOUR = timedelta(hours=1)


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
