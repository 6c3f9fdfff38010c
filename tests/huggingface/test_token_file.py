"""The token in a file, such as a mounted secret: read again on age and when it is refused."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lifecycle.app import dependencies
from lifecycle.config import environment, settings
from lifecycle.config.schema import Invalid
from lifecycle.errors import Failure
from lifecycle.huggingface.credentials import Token, TokenFile
from support.building import NOON
from support.secret import TOKEN

SECOND = TOKEN + "2"
CALL = 1e9  # a call's deadline, on the event loop's clock


def run(work: Coroutine[Any, Any, str]) -> str:
    return asyncio.run(work)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "hf-token"
    made.write_text(TOKEN + "\n")
    return made


def test_the_file_comes_before_other_sources_and_ages(file: Path) -> None:
    found = environment.read({"HF_TOKEN_FILE": str(file), "HF_TOKEN_SECRET": "projects/p/secrets/s/versions/1"})
    made = dependencies(found, settings.parse(b"namespace: acme\nendpoints: {}"))
    assert run(made.token.get(CALL)) == TOKEN
    file.write_text(SECOND)
    assert run(made.token.renewed(TOKEN, CALL)) == SECOND


def test_a_new_version_is_read_after_ten_minutes(file: Path) -> None:
    now = NOON
    token = Token(TokenFile(file).read, lambda: now, ages=True)
    run(token.get(CALL))
    file.write_text(SECOND)
    now += timedelta(minutes=9)
    assert run(token.get(CALL)) == TOKEN
    now += timedelta(minutes=1)
    assert run(token.get(CALL)) == SECOND


@pytest.mark.parametrize("path", ["missing", "."])
def test_a_file_that_cannot_be_read_is_a_retryable_failure(tmp_path: Path, path: str) -> None:
    with pytest.raises(Failure, match="cannot be read") as caught:
        run(TokenFile(tmp_path / path).read(CALL))
    assert (caught.value.code, caught.value.retryable) == ("token_unreadable", True)


def test_a_token_in_the_wrong_variable_is_not_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        environment.read({"HF_TOKEN_SECRET": TOKEN})
    assert TOKEN not in str(caught.value)
