"""A budget of 20 dollars, of an entry or over all, and what was billed against it."""

from datetime import timedelta

from support.hub import Harness
from support.past import monitoring, ran

OWN = "endpoints: {embeddings: {name: embeddings-prod, hours: always, budget: {dollars: 20}}}"
OVER_ALL = "budget: {dollars: 20}\nendpoints: {embeddings: {name: embeddings-prod, hours: always}}"


def billed(text: str, hours: float) -> Harness:
    """So many hours at half a dollar, up to now."""
    on = Harness(text)
    on.hub.add("embeddings-prod", "running", targetReplica=1)
    on.monitoring = monitoring(lambda: on.now)
    ran(on.monitoring, on.now - timedelta(hours=hours), on.now, 0.5)
    return on
