"""The page as it is sent, and what a reader sees of it."""

import html
import re

from lifecycle.engine.service import Service
from lifecycle.engine.status import Status
from lifecycle.errors import Failure
from lifecycle.web import page
from lifecycle.web.page import Visit
from support.hub import CATALOG, Harness, prices

TEXT = """
holidays: [2026-11-26]
platforms: {main: {}}
endpoints:
  embeddings: {name: embeddings-prod, hours: Mon-Fri 08:00-20:00, platform: main}
"""
NO_HISTORY = Failure("LOGGING_PARENT is not set", code="history_unavailable", retryable=False)


def status_of(stage: Harness) -> Status:
    async def status(service: Service) -> Status:
        return await service.status()

    return stage.run(status)


def shown(stage: Harness, visit: Visit | None = None) -> str:
    return page.table(status_of(stage), NO_HISTORY, stage.settings, visit or Visit())


def own(stage: Harness, name: str = "embeddings", visit: Visit | None = None) -> str:
    text = page.endpoint(name, status_of(stage), NO_HISTORY, stage.settings, visit or Visit())
    assert text is not None
    return text


def words(text: str) -> str:
    """What a reader sees of a page, tags and runs of space left out."""
    apart = re.sub(r"</(dt|b|span|a|h1|h2|li|strong|option|label|button)>", " ", text)
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]*>", "", apart, flags=re.DOTALL)).split())


def tile(text: str, label: str) -> str:
    found = re.search(rf"<dt>{label}[^<]*</dt><dd>(.*?)</dd>", text)
    assert found is not None
    return words(found[1])


def line(text: str, name: str) -> str:
    """One endpoint's line."""
    found = [one for one in re.findall(r"<li class=.*?</li>", text) if f">{name}<" in one]
    assert len(found) == 1, found
    return words(found[0])


def priced(stage: Harness) -> Harness:
    stage.hub.script(CATALOG, *[prices] * 5)
    return stage
