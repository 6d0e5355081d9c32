"""List the arguments of a kernel, in the order in which the host passes them.

Static facts are compile-time arguments: the indices of the circular buffers that the kernel uses,
then the words of the accessors of its tensors. What differs from launch to launch is common to all
cores: addresses, dynamic extents and scalars. What differs from core to core is its share of the
blocks.

    before:  func

    after:   func with attrs {"tt.compile_time_cbs": [A_s, ...], "tt.accessors": [A, ...],
                              "tt.common": [A, ..., n, ...]}

Needs:    a kernel function (`split_kernels`).
Leaves:   attributes `tt.compile_time_cbs`, `tt.accessors`, `tt.common`: variables, in order of use.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.frame import Frame

CBS, ACCESSORS, COMMON = "tt.compile_time_cbs", "tt.accessors", "tt.common"


class FinalizeArguments:
    """See the module docstring."""

    name = "tt.FinalizeArguments"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        used = set(tree.collect(frame.body, tirx.Var))
        plan = attrs.circular_buffers(frame)
        cbs = [buffer.data for buffer in frame.buffers if buffer.data in used]
        tensors = [tensor.data for tensor in frame.tensors if tensor.data in used]
        own = {func.attrs[attrs.FIRST_BLOCK], func.attrs[attrs.BLOCK_COUNT]}
        scalars = [param for param in func.params if param in used and param not in own]
        return func.with_attr(
            {
                CBS: sorted(cbs, key=lambda cb: plan[cb].index),
                ACCESSORS: tensors,
                COMMON: [*tensors, *_dimensions(frame, used), *scalars],
            }
        )


def _dimensions(frame: Frame, used: set[tirx.Var]) -> list[tirx.Var]:
    """The dynamic extents that the kernel uses, in the order in which tensors mention them."""
    found: list[tirx.Var] = []
    for tensor in frame.tensors:
        for extent in tensor.shape:
            found += [
                var for var in tree.collect(extent, tirx.Var) if var in used and var not in found
            ]
    return found
