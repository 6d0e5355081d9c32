"""How near a run comes to what the chip can do, by the formulas of tt-perf-report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tilelang_tt.device import Device
from tilelang_tt.formats import TILE_ELEMENTS
from tilelang_tt.mock.report import Report

_FLOPS_PER_PRODUCT = 2 * 32 * TILE_ELEMENTS
_FLOPS_PER_CYCLE = 2 * 8 * 16 * 16  # one core at one phase
_BOUND = 0.65  # above this share a run counts as bound by the resource

Bound = Literal["arithmetic", "DRAM", "both", "neither"]


@dataclass(frozen=True)
class Roofline:
    """Shares of the peaks: `flops` of the matrix engines of the cores used, `dram` of the banks.

    `tflops` and `gigabytes` are per second of the whole run, launch included.
    """

    flops: float
    dram: float
    tflops: float
    gigabytes: float

    @property
    def bound(self) -> Bound:
        match (self.flops >= _BOUND, self.dram >= _BOUND):
            case (True, True):
                return "both"
            case (True, False):
                return "arithmetic"
            case (False, True):
                return "DRAM"
            case _:
                return "neither"


def roofline(report: Report, device: Device) -> Roofline:
    """The shares of a run on `device`."""
    seconds = report.cycles / device.clock_ghz / 1e9
    flops = report.tile_products * _FLOPS_PER_PRODUCT / seconds
    peak = _FLOPS_PER_CYCLE / report.fidelity_phases * device.clock_ghz * 1e9 * len(report.cores)
    dram = report.dram_bytes / seconds
    return Roofline(flops / peak, dram / device.dram_peak, flops / 1e12, dram / 1e9)
