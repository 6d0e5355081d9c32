"""`python -m benchmarks.calibration [NAME ...]`: the model against published measurements."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from benchmarks.calibration import copies, dram, elementwise, noc, products
from benchmarks.calibration.harness import Row, Rows

GROUPS: dict[str, Callable[[], Rows]] = {
    "noc": noc.rows,
    "dram": dram.rows,
    "copies": copies.rows,
    "elementwise": elementwise.rows,
    "products": products.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), help=f"of {', '.join(GROUPS)}")
    rows = [row for name in parser.parse_args().groups for row in GROUPS[name]()]
    print(
        "<!-- Written by `python -m benchmarks.calibration > benchmarks/calibration/RESULTS.md` -->"
    )
    print("# Model and measurement\n")
    print("\n".join(table(rows)))


def table(rows: Iterable[Row]) -> list[str]:
    """Markdown: each row, and the mean and worst error of fitted and of other rows."""
    rows = list(rows)
    lines = ["| target | model | measured | unit | error | fitted | source |"]
    lines.append("| --- | ---: | ---: | --- | ---: | --- | --- |")
    for row in rows:
        lines.append(
            f"| {row.name} | {row.model:.4g} | {row.measured:.4g} | {row.unit} | {row.error:+.1%} "
            f"| {'yes' if row.fitted else ''} | {row.source} |"
        )
    lines.append("")
    for text, kind in (("to which a constant was fitted", True), ("to which none was", False)):
        errors = [abs(row.error) for row in rows if row.fitted == kind]
        if errors:
            lines.append(
                f"{len(errors)} rows {text}: mean error {sum(errors) / len(errors):.1%}, "
                f"worst {max(errors):.1%}."
            )
    return lines


main()
