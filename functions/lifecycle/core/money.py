"""What endpoints cost: dollars an hour now. Pure.

Hugging Face bills each replica while it is initializing and running; stopped endpoints cost nothing.
"""

from lifecycle.core.model import FREE, Endpoint, Prices

BILLED = frozenset({"initializing", "running", "updating", "updateFailed"})


def dollars_per_hour(endpoint: Endpoint, prices: Prices) -> float | None:
    """Target replicas × price while it is billed, else 0. None: replicas, price or state are not known."""
    if endpoint.state in FREE or endpoint.state == "pending":
        return 0.0
    price = prices.get(endpoint.hardware) if endpoint.hardware else None
    if endpoint.state not in BILLED or price is None or endpoint.target_replicas is None:
        return None
    return endpoint.target_replicas * price
