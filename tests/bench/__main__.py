"""`make bench`: one command, every figure. `--json` for machines, `--only NAME` for one table, `--quick` for a look."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench import cold, fan_out, growth, idle, money
from bench.figures import Figure

TABLES: dict[str, Callable[[bool], list[Figure]]] = {
    "cold start": cold.figures,
    "nothing to do": idle.figures,
    "fan-out": fan_out.figures,
    "growth": growth.figures,
    "money": money.figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--quick", action="store_true", help="fewer runs, smaller sizes")
    parser.add_argument("--only", choices=TABLES)
    given = parser.parse_args()
    tables = {name: make(given.quick) for name, make in TABLES.items() if given.only in (None, name)}
    if given.as_json:
        found = {name: [asdict(figure) for figure in figures] for name, figures in tables.items()}
        json.dump({"python": platform.python_version(), "machine": platform.machine(), **found}, sys.stdout, indent=2)
        return
    out = Console(highlight=False, markup=False)
    for name, figures in tables.items():
        table = Table("", "median", "min", "max", "ratio", "of what", title=name, title_justify="left", box=None)
        for figure in figures:
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
            low, median, high = (f"{value:g}" for value in (figure.low, figure.median, figure.high))
            table.add_row(figure.name, f"{median} {figure.unit}", low, high, ratio, figure.against)
        out.print(table)
        out.print()


if __name__ == "__main__":
    main()
