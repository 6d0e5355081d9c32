"""List the arguments of a kernel, in the order in which the host passes them.

Static facts are compile-time arguments: the indices of the circular buffers that the kernel uses,
the semaphores of each group of cores that it sends pages to or receives them from, one for each
tensor that reader and writer take in turn, then the words of the accessors of its tensors. What
differs from launch to launch is common to all cores: addresses, dynamic extents and scalars. What
differs from core to core is its share of the blocks, and who belongs to its groups.

    before:  func

    after:   func with attrs {"tt.compile_time_cbs": [A_s, ...], "tt.groups": ["row"],
                              "tt.taken": [C, ...], "tt.accessors": [A, ...],
                              "tt.common": [A, ..., n, ...]}

Needs:    a kernel function (`split_kernels`).
Leaves:   attributes `tt.compile_time_cbs`, `tt.taken`, `tt.accessors`, `tt.common`: variables, in
          order of use; `tt.groups`: names.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.partition import GROUPS, PEERS

CBS, ACCESSORS, COMMON = "tt.compile_time_cbs", "tt.accessors", "tt.common"
KERNEL_GROUPS = "tt.groups"
TAKEN = "tt.taken"


class FinalizeArguments:
    """See the module docstring."""

    name = "tt.FinalizeArguments"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        used = set(tree.collect(frame.body, tirx.Var))
        plan = attrs.circular_buffers(frame)
        cbs = [buffer.data for buffer in frame.buffers if buffer.data in used]
        tensors = [tensor.data for tensor in frame.tensors if tensor.data in used]
        own = set(attrs.core_args(func).values())
        scalars = [param for param in func.params if param in used and param not in own]
        return func.with_attr(
            {
                CBS: sorted(cbs, key=lambda cb: plan[cb].index),
                KERNEL_GROUPS: _groups(frame.body),
                TAKEN: _taken(frame),
                ACCESSORS: tensors,
                COMMON: [*tensors, *_dimensions(frame, used), *scalars],
            }
        )


def _groups(body: tirx.Stmt) -> list[str]:
    """The groups of cores that the kernel sends pages to or receives them from."""
    found = {
        str(stmt.value.args[0].value)
        for stmt in tree.collect(body, tirx.Evaluate)
        if ops.definition(stmt) in ops.BETWEEN_CORES
    }
    return [group for group in (*GROUPS, *PEERS) if group in found]


def _taken(frame: Frame) -> list[tirx.Var]:
    """The tensors that the kernel takes or gives back."""
    found = {
        op.operand(stmt.value, "tensor")
        for stmt in tree.collect(frame.body, tirx.Evaluate)
        if (op := ops.definition(stmt)) in (ops.TENSOR_TAKE, ops.TENSOR_GIVE)
    }
    return [tensor.data for tensor in frame.tensors if tensor.data in found]


def _dimensions(frame: Frame, used: set[tirx.Var]) -> list[tirx.Var]:
    """The dynamic extents that the kernel uses, in the order in which tensors mention them."""
    found: list[tirx.Var] = []
    for tensor in frame.tensors:
        for extent in tensor.shape:
            found += [
                var for var in tree.collect(extent, tirx.Var) if var in used and var not in found
            ]
    return found
