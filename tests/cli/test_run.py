"""`lifecycle run` and `running`: endpoints run while a command or a block runs, and not longer."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

import lifecycle
from lifecycle.cli import functions
from lifecycle.cli.hold import Hold, read_hold, urls
from lifecycle.cli.main import main
from lifecycle.cli.run import command_environment
from lifecycle.config import environment
from lifecycle.errors import Failure
from local.servers.faults import Fault
from local.simulation.simulated_time import SimulatedLoop, play
from support.desk import TEXT, Desk, with_jobs
from support.hub import TUESDAY_NOON
from support.programs import path_without_gcloud

PLAY = TEXT + "  play: {}\n  dev: {name: dev-*}\n"  # the rules say nothing about them


@pytest.fixture
def held(desk: Desk) -> Desk:
    """The functions are deployed, with a scheduler; `play` is at rest."""
    desk.config.write_text(PLAY)
    desk.hub.add("play", "paused", durations=desk.hub["nights"].durations)
    with_jobs(desk)
    assert desk.type("sync").returncode == 0
    del desk.variables["FUNCTIONS_URL"]
    desk.deployed()
    desk.variables["PATH"] = path_without_gcloud(desk.folder)
    return desk


def overrides(desk: Desk) -> list[dict[str, Any]]:
    row = next(row for row in json.loads(desk.type("status", "--json").stdout)["endpoints"] if row["name"] == "play")
    found: list[dict[str, Any]] = row["overrides"]
    return found


def test_the_command_finds_the_url_and_its_output_and_exit_code_are_the_runs(held: Desk) -> None:
    done = held.start("run", "play", "--", "sh", "-c", "echo $HF_ENDPOINT_URL $HF_ENDPOINT_URL_PLAY; exit 7")
    url = f"{held.hub.url}/own/play"
    assert (done.returncode, done.stdout) == (7, f"{url} {url}\n"), done.stderr


def test_while_it_runs_it_is_a_holder_of_its_own_and_afterwards_it_rests(held: Desk) -> None:
    status = f"{sys.executable} -m lifecycle.cli status play --json"
    done = held.start("run", "play", "--hold", "5m", "--", "sh", "-c", status)
    (override,) = json.loads(done.stdout)["endpoints"][0]["overrides"]
    assert override["holder"].startswith("run-")
    assert len(override["holder"]) == 12
    assert (overrides(held), held.hub["play"].state) == ([], "paused")


def test_what_others_hold_outlives_the_run(held: Desk) -> None:
    assert held.type("resume", "play", "--for", "2h", "--holder", "anna").returncode == 0
    assert held.start("run", "play", "--holder", "ci-42", "--", "true").returncode == 0
    assert [override["holder"] for override in overrides(held)] == ["anna"]
    assert held.hub["play"].state != "paused"


def test_not_warm_the_command_is_not_run_and_nothing_stays_held(held: Desk) -> None:
    held.hub.faults.add(Fault("status", "POST .*/resume", status=403))
    done = held.start("run", "play", "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (1, "")
    assert "403" in done.stderr
    assert overrides(held) == []


def test_a_pause_by_another_refuses_the_run_at_once(held: Desk) -> None:
    assert held.type("pause", "play", "--until", "released", "--holder", "boss").returncode == 0
    done = held.start("run", "play", "--", "echo", "ran")
    assert (done.returncode, done.stdout, "boss" in done.stderr) == (1, "", True)


@pytest.mark.parametrize(
    ("words", "code", "output"),
    [
        (["run", "play"], 2, "COMMAND"),
        (["run", "--", "true"], 2, "NAME"),
        (["run", "play", "--hold", "20s", "--", "true"], 2, "1m to 7d"),
        (["run", "play", "--hold", "8d", "--", "true"], 2, "1m to 7d"),
        (["run", "nobody", "--", "true"], 2, "unknown: nobody"),
        (["run", "play", "--holder", "a@b", "--", "true"], 2, "holder"),
        (["run", "play", "--", "no-such-command"], 127, "no such command"),
    ],
)
def test_wrong_use_is_reported_before_anything_starts(held: Desk, words: list[str], code: int, output: str) -> None:
    done = held.type(*words)
    assert (done.returncode, output in done.stderr) == (code, True), done.stderr
    assert "not released" not in done.stderr
    assert held.hub["play"].state == "paused"


def test_without_a_scheduler_nothing_is_held(desk: Desk) -> None:
    done = desk.start("run", "nights", "--", "true", PATH=path_without_gcloud(desk.folder))
    assert (done.returncode, "SCHEDULER_PARENT" in done.stderr) == (2, True)
    assert desk.hub["nights"].state == "paused"


def test_functions_without_a_scheduler_are_wrong_use_too(desk: Desk) -> None:
    desk.deployed(SCHEDULER_PARENT="")
    desk.variables["PATH"] = path_without_gcloud(desk.folder)
    done = desk.start("run", "nights", "--", "true")
    assert (done.returncode, "SCHEDULER_PARENT" in done.stderr) == (2, True)


def started(desk: Desk, *command: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "lifecycle.cli", "run", "play", "--hold", "1m", "--", *command]
    made = subprocess.Popen(words, env=desk.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    assert made.stdout is not None
    assert made.stdout.readline() == "began\n"
    return made


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal_it_releases_first(held: Desk, number: signal.Signals, code: int) -> None:
    running = started(held, "sh", "-c", "trap - INT; echo began; exec sleep 60")
    running.send_signal(number)
    running.communicate(timeout=30)
    assert running.returncode == code
    assert (overrides(held), held.hub["play"].state) == ([], "paused")


def test_killed_it_leaves_a_hold_that_ends(held: Desk) -> None:
    running = started(held, "sh", "-c", "echo began; sleep 60")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    (override,) = overrides(held)
    assert override["until"] is not None
    assert held.hub["play"].state == "running"


def test_in_python_a_block_has_the_url_and_leaves_nothing_behind(held: Desk) -> None:
    script = """
from lifecycle import running
with running("play", hold="15m") as url:
    print(url)
    raise SystemExit(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=held.variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, f"{held.hub.url}/own/play\n"), done.stderr
    assert (overrides(held), held.hub["play"].state) == ([], "paused")


def test_in_python_several_endpoints_are_refused_and_not_started(held: Desk) -> None:
    held.hub.add("dev-a", "paused")
    held.hub.add("dev-b", "paused")
    script = "from lifecycle import running\nwith running('dev'): print('ran')"
    done = subprocess.run(
        [sys.executable, "-c", script], env=held.variables, capture_output=True, text=True, check=False
    )
    assert (done.stdout, "dev is 2 endpoints; name one of them" in done.stderr) == ("", True)
    assert [len(held.hub[name].history) for name in ("dev-a", "dev-b")] == [1, 1]


def test_in_python_what_cannot_be_counted_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def ask(_env: Any, function: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        asked.append((function, body.get("dry_run")))
        return 503, {"trigger": "manual", "dry_run": True, "results": [{**ROW, "outcome": "failed"}]}

    monkeypatch.setattr(functions, "ask", ask)
    monkeypatch.setenv("FUNCTIONS_URL", "http://127.0.0.1/{name}")
    with pytest.raises(Failure), lifecycle.running("dev"):
        pass
    assert asked == [("warm", True)]


def test_in_python_what_is_not_warm_is_a_failure(held: Desk) -> None:
    held.hub.faults.add(Fault("status", "POST .*/resume", status=403))
    script = """
from lifecycle import running
from lifecycle.errors import Failure
try:
    with running("play"):
        print("ran")
except Failure as failure:
    print(failure)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=held.variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "ran" in done.stdout, "403" in done.stdout) == (0, False, True), done.stderr


def test_the_package_offers_running_and_nothing_else() -> None:
    assert lifecycle.__all__ == ["running"]
    assert callable(lifecycle.running)
    with pytest.raises(AttributeError):
        _ = lifecycle.other


@pytest.mark.parametrize("text", ["0s", "59s", "8d", "15", "", "-1m"])
def test_a_hold_lasts_from_a_minute_to_a_week(text: str) -> None:
    with pytest.raises(ValueError, match=r"1m|duration"):
        read_hold(text)


def test_each_name_has_its_variable() -> None:
    rows: list[dict[str, Any]] = [
        {"endpoint": "dev", "name": "dev-a", "url": "https://a"},
        {"endpoint": "dev", "name": "dev-b", "url": "https://b"},
        {"endpoint": "chat", "name": "chat.prod", "url": None},
    ]
    assert urls(rows) == {"HF_ENDPOINT_URL_DEV_A": "https://a", "HF_ENDPOINT_URL_DEV_B": "https://b"}
    assert urls(rows[:1]) == {
        "HF_ENDPOINT_URL_DEV_A": "https://a", "HF_ENDPOINT_URL_DEV": "https://a", "HF_ENDPOINT_URL": "https://a",
    }  # fmt: skip


def test_with_several_endpoints_an_inherited_url_is_none_of_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT_URL", "https://earlier")
    rows = [{"endpoint": name, "name": name, "url": f"https://{name}"} for name in ("a", "b")]
    assert "HF_ENDPOINT_URL" not in command_environment(rows)
    assert command_environment(rows[:1])["HF_ENDPOINT_URL"] == "https://a"


# Renewals, on a clock on which waiting costs nothing.

ROW = {"endpoint": "play", "name": "play", "outcome": "done", "url": "https://x", "error": None, "reason": ""}
FINE = {"trigger": "manual", "dry_run": False, "results": [ROW]}
LOST = (503, {"detail": "nothing answers"})
HELD = (409, {**FINE, "results": [{**ROW, "outcome": "failed", "error": "paused by boss"}]})
Script = Callable[[str, float], tuple[int, Any]]


def renewals(
    script: Script, monkeypatch: pytest.MonkeyPatch, *, seconds: float, hold: str = "15m", warms: float = 0
) -> tuple[list[tuple[str, float]], list[str]]:
    """What a hold asks, and when in seconds, while something runs for so long; and what it warns of."""
    asked: list[tuple[str, float]] = []
    warnings: list[str] = []
    loop = SimulatedLoop(TUESDAY_NOON)

    async def ask(_env: Any, function: str, _body: Mapping[str, Any]) -> tuple[int, Any]:
        asked.append((function, loop.elapsed))
        await asyncio.sleep(warms if function == "warm" else 0)
        return script(function, loop.elapsed)

    monkeypatch.setattr(functions, "ask", ask)
    env = environment.read({"FUNCTIONS_URL": "http://127.0.0.1/{name}"})

    async def work() -> None:
        made = Hold(env, ["play"], read_hold(hold), warnings.append)
        try:
            await made.begin()
            await asyncio.sleep(seconds)
        finally:
            await made.end()

    play(loop, work())
    return asked, warnings


@pytest.mark.parametrize("held_by", ["the command", "the block"])
def test_a_name_that_hangs_holds_up_no_other_while_it_is_held(monkeypatch: pytest.MonkeyPatch, held_by: str) -> None:
    lookups = []

    async def ask(*_: Any) -> tuple[int, Any]:
        lookups.append(asyncio.get_running_loop().getaddrinfo.__module__)
        return 503, {"detail": "nobody is there"}

    monkeypatch.setattr(functions, "ask", ask)
    monkeypatch.setenv("FUNCTIONS_URL", "http://127.0.0.1/{name}")
    if held_by == "the command":
        assert CliRunner().invoke(main, ["run", "play", "--", "true"]).exit_code == 1
    else:
        with pytest.raises(Failure), lifecycle.running("play"):
            pass
    assert set(lookups) == {"lifecycle.lookups"}


def test_it_is_renewed_at_every_third_of_the_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, warnings = renewals(lambda *_: (200, FINE), monkeypatch, seconds=1000)
    assert asked == [("warm", 0), ("resume", 300), ("resume", 600), ("resume", 900), ("reconcile", 1000)]
    assert warnings == []


def test_a_renewal_that_fails_is_tried_again_until_the_hold_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(function: str, at: float) -> tuple[int, Any]:
        return LOST if function == "resume" and at < 450 else (200, FINE)

    asked, warnings = renewals(script, monkeypatch, seconds=460)
    assert [at for _, at in asked if 300 <= at < 460] == [*range(300, 460, 10)]
    assert warnings == ["the hold is not renewed: 503 nothing answers", "the hold is renewed again"]


def test_a_hold_that_ended_unrenewed_is_said_to_be_lost_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(function: str, at: float) -> tuple[int, Any]:
        return LOST if function == "resume" and at < 1500 else (200, FINE)

    _, warnings = renewals(script, monkeypatch, seconds=2000)
    assert warnings == [
        "the hold is not renewed: 503 nothing answers",
        "the hold is lost: 503 nothing answers",
        "the hold is renewed again",
    ]


def test_a_pause_by_another_is_a_warning_and_the_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(function: str, at: float) -> tuple[int, Any]:
        return HELD if function == "resume" else (200, FINE)

    asked, warnings = renewals(script, monkeypatch, seconds=400)
    assert warnings == ["the hold is not renewed: play: paused by boss"]
    assert asked[-1] == ("reconcile", 400)


def test_it_is_renewed_while_it_warms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start may take longer than the hold."""
    asked, _ = renewals(lambda *_: (200, FINE), monkeypatch, seconds=5, hold="1m", warms=125)
    assert [at for function, at in asked if function == "resume"] == [20, 40, 60, 80, 100, 120]


def test_what_cannot_be_released_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="nothing answers"):
        renewals(lambda function, _: LOST if function == "reconcile" else (200, FINE), monkeypatch, seconds=1)
