"""One thing that `lifecycle doctor` looked at."""

from dataclasses import dataclass

from lifecycle.config.environment import Environment
from lifecycle.huggingface.own_url import is_loopback

NOT_NEEDED = "not needed: Google's services are not used from here"


@dataclass(frozen=True)
class Finding:
    """`ok` None: it was not looked at, `found` says why. `do`: what to do where it is not ok."""

    about: str
    ok: bool | None
    found: str
    do: str = ""


def uses_google(env: Environment) -> bool:
    """Whether Cloud Scheduler is Google's own."""
    return bool(env.scheduler_parent) and not (env.scheduler_url and is_loopback(env.scheduler_url))
