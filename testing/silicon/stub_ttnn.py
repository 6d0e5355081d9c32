"""A stand-in for the module `ttnn`, as far as a generated host program uses it.

Tensors stay in this process, and `generic_op` hands the program to the mock, described by nothing
but what the host program said. So a host program is tested whole where there is no ttnn.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang_tt import device, formats, mock
from tilelang_tt.tiles import TILE

_INTERLEAVED_DRAM = 2  # tt-metal's ArgConfig: IsDram set, everything else static
_FORMATS = {each.ttnn: each for each in formats.FORMATS if each.ttnn}


@dataclass(frozen=True)
class CoreCoord:
    x: int
    y: int


@dataclass(frozen=True)
class CoreRange:
    start: CoreCoord
    end: CoreCoord


@dataclass(frozen=True)
class CoreRangeSet:
    ranges: list[CoreRange]

    def __contains__(self, core: CoreCoord) -> bool:
        return any(
            r.start.x <= core.x <= r.end.x and r.start.y <= core.y <= r.end.y for r in self.ranges
        )


class MathFidelity(Enum):
    LoFi = auto()
    HiFi2 = auto()
    HiFi3 = auto()
    HiFi4 = auto()


class UnpackToDestMode(Enum):
    Default = auto()
    UnpackToDestFp32 = auto()


class ReaderConfigDescriptor:
    role = "reader"


class WriterConfigDescriptor:
    role = "writer"


@dataclass
class ComputeConfigDescriptor:
    math_fidelity: MathFidelity
    fp32_dest_acc_en: bool
    unpack_to_dest_mode: list[UnpackToDestMode] = field(default_factory=list)
    role = "compute"


@dataclass(frozen=True)
class KernelDescriptor:
    class SourceType(Enum):
        FILE_PATH = auto()

    kernel_source: str
    source_type: SourceType
    core_ranges: CoreRangeSet
    compile_time_args: list[int]
    runtime_args: list[tuple[CoreCoord, list[int]]]
    common_runtime_args: list[int]
    config: Any


@dataclass(frozen=True)
class CBFormatDescriptor:
    buffer_index: int
    data_format: str
    page_size: int


@dataclass(frozen=True)
class CBDescriptor:
    total_size: int
    core_ranges: CoreRangeSet
    format_descriptors: list[CBFormatDescriptor]


@dataclass(frozen=True)
class SemaphoreDescriptor:
    id: int
    core_ranges: CoreRangeSet
    initial_value: int


@dataclass(frozen=True)
class ProgramDescriptor:
    kernels: list[KernelDescriptor]
    semaphores: list[SemaphoreDescriptor]
    cbs: list[CBDescriptor]


class Tensor:
    """Row-major pages, each one row of `pages`."""

    def __init__(self, pages: npt.NDArray[np.unsignedinteger], dtype: str) -> None:
        assert pages.ndim == 2, pages.shape
        assert pages.shape[1] == TILE * TILE, pages.shape
        assert str(pages.dtype) == dtype, dtype
        self.pages = pages.copy()
        self.holder: Device | None = None
        self.address = 0

    def device(self) -> Device | None:
        return self.holder

    def buffer_address(self) -> int:
        assert self.holder is not None, "the tensor is not on the device"
        return self.address

    def to_numpy(self) -> npt.NDArray[np.unsignedinteger]:
        assert self.holder is None, "the tensor is on the device"
        return self.pages

    @property
    def page_bytes(self) -> int:
        return self.pages.shape[1] * self.pages.itemsize


class TensorAccessorArgs:
    def __init__(self, tensor: Tensor) -> None:
        assert tensor.holder is not None, "the tensor is not on the device"
        self._words = [_INTERLEAVED_DRAM, tensor.page_bytes]

    def get_compile_time_args(self) -> list[int]:
        return self._words


@dataclass
class Device:
    """An open device: tensors get their addresses in the order they arrive."""

    arch: str
    tensors: list[Tensor] = field(default_factory=list)
    is_open: bool = True

    def worker_core_from_logical_core(self, core: CoreCoord) -> CoreCoord:
        return core  # as on the mock

    def place(self, tensor: Tensor) -> Tensor:
        assert self.is_open, "the device is closed"
        placed = Tensor(tensor.pages, str(tensor.pages.dtype))
        placed.holder = self
        self.tensors.append(placed)
        sizes = [(each.page_bytes, each.pages.shape[0]) for each in self.tensors]
        placed.address = mock.allocate(device.load(self.arch), sizes)[-1]
        return placed


@dataclass
class Recorder:
    """What the host program did: the devices it opened and the programs it launched."""

    arch: str
    devices: list[Device] = field(default_factory=list)
    programs: list[ProgramDescriptor] = field(default_factory=list)

    def open_device(self, device_id: int) -> Device:
        assert device_id == 0
        self.devices.append(Device(self.arch))
        return self.devices[-1]

    def close_device(self, opened: Device) -> None:
        assert opened.is_open, "the device is closed twice"
        opened.is_open = False

    def generic_op(self, tensors: Iterable[Tensor], program: ProgramDescriptor) -> None:
        self.programs.append(program)
        _run(list(tensors), program, self.arch)


def to_device(tensor: Tensor, opened: Device) -> Tensor:
    return opened.place(tensor)


def from_device(tensor: Tensor) -> Tensor:
    assert tensor.holder is not None, "the tensor is not on the device"
    return Tensor(tensor.pages, str(tensor.pages.dtype))


def module(recorder: Recorder) -> ModuleType:
    """A module that a host program imports as `ttnn`."""
    made = ModuleType("ttnn")
    here = sys.modules[__name__]
    for name in _NAMES:
        setattr(made, name, getattr(here, name))
    for dtype in _FORMATS:
        setattr(made, dtype, dtype)
    for name in ("open_device", "close_device", "generic_op"):
        setattr(made, name, getattr(recorder, name))
    made._ttnn = _native()
    return made


_NAMES = (
    "CBDescriptor",
    "CBFormatDescriptor",
    "ComputeConfigDescriptor",
    "CoreCoord",
    "CoreRange",
    "CoreRangeSet",
    "KernelDescriptor",
    "MathFidelity",
    "ProgramDescriptor",
    "ReaderConfigDescriptor",
    "SemaphoreDescriptor",
    "Tensor",
    "TensorAccessorArgs",
    "UnpackToDestMode",
    "WriterConfigDescriptor",
    "from_device",
    "to_device",
)


def _native() -> ModuleType:
    """`ttnn._ttnn`, for the one name that ttnn's own Python lacks."""
    native = ModuleType("ttnn._ttnn")
    native.program_descriptor = ModuleType("ttnn._ttnn.program_descriptor")
    native.program_descriptor.VectorUnpackToDestMode = list
    return native


def _run(tensors: list[Tensor], program: ProgramDescriptor, arch: str) -> None:
    """Run the program on the mock, which changes the pages of its tensors."""
    compute = next(k.config for k in program.kernels if k.config.role == "compute")
    circular_buffers = tuple(_circular_buffer(cb, compute) for cb in program.cbs)
    runnable = mock.Program(
        kernels=tuple(map(_kernel, program.kernels)),
        circular_buffers=circular_buffers,
        device=device.load(arch),
        fidelity=compute.math_fidelity.name,
        fp32_dest_acc=compute.fp32_dest_acc_en,
        semaphores=tuple(semaphore.initial_value for semaphore in program.semaphores),
    )
    buffers = [
        mock.Buffer(
            f"tensor {position}",
            tensor.pages.reshape(-1).view(np.uint8),
            tensor.page_bytes,
            tensor.buffer_address(),
        )
        for position, tensor in enumerate(tensors)
    ]
    runnable.build().run(buffers)


def _kernel(descriptor: KernelDescriptor) -> mock.Kernel:
    assert all(core in descriptor.core_ranges for core, _ in descriptor.runtime_args)
    path = Path(descriptor.kernel_source)
    return mock.Kernel(
        role=descriptor.config.role,
        name=path.name,
        source=path.read_text(),
        core_args={(core.x, core.y): tuple(words) for core, words in descriptor.runtime_args},
        compile_time_args=tuple(descriptor.compile_time_args),
        common_args=tuple(descriptor.common_runtime_args),
    )


def _circular_buffer(
    descriptor: CBDescriptor, compute: ComputeConfigDescriptor
) -> mock.CircularBuffer:
    (described,) = descriptor.format_descriptors
    assert descriptor.total_size % described.page_size == 0, descriptor
    mode = compute.unpack_to_dest_mode[described.buffer_index]
    return mock.CircularBuffer(
        index=described.buffer_index,
        name=f"cb {described.buffer_index}",
        format=_FORMATS[described.data_format],
        page_bytes=described.page_size,
        pages=descriptor.total_size // described.page_size,
        unpack_to_dest_fp32=mode is UnpackToDestMode.UnpackToDestFp32,
    )
