"""Replica bounds: whether they differ from the settings, and how pausing and resuming changed them. Pure."""

from datetime import timedelta

from lifecycle.core.entries import Scaling
from lifecycle.core.model import AT_REST, Endpoint
from lifecycle.core.times import in_words


def differs(endpoint: Endpoint, declared: Scaling) -> dict[str, str]:
    """The declared fields that differ at Hugging Face: name to "3, declared 2"."""
    return {
        name: f"{_word(is_)}, declared {_word(wanted)}"
        for name, (is_, wanted) in _pairs(_bounds(endpoint), declared).items()
        if wanted not in (None, is_)
    }


def undeclared_change(before: Endpoint, now: Endpoint, declared: Scaling) -> str:
    """How undeclared replica bounds changed, with the settings that keep them; "" if they did not.

    Pausing and resuming may set the bounds to 0 and 1. `before`: the endpoint before this call acted. Bounds from
    before an earlier call's pause are unknown, because they are not stored.
    """
    old, new = _bounds(before), _bounds(now)
    free = [name for name, (_, wanted) in _pairs(new, declared).items() if wanted is None]
    changed = [name for name in free if None not in (old[name], new[name]) and old[name] != new[name]]
    if before.max_replicas == 0 and "max_replicas" in free:
        if changed:
            return f"replica bounds are {_range(now)} after a pause that set them to {_range(before)}; {_UNKNOWN}"
        return f"replica bounds are {_range(now)} while it is stopped; {_UNKNOWN}" if now.state in AT_REST else ""
    if not changed:
        return ""
    kept = {name: old[name] if wanted is None else wanted for name, (_, wanted) in _pairs(new, declared).items()}
    if kept["min_replicas"] != 0:
        kept["scale_to_zero_after"] = None
    lines = ", ".join(f"{name}: {_word(value)}" for name, value in kept.items() if value is not None)
    were = ", ".join(f"{name} was {_word(old[name])} and is {_word(new[name])}" for name in changed)
    return f"replica bounds changed: {were}; to keep them: scaling: {{{lines}}}"


_UNKNOWN = "the earlier bounds are unknown; to keep yours: scaling: {min_replicas: …, max_replicas: …}"

_Value = int | timedelta | None


def _bounds(endpoint: Endpoint | Scaling) -> dict[str, _Value]:
    return {
        "min_replicas": endpoint.min_replicas,
        "max_replicas": endpoint.max_replicas,
        "scale_to_zero_after": endpoint.scale_to_zero_after,
    }


def _pairs(is_: dict[str, _Value], declared: Scaling) -> dict[str, tuple[_Value, _Value]]:
    wanted = _bounds(declared)
    return {name: (is_[name], wanted[name]) for name in is_}


def _range(endpoint: Endpoint) -> str:
    return f"{_word(endpoint.min_replicas)} to {_word(endpoint.max_replicas)}"


def _word(value: _Value) -> str:
    return in_words(value) if isinstance(value, timedelta) else "unknown" if value is None else str(value)
