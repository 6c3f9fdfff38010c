"""Coverage-guided fuzzing of every entry point, some seconds each: `python -m fuzz [--seconds N]` (`make fuzz`).

atheris (libFuzzer for Python) leads the properties of `test_hostile_input`, `test_yaml` and the readers of requests and
messages. A failure, an input that takes more than ten seconds, and more than a gigabyte of memory end it with 1.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SLOWEST, MOST_MEMORY = 10, 1024  # seconds for one input; MiB
# Texts to begin with, where an entry point reads plain bytes.
CORPUS = {
    "settings": [(ROOT / "functions" / "lifecycle.yaml").read_bytes()],
    "request": [b'{"endpoints": ["embeddings"], "for": "2h", "until": "2026-11-24T22:00:00+01:00", "dry_run": true}'],
    "message": [
        b'{"message": {"attributes": {"platform": "main", "event": "stopped"}, "publishTime": "2026-11-24T11:00:00Z"}}',
        b'{"message": {"data": "eyJwbGF0Zm9ybSI6ICJtYWluIn0=", "publishTime": "2026-11-24T11:00:00Z"}}',
        b'{"specversion": "1.0", "time": "2026-11-24T11:00:00Z", "data": {"platform": "main", "event": "started"}}',
    ],
}


def entry_points() -> dict[str, Callable[[bytes], Any]]:
    """What takes bytes and must never fail. Imported under atheris, which watches the product's branches."""
    import atheris

    with atheris.instrument_imports(include=["lifecycle", "yaml"]):
        from config import test_yaml
        from support import requests
        from web import test_hostile_input, test_pubsub

    def message(data: bytes) -> None:
        for headers in ({}, test_pubsub.JSON, test_pubsub.STRUCTURED, test_pubsub.ce()):
            test_pubsub.understood(data, headers)

    def request(data: bytes) -> None:
        for function in requests.FUNCTIONS:
            requests.asked_of(function, data)

    asked: Any = test_hostile_input.test_whatever_is_asked_is_answered_in_time_and_never_with_a_500
    answered: Any = test_hostile_input.test_whatever_hugging_face_answers_is_borne
    return {
        "settings": test_yaml.parsed,
        "request": request,
        "message": message,
        "front": asked.hypothesis.fuzz_one_input,
        "hugging-face": answered.hypothesis.fuzz_one_input,
    }


NAMES = ("settings", "request", "message", "front", "hugging-face")


def one(name: str, seconds: int) -> None:
    """Fuzzes one entry point in this process, which libFuzzer ends."""
    import atheris

    entry_point = entry_points()[name]
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(CORPUS.get(name, [])):
            Path(folder, str(number)).write_bytes(text)
        limits = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MOST_MEMORY}"]
        output = [f"-artifact_prefix={tempfile.gettempdir()}/", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *limits, *output, "-max_len=4096", folder], lambda data: entry_point(data) and None)
        atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each entry point")
    parser.add_argument("--only", choices=NAMES)
    given = parser.parse_args()
    if given.only:
        one(given.only, given.seconds)
        return 0
    bad = []
    for name in NAMES:
        command = [sys.executable, "-m", "fuzz", "--only", name, "--seconds", str(given.seconds)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        figures = [line for line in done.stderr.splitlines() if line.startswith(("stat::number", "stat::peak"))]
        print(f"{name}: {'failed' if done.returncode else 'passed'}; {'; '.join(map(_plain, figures))}", flush=True)
        if done.returncode:
            bad.append(name)
            print(done.stdout[-3000:], done.stderr[-3000:], sep="\n")
    return 1 if bad else 0


def _plain(line: str) -> str:
    return " ".join(line.removeprefix("stat::").split())


if __name__ == "__main__":
    sys.exit(main())
