"""The URLs to which the token may be sent."""

import random
from datetime import UTC, datetime

import httpx
import pytest

from lifecycle.huggingface.client import HuggingFace
from lifecycle.huggingface.credentials import Token
from support.secret import TOKEN

API = "https://api.endpoints.huggingface.cloud/v2"


def hub(base: str = API) -> HuggingFace:
    async def read(_deadline: float) -> str:
        return TOKEN

    token = Token(read, lambda: datetime(2026, 11, 24, tzinfo=UTC), ages=False)
    return HuggingFace(httpx.AsyncClient(), token, base, "acme", 1e9, random.Random(1))


TRUSTED = ["https://x.endpoints.huggingface.cloud", "https://x.us-east-1.aws.endpoints.huggingface.cloud/"]
STRANGE = [
    *("http://x.endpoints.huggingface.cloud", "https://endpoints.huggingface.cloud.evil.example", "ftp://x"),
    *("https://evilendpoints.huggingface.cloud", "https://user:word@x.endpoints.huggingface.cloud", "https://[", ""),
    *(r"https://evil.example\.endpoints.huggingface.cloud", "https://evil.example%2f.endpoints.huggingface.cloud"),
    *("https://x.endpoints.huggingface.cloud:99999", "https://x.endpoints.huggingface.cloud:0"),
    *("https://user@x.endpoints.huggingface.cloud", "http://127.0.0.1:1", "https://evil.example#.huggingface.cloud"),
]


@pytest.mark.parametrize(("url", "trusted"), [*((url, True) for url in TRUSTED), *((url, False) for url in STRANGE)])
def test_the_token_goes_below_hugging_faces_domain_alone(url: str, trusted: bool) -> None:
    assert hub().own.is_trusted(url) is trusted


@pytest.mark.parametrize(
    ("url", "trusted"),
    [("http://127.0.0.1:9/own/a", True), ("http://u:p@127.0.0.1:9", False), ("http://10.0.0.1", False)],
)
def test_beside_a_local_api_loopback_is_trusted(url: str, trusted: bool) -> None:
    assert hub("http://127.0.0.1:8/v2").own.is_trusted(url) is trusted
