"""Who can wake an endpoint by a request to its URL, by its type at Hugging Face."""

_WHO = {
    "public": "anybody",
    "authenticated": "anybody with a Hugging Face account",
    "protected": "anybody with a Hugging Face account",  # its former name
    "private": "only who has access to it in the namespace",
}


def who_can_wake(type: str | None) -> str:
    """A sentence for people. No request wakes a paused endpoint."""
    who = _WHO.get(type or "")
    if who is None:
        return "who can wake this while it sleeps is unknown; paused it cannot be woken"
    return f"{who} can wake this while it sleeps; paused it cannot be woken"
