"""The public holidays of countries and regions, from the library `holidays`, which is only imported if it is needed.

Codes are those of ISO 3166: `DE`, or `DE-BY` for a part of it. A weekend's holiday counts on the day it is observed.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial


@lru_cache(maxsize=1)
def _regions() -> dict[str, list[str]]:
    from holidays import list_supported_countries

    return {country: list(parts) for country, parts in list_supported_countries(include_aliases=False).items()}


@lru_cache(maxsize=4096)
def _of_year(country: str, part: str | None, year: int) -> frozenset[date]:
    from holidays import country_holidays

    return frozenset(country_holidays(country, subdiv=part, years=year))


@lru_cache(maxsize=4096)
def calendar(code: str) -> Callable[[int], frozenset[date]]:
    """A function from a year to its holidays there. Raises ValueError for an unknown code, with the nearest one."""
    country, dash, part = code.partition("-")
    regions = _regions()
    if country in regions and (part in regions[country] if dash else True):
        return partial(_of_year, country, part if dash else None)
    if country in regions:
        allowed = f"the parts of {country} are {', '.join(regions[country])}" if regions[country] else ""
        parts = [f"unknown part of {country}", allowed or f"only {country} itself is known", nearest(code)]
    else:
        parts = ["unknown country; codes are those of ISO 3166, such as DE, DE-BY or US-CA", nearest(code)]
    raise ValueError("; ".join(filter(None, parts)))


def nearest(text: str) -> str:
    """`did you mean DE-BY?`, if a code or a name is similar; else nothing."""
    from difflib import get_close_matches

    from holidays import country_holidays
    from holidays.registry import COUNTRIES

    names = {name.lower(): row[1] for row in COUNTRIES.values() for name in row}
    given, dash, part = text[:60].strip().replace("_", "-").partition("-")
    near = get_close_matches(given.replace(" ", "").lower(), names, 1, 0.5)
    if not near:
        return ""
    country = names[near[0]]
    aliases = country_holidays(country).subdivisions_aliases
    parts = {name.lower(): code for name, code in aliases.items()} | {one.lower(): one for one in _regions()[country]}
    near = get_close_matches(part.lower(), parts, 20, 0.5)
    near.sort(key=lambda name: not name.startswith(part[:1].lower()))
    return f"did you mean {country}-{parts[near[0]]}?" if dash and near else f"did you mean {country}?"
