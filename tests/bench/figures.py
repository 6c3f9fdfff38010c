"""A figure: the median of some runs with its spread, and as a ratio to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`ratio`: the median of the ratios pair by pair, to what `against` names."""

    name: str
    unit: str
    low: float
    median: float
    high: float
    ratio: float | None = None
    against: str = ""


def figure(
    name: str, unit: str, runs: Sequence[float], others: Sequence[float] | None = None, against: str = ""
) -> Figure:
    """From runs, and from the runs that they are paired with."""
    ratio = median(a / b for a, b in zip(runs, others, strict=True)) if others else None
    low, middle, high = (float(f"{value:.3g}") for value in (min(runs), median(runs), max(runs)))
    return Figure(name, unit, low, middle, high, ratio, against)


def single(name: str, unit: str, value: float, other: float | None = None, against: str = "") -> Figure:
    return figure(name, unit, [value], None if other is None else [other], against)
