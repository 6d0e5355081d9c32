"""What runs on the mock, as data: kernels, circular buffers, tensors, compute modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt import formats
from tilelang_tt.device import Device
from tilelang_tt.mock import timing
from tilelang_tt.mock.errors import ProgramError
from tilelang_tt.mock.timing import Timing

if TYPE_CHECKING:
    from tilelang_tt.mock.executable import Executable

Role = Literal["reader", "writer", "compute"]
Fidelity = Literal["LoFi", "HiFi2", "HiFi3", "HiFi4"]
Core = tuple[int, int]
Contents = Literal["given", "result", "scratch"]

CONTENTS: tuple[Contents, ...] = ("given", "result", "scratch")
ROLES: tuple[Role, ...] = ("reader", "writer", "compute")
FIDELITIES: tuple[Fidelity, ...] = ("LoFi", "HiFi2", "HiFi3", "HiFi4")
SEMAPHORES = 16


@dataclass(frozen=True)
class Kernel:
    """One kernel source. The keys of `core_args` are the cores (x, y) that run it."""

    role: Role
    name: str
    source: str
    core_args: Mapping[Core, Sequence[int]]
    compile_time_args: tuple[int, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    common_args: tuple[int, ...] = ()


@dataclass(frozen=True)
class CircularBuffer:
    """A circular buffer that every core of the program has."""

    index: int
    name: str
    format: formats.Format
    page_bytes: int
    pages: int
    unpack_to_dest_fp32: bool = False


@dataclass(frozen=True)
class Buffer:
    """An interleaved DRAM tensor, used in place: `data` holds its pages in order, unpadded.

    `contents` tells what the bytes are before the run: "given" by the host; those of a "result",
    undefined, and the kernels must write all of them; those of a "scratch" tensor, undefined.
    """

    name: str
    data: npt.NDArray[np.uint8]
    page_bytes: int
    address: int
    contents: Contents = "given"

    def __post_init__(self) -> None:
        data = self.data
        if data.dtype != np.uint8 or data.ndim != 1 or not data.flags.c_contiguous:
            raise ProgramError("buffer", f"buffer {self.name} is not a flat contiguous uint8 array")
        if not data.flags.writeable:
            raise ProgramError("buffer", f"buffer {self.name} is not writable")
        if data.size == 0 or data.size % self.page_bytes:
            raise ProgramError(
                "buffer",
                f"buffer {self.name} has {data.size} bytes, pages have {self.page_bytes}",
            )


@dataclass(frozen=True)
class Program:
    """Kernels, their circular buffers and the modes they are compiled for."""

    kernels: tuple[Kernel, ...]
    circular_buffers: tuple[CircularBuffer, ...]
    device: Device
    fidelity: Fidelity = "HiFi4"
    fp32_dest_acc: bool = False
    dst_full_sync: bool = False
    semaphores: tuple[int, ...] = field(default=())
    timing: Timing | None = None  # None: the device's

    @property
    def costs(self) -> Timing:
        """What the clock charges."""
        return self.timing if self.timing is not None else timing.load(self.device.name)

    def __post_init__(self) -> None:
        _check_kernels(self)
        _check_circular_buffers(self)
        if len(self.semaphores) > SEMAPHORES:
            raise ProgramError("semaphores", f"{len(self.semaphores)} semaphores of {SEMAPHORES}")

    def build(self) -> Executable:
        """Compiles what the cache does not hold; run-time arguments and tensors play no part."""
        from tilelang_tt.mock.executable import build  # it imports this module

        return build(self)

    @property
    def l1_bytes(self) -> int:
        """L1 the circular buffers take on each core, from the first one's start."""
        offset = self.device.cb_base
        for cb in self.circular_buffers:
            offset = align_up(offset, self.device.dram_read_alignment) + cb.page_bytes * cb.pages
        return offset - self.device.cb_base


def align_up(value: int, alignment: int) -> int:
    """The next multiple of `alignment` that is not below `value`."""
    return (value + alignment - 1) // alignment * alignment


def allocate(device: Device, tensors: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """DRAM addresses of interleaved tensors, given as (page bytes, pages), as the chip assigns."""
    addresses: list[int] = []
    address = device.dram_first_address
    for page_bytes, pages in tensors:
        addresses.append(address)
        rows = -(-pages // device.dram_banks)
        address += rows * align_up(page_bytes, device.dram_read_alignment)
    if address > device.dram_bank_bytes:
        raise ProgramError("dram_overflow", f"the tensors need {address} bytes of each DRAM bank")
    return tuple(addresses)


def _check_kernels(program: Program) -> None:
    taken: set[tuple[str, Core]] = set()
    names: set[str] = set()
    columns, rows = program.device.grid
    for kernel in program.kernels:
        if kernel.role not in ROLES:
            raise ProgramError("role", f"kernel {kernel.name} has the role {kernel.role!r}")
        if kernel.name in names:
            raise ProgramError("name", f"two kernels are named {kernel.name}")
        names.add(kernel.name)
        limit = program.device.max_runtime_args
        if max([len(kernel.common_args), *map(len, kernel.core_args.values())]) > limit:
            raise ProgramError("args", f"kernel {kernel.name} has more than {limit} arguments")
        for core in kernel.core_args:
            if not (0 <= core[0] < columns and 0 <= core[1] < rows):
                raise ProgramError(
                    "core", f"kernel {kernel.name}: core {core} is off the {columns}x{rows} grid"
                )
            if (kernel.role, core) in taken:
                raise ProgramError("core", f"two {kernel.role} kernels on core {core}")
            taken.add((kernel.role, core))


def _check_circular_buffers(program: Program) -> None:
    seen: set[int] = set()
    for cb in program.circular_buffers:
        if not 0 <= cb.index < program.device.cb_count:
            raise ProgramError(
                "cb_index", f"circular buffer {cb.index} of {program.device.cb_count}"
            )
        if cb.index in seen:
            raise ProgramError("cb_index", f"two circular buffers have the index {cb.index}")
        if cb.pages <= 0 or cb.page_bytes <= 0 or cb.page_bytes % 16:
            raise ProgramError(
                "cb_page_size",
                f"circular buffer {cb.name}: {cb.pages} pages of {cb.page_bytes} bytes",
            )
        seen.add(cb.index)
    if program.l1_bytes > program.device.cb_bytes:
        raise ProgramError(
            "l1_overflow",
            f"circular buffers of {program.l1_bytes} bytes in {program.device.cb_bytes} of L1",
        )
