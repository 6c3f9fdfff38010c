"""`lifecycle init`: writes settings for a namespace, which are valid and change nothing."""

from pathlib import Path

import pytest

from lifecycle.config import settings
from local.servers.faults import Fault
from support.desk import Desk
from support.processes import now


def test_settings_of_a_namespace_of_twelve_pass_check(desk: Desk, tmp_path: Path) -> None:
    for number in range(10):
        desk.hub.add(f"model-{number:02}", "running" if number % 2 else "scaledToZero", last_used=now())
    made = tmp_path / "mine.yaml"
    done = desk.type("init", "acme", str(made), TZ="Europe/Berlin")
    assert done.returncode == 0, done.stderr
    found = settings.parse(made.read_bytes())
    assert (found.dry_run, len(found.entries), found.zone.key) == (True, 12, "Europe/Berlin")
    assert {entry.name for entry in found.entries.values()} == set(desk.hub.endpoints)
    assert desk.type("check", str(made)).returncode == 0


def test_price_last_use_and_a_suggestion_are_comments(desk: Desk, tmp_path: Path) -> None:
    desk.hub["nights"].to("running", now())
    desk.hub["nights"].last_used = now()
    desk.type("init", "acme", str(tmp_path / "mine.yaml"))
    text = (tmp_path / "mine.yaml").read_text()
    assert "# running; $0.8 an hour; last used 20" in text
    assert "# suggestion: hours: Mon-Fri 08:00-20:00" in text
    assert "# suggestion: none: it is stopped" in text


def test_names_that_no_entry_can_have_are_a_comment(desk: Desk, tmp_path: Path) -> None:
    for name in ("Chat.Prod", "1e3", "true"):
        desk.hub.add(name, "paused")
    desk.type("init", "acme", str(tmp_path / "mine.yaml"))
    text = (tmp_path / "mine.yaml").read_bytes()
    assert set(settings.parse(text).entries) == {"1e3", "true", "embeddings-prod", "nights"}
    assert b"# left out, no entry can name it: Chat.Prod" in text


def test_an_empty_namespace_gives_settings_too(desk: Desk, tmp_path: Path) -> None:
    desk.hub.endpoints.clear()
    assert desk.type("init", "acme", str(tmp_path / "mine.yaml")).returncode == 0
    assert settings.parse((tmp_path / "mine.yaml").read_bytes()).entries == {}


def test_a_file_is_never_overwritten(desk: Desk) -> None:
    before = desk.config.read_text()
    done = desk.type("init", "acme", str(desk.config))
    assert (done.returncode, "not overwritten" in done.stderr, desk.config.read_text()) == (2, True, before)


def test_without_a_token_it_says_so(desk: Desk, tmp_path: Path) -> None:
    done = desk.type("init", "acme", str(tmp_path / "mine.yaml"), HF_TOKEN="")
    assert (done.returncode, "set HF_TOKEN" in done.stderr) == (2, True)


def test_without_a_namespace_it_says_which_are_possible(desk: Desk) -> None:
    done = desk.type("init")
    assert done.returncode == 2
    assert done.stderr.endswith("Hugging Face, one of those that HF_TOKEN sees: somebody, acme\n")


@pytest.mark.parametrize("fault", [Fault("status", status=429), Fault("html", status=200), Fault("reset-before")])
def test_without_a_namespace_it_says_what_is_missing_whatever_hugging_face_answers(desk: Desk, fault: Fault) -> None:
    desk.hub.faults.add(fault)
    done = desk.type("init")
    assert (done.returncode, "NAMESPACE is missing: your user or organization" in done.stderr) == (2, True)


def test_without_a_token_either_nobody_is_asked(desk: Desk) -> None:
    assert "NAMESPACE is missing" in desk.type("init", HF_TOKEN="").stderr
    assert desk.hub.requests == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_namespace_that_cannot_be_read_leaves_no_file(desk: Desk, tmp_path: Path, status: int) -> None:
    desk.hub.faults.add(Fault("status", "GET /v2/endpoint", status=status))
    done = desk.type("init", "acme", str(tmp_path / "mine.yaml"))
    assert done.returncode == 1
    assert not (tmp_path / "mine.yaml").exists()
