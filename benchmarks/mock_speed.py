#!/usr/bin/env python3
"""How fast the mock works: a GEMM on all cores of a chip, and element-wise programs.

Times are CPU seconds of this process, which runs the mock in one thread. Each program is built
and run once before anything is measured. The first row is a yardstick: torch's product of the same
matrices in float32, in one thread. Compare ratios; the seconds are this machine's.

--peer measures TT-Lang's functional simulator in the same run, on the same programs written for it
(`peer_tt_lang.py`): `pip install tt-lang-sim` in a Python environment of its own.
"""

# pyright: reportInvalidTypeForm=false

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tilelang
import tilelang.language as T
import torch
from programs import add, arguments, gemm
from timing import Row, print_table, progress, write_json
from tvm import tirx

import tilelang_tt  # noqa: F401  registers the target
from tilelang_tt.tiles import TILE

HERE = Path(__file__).resolve().parent
TARGET = {"kind": "tenstorrent", "execution": "mock"}  # the whole chip: 8x8 cores
TITLE = "mock, one thread"
GEMM, ADD = "GEMM, bfloat16", "add, bfloat16"


def measure(name: str, run: Callable[[], object], runs: int) -> Row:
    """CPU seconds of `run`."""
    progress(name)
    run()
    values: list[float] = []
    for _ in range(runs):
        start = time.process_time()
        run()
        values.append(time.process_time() - start)
    return Row(name, "CPU s", tuple(values))


def per_second(row: Row, name: str, amount: float, unit: str) -> Row:
    """The rate at which `amount` was done."""
    return Row(name, unit, tuple(amount / value for value in row.values))


def compiled(func: tirx.PrimFunc, inputs: Sequence[torch.Tensor]) -> Callable[[], object]:
    """A run of the kernel, into one and the same tensor, of the shape of the inputs."""
    kernel = tilelang.compile(func, target=TARGET)
    out = torch.empty_like(inputs[0])
    return lambda: kernel(*inputs, out)


def relu(size: int, block: int, dtype: str) -> tirx.PrimFunc:
    """B = max(A, 0)."""

    @T.prim_func
    def relu(A: T.Tensor((size, size), dtype), B: T.Tensor((size, size), dtype)):
        with T.Kernel(T.ceildiv(size, block), T.ceildiv(size, block), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block, block), dtype)
            B_local = T.alloc_fragment((block, block), dtype)
            T.copy(A[by * block, bx * block], A_shared)
            for i, j in T.Parallel(block, block):
                B_local[i, j] = T.max(A_shared[i, j], 0)
            T.copy(B_local, B[by * block, bx * block])

    return relu


def benchmark(size: int, runs: int) -> list[Row]:
    inputs = arguments(size)
    wide = [tensor.float() for tensor in inputs]
    yardstick = measure(f"torch, float32 product {size}^3", lambda: wide[0] @ wide[1], runs)
    rows = [yardstick]
    product = measure(GEMM, compiled(gemm(size), inputs), runs)
    rows += [
        product,
        per_second(product, "GEMM, multiplications and additions", 2e-9 * size**3, "G/s"),
        Row("GEMM, over torch", "x", (product.median / yardstick.median,)),
    ]
    return rows + elementwise(size, runs, "") + elementwise(4 * size, runs, f", {4 * size}^2")


def elementwise(size: int, runs: int, suffix: str) -> list[Row]:
    """Rates rise with the size, because a launch takes its time for any."""
    inputs = arguments(size)
    wide = [tensor.float() for tensor in inputs]
    tiles = (size // TILE) ** 2
    rows: list[Row] = []
    for name, func, used in (
        (ADD, add(size), inputs),
        ("add, float32", add(size, dtype="float32"), wide),
        ("relu, bfloat16", relu(size, 64, "bfloat16"), inputs[:1]),
    ):
        row = measure(name + suffix, compiled(func, used), runs)
        rows += [row, per_second(row, f"{name}{suffix}, tiles written", tiles * 1e-3, "k/s")]
    return rows


def peer(python: Path, size: int, runs: int, ours: list[Row]) -> list[Row]:
    """What TT-Lang's simulator takes, and how many times ours that is."""
    progress("TT-Lang's simulator")
    simulator = [str(python), "-m", "ttl.sim.ttlang_sim", str(HERE / "peer_tt_lang.py")]
    done = subprocess.run(
        [*simulator, str(size), str(runs)], stdout=subprocess.PIPE, text=True, check=True
    )
    times = json.loads(done.stdout.splitlines()[-1])
    by_name = {row.name: row for row in ours}
    rows: list[Row] = []
    for key, name in (("add", ADD), ("gemm", GEMM)):
        row = Row(f"TT-Lang: {name}", "CPU s", tuple(times[key]))
        rows += [row, Row(f"TT-Lang: {name}, over ours", "x", (row.median / by_name[name].median,))]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1024, help="of the matrices (default: 1024)")
    parser.add_argument("--runs", type=int, default=9, help="of each program (default: 9)")
    parser.add_argument(
        "--peer", type=Path, metavar="PYTHON", help="a Python that has tt-lang-sim: measure it too"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value here")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("tilelang").setLevel(logging.ERROR)
    rows = benchmark(chosen.size, chosen.runs)
    if chosen.peer is not None:
        rows += peer(chosen.peer, chosen.size, chosen.runs, rows)
    print_table(TITLE, rows)
    if chosen.json is not None:
        write_json(chosen.json, {TITLE: rows})


if __name__ == "__main__":
    main()
