"""From the three kernel functions to what is kept of a compilation: the plan and the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tvm import IRModule, tirx
from typing_extensions import Self

from tilelang_tt import formats, plan
from tilelang_tt.analysis.dst_use import dst_use
from tilelang_tt.codegen.expr import print_extent
from tilelang_tt.codegen.kernel import print_kernel
from tilelang_tt.diagnostics import TooManySemaphores
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.options import Options
from tilelang_tt.partition import CHILDREN, GROUP_SEMAPHORES, GROUPS, PARENT
from tilelang_tt.plan import Plan
from tilelang_tt.transforms.finalize_arguments import ACCESSORS, CBS, COMMON, KERNEL_GROUPS, TAKEN

PLAN = "plan.json"


@dataclass(frozen=True, eq=False)
class Artifact:
    """A compiled program: one launch.

    Its plan, and its sources by file name. Compared by identity, so that it can key a cache.
    """

    plan: Plan
    sources: Mapping[str, str]

    def files(self) -> dict[str, str]:
        """All files by name: the sources in the order of the kernels, and the plan."""
        sources = {kernel.file: self.sources[kernel.file] for kernel in self.plan.kernels}
        return {**sources, PLAN: self.plan.to_json() + "\n"}

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """The inverse of `files`; ValueError where they are no artifact of this version."""
        if PLAN not in files:
            raise ValueError("there is no launch plan")
        plan = Plan.from_json(files[PLAN])
        missing = [kernel.file for kernel in plan.kernels if kernel.file not in files]
        if missing:
            raise ValueError(f"{', '.join(missing)} of the plan is missing")
        return cls(plan, {kernel.file: files[kernel.file] for kernel in plan.kernels})


def build(kernels: IRModule, name: str, options: Options) -> Artifact:
    """Print the kernels and describe their launch."""
    sources = {f"{role}.cpp": print_kernel(kernels[role], name) for role in attrs.ENGINES}
    return Artifact(_plan(kernels, name, options), sources)


def _plan(kernels: IRModule, name: str, options: Options) -> Plan:
    func = kernels[attrs.WRITER]
    frame = Frame.of(func)
    written = _written_tensors(frame)
    axes = attrs.tiled_axes(frame)
    return Plan(
        name=name,
        arch=options.arch,
        grid=options.cores,
        fidelity=options.fidelity,
        fp32_dest_acc=bool(func.attrs[attrs.FP32_DEST]),
        execution=options.execution,
        params=tuple(_param(param, func, axes, written) for param in _user_params(func)),
        circular_buffers=tuple(_circular_buffers(frame)),
        kernels=tuple(_kernel(role, kernels[role]) for role in attrs.ENGINES),
        blocks=tuple(_extent(extent) for extent in func.attrs[attrs.GRID]),
        partition=attrs.partition(func),
        semaphores=_all_semaphores(kernels, options),
        dst=tuple(dst_use(kernels[attrs.COMPUTE])),
        spilled=tuple(func.attrs.get(attrs.SPILLED, ())),
        schedule=attrs.schedule(func),
    )


def _user_params(func: tirx.PrimFunc) -> list[tirx.Var]:
    own = set(attrs.core_args(func).values())
    return [param for param in func.params if param not in own]


def _all_semaphores(kernels: IRModule, options: Options) -> tuple[str, ...]:
    names = tuple(
        dict.fromkeys(name for role in attrs.ENGINES for name in _semaphores(role, kernels[role]))
    )
    limit = options.device.semaphores
    if len(names) > limit:
        raise TooManySemaphores.because(
            needed=len(names), arch=options.arch, available=limit, names=", ".join(names)
        )
    return names


def _semaphores(role: str, func: tirx.PrimFunc) -> list[str]:
    """For each group: how many receivers have room for even and for odd blocks, and how many blocks
    have come; for each kind of peers: how many receivers have room, and whether the pages are
    there, the same at both ends, one of which is the writer; for each tensor that the kernel shares
    with another one: whether it is taken."""
    groups = func.attrs[KERNEL_GROUPS]
    tensors = {tensor.data: tensor.name for tensor in Frame.of(func).tensors}
    return [
        *(
            f"{_way(role, str(group))}_{what}"
            for group in groups
            for what in GROUP_SEMAPHORES[str(group)]
        ),
        *(f"{tensors[tensor]}_taken" for tensor in func.attrs[TAKEN]),
    ]


def _way(role: str, group: str) -> str:
    """What pages go along between the cores of a group."""
    if group in GROUPS:
        return f"{role}_{group}"
    return "up" if (role, group) in ((attrs.READER, CHILDREN), (attrs.WRITER, PARENT)) else "down"


def _param(
    param: tirx.Var,
    func: tirx.PrimFunc,
    axes: Mapping[tirx.Var, attrs.TiledAxes],
    written: set[tirx.Var],
) -> plan.Tensor | plan.Scalar:
    if param not in func.buffer_map:
        return plan.Scalar(param.name, param.dtype)
    buffer = func.buffer_map[param]
    shape = tuple(_extent(extent) for extent in buffer.shape)
    tiled = axes[buffer.data]
    return plan.Tensor(
        buffer.name, buffer.dtype, shape, (tiled.row, tiled.column), buffer.data in written
    )


def _written_tensors(frame: Frame) -> set[tirx.Var]:
    writes = [
        stmt
        for stmt in tree.collect(frame.body, tirx.Evaluate)
        if ops.definition(stmt) is ops.NOC_WRITE
    ]
    return {ops.NOC_WRITE.operand(stmt.value, "tensor") for stmt in writes}


def _circular_buffers(frame: Frame) -> list[plan.CircularBuffer]:
    planned = attrs.circular_buffers(frame)
    buffers = sorted(frame.buffers, key=lambda buffer: planned[buffer.data].index)
    return [
        plan.CircularBuffer(
            index=(cb := planned[buffer.data]).index,
            name=buffer.name,
            dtype=buffer.dtype,
            page_bytes=formats.BY_DTYPE[buffer.dtype].tile_bytes,
            block_pages=cb.pages,
            depth=cb.depth,
            least_depth=cb.least_depth,
            unpack_to_dest=cb.unpack_to_dest,
            producer=cb.producer,
            consumer=cb.consumer,
            order=cb.order,
            reason=cb.reason,
        )
        for buffer in buffers
    ]


def _kernel(role: str, func: tirx.PrimFunc) -> plan.Kernel:
    frame = Frame.of(func)
    buffers = {buffer.data: buffer.name for buffer in frame.buffers}
    tensors = {tensor.data: tensor.name for tensor in frame.tensors}
    params = set(func.params)
    compile_time = [plan.Argument("cb", buffers[cb]) for cb in func.attrs[CBS]]
    compile_time += [plan.Argument("semaphore", name) for name in _semaphores(role, func)]
    compile_time += [plan.Argument("accessor", tensors[tensor]) for tensor in func.attrs[ACCESSORS]]
    common = [
        plan.Argument("address", tensors[var])
        if var in tensors
        else plan.Argument("scalar" if var in params else "dim", var.name)
        for var in func.attrs[COMMON]
    ]
    own = [plan.Argument("core", name) for name in attrs.core_args(func)]
    own += [plan.Argument("group", str(group)) for group in func.attrs[KERNEL_GROUPS]]
    return plan.Kernel(role, f"{role}.cpp", tuple(compile_time), tuple(common), tuple(own))


def _extent(expr: tirx.PrimExpr) -> plan.Extent:
    return expr.value if isinstance(expr, tirx.IntImm) else print_extent(expr)
