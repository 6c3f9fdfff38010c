"""What `make local` and `make real` print when everything runs: URLs, and commands to try. Pure."""

from collections.abc import Mapping

from lifecycle.core.entries import Settings
from lifecycle.engine.service import FUNCTIONS

POST = "curl -X POST -H 'Content-Type: application/json'"


def intro(here: str, places: Mapping[str, str], settings: Settings, shell: str) -> str:
    """Names what there is: entries, a platform, the services."""
    listed = {"page": here, "functions": f"{here}/{', /'.join(FUNCTIONS)}", **places}
    lines = [f"{name:<16} {place}" for name, place in listed.items()]
    return "\n".join(["", *lines, "", "Try, in another terminal:", *_tries(here, settings, shell), "",
                      "Ctrl-C stops everything.", ""])  # fmt: skip


def _tries(here: str, settings: Settings, shell: str) -> list[str]:
    names = list(settings.entries)
    tries = [shell, "lifecycle status", "lifecycle plan"]
    if names:
        tries += [
            f"lifecycle resume {names[0]} --for 2h",
            f"lifecycle run {names[0]} -- sh -c 'curl -s $HF_ENDPOINT_URL'",
            f"lifecycle explain {names[-1]}",
            f'{POST} {here}/warm -d \'{{"endpoints": ["{names[0]}"]}}\'',
        ]
    followed = [*settings.platforms, *(entry.platform for entry in settings.entries.values() if entry.platform)]
    for event in ("stopped", "started") if followed else ():
        tries.append(f"{POST} {here}/platform_event -d {_event(followed[0], event)}")
    tries.append(f"curl {here}/status")
    return [f"  {line}" for line in tries]


def _event(platform: str, event: str) -> str:
    return (
        f'\'{{"message": {{"attributes": {{"platform": "{platform}", "event": "{event}"}}, "messageId": "1", '
        '"publishTime": "\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'"}, "subscription": "local"}\''
    )
