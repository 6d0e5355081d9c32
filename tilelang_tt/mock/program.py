"""What runs on the mock, as data: kernels, circular buffers, tensors, compute modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt import formats
from tilelang_tt.device import Device
from tilelang_tt.mock import tensors, timing
from tilelang_tt.mock.errors import ProgramError
from tilelang_tt.mock.tensors import DRAM, Core, Layout
from tilelang_tt.mock.timing import Timing
from tilelang_tt.tiles import TILE

if TYPE_CHECKING:
    from tilelang_tt.mock.executable import Executable

Role = Literal["reader", "writer", "compute"]
Fidelity = Literal["LoFi", "HiFi2", "HiFi3", "HiFi4"]
Numerics = Literal["device", "ieee"]
Contents = Literal["given", "result", "scratch", "input"]

CONTENTS: tuple[Contents, ...] = ("given", "result", "scratch", "input")
ROLES: tuple[Role, ...] = ("reader", "writer", "compute")
FIDELITIES: tuple[Fidelity, ...] = ("LoFi", "HiFi2", "HiFi3", "HiFi4")


@dataclass(frozen=True)
class Kernel:
    """One kernel source. The keys of `core_args` are the cores (x, y) that run it.

    `include_dirs` are searched for what the source includes, after the mock's own headers.
    """

    role: Role
    name: str
    source: str
    core_args: Mapping[Core, Sequence[int]]
    compile_time_args: tuple[int, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    common_args: tuple[int, ...] = ()
    named_compile_time_args: tuple[tuple[str, int], ...] = ()
    include_dirs: tuple[str, ...] = ()


@dataclass(frozen=True)
class CircularBuffer:
    """A circular buffer of every core of the program, or of the `cores` given.

    Its pages are those of the L1 tensor named `buffer`, or lie where those of the circular buffer
    with the index `shares` lie, or have a place of their own.
    """

    index: int
    name: str
    format: formats.Format
    page_bytes: int
    pages: int
    unpack_to_dest_fp32: bool = False
    cores: tuple[Core, ...] | None = None
    buffer: str | None = None
    shares: int | None = None

    def is_on(self, core: Core) -> bool:
        return self.cores is None or core in self.cores


@dataclass(frozen=True)
class Buffer:
    """A tensor, used in place.

    `data` holds its pages in order, unpadded, as flat bytes; or it is an array of elements of shape
    (..., rows, columns), whose tiles of 32x32 are the pages. Its rows and leading axes may lie
    anywhere, the elements of a row lie side by side.

    `contents` tells what the bytes are before the run: "given" by the host; those of a "result",
    undefined, and the kernels must write all of them; those of a "scratch" tensor, undefined; those
    of an "input", given, and no kernel may write them.
    """

    name: str
    data: npt.NDArray[np.generic]
    page_bytes: int
    address: int
    contents: Contents = "given"
    layout: Layout = DRAM

    @property
    def has_matrices(self) -> bool:
        """Whether `data` has rows and columns, and not pages."""
        return self.data.ndim > 1

    @property
    def pages(self) -> int:
        return self.data.nbytes // self.page_bytes

    def accessor_args(self, device: Device) -> tuple[int, ...]:
        """The compile-time arguments from which a kernel makes `TensorAccessorArgs`."""
        return tensors.accessor_args(device, self.layout, self.page_bytes)

    def __post_init__(self) -> None:
        data = self.data
        if not data.flags.writeable:
            raise ProgramError("buffer", f"buffer {self.name} is not writable")
        if self.has_matrices:
            self._check_matrices()
        elif data.dtype != np.uint8 or not data.flags.c_contiguous:
            raise ProgramError("buffer", f"buffer {self.name} is not a flat contiguous uint8 array")
        if data.size == 0 or data.nbytes % self.page_bytes:
            raise ProgramError(
                "buffer",
                f"buffer {self.name} has {data.nbytes} bytes, pages have {self.page_bytes}",
            )

    def _check_matrices(self) -> None:
        data = self.data
        if not tensors.is_tiled_in_place(data) or self.page_bytes != TILE * TILE * data.itemsize:
            raise ProgramError(
                "buffer",
                f"buffer {self.name} has rows of {data.shape[-1]} elements, {data.strides[-1]} "
                f"bytes apart, and pages of {self.page_bytes} bytes: it takes whole tiles of "
                f"{TILE}x{TILE} elements whose rows are contiguous",
            )
        if self.layout != DRAM:
            raise ProgramError("buffer", f"buffer {self.name} is in L1, which takes pages in order")


@dataclass(frozen=True)
class Program:
    """Kernels, their circular buffers and the modes they are compiled for.

    With `numerics` "ieee" the registers hold float32 and products see all bits of their operands;
    formats in memory stay what they are. "device" rounds where the chip does.
    """

    kernels: tuple[Kernel, ...]
    circular_buffers: tuple[CircularBuffer, ...]
    device: Device
    fidelity: Fidelity = "HiFi4"
    fp32_dest_acc: bool = False
    dst_full_sync: bool = False
    numerics: Numerics = "device"
    semaphores: tuple[int, ...] = field(default=())
    timing: Timing | None = None  # None: the device's

    @property
    def costs(self) -> Timing:
        """What the clock charges."""
        return self.timing if self.timing is not None else timing.load(self.device.name)

    def __post_init__(self) -> None:
        check_kernels(self.device, self.kernels)
        _check_circular_buffers(self)
        limit = self.device.semaphores
        if len(self.semaphores) > limit:
            raise ProgramError("semaphores", f"{len(self.semaphores)} semaphores of {limit}")

    def build(self) -> Executable:
        """Compiles what the cache does not hold; run-time arguments and tensors play no part."""
        from tilelang_tt.mock.executable import build  # it imports this module

        return build(self)

    def place(self, buffers: Sequence[Buffer] = ()) -> tuple[int, ...]:
        """The L1 offset of each circular buffer; errors where something does not fit.

        They grow upwards, each behind what any of its cores has; tensors are where they are.
        """
        columns, rows = self.device.grid
        everywhere = tuple((x, y) for y in range(rows) for x in range(columns))
        free = dict.fromkeys(everywhere, self.device.cb_base)
        named = {buffer.name: buffer for buffer in buffers}
        offsets: list[int] = []
        for cb in self.circular_buffers:
            if cb.buffer is not None:
                offsets.append(self._tensor_address(cb, named))
                continue
            if cb.shares is not None:
                offsets.append(offsets[self._shared(cb)])
                continue
            cores = everywhere if cb.cores is None else cb.cores
            offset = align_up(max(free[core] for core in cores), self.device.dram_read_alignment)
            free.update(dict.fromkeys(cores, offset + cb.page_bytes * cb.pages))
            offsets.append(offset)
        end = max(free.values())
        limit = min(
            (buffer.address for buffer in buffers if buffer.layout != DRAM),
            default=self.device.l1_bytes,
        )
        if end > limit:
            taken, room = end - self.device.cb_base, limit - self.device.cb_base
            raise ProgramError("l1_overflow", f"circular buffers of {taken} bytes in {room} of L1")
        return tuple(offsets)

    def _tensor_address(self, cb: CircularBuffer, named: Mapping[str, Buffer]) -> int:
        buffer = named.get(cb.buffer or "")
        if buffer is None:
            raise ProgramError("cb_buffer", f"no tensor is named {cb.buffer}, as {cb.name} wants")
        room = tensors.l1_bytes(self.device, buffer.layout, buffer.page_bytes, buffer.pages)
        if cb.page_bytes * cb.pages > room:
            raise ProgramError(
                "cb_buffer",
                f"{cb.name} has {cb.page_bytes * cb.pages} bytes, its tensor {room} on each core",
            )
        return buffer.address

    def _shared(self, cb: CircularBuffer) -> int:
        """The position of the circular buffer whose place this one shares."""
        for position, other in enumerate(self.circular_buffers):
            if other is cb:
                break
            if other.index == cb.shares and other.cores == cb.cores:
                if cb.page_bytes * cb.pages > other.page_bytes * other.pages:
                    raise ProgramError("cb_shares", f"{cb.name} is larger than {other.name}")
                return position
        raise ProgramError(
            "cb_shares", f"{cb.name} shares the place of {cb.shares}, which does not precede it"
        )


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


def check_kernels(device: Device, kernels: Sequence[Kernel]) -> None:
    """Refuses kernels that do not fit the chip or each other.

    Raises:
        ProgramError: an unknown role, a name or a core taken twice, a core off the grid, or more
            arguments than a kernel may have.
    """
    taken: set[tuple[str, Core]] = set()
    names: set[str] = set()
    columns, rows = device.grid
    for kernel in kernels:
        if kernel.role not in ROLES:
            raise ProgramError("role", f"kernel {kernel.name} has the role {kernel.role!r}")
        if kernel.name in names:
            raise ProgramError("name", f"two kernels are named {kernel.name}")
        names.add(kernel.name)
        limit = device.max_runtime_args
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
    seen: set[tuple[int, Core]] = set()
    columns, rows = program.device.grid
    everywhere = tuple((x, y) for y in range(rows) for x in range(columns))
    for cb in program.circular_buffers:
        if not 0 <= cb.index < program.device.cb_count:
            raise ProgramError(
                "cb_index", f"circular buffer {cb.index} of {program.device.cb_count}"
            )
        own = {(cb.index, core) for core in (everywhere if cb.cores is None else cb.cores)}
        if not seen.isdisjoint(own):
            raise ProgramError("cb_index", f"two circular buffers have the index {cb.index}")
        if any(core not in everywhere for _, core in own):
            raise ProgramError(
                "core", f"circular buffer {cb.name} is off the {columns}x{rows} grid"
            )
        if cb.pages <= 0 or cb.page_bytes <= 0 or cb.page_bytes % 16:
            raise ProgramError(
                "cb_page_size",
                f"circular buffer {cb.name}: {cb.pages} pages of {cb.page_bytes} bytes",
            )
        seen |= own
    if all(cb.buffer is None for cb in program.circular_buffers):
        program.place()
