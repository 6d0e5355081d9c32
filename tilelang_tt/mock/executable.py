"""Builds a program, runs it through the engine's C ABI, gives a report or raises an error."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import itertools
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt.mock import errors, findings, kernel_state, report, tensors
from tilelang_tt.mock.compiler import KernelSource, build_engine, build_kernels, find_compiler
from tilelang_tt.mock.program import (
    CONTENTS,
    FIDELITIES,
    ROLES,
    Buffer,
    CircularBuffer,
    Kernel,
    Program,
    check_kernels,
)
from tilelang_tt.mock.tensors import Core
from tilelang_tt.mock.timing import Timing
from tilelang_tt.tiles import TILE

# `void kernel_main()` as the Itanium C++ ABI spells it.
_ENTRY = "_Z11kernel_mainv"
_ARCH_DEFINES = {"wormhole_b0": "ARCH_WORMHOLE", "blackhole": "ARCH_BLACKHOLE"}
_WORD = 0xFFFFFFFF


class _DeviceStruct(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in (
            "grid_x",
            "grid_y",
            "l1_bytes",
            "cb_base",
            "cb_count",
            "dram_banks",
            "dram_read_alignment",
            "dst_tiles",
            "dst_sections",
            "fp32_dest",
            "fidelity",
            "ieee",
        )
    )


class _CircularBufferStruct(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("format", ctypes.c_uint32),
        ("page_bytes", ctypes.c_uint32),
        ("pages", ctypes.c_uint32),
        ("unpack_to_dest_fp32", ctypes.c_uint32),
        ("offset", ctypes.c_uint32),
        ("is_tensor", ctypes.c_uint32),
        ("cores", ctypes.c_void_p),
    )


class _MatricesStruct(ctypes.Structure):
    _fields_ = (
        ("offsets", ctypes.c_void_p),
        ("row_bytes", ctypes.c_int64),
        ("row_tiles", ctypes.c_uint32),
        ("column_tiles", ctypes.c_uint32),
        ("element_bytes", ctypes.c_uint32),
    )


class _BufferStruct(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
        ("page_bytes", ctypes.c_uint32),
        ("address", ctypes.c_uint32),
        ("contents", ctypes.c_uint32),
        ("places", ctypes.c_void_p),
        ("l1_bytes", ctypes.c_uint32),
        ("matrices", ctypes.c_void_p),
    )


class _KernelStruct(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("entry", ctypes.c_void_p),
        ("role", ctypes.c_uint32),
        ("core_count", ctypes.c_uint32),
        ("cores", ctypes.c_void_p),
        ("args", ctypes.c_void_p),
        ("arg_offsets", ctypes.c_void_p),
        ("common_args", ctypes.c_void_p),
        ("common_arg_count", ctypes.c_uint32),
    )


class _ParameterStruct(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("value", ctypes.c_double))


class _ProgramStruct(ctypes.Structure):
    _fields_ = (
        ("device", _DeviceStruct),
        ("kernels", ctypes.c_void_p),
        ("circular_buffers", ctypes.c_void_p),
        ("buffers", ctypes.c_void_p),
        ("semaphores", ctypes.c_void_p),
        ("parameters", ctypes.c_void_p),
        ("kernel_count", ctypes.c_uint32),
        ("circular_buffer_count", ctypes.c_uint32),
        ("buffer_count", ctypes.c_uint32),
        ("semaphore_count", ctypes.c_uint32),
        ("parameter_count", ctypes.c_uint32),
        ("record", ctypes.c_uint32),
    )


class _Engine:
    """The loaded engine. It holds the state of one run, so runs take turns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        library = ctypes.CDLL(str(path))
        self._run = library.tt_mock_run
        self._run.restype = ctypes.c_char_p
        self._run.argtypes = (ctypes.POINTER(_ProgramStruct),)
        self._times = library.tt_mock_times
        self._times.restype = ctypes.c_char_p
        self._times.argtypes = ()

    def run(self, program: _ProgramStruct) -> tuple[Mapping[str, Any], bytes]:
        """The answer, and what each core and link did when as text: few callers look at it."""
        with self._lock:
            return json.loads(self._run(ctypes.byref(program))), self._times()


@functools.cache
def _load_engine(path: Path) -> _Engine:
    return _Engine(path)


@functools.cache
def _load_kernel(path: Path) -> ctypes.CDLL:
    return ctypes.CDLL(str(path))


def _words(values: Sequence[int], keep: list[object]) -> int:
    """The address of a C array of 32-bit words, which `keep` keeps; ctypes has no reference."""
    array = np.array(values, np.int64).astype(np.uint32)
    keep.append(array)
    return array.ctypes.data


class Executable:
    """A built program. May run many times, with other tensors and run-time arguments each time."""

    def __init__(self, program: Program, engine: _Engine, paths: Sequence[Path]) -> None:
        self.program = program
        self._engine = engine
        self._libraries = {
            kernel.name: path for kernel, path in zip(program.kernels, paths, strict=True)
        }
        libraries = [_load_kernel(path) for path in paths]
        self._entries = [
            ctypes.cast(library[_ENTRY], ctypes.c_void_p).value for library in libraries
        ]
        self._device = _device_struct(program)
        self._masks = [_core_mask(program, cb) for cb in program.circular_buffers]
        self._parameters = _parameter_structs(program.costs)

    def run(
        self,
        buffers: Sequence[Buffer],
        common_args: Mapping[str, Sequence[int]] | None = None,
        core_args: Mapping[str, Mapping[Core, Sequence[int]]] | None = None,
        *,
        record: bool = False,
        mode: Literal["strict", "report"] = "strict",
        allow: Collection[str] = (),
    ) -> report.Report:
        """Runs to the end. A kernel that the arguments do not name keeps those of the program.

        `record` keeps what each engine did when, for `Report.trace`. Broken rules raise a
        `RunError` that has them all; with mode "report" they are only listed, in
        `Report.findings`. `allow` names kinds of findings that do not raise where the run could
        go on.
        """
        program = self.program
        kernels = self._kernels_with(common_args or {}, core_args or {})
        keep: list[object] = []
        kernel_structs = (_KernelStruct * len(kernels))()
        for struct, kernel, entry in zip(kernel_structs, kernels, self._entries, strict=True):
            _fill_kernel(struct, kernel, entry, keep)
        circular_buffers = self._circular_buffer_structs(buffers)
        places = [
            tensors.places(program.device, buffer.layout, buffer.page_bytes, buffer.pages)
            for buffer in buffers
        ]
        buffer_structs = _buffer_structs(program, buffers, places, keep)
        answer, times = self._engine.run(
            _ProgramStruct(
                device=self._device,
                kernels=ctypes.addressof(kernel_structs),
                circular_buffers=ctypes.addressof(circular_buffers),
                buffers=ctypes.addressof(buffer_structs),
                semaphores=_words(program.semaphores, keep),
                parameters=ctypes.addressof(self._parameters),
                kernel_count=len(kernels),
                circular_buffer_count=len(circular_buffers),
                buffer_count=len(buffer_structs),
                semaphore_count=len(program.semaphores),
                parameter_count=len(self._parameters),
                record=int(record),
            )
        )
        found = findings.from_json(program, self._libraries, answer)
        try:
            findings.raise_errors(found, frozenset(allow), mode)
        except errors.RunError as error:
            error.prints = report.prints(answer)
            raise
        return report.from_json(program, answer, times, found.findings)

    def _kernels_with(
        self,
        common_args: Mapping[str, Sequence[int]],
        core_args: Mapping[str, Mapping[Core, Sequence[int]]],
    ) -> tuple[Kernel, ...]:
        """The kernels with the arguments, and so the cores, of one run; checked as a program's."""
        kernels = self.program.kernels
        unknown = {*common_args, *core_args} - self._libraries.keys()
        if unknown:
            raise errors.ProgramError("name", f"arguments for unknown kernels {sorted(unknown)}")
        if common_args or core_args:
            kernels = tuple(
                dataclasses.replace(
                    kernel,
                    common_args=tuple(common_args.get(kernel.name, kernel.common_args)),
                    core_args=core_args.get(kernel.name, kernel.core_args),
                )
                for kernel in kernels
            )
            check_kernels(self.program.device, kernels)
        self._check_state(kernels)
        return kernels

    def _circular_buffer_structs(
        self, buffers: Sequence[Buffer]
    ) -> ctypes.Array[_CircularBufferStruct]:
        """Where circular buffers are depends on tensors in L1 only."""
        if any(buffer.layout != tensors.DRAM for buffer in buffers):
            offsets = self.program.place(buffers)
            return _circular_buffer_structs(self.program, self._masks, offsets)
        return self._circular_buffers

    @functools.cached_property
    def _circular_buffers(self) -> ctypes.Array[_CircularBufferStruct]:
        return _circular_buffer_structs(self.program, self._masks, self.program.place())

    def _check_state(self, kernels: Sequence[Kernel]) -> None:
        """Refuses what the cores would share: variables of a kernel that several of them run."""
        for kernel in kernels:
            if len(kernel.core_args) > 1:
                names = kernel_state.variables(self._libraries[kernel.name])
                if names:
                    raise errors.UnsupportedKernel(
                        f"kernel {kernel.name} keeps {', '.join(names)} outside its functions, "
                        f"which the mock's cores would share; make it local, or give each of the "
                        f"{len(kernel.core_args)} cores a kernel of its own name"
                    )


def build(program: Program) -> Executable:
    """Compiles what the cache does not hold and loads it."""
    compiler = find_compiler()
    engine = build_engine(compiler)
    sources = [_kernel_source(program, kernel) for kernel in program.kernels]
    loaded = _load_engine(engine)  # before the kernels, which refer to it by name
    return Executable(program, loaded, build_kernels(compiler, engine, sources))


def _kernel_source(program: Program, kernel: Kernel) -> KernelSource:
    args = ",".join(f"{value & _WORD}u" for value in kernel.compile_time_args)
    defines = [(_ARCH_DEFINES[program.device.name], "1")]
    if args:
        defines.append(("KERNEL_COMPILE_TIME_ARGS", args))
    if kernel.named_compile_time_args:
        named = (f'{{"{name}",{value & _WORD}u}}' for name, value in kernel.named_compile_time_args)
        defines.append(("KERNEL_COMPILE_TIME_ARG_MAP", ",".join(named)))
    defines.append(("TT_MOCK_CB_FACTS", _facts(program, kernel)))
    if kernel.role == "compute":
        defines += [
            ("TT_MOCK_COMPUTE", "1"),
            ("DST_ACCUM_MODE", "true" if program.fp32_dest_acc else "false"),
            ("DST_SYNC_MODE", f"DstSync::Sync{'Full' if program.dst_full_sync else 'Half'}"),
            ("TT_MOCK_FIDELITY", f"ckernel::MathFidelity::{program.fidelity}"),
            ("UCK_CHLKC_UNPACK", "1"),  # one of three, for sources that ask whether they compute
        ]
    else:
        defines += [
            ("TT_MOCK_DATA_MOVEMENT", "1"),
            ("NOC_INDEX", "0" if kernel.role == "reader" else "1"),
        ]
    return KernelSource(
        kernel.name, kernel.source, (*defines, *kernel.defines), kernel.include_dirs
    )


def _facts(program: Program, kernel: Kernel) -> str:
    """Format and tile size of the circular buffers by index, as the cores of the kernel have
    them."""
    own = {
        cb.index: cb
        for cb in program.circular_buffers
        if cb.cores is None or any(core in cb.cores for core in kernel.core_args)
    }
    count = max(own, default=0) + 1
    rows = [(255, 0, 0)] * max(count, 32)  # as many as every chip has
    for index, cb in own.items():
        rows[index] = (cb.format.code, cb.format.tile_bytes, int(cb.unpack_to_dest_fp32))
    return ",".join(f"{{{code},{size},{direct}}}" for code, size, direct in rows)


def _device_struct(program: Program) -> _DeviceStruct:
    device = program.device
    return _DeviceStruct(
        grid_x=device.grid[0],
        grid_y=device.grid[1],
        l1_bytes=device.l1_bytes,
        cb_base=device.cb_base,
        cb_count=device.cb_count,
        dram_banks=device.dram_banks,
        dram_read_alignment=device.dram_read_alignment,
        dst_tiles=device.dst_tiles(program.fp32_dest_acc, program.dst_full_sync),
        dst_sections=1 if program.dst_full_sync else 2,
        fp32_dest=int(program.fp32_dest_acc),
        fidelity=FIDELITIES.index(program.fidelity) + 1,
        ieee=int(program.numerics == "ieee"),
    )


def _fill_kernel(
    struct: _KernelStruct,
    kernel: Kernel,
    entry: int | None,
    keep: list[object],
) -> None:
    args = kernel.core_args
    struct.name = kernel.name.encode()
    struct.entry = entry
    struct.role = ROLES.index(kernel.role)
    struct.core_count = len(args)
    struct.cores = _words([coordinate for core in args for coordinate in core], keep)
    struct.args = _words([value for values in args.values() for value in values], keep)
    struct.arg_offsets = _words([0, *itertools.accumulate(map(len, args.values()))], keep)
    struct.common_args = _words(kernel.common_args, keep)
    struct.common_arg_count = len(kernel.common_args)


def _core_mask(program: Program, cb: CircularBuffer) -> npt.NDArray[np.uint8]:
    """One byte for each core of the grid, row by row: whether it has the circular buffer."""
    columns, rows = program.device.grid
    return np.array([cb.is_on((x, y)) for y in range(rows) for x in range(columns)], dtype=np.uint8)


def _circular_buffer_structs(
    program: Program, masks: Sequence[npt.NDArray[np.uint8]], offsets: Sequence[int]
) -> ctypes.Array[_CircularBufferStruct]:
    return (_CircularBufferStruct * len(program.circular_buffers))(
        *(
            _CircularBufferStruct(
                cb.name.encode(),
                cb.index,
                cb.format.code,
                cb.page_bytes,
                cb.pages,
                int(cb.unpack_to_dest_fp32),
                offset,
                int(cb.buffer is not None),
                mask.ctypes.data,
            )
            for cb, mask, offset in zip(program.circular_buffers, masks, offsets, strict=True)
        )
    )


def _parameter_structs(costs: Timing) -> ctypes.Array[_ParameterStruct]:
    return (_ParameterStruct * len(costs.values))(
        *(_ParameterStruct(name.encode(), value) for name, value in costs.values.items())
    )


def _buffer_structs(
    program: Program,
    buffers: Sequence[Buffer],
    places: Sequence[npt.NDArray[np.uint32] | None],
    keep: list[object],
) -> ctypes.Array[_BufferStruct]:
    return (_BufferStruct * len(buffers))(
        *(
            _BufferStruct(
                buffer.name.encode(),
                buffer.data.ctypes.data,
                buffer.data.nbytes,
                buffer.page_bytes,
                buffer.address,
                CONTENTS.index(buffer.contents),
                None if place is None else place.ctypes.data,
                tensors.l1_bytes(program.device, buffer.layout, buffer.page_bytes, buffer.pages),
                _matrices(buffer, keep),
            )
            for buffer, place in zip(buffers, places, strict=True)
        )
    )


def _matrices(buffer: Buffer, keep: list[object]) -> int | None:
    """Address of how the host's matrices lie, or None where the buffer has pages in order."""
    if not buffer.has_matrices:
        return None
    data = buffer.data
    offsets = tensors.matrix_offsets(data)
    rows, columns = data.shape[-2:]
    struct = _MatricesStruct(
        offsets.ctypes.data, data.strides[-2], rows // TILE, columns // TILE, data.itemsize
    )
    keep += offsets, struct
    return ctypes.addressof(struct)
