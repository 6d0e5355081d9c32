"""A sum by hand: three Metalium kernels on some cores of the mock, without TileLang.

`--trace FILE` writes what each engine did when, for https://ui.perfetto.dev.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np

from tilelang_tt import mock

KERNELS = Path(__file__).parent / "kernels"
ROUNDING = 2.0**-8  # half a unit in the last place of bfloat16


def add(chip, a, b, c, cores):
    """The program c = a + b; tiles are dealt out to the cores."""
    program = chip.program()
    for index in range(3):
        program.circular_buffer(index, "bfloat16", pages=4)
    bounds = np.linspace(0, c.pages, len(cores) + 1).astype(int).tolist()
    spans = dict(zip(cores, itertools.pairwise(bounds), strict=True))
    program.kernel(
        "reader",
        KERNELS / "add_reader.cpp",
        {core: (a.address, b.address, *span) for core, span in spans.items()},
        compile_time_args=(*a.accessor_args, *b.accessor_args),
    )
    program.kernel(
        "compute",
        KERNELS / "add_compute.cpp",
        {core: (last - first,) for core, (first, last) in spans.items()},
    )
    program.kernel(
        "writer",
        KERNELS / "add_writer.cpp",
        {core: (c.address, *span) for core, span in spans.items()},
        compile_time_args=c.accessor_args,
    )
    return program


def main(argv=None):
    parser = argparse.ArgumentParser(description="c = a + b, by hand")
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    parser.add_argument("--cores", type=int, default=4, help="of the first row of the grid")
    parser.add_argument("--trace", type=Path, help="a file for the trace")
    args = parser.parse_args(argv)

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 512, 256), dtype=np.float32)
    chip = mock.Chip(args.arch)
    a, b = chip.tensor(x, "bfloat16"), chip.tensor(y, "bfloat16")
    c = chip.empty(x.shape, "bfloat16")
    program = add(chip, a, b, c, [(column, 0) for column in range(args.cores)])
    report = program.run(record=args.trace is not None)
    if args.trace is not None:
        args.trace.write_text(json.dumps(report.trace()))

    expected = a.numpy() + b.numpy()
    error = float(np.abs(c.numpy() - expected).max() / np.abs(expected).max())
    print(mock.profile(report))
    print(f"vector add: largest error {error:.1e}, {ROUNDING:.1e} allowed")
    return 0 if error <= ROUNDING else 1


if __name__ == "__main__":
    sys.exit(main())
