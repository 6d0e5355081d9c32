"""Give a buffer that two engines read a copy for the second.

A circular buffer has one consumer. A value that the compute engine uses and that is also stored to
DRAM is copied by the compute engine into a buffer for the writer.

    before:  T.copy(A[...], A_s)                     after:   T.copy(A[...], A_s)
             C_s[i, j] = A_s[i, j] * 2                        C_s[i, j] = A_s[i, j] * 2
             T.copy(A_s, D[...])                              A_s_out[i, j] = A_s[i, j]
                                                              T.copy(A_s_out, D[...])

Needs:    `FuseElementwise`.
Leaves:   buffers that one engine reads.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, is_global, leaf
from tilelang_tt.transforms.elementwise import nest_over


class SeparateConsumers:
    """See the module docstring."""

    name = "tt.SeparateConsumers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers
        computed = {
            read
            for _, view in access.leaves(frame.body)
            if not isinstance(view, Copy)
            for read in access.reads(view)
        }

        def separate(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _separate(stmt, computed, buffers)]

        body = tree.rewrite_sequences(frame.body, separate)
        return frame.build(body=body, buffers=buffers)


def _separate(
    stmt: tirx.Stmt, computed: set[tirx.Buffer], buffers: list[tirx.Buffer]
) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Copy) or is_global(view.src.buffer) or view.src.buffer not in computed:
        return [stmt]
    source = view.src.buffer
    taken = {buffer.name for buffer in buffers}
    name = next(
        n for i in range(len(taken) + 1) if (n := f"{source.name}_out{i or ''}") not in taken
    )
    out = tirx.decl_buffer(source.shape, source.dtype, name, scope=source.scope())
    buffers.append(out)
    pieces = [nest_over(Region.whole(out), view.src), Copy(Region.whole(out), view.dst).stmt()]
    return [tree.located(piece, stmt) for piece in pieces]
