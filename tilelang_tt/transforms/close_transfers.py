"""Wait at the end of a kernel for what it has sent to tensors and to other cores.

    before:  for k in range(8):                      after:   for k in range(8):
                 ...                                              ...
                 T.multicast_send("row", ...)                     T.multicast_send("row", ...)
                                                              T.noc_write_barrier()
                                                              T.noc_atomic_barrier()

Needs:    `split_kernels`.
Leaves:   a kernel that ends when its pages and signals have arrived.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.frame import Frame


class CloseTransfers:
    """See the module docstring."""

    name = "tt.CloseTransfers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        called = {ops.definition(stmt) for stmt in tree.collect(frame.body, tirx.Evaluate)}
        barriers = [
            barrier.stmt()
            for barrier, causes in _CLOSING.items()
            if barrier not in called and not called.isdisjoint(causes)
        ]
        return frame.build(body=tree.sequence([frame.body, *barriers])) if barriers else func


_CLOSING = {
    ops.NOC_WRITE_BARRIER: (*ops.BETWEEN_CORES, ops.NOC_WRITES_FLUSHED),
    ops.NOC_ATOMIC_BARRIER: ops.BETWEEN_CORES,
}
"""What ends a kernel that has done one of these."""
