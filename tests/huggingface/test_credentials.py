"""The token: read when it is needed, again on age and when it is refused, and never shown."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from lifecycle.errors import Failure
from lifecycle.huggingface.credentials import Token
from support.building import MINUTE, NOON
from support.secret import TOKEN

T = TypeVar("T")
OLD, NEW, NEWEST = TOKEN, TOKEN + "2", TOKEN + "3"
SECOND = timedelta(seconds=1)
CALL = 1e9  # a call's deadline, on the event loop's clock


@dataclass
class Secret:
    """Where the token is kept: its value now, or the failure that reading it is; and how often it was read."""

    value: str | Failure = OLD
    now: datetime = NOON
    reads: int = 0
    deadlines: list[float] = field(default_factory=list)

    async def read(self, deadline: float) -> str:
        self.reads += 1
        self.deadlines.append(deadline)
        await asyncio.sleep(0)  # others may run meanwhile
        if isinstance(self.value, Failure):
            raise self.value
        return self.value

    def token(self, *, ages: bool = True) -> Token:
        return Token(self.read, lambda: self.now, ages=ages)


def retryable() -> Failure:
    return Failure("scripted", code="token_unreadable", retryable=True)


def final() -> Failure:
    return Failure("scripted", code="token_unreadable", retryable=False)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


# Reading and keeping.


def test_nothing_is_read_before_it_is_needed() -> None:
    secret = Secret()
    secret.token()
    assert secret.reads == 0


def test_it_is_read_once_and_kept() -> None:
    secret = Secret()
    token = secret.token()
    assert [run(token.get(1)), run(token.get(1)), secret.reads] == [OLD, OLD, 1]


def test_many_who_need_it_at_once_read_it_once() -> None:
    secret = Secret()
    token = secret.token()

    async def together() -> list[str]:
        return await asyncio.gather(*(token.get(1) for _ in range(50)))

    assert (run(together()), secret.reads) == ([OLD] * 50, 1)


def test_it_is_read_within_the_callers_time() -> None:
    secret = Secret()
    run(secret.token().get(12.5))
    assert secret.deadlines == [12.5]


@pytest.mark.parametrize("padded", [f"{TOKEN}\n", f" {TOKEN} ", f"{TOKEN}\r\n"])
def test_space_around_it_is_not_part_of_it(padded: str) -> None:
    assert run(Secret(padded).token().get(1)) == TOKEN


@pytest.mark.parametrize("value", ["", "\n", "two words", "hf_\nx: y", "hf_ä", "hf_\x00"])
def test_what_cannot_be_a_token_is_a_final_failure_that_does_not_say_it(value: str) -> None:
    with pytest.raises(Failure) as caught:
        run(Secret(value).token().get(1))
    assert not caught.value.retryable
    assert value.strip() == "" or value not in str(caught.value)


@pytest.mark.parametrize("failure", [retryable(), final()])
def test_what_cannot_be_read_is_a_failure(failure: Failure) -> None:
    with pytest.raises(Failure):
        run(Secret(failure).token().get(1))


def test_after_a_failure_the_next_call_reads_it_again() -> None:
    secret = Secret(retryable())
    token = secret.token()
    with pytest.raises(Failure):
        run(token.get(CALL))
    secret.value = OLD
    assert run(token.get(CALL + 1)) == OLD


def test_one_call_reads_a_token_that_cannot_be_read_once() -> None:
    secret = Secret(retryable())
    token = secret.token()

    async def together() -> list[str | BaseException]:
        return await asyncio.gather(*(token.get(CALL) for _ in range(50)), return_exceptions=True)

    assert ([type(found) for found in run(together())], secret.reads) == ([Failure] * 50, 1)


# Age.


@pytest.mark.parametrize(("age", "value"), [(10 * MINUTE - SECOND, OLD), (10 * MINUTE, NEW), (30 * MINUTE, NEW)])
def test_the_latest_version_is_read_again_after_ten_minutes(age: timedelta, value: str) -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value, secret.now = NEW, NOON + age
    assert run(token.get(1)) == value


def test_a_pinned_version_does_not_age() -> None:
    secret = Secret()
    token = secret.token(ages=False)
    run(token.get(1))
    secret.now += timedelta(days=30)
    assert [run(token.get(1)), secret.reads] == [OLD, 1]


def test_a_known_token_outlives_a_retryable_failure_to_read_it_again() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value, secret.now = retryable(), NOON + 11 * MINUTE
    assert run(token.get(1)) == OLD


def test_while_it_cannot_be_read_again_a_known_token_is_not_tried_anew_for_every_request() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value, secret.now = retryable(), NOON + 11 * MINUTE

    async def together() -> list[str]:
        return await asyncio.gather(*(token.get(1) for _ in range(50)))

    assert (run(together()), secret.reads) == ([OLD] * 50, 2)


def test_a_token_that_was_taken_away_is_no_longer_used() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value, secret.now = final(), NOON + 11 * MINUTE
    with pytest.raises(Failure):
        run(token.get(1))


def test_while_a_token_is_known_reading_it_again_takes_seconds_and_not_all_of_the_callers_time() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1e9))
    secret.now += 11 * MINUTE
    run(token.get(1e9))
    assert secret.deadlines[1] < 1e9


# Refused by Hugging Face.


@pytest.mark.parametrize("ages", [True, False])
def test_a_refused_token_is_read_again(ages: bool) -> None:
    secret = Secret()
    token = secret.token(ages=ages)
    run(token.get(1))
    secret.value = NEW
    assert [run(token.renewed(OLD, 1)), run(token.get(1)), secret.reads] == [NEW, NEW, 2]


@pytest.mark.parametrize("value", [OLD, NEW])
def test_many_refused_at_once_read_it_once(value: str) -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value = value

    async def together() -> list[str]:
        return await asyncio.gather(*(token.renewed(OLD, 1) for _ in range(50)))

    assert (run(together()), secret.reads) == ([value] * 50, 2)


def test_a_token_refused_after_another_took_its_place_is_not_read_again() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value = NEW
    run(token.renewed(OLD, 1))
    secret.now += 10 * SECOND
    assert [run(token.renewed(OLD, 1)), secret.reads] == [NEW, 2]


def test_a_token_that_is_refused_just_after_it_aged_is_read_again() -> None:
    """Only what a refusal made it read counts as read just now: a quick rotation is not missed."""
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.now += 11 * MINUTE
    run(token.get(1))
    secret.value = NEW
    assert run(token.renewed(OLD, 1)) == NEW


def test_a_token_that_stays_refused_is_read_again_once_in_a_call() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(CALL))
    run(token.renewed(OLD, CALL))
    run(token.renewed(OLD, CALL))
    assert secret.reads == 2


def test_a_token_that_stays_refused_is_read_again_in_the_next_call() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(CALL))
    run(token.renewed(OLD, CALL))
    secret.value = NEW
    assert run(token.renewed(OLD, CALL + 1)) == NEW


def test_a_token_that_is_rotated_twice_in_a_call_is_read_twice() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(CALL))
    secret.value = NEW
    run(token.renewed(OLD, CALL))
    secret.value = NEWEST
    assert run(token.renewed(NEW, CALL)) == NEWEST


def test_a_token_that_could_not_be_read_again_is_tried_again_in_the_next_call() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(CALL))
    secret.value = final()
    with pytest.raises(Failure):
        run(token.renewed(OLD, CALL))
    secret.value = NEW
    assert run(token.renewed(OLD, CALL + 1)) == NEW


@pytest.mark.parametrize("failure", [retryable(), final()])
def test_a_refused_token_that_cannot_be_read_again_is_a_failure(failure: Failure) -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value = failure
    with pytest.raises(Failure):
        run(token.renewed(OLD, 1))


def test_many_refused_at_once_read_it_once_when_it_cannot_be_read() -> None:
    secret = Secret()
    token = secret.token()
    run(token.get(1))
    secret.value = retryable()

    async def together() -> list[str | BaseException]:
        return await asyncio.gather(*(token.renewed(OLD, 1) for _ in range(50)), return_exceptions=True)

    assert [type(found) for found in run(together())] == [Failure] * 50
    assert secret.reads == 2


# Kept out of words.


def test_it_is_taken_out_of_a_text() -> None:
    token = Secret().token()
    run(token.get(1))
    assert TOKEN not in token.redact(f"Authorization: Bearer {TOKEN}, {TOKEN}")


def test_the_rest_of_a_text_stays() -> None:
    token = Secret().token()
    run(token.get(1))
    output = token.redact(f"before {TOKEN} after")
    assert output.startswith("before ")
    assert output.endswith(" after")


def test_a_short_word_is_not_taken_out_of_every_text() -> None:
    token = Secret("test").token()
    run(token.get(CALL))
    assert token.redact("the endpoint test-1") == "the endpoint test-1"


def test_an_earlier_token_is_taken_out_too() -> None:
    secret = Secret("hf_TheFirst")
    token = secret.token()
    run(token.get(1))
    secret.value = TOKEN
    run(token.renewed("hf_TheFirst", 1))
    output = token.redact(f"hf_TheFirst {TOKEN}")
    assert "hf_TheFirst" not in output
    assert TOKEN not in output


def test_a_token_is_not_in_what_python_shows_of_it() -> None:
    token = Secret().token()
    run(token.get(1))
    assert TOKEN not in repr(token)
