"""What ttnn's matrix products measured on cards, by tt-metal's tech_reports/GEMM_FLOPS.

Shares are ideal cycles by cycles of the math thread. How products were tuned is what the benchmark
that the report names does (tests/ttnn/unit_tests/benchmarks/test_benchmark.py): where A and C are,
the length of K blocks, blocks of the output, and subblocks, which are one row where C is in L1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.gemm.hand import Config
from benchmarks.gemm.problem import Dtype, Place, Problem
from tilelang_tt.mock.program import Fidelity


@dataclass(frozen=True)
class Row:
    """One published figure. `share` in per cent; `tuned` by hand or chosen by ttnn itself."""

    problem: Problem
    share: float
    tuned: bool = True

    @property
    def config(self) -> Config | None:
        """What was measured, for the kernel by hand; None where ttnn chose by itself."""
        if not self.tuned:
            return None
        (m, k, n), (columns, rows) = self.problem.tiles, self.problem.grid
        shares = _SPLITS.get((self.problem.dtype, m // rows, n // columns), (1, 1))
        inner, blocks = shares
        lines, width = m // rows // blocks, n // columns // blocks
        return Config(lines, width, k // columns // inner, self._subblock(lines, width))

    def _subblock(self, rows: int, columns: int) -> tuple[int, int]:
        return next(
            (high, wide)
            for high, wide in _SUBBLOCKS
            if rows % high == 0
            and columns % wide == 0
            and (high == 1 or self.problem.place == "dram")
        )


# By dtype and tiles of C on a core: into how many K blocks a core's share of A's columns is cut,
# and into how many output blocks its rows and its columns of C. One elsewhere.
_SPLITS: dict[tuple[Dtype, int, int], tuple[int, int]] = {
    ("bf16", 8, 12): (2, 1),
    ("bf16", 12, 12): (4, 1),
    ("bf16", 16, 16): (1, 2),
    ("bf16", 32, 32): (2, 4),
    ("bf16", 64, 64): (4, 8),
    ("bfp8", 12, 12): (2, 1),
    ("bfp8", 16, 16): (1, 2),
    ("bfp8", 32, 32): (2, 4),
    ("bfp4", 16, 16): (2, 1),
    ("bfp4", 32, 32): (2, 2),
}
# Rows and columns of tiles, in the order in which the benchmark tries them.
_SUBBLOCKS = (
    *((4, 2), (2, 4), (8, 1), (1, 8), (7, 1), (1, 7), (3, 2), (2, 3), (6, 1), (1, 6), (5, 1)),
    *((1, 5), (2, 2), (4, 1), (1, 4), (3, 1), (1, 3), (2, 1), (1, 2), (1, 1)),
)

# dtype, fidelity, (size of the square product, share)
_WORMHOLE: tuple[tuple[Dtype, Fidelity, tuple[tuple[int, float], ...]], ...] = (
    (
        "bf16",
        "HiFi4",
        (
            *((512, 40.8), (1024, 77.2), (2048, 89.6), (3072, 92.4), (4096, 83.2), (8192, 88.7)),
            (16384, 91.5),
        ),
    ),
    ("bf16", "HiFi2", ((1024, 47.8), (2048, 64.9), (3072, 64.6), (4096, 59.5), (8192, 66.5))),
    ("bfp8", "HiFi2", ((1024, 67.5), (2048, 84.3), (3072, 88.6), (4096, 79.4), (8192, 84))),
    ("bfp8", "LoFi", ((2048, 58.9), (3072, 61.6), (8192, 64.8))),
    ("bfp4", "LoFi", ((1024, 50.9), (2048, 78.8), (3072, 84.6), (4096, 87.7), (8192, 82.6))),
)
_WORMHOLE_UNTUNED: tuple[tuple[Dtype, Fidelity, tuple[tuple[int, float], ...]], ...] = (
    ("bf16", "HiFi2", ((512, 17.8), (1024, 41.6), (2048, 66.7), (4096, 59.5))),
    ("bfp8", "LoFi", ((4096, 64.4),)),
    ("bfp4", "LoFi", ((4096, 82.2),)),
)
# Grid, dtype, fidelity; then m, k which is n, share and place of each product.
_BLACKHOLE: tuple[
    tuple[tuple[int, int], Dtype, Fidelity, tuple[tuple[tuple[int, int], float, Place], ...], bool],
    ...,
] = (
    (
        (13, 10),
        "bf16",
        "HiFi4",
        (
            ((640, 832), 41.3, "l1"),
            ((640, 1664), 76.6, "l1"),
            ((1280, 1664), 85.2, "l1"),
            ((1280, 3328), 90.5, "l1"),
            ((2560, 3328), 93.2, "l1"),
            ((3840, 4992), 93.8, "l1"),
            ((4160, 4160), 93.8, "dram"),
            ((10240, 13312), 93.0, "dram"),
        ),
        True,
    ),
    (
        (13, 10),
        "bf16",
        "HiFi2",
        (
            ((1280, 1664), 73.0, "l1"),
            ((2560, 3328), 87.1, "l1"),
            ((3840, 4992), 88.4, "l1"),
            ((4160, 4160), 88.3, "dram"),
            ((5120, 6656), 80.4, "dram"),
        ),
        True,
    ),
    ((13, 10), "bfp8", "HiFi2", (((3840, 4992), 90.3, "l1"),), True),
    ((13, 10), "bfp8", "LoFi", (((2560, 3328), 83.2, "l1"), ((3840, 4992), 86.5, "l1")), True),
    ((13, 10), "bfp4", "LoFi", (((5120, 6656), 89.5, "l1"),), True),
    ((11, 10), "bf16", "HiFi2", (((3840, 4224), 88.3, "l1"),), True),
    (
        (11, 10),
        "bf16",
        "HiFi2",
        (((2560, 2816), 85.1, "dram"), ((5120, 5632), 80.5, "dram")),
        False,
    ),
)


def rows() -> Iterator[Row]:
    """All of them, Wormhole's first."""
    for tuned, groups in ((True, _WORMHOLE), (False, _WORMHOLE_UNTUNED)):
        for dtype, fidelity, sizes in groups:
            for size, share in sizes:
                limit = 4096 if dtype == "bfp4" else 3072
                place: Place = "l1" if tuned and size <= limit else "dram"
                problem = Problem("WH", (8, 8), size, size, size, dtype, fidelity, place)
                yield Row(problem, share, tuned)
    for grid, dtype, fidelity, sizes, tuned in _BLACKHOLE:
        for (m, n), share, place in sizes:
            yield Row(Problem("BH", grid, m, n, n, dtype, fidelity, place), share, tuned)
