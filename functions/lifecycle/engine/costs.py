"""What each endpoint costs now, as a `["*"]` reconcile run logs it."""

from collections.abc import Sequence
from dataclasses import replace

from lifecycle.core.model import Prices, Result
from lifecycle.core.money import dollars_per_hour
from lifecycle.engine.call import Call
from lifecycle.errors import Failure


async def prices(call: Call) -> Prices:
    """The price catalogue; empty, with a note, where it cannot be read."""
    try:
        return await call.catalogue.get(call.hf, call.now())
    except Failure as failure:
        call.note("prices are not known, so costs are not logged", failure)
        return {}


def with_costs(call: Call, results: Sequence[Result]) -> list[Result]:
    """The results with what their endpoints cost now, and whether Hugging Face says that they changed."""
    since = call.now() - 2 * call.settings.reconcile_every
    return [
        replace(
            result,
            dollars_per_hour=dollars_per_hour(seen, call.known_prices),
            recently_updated=seen.updated_at is not None and seen.updated_at > since,
        )
        if (seen := result.seen)
        else result
        for result in results
    ]
