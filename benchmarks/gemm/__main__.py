"""`python -m benchmarks.gemm`: matrix products generated, written by hand, and published.

For every row of tt-metal's GEMM tables: cycles and utilisation that the mock predicts for our
generated kernel, for a hand-written one and for ttnn's, and the figure that a card measured.
"""

from __future__ import annotations

import argparse
import functools
import shlex
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tqdm import tqdm

from benchmarks.gemm.measure import Line, measure
from benchmarks.gemm.published import Row, rows
from benchmarks.gemm.tables import tables

_LIMIT = 3_000_000  # tile products, 20 seconds of the mock for each run


def main() -> None:
    args = _parser().parse_args()
    chosen = [
        row
        for row in rows()
        if args.only in row.problem.name
        and (
            args.all
            or row.problem.products <= args.limit
            or any(text in row.problem.name for text in args.also)
        )
    ]
    command = shlex.join(["python", "-m", "benchmarks.gemm", *sys.argv[1:]])
    print(f"<!-- Written by `{command}` -->")
    print("# Matrix products: generated, by hand, published\n")
    print("\n".join(tables(_measured(chosen, args.jobs, not args.no_ttnn))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gemm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help='rows whose name has the text, as "WH 8x8 bf16"'
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=_LIMIT,
        metavar="PRODUCTS",
        help="no rows of more tile products: 2097152 are a product of 4096 (default %(default)s)",
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="TEXT",
        help="rows beyond the limit whose name has the text",
    )
    parser.add_argument(
        "--all", action="store_true", help="all rows; the largest take the mock ten minutes a run"
    )
    parser.add_argument(
        "--no-ttnn",
        action="store_true",
        help="leave out ttnn's own kernels, whose wheel is downloaded once",
    )
    parser.add_argument("--jobs", type=int, default=1, help="rows measured at the same time")
    return parser


def _measured(chosen: list[Row], jobs: int, with_ttnn: bool) -> list[Line]:
    one = functools.partial(measure, with_ttnn=with_ttnn)
    progress = {"desc": "rows", "unit": "row", "disable": None}
    if jobs == 1:
        return [one(row) for row in tqdm(chosen, **progress)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(tqdm(pool.map(one, chosen), total=len(chosen), **progress))


if __name__ == "__main__":
    main()
