"""A matrix product on a grid of cores, and what comes out of a run of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt import device, formats, mock
from tilelang_tt.mock.program import FIDELITIES, Fidelity

ARCHS = {"WH": "wormhole_b0", "BH": "blackhole"}
TILE = 32
_CYCLES_PER_PHASE = 16  # of the product of two tiles

Place = Literal["dram", "l1"]
Dtype = Literal["bf16", "bfp8", "bfp4"]
FORMATS: dict[Dtype, formats.Format] = {
    "bf16": formats.BY_NAME["Float16_b"],
    "bfp8": formats.BY_NAME["Bfp8_b"],
    "bfp4": formats.BY_NAME["Bfp4_b"],
}


@dataclass(frozen=True)
class Problem:
    """C = A @ B of (m, k) and (k, n) elements of one dtype, on `grid` (columns, rows) of cores.

    With `place` "l1", A and C are block-sharded over the L1 of the cores; B is always in DRAM.
    """

    arch: str
    grid: tuple[int, int]
    m: int
    k: int
    n: int
    dtype: Dtype = "bf16"
    fidelity: Fidelity = "HiFi4"
    place: Place = "dram"

    @property
    def tiles(self) -> tuple[int, int, int]:
        """Tiles of m, k and n."""
        return self.m // TILE, self.k // TILE, self.n // TILE

    @property
    def format(self) -> formats.Format:
        return FORMATS[self.dtype]

    @property
    def device(self) -> device.Device:
        """The chip with this grid, which older firmware shows larger than today's."""
        return replace(device.load(ARCHS[self.arch]), grid=self.grid)

    @property
    def cores(self) -> tuple[tuple[int, int], ...]:
        """Row by row."""
        return tuple((x, y) for y in range(self.grid[1]) for x in range(self.grid[0]))

    @property
    def products(self) -> int:
        """Of tiles, on all cores."""
        m, k, n = self.tiles
        return m * k * n

    @property
    def ideal_cycles(self) -> float:
        """Cycles of the matrix engines if they did nothing but multiply, evenly on all cores."""
        phases = FIDELITIES.index(self.fidelity) + 1
        return self.products * _CYCLES_PER_PHASE * phases / len(self.cores)

    @property
    def name(self) -> str:
        columns, rows = self.grid
        where = "" if self.place == "dram" else ", L1"
        return (
            f"{self.arch} {columns}x{rows} {self.dtype} {self.fidelity} "
            f"{self.m}x{self.k}x{self.n}{where}"
        )


@dataclass(frozen=True)
class Outcome:
    """A run: cycles of the whole program with its launch, and the share of the peak.

    `utilisation` is ideal cycles by those of the compute kernel's math thread, as tt-metal's
    report has it.
    """

    cycles: float
    utilisation: float
    report: mock.Report

    @classmethod
    def of(cls, problem: Problem, report: mock.Report) -> Outcome:
        share = problem.ideal_cycles / report.engine("math").finished
        return cls(report.cycles, share, report)


Bytes = npt.NDArray[np.uint8]


def zeros(problem: Problem, tiles: int) -> Bytes:
    """The bytes of so many tiles. Times do not depend on values."""
    return np.zeros(tiles * problem.format.tile_bytes, np.uint8)
