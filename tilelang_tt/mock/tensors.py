"""Where the pages of a tensor are, and what a kernel is told of it.

A tensor is pages in order: tiles, or rows. The pages of an interleaved tensor go round the banks of
DRAM or L1; those of a sharded one are cut into boxes of equal shape, which go round some cores.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt.device import Device
from tilelang_tt.mock.errors import ProgramError
from tilelang_tt.tiles import TILE

Core = tuple[int, int]

_SHARDED, _DRAM = 1, 2  # bits of the first word of TensorAccessorArgs
_CONTIGUOUS = 1 << 31
L1_ALIGNMENT = 16


@dataclass(frozen=True)
class Interleaved:
    """Page p is in bank p modulo their number."""

    memory: Literal["dram", "l1"] = "dram"


@dataclass(frozen=True)
class Sharded:
    """Boxes of pages in the L1 of cores.

    `shape` and `shard` count pages along each axis, of the tensor and of one box. Boxes go round
    `cores` in row-major order, or, with `contiguous`, fill one core before the next.
    """

    shape: tuple[int, ...]
    shard: tuple[int, ...]
    cores: tuple[Core, ...]
    contiguous: bool = False

    def __post_init__(self) -> None:
        if len(self.shape) != len(self.shard) or not self.shape:
            raise ProgramError("shard", f"shape {self.shape} and shard {self.shard} differ in rank")
        if min((*self.shape, *self.shard)) <= 0 or not self.cores:
            raise ProgramError("shard", "a sharded tensor needs pages and cores")
        if self.contiguous and self.shards % len(self.cores):
            raise ProgramError(
                "shard", f"{self.shards} shards do not fill {len(self.cores)} cores evenly"
            )

    @property
    def grid(self) -> tuple[int, ...]:
        """Boxes along each axis; the last one may reach beyond the tensor."""
        return tuple(-(-extent // box) for extent, box in zip(self.shape, self.shard, strict=True))

    @property
    def shards(self) -> int:
        return math.prod(self.grid)

    @property
    def shard_pages(self) -> int:
        """Pages one box takes in memory."""
        return math.prod(self.shard)

    @property
    def core_pages(self) -> int:
        """Pages that are set aside on every core."""
        return -(-self.shards // len(self.cores)) * self.shard_pages


Layout = Interleaved | Sharded
DRAM = Interleaved("dram")
L1 = Interleaved("l1")


def aligned_page(device: Device, layout: Layout, page_bytes: int) -> int:
    """Bytes from one page to the next in a bank."""
    alignment = device.dram_read_alignment if layout == DRAM else L1_ALIGNMENT
    return -(-page_bytes // alignment) * alignment


def accessor_args(device: Device, layout: Layout, page_bytes: int) -> tuple[int, ...]:
    """The compile-time arguments from which a kernel makes `TensorAccessorArgs`."""
    aligned = aligned_page(device, layout, page_bytes)
    if isinstance(layout, Interleaved):
        return (_DRAM if layout.memory == "dram" else 0, aligned)
    packed = [x << 8 | y for x, y in layout.cores]
    pairs = itertools.zip_longest(packed[::2], packed[1::2], fillvalue=0)
    banks = len(layout.cores) | (_CONTIGUOUS if layout.contiguous else 0)
    words = (_SHARDED, aligned, len(layout.shape), banks, *layout.shape, *layout.shard)
    return (*words, *(low | high << 16 for low, high in pairs))


def l1_bytes(device: Device, layout: Layout, page_bytes: int, pages: int) -> int:
    """Bytes a tensor takes of each core's L1; 0 in DRAM."""
    aligned = aligned_page(device, layout, page_bytes)
    if isinstance(layout, Sharded):
        return layout.core_pages * aligned
    return -(-pages // math.prod(device.grid)) * aligned if layout.memory == "l1" else 0


def is_tiled_in_place(array: npt.NDArray[np.generic]) -> bool:
    """Whether the last two axes are whole tiles whose rows are contiguous, so that kernels can work
    on the array itself."""
    rows, columns = array.shape[-2:]
    return (
        rows % TILE == 0
        and columns % TILE == 0
        and array.strides[-1] == array.itemsize
        and min(array.strides) >= 0
    )


def matrix_offsets(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Where each matrix of the last two axes begins, in bytes from the first."""
    offsets = np.zeros((), np.uint64)
    for extent, stride in zip(array.shape[:-2], array.strides[:-2], strict=True):
        offsets = np.add.outer(offsets, np.arange(extent, dtype=np.uint64) * np.uint64(stride))
    return np.ascontiguousarray(offsets.reshape(-1))


@functools.lru_cache(maxsize=64)
def places(
    device: Device, layout: Layout, page_bytes: int, pages: int
) -> npt.NDArray[np.uint32] | None:
    """Core number and byte offset of each page, of shape (pages, 2); None in DRAM."""
    aligned = aligned_page(device, layout, page_bytes)
    columns, rows = device.grid
    index = np.arange(pages)
    if isinstance(layout, Interleaved):
        if layout.memory == "dram":
            return None
        banks = columns * rows
        return _pairs(index % banks, index // banks * aligned)
    if math.prod(layout.shape) != pages:
        raise ProgramError("shard", f"a tensor of {pages} pages has the shape {layout.shape}")
    coordinates = np.unravel_index(index, layout.shape)
    box = tuple(axis // size for axis, size in zip(coordinates, layout.shard, strict=True))
    inside = tuple(axis % size for axis, size in zip(coordinates, layout.shard, strict=True))
    shard = np.ravel_multi_index(box, layout.grid)
    page = np.ravel_multi_index(inside, layout.shard)
    cores = len(layout.cores)
    each = layout.shards // cores
    bank, slot = divmod(shard, each) if layout.contiguous else (shard % cores, shard // cores)
    numbers = np.array([y * columns + x for x, y in layout.cores])
    return _pairs(numbers[bank], (slot * layout.shard_pages + page) * aligned)


def _pairs(core: npt.NDArray[np.intp], offset: npt.NDArray[np.intp]) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(np.stack([core, offset], axis=1), dtype=np.uint32)
