"""Times measured several times, and how they are printed and stored."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """What was measured, in the order of the runs."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def print_table(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    print(f"  {'':60}{'median':>10}{'least':>10}{'most':>10}  runs")
    for row in rows:
        numbers = "".join(f"{value:10.4g}" for value in (row.median, *_ends(row)))
        print(f"  {row.name + ', ' + row.unit:60}{numbers}{len(row.values):6}")


def _ends(row: Row) -> tuple[float, float]:
    return min(row.values), max(row.values)


def write_json(path: Path, tables: dict[str, list[Row]]) -> None:
    """Every row with all its values."""
    data = {
        title: [
            {"name": row.name, "unit": row.unit, "median": row.median, "values": row.values}
            for row in rows
        ]
        for title, rows in tables.items()
    }
    path.write_text(json.dumps(data, indent=1) + "\n")


def progress(text: str) -> None:
    """A line that says what goes on, apart from the results."""
    print(text, file=sys.stderr, flush=True)
