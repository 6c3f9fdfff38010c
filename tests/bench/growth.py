"""Growth: loading, deciding and planning with more entries and endpoints."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, figure, single
from lifecycle.config import settings
from lifecycle.core.forecast import forecast
from lifecycle.core.model import Endpoint, StoredState
from lifecycle.core.rules import Situation, decide

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def figures(quick: bool) -> list[Figure]:
    """Milliseconds; ratios to the smallest, which linear growth makes the ratio of the sizes."""
    runs = 3 if quick else 7
    found: list[Figure] = []
    for what, work, sizes in (
        ("load settings of {} entries", _load, (10, 100, 300)),
        ("decide {} endpoints of a pattern", _decide, (10, 100, 1000)),
        ("cover {} endpoints by patterns", _cover, (10, 100, 1000)),
    ):
        smallest: list[float] = []
        for size in sizes:
            times = [_timed(work(size)) for _ in range(runs)]
            smallest = smallest or times
            found.append(figure(what.format(size), "ms", times, smallest, f"{size // sizes[0]} times the smallest"))
    times = [_timed(_plan(10 if quick else 100)) for _ in range(1 if quick else 3)]
    found.append(figure(f"plan a year for {10 if quick else 100} endpoints", "ms", times))
    return [*found, single("the same", "ms", min(times), 1000, "one second")]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _text(entries: int) -> bytes:
    line = "  e{0}: {{hours: ['Mon-Fri 0{1}:00-20:00', 'Sat 10:0{1}-12:00'], lead: 10m, name: e{0}-prod}}\n"
    head = "namespace: a\ntime_zone: Europe/Berlin\nholidays: [2026-12-25]\nendpoints:\n"
    return (head + "".join(line.format(number, number % 9) for number in range(entries))).encode()


def _load(entries: int) -> Callable[[], object]:
    text = _text(entries)
    return lambda: settings.parse(text)


def _decide(endpoints: int) -> Callable[[], object]:
    entry = settings.parse(_text(1)).entries["e0"]
    seen = [Endpoint(f"e{number}", "running") for number in range(endpoints)]
    return lambda: [decide(Situation(entry, endpoint, StoredState(), NOW)) for endpoint in seen]


def _cover(endpoints: int) -> Callable[[], object]:
    patterns = "".join(f"  p{number}: {{name: p{number}-*}}\n" for number in range(20))
    found = settings.parse(f"namespace: a\nendpoints:\n{patterns}".encode())
    return lambda: [found.covering(f"p{number % 20}-{number}", frozenset()) for number in range(endpoints)]


def _plan(endpoints: int) -> Callable[[], object]:
    found = settings.parse(_text(endpoints))
    until = NOW + timedelta(days=365)
    return lambda: [forecast(Situation(entry, None, StoredState(), NOW), until, {}) for entry in found.entries.values()]
