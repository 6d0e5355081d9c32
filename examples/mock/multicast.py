"""A multicast by hand: one core sends the pages of a tensor to a grid of cores, page by page.

Two semaphores: the receivers count up the sender's when they have room, the sender sets theirs
behind the data.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from tilelang_tt import mock

KERNELS = Path(__file__).parent / "kernels"


def multicast(chip, source, result, columns, rows):
    """The program that writes `source` as often to `result` as there are cores."""
    cores = [(x, y) for y in range(rows) for x in range(columns)]
    pages = source.pages
    program = chip.program()
    program.circular_buffer(0, "bfloat16", pages=2, cores=cores)
    program.semaphore()  # 0: receivers that have room
    program.semaphore()  # 1: pages sent
    program.kernel(
        "reader",
        KERNELS / "multicast_sender.cpp",
        {cores[0]: (source.address, pages, columns - 1, rows - 1)},
        compile_time_args=source.accessor_args,
    )
    receivers = dict.fromkeys(cores[1:], (pages,))
    program.kernel("reader", KERNELS / "multicast_receiver.cpp", receivers)
    program.kernel(
        "writer",
        KERNELS / "multicast_writer.cpp",
        {core: (result.address, number * pages, pages) for number, core in enumerate(cores)},
        compile_time_args=result.accessor_args,
    )
    return program


def main(argv=None):
    parser = argparse.ArgumentParser(description="one tensor to many cores")
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--rows", type=int, default=2)
    args = parser.parse_args(argv)

    values = np.random.default_rng(0).standard_normal((64, 128), dtype=np.float32)
    copies = args.columns * args.rows
    chip = mock.Chip(args.arch)
    source = chip.tensor(values, "bfloat16")
    result = chip.empty((copies, *values.shape), "bfloat16")
    report = multicast(chip, source, result, args.columns, args.rows).run()

    wrong = int((result.numpy() != source.numpy()).sum())
    for line in report.prints:
        print(line)
    print(mock.profile(report))
    print(f"multicast: {copies} copies, {wrong} values differ, 0 allowed")
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
