"""Who can wake an endpoint."""

import pytest

from lifecycle.core.access import who_can_wake


@pytest.mark.parametrize(
    ("type", "output"),
    [
        ("public", "anybody can wake this while it sleeps; paused it cannot be woken"),
        (
            "authenticated",
            "anybody with a Hugging Face account can wake this while it sleeps; paused it cannot be woken",
        ),
        ("private", "only who has access to it in the namespace can wake"),
        (None, "unknown"),
        ("new", "unknown"),
    ],
)
def test_who_can_wake_it(type: str | None, output: str) -> None:
    assert output in who_can_wake(type)
