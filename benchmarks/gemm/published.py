"""What ttnn's matrix products measured on cards, by tt-metal's tech_reports/GEMM_FLOPS.

Shares are ideal cycles by cycles of the math thread. Tuned products of 3072 and less on Wormhole,
and those on Blackhole that are not said to be in DRAM, have A and C block-sharded in L1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.gemm.problem import Dtype, Place, Problem
from tilelang_tt.mock.program import Fidelity

_L1_LIMIT = 3072  # of a square product on Wormhole


@dataclass(frozen=True)
class Row:
    """One published figure. `share` in per cent; `tuned` by hand or chosen by ttnn itself."""

    problem: Problem
    share: float
    tuned: bool = True


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
    ((13, 10), "bfp4", "LoFi", (((5120, 6656), 89.5, "dram"),), True),
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
                place: Place = "l1" if tuned and size <= _L1_LIMIT else "dram"
                problem = Problem("WH", (8, 8), size, size, size, dtype, fidelity, place)
                yield Row(problem, share, tuned)
    for grid, dtype, fidelity, sizes, tuned in _BLACKHOLE:
        for (m, n), share, place in sizes:
            yield Row(Problem("BH", grid, m, n, n, dtype, fidelity, place), share, tuned)
