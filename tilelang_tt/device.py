"""The chips, as data: grid, memories and limits, read from `data/<arch>.toml`."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from importlib import resources

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ARCHS = ("wormhole_b0", "blackhole")


@dataclass(frozen=True)
class Device:
    """One architecture. Sizes in bytes; `grid` is (columns, rows) of the cores a program may
    use."""

    name: str
    grid: tuple[int, int]
    clock_ghz: float
    l1_bytes: int
    cb_base: int
    cb_count: int
    dram_banks: int
    dram_bank_bytes: int
    dram_first_address: int
    dram_read_alignment: int
    dram_peak: float  # bytes a second, all banks
    dst_tiles_16bit: int
    dst_tiles_32bit: int
    max_runtime_args: int
    semaphores: int  # of a program, on each core

    @property
    def cb_bytes(self) -> int:
        """L1 that the circular buffers of one core may take together."""
        return self.l1_bytes - self.cb_base

    @property
    def dram_bytes_per_cycle(self) -> float:
        """Of all banks together, at the cores' clock."""
        return self.dram_peak / (self.clock_ghz * 1e9)

    def dst_tiles(self, fp32: bool, full_sync: bool = False) -> int:
        """Tiles of the destination register one acquire gives.

        Half of it while packing overlaps with math.
        """
        tiles = self.dst_tiles_32bit if fp32 else self.dst_tiles_16bit
        return tiles if full_sync else tiles // 2


@functools.cache
def load(arch: str) -> Device:
    """The device named `arch`, one of `ARCHS`."""
    assert arch in ARCHS, arch
    text = resources.files("tilelang_tt.data").joinpath(f"{arch}.toml").read_text()
    data = tomllib.loads(text)
    columns, rows = data["grid"]
    return Device(
        name=data["name"],
        grid=(columns, rows),
        clock_ghz=data["clock_ghz"],
        l1_bytes=data["l1"]["bytes"],
        cb_base=data["l1"]["cb_base"],
        cb_count=data["circular_buffers"]["count"],
        dram_banks=data["dram"]["banks"],
        dram_bank_bytes=data["dram"]["bank_bytes"],
        dram_first_address=data["dram"]["first_address"],
        dram_read_alignment=data["dram"]["read_alignment"],
        dram_peak=data["dram"]["peak_gb_per_second"] * 1e9,
        dst_tiles_16bit=data["dst"]["tiles_16bit"],
        dst_tiles_32bit=data["dst"]["tiles_32bit"],
        max_runtime_args=data["kernel"]["max_runtime_args"],
        semaphores=data["kernel"]["semaphores"],
    )
