"""Kernels with named arguments: the declarations that Metal 2.0 generates before the source.

A kernel says `get_arg(args::count)`, `DataflowBuffer(dfb::in)`, `TensorAccessor(tensor::src)` and
`Semaphore(sem::ready)`; the names are declared here from what the program gives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tilelang_tt.device import Device
from tilelang_tt.mock.errors import ProgramError
from tilelang_tt.mock.program import Buffer, Kernel, Role
from tilelang_tt.mock.tensors import Core

_INCLUDES = {
    "compute": (
        "api/compute/common.h",
        "api/dataflow/circular_buffer.h",
        "api/tensor/tensor_binding_token.h",
    ),
    "reader": ("api/dataflow/dataflow_api.h", "api/tensor/tensor_accessor.h"),
}
_INCLUDES["writer"] = _INCLUDES["reader"]
_COMMON_INCLUDES = (
    "api/dataflow/dfb_binding_token.h",
    "api/dataflow/semaphore_binding_token.h",
    "api/scratchpad.h",
    "experimental/kernel_args.h",
)


@dataclass(frozen=True)
class Names:
    """What the names of one kernel stand for.

    `runtime_args` name the first words of each core's arguments in order; the words after them are
    `get_vararg(0)` and so on; `compile_time_varargs` are `get_compile_time_vararg(0)` and so on.
    `circular_buffers`, `scratchpads` and `semaphores` give indices; a scratchpad is the space of a
    circular buffer. `tensor_groups` are tuples of tensors under one name.
    """

    runtime_args: tuple[str, ...] = ()
    common_args: Mapping[str, int] = field(default_factory=dict[str, int])
    compile_time_args: Mapping[str, int] = field(default_factory=dict[str, int])
    circular_buffers: Mapping[str, int] = field(default_factory=dict[str, int])
    compile_time_varargs: tuple[int, ...] = ()
    scratchpads: Mapping[str, int] = field(default_factory=dict[str, int])
    tensors: Mapping[str, Buffer] = field(default_factory=dict[str, Buffer])
    tensor_groups: Mapping[str, Sequence[Buffer]] = field(
        default_factory=dict[str, Sequence[Buffer]]
    )
    semaphores: Mapping[str, int] = field(default_factory=dict[str, int])


def kernel(
    device: Device,
    role: Role,
    name: str,
    source: str,
    core_args: Mapping[Core, Sequence[int]],
    names: Names,
    *,
    compile_time_args: Sequence[int] = (),
    common_varargs: Sequence[int] = (),
) -> Kernel:
    """A kernel whose source is preceded by the declarations of its names.

    The words of the tensors come after `compile_time_args`, and `common_varargs` after the common
    arguments that have names and the addresses of the tensors.
    """
    for core, values in core_args.items():
        if len(values) < len(names.runtime_args):
            raise ProgramError(
                "args", f"kernel {name}: {len(values)} of {names.runtime_args} on core {core}"
            )
    words = list(compile_time_args)
    common = list(names.common_args.values())
    tensors: list[str] = []
    for tensor, buffer in _all_tensors(names):
        kind = f"tensor_accessor::TensorBindingToken<{len(words)}, {4 * len(common)}>"
        tensors += [f"using {tensor}_t = {kind};", f"constexpr {tensor}_t {tensor}{{}};"]
        words += buffer.accessor_args(device)
        common.append(buffer.address)
    for group, buffers in names.tensor_groups.items():
        members = ", ".join(_member(group, number) for number in range(len(buffers)))
        tensors.append(f"constexpr auto {group} = std::make_tuple({members});")
    declared = "\n".join(itertools.chain(_includes(role), _declarations(names, tensors, common)))
    return Kernel(
        role,
        name,
        f'{declared}\n#line 1 "{name}"\n{source}',
        core_args,
        compile_time_args=tuple(words),
        common_args=(*common, *common_varargs),
    )


def _all_tensors(names: Names) -> Iterator[tuple[str, Buffer]]:
    """The single tensors, then those of the groups under names of their own."""
    yield from names.tensors.items()
    for group, buffers in names.tensor_groups.items():
        for number, buffer in enumerate(buffers):
            yield _member(group, number), buffer


def _member(group: str, number: int) -> str:
    return f"{group}_{number}_"


def _includes(role: Role) -> list[str]:
    return [f'#include "{header}"' for header in (*_INCLUDES[role], *_COMMON_INCLUDES)]


def _declarations(names: Names, tensors: list[str], common: list[int]) -> list[str]:
    args = [
        f"constexpr experimental::RtaArg<uint32_t> {name}{{{4 * word}}};"
        for word, name in enumerate(names.runtime_args)
    ]
    args += [
        f"constexpr experimental::CrtaArg<uint32_t> {name}{{{4 * word}}};"
        for word, name in enumerate(names.common_args)
    ]
    args += [
        f"constexpr experimental::CtaVal<uint32_t> {name}{{{value & 0xFFFFFFFF}u}};"
        for name, value in names.compile_time_args.items()
    ]
    buffers = [
        f"constexpr DFBBindingToken<> {name}{{{index}}};"
        for name, index in names.circular_buffers.items()
    ]
    semaphores = [
        f"constexpr SemaphoreBindingToken {name}{{{index}, SemScope::LOCAL_NONATOMIC}};"
        for name, index in names.semaphores.items()
    ]
    scratchpads = [
        f"constexpr ScratchpadBindingToken {name}{{{index}}};"
        for name, index in names.scratchpads.items()
    ]
    spaces = {
        "args": args,
        "dfb": buffers,
        "tensor": tensors,
        "sem": semaphores,
        "scratch": scratchpads,
    }
    lines = [f"namespace {space} {{\n" + "\n".join(body) + "\n}" for space, body in spaces.items()]
    return [
        *lines,
        _vararg("get_vararg", "get_arg_val", len(names.runtime_args)),
        _vararg("get_common_vararg", "get_common_arg_val", len(common)),
        *_compile_time_varargs(names.compile_time_varargs),
    ]


def _compile_time_varargs(values: Sequence[int]) -> list[str]:
    if not values:
        return []
    words = ", ".join(f"{value & 0xFFFFFFFF}u" for value in values)
    return [
        f"constexpr uint32_t tt_mock_varargs[] = {{{words}}};",
        "constexpr uint32_t get_compile_time_vararg(uint32_t index) {",
        "  return tt_mock_varargs[index];",
        "}",
        "template <uint32_t index>",
        "constexpr uint32_t get_compile_time_vararg() { return tt_mock_varargs[index]; }",
    ]


def _vararg(name: str, getter: str, first: int) -> str:
    return (
        f"inline uint32_t {name}(uint32_t index, tt_mock::Site site = tt_mock::here()) {{\n"
        f"  return {getter}<uint32_t>(int({first} + index), site);\n}}"
    )
