#!/usr/bin/env python3
"""How long it takes from a TileLang function to a result, step by step.

For each program, each run starts three processes with caches of their own. The first compiles and
runs a program that no cache knows; the second meets what the first one left on disk; the third
times every pass by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from timing import Row, print_table, progress, write_json

from tilelang_tt.mock import compiler

HERE = Path(__file__).resolve().parent
PROGRAMS = ("add", "gemm")
PASSES = "{}: passes, warm unless marked"
PASSES_LIMIT = 150.0  # ms for the GEMM

Times = dict[str, list[float]]


def measure(program: str, runs: int) -> tuple[list[Row], list[Row]]:
    """Rows of the way to a result, and of the passes."""
    whole: Times = defaultdict(list)
    passes: Times = defaultdict(list)
    for number in range(1, runs + 1):
        progress(f"{program}: run {number} of {runs}")
        with tempfile.TemporaryDirectory(prefix="tilelang_tt_benchmark_") as folder:
            environment = _own_caches(Path(folder))
            for label in ("nothing cached", "cached on disk"):
                for name, values in _process("whole", program, environment).items():
                    whole[f"{label}: {name}"] += values
            for name, values in _process("passes", program, environment).items():
                passes[name] += values
    return _rows(whole), _with_sum(_rows(passes))


def _own_caches(folder: Path) -> dict[str, str]:
    """An environment with empty caches, but for the mock's engine, which is built once."""
    engine = compiler.build_engine(compiler.find_compiler())
    mock, tilelang = folder / "mock", folder / "tilelang"
    mock.mkdir()
    shutil.copy2(engine, mock)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]),
        "TILELANG_TT_CACHE_DIR": str(mock),
        "TILELANG_CACHE_DIR": str(tilelang),
    }


def _process(mode: str, program: str, environment: dict[str, str]) -> Times:
    command = [sys.executable, str(HERE / "measured_process.py"), mode, program]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=HERE
    )
    return json.loads(done.stdout.splitlines()[-1])


def _rows(times: Times) -> list[Row]:
    return [Row(name, "ms", tuple(values)) for name, values in times.items()]


def _with_sum(rows: list[Row]) -> list[Row]:
    """The rows and, before them, the sum of all passes of each turn."""
    passes = [
        row for row in rows if not row.name.startswith("first:") and row.name != "code generation"
    ]
    turns = zip(*(row.values for row in passes), strict=True)
    return [Row("all passes", "ms", tuple(sum(turn) for turn in turns)), *rows]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of each program (default: 5)")
    parser.add_argument(
        "--program", choices=PROGRAMS, action="append", help="only this program; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value here")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    tables: dict[str, list[Row]] = {}
    for program in chosen.program or PROGRAMS:
        whole, passes = measure(program, chosen.runs)
        tables[f"{program}: from function to result"] = whole
        tables[PASSES.format(program)] = passes
    for title, rows in tables.items():
        print_table(title, rows)
    if (passes := tables.get(PASSES.format("gemm"))) is not None:
        verdict = "within" if passes[0].median < PASSES_LIMIT else "OVER"
        print(
            f"\nThe GEMM's passes take {passes[0].median:.0f} ms, {verdict} the limit of "
            f"{PASSES_LIMIT:.0f} ms."
        )
    if chosen.json is not None:
        write_json(chosen.json, tables)


if __name__ == "__main__":
    main()
