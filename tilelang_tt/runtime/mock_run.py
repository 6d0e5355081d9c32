"""Run a bound plan on the embedded mock."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from tilelang_tt import device, formats, mock, tiles
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.plan import Kernel, Plan, Tensor
from tilelang_tt.runtime.binding import Binding, element_type

_INTERLEAVED_DRAM = 2  # tt-metal's ArgConfig: IsDram set, everything else static


def run(artifact: Artifact, binding: Binding, record: bool = False) -> mock.Report:
    """Run the kernels; tensors are read from and written to the memory that `binding` views.

    `record` keeps the intervals that `Report.trace` shows.

    Raises:
        mock.MockError: a kernel breaks a rule of the device, or the cores deadlock.
        mock.MissingCompiler: there is no C++ compiler.
    """
    plan = artifact.plan
    used = plan.accessed
    views = {
        tensor.name: tiles.arranged(binding.tensors[tensor.name], tensor.tiled) for tensor in used
    }
    pages = [(_page_bytes(tensor), tiles.tile_count(views[tensor.name].shape)) for tensor in used]
    addresses = mock.allocate(device.load(plan.arch), pages)
    buffers = [
        mock.Buffer(
            tensor.name,
            tiles.tilize(views[tensor.name]).view(np.uint8),
            _page_bytes(tensor),
            address,
            "given" if tensor.is_written else "input",
        )
        for tensor, address in zip(used, addresses, strict=True)
    ]
    by_name = dict(zip((tensor.name for tensor in used), addresses, strict=True))
    executable = executable_of(artifact)
    report = executable.run(
        buffers,
        common_args={kernel.file: binding.common_args(kernel, by_name) for kernel in plan.kernels},
        core_args={kernel.file: binding.core_args(kernel, _place) for kernel in plan.kernels},
        record=record,
    )
    for tensor, buffer in zip(used, buffers, strict=True):
        if tensor.is_written:
            data = buffer.data.view(element_type(tensor.dtype))
            tiles.untilize(data, views[tensor.name])
    return report


@functools.lru_cache(maxsize=256)
def executable_of(artifact: Artifact) -> mock.Executable:
    """The compiled kernels of an artifact; they do not depend on arguments or shapes."""
    return program(artifact).build()


def program(artifact: Artifact) -> mock.Program:
    """The artifact as the mock sees it, with every core of the grid but no arguments yet."""
    plan = artifact.plan
    cores = [(x, y) for y in range(plan.grid[1]) for x in range(plan.grid[0])]
    return mock.Program(
        kernels=tuple(_kernel(kernel, artifact.sources, plan, cores) for kernel in plan.kernels),
        circular_buffers=tuple(
            mock.CircularBuffer(
                index=cb.index,
                name=cb.name,
                format=formats.BY_DTYPE[cb.dtype],
                page_bytes=cb.page_bytes,
                pages=cb.pages,
                unpack_to_dest_fp32=cb.unpack_to_dest,
            )
            for cb in plan.circular_buffers
        ),
        device=device.load(plan.arch),
        fidelity=plan.fidelity,  # pyright: ignore[reportArgumentType]  checked by Options
        fp32_dest_acc=plan.fp32_dest_acc,
        semaphores=(0,) * len(plan.semaphores),
    )


def _kernel(
    kernel: Kernel, sources: Mapping[str, str], plan: Plan, cores: list[tuple[int, int]]
) -> mock.Kernel:
    return mock.Kernel(
        role=kernel.role,  # pyright: ignore[reportArgumentType]  one of the mock's roles
        name=kernel.file,
        source=sources[kernel.file],
        core_args={core: (0, 0) for core in cores},
        compile_time_args=compile_time_args(kernel, plan),
    )


def compile_time_args(kernel: Kernel, plan: Plan) -> tuple[int, ...]:
    """The words of a kernel's compile-time arguments, tensors interleaved over DRAM."""
    words: list[int] = []
    for argument in kernel.compile_time_args:
        if argument.kind == "cb":
            words.append(plan.circular_buffer(argument.name).index)
        elif argument.kind == "semaphore":
            words.append(plan.semaphores.index(argument.name))
        else:
            words += [_INTERLEAVED_DRAM, _page_bytes(plan.tensor(argument.name))]
    return tuple(words)


def _place(core: tuple[int, int]) -> tuple[int, int]:
    """The mock's cores have the coordinates on its NoCs that they have in the grid."""
    return core


def _page_bytes(tensor: Tensor) -> int:
    return formats.BY_DTYPE[tensor.dtype].tile_bytes
