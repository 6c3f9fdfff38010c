"""The present cost of each endpoint, which a `["*"]` reconcile run logs."""

from collections.abc import Sequence
from dataclasses import replace

from lifecycle.core.model import Prices, Result
from lifecycle.core.money import dollars_per_hour, slept_at
from lifecycle.engine.observation import Observation
from lifecycle.errors import Failure


async def prices(run: Observation) -> Prices:
    """Dollars an hour, from the cached catalog; empty, with a note, if it cannot be read."""
    try:
        return await run.deps.catalog.get(run.hf, run.now())
    except Failure as failure:
        run.note("prices are unknown, so costs are not logged", failure)
        return {}


def with_costs(run: Observation, results: Sequence[Result]) -> list[Result]:
    """The results with what their endpoints cost now, and what Hugging Face says of when they changed."""
    now = run.now()
    since = now - 2 * run.settings.reconcile_every
    return [
        replace(
            result,
            dollars_per_hour=dollars_per_hour(seen, run.known_prices),
            recently_updated=seen.updated_at is not None and seen.updated_at > since,
            slept_at=slept if (slept := slept_at(seen, now)) and slept > since else None,
        )
        if (seen := result.seen)
        else result
        for result in results
    ]
