"""Give a tile operation that takes a part of a buffer a copy of that part.

    before:  T.gemm(A_s[s, 0:64, 0:32], B_s, C_l)

    after:   for i, j in T.Parallel(64, 32):
                 A_s_part[i, j] = A_s[s, i, j]
             T.gemm(A_s_part, B_s, C_l)

Needs:    `StageTransfers`.
Leaves:   tile operations that read whole buffers.
"""

from __future__ import annotations

import dataclasses

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm, Reduce, Region, Transpose, is_global, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import nest_over


class MaterializeViews:
    """See the module docstring."""

    name = "tt.MaterializeViews"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers

        def materialize(stmt: tirx.Stmt) -> list[tirx.Stmt]:
            view = leaf(stmt)
            if not isinstance(view, Copy | Transpose | Reduce | Gemm):
                return [stmt]
            parts = _parts(view)
            pieces: list[tirx.Stmt] = []
            for name, region in parts.items():
                shape = [extent for extent in region.extents if ranges.constant(extent) != 1]
                part = fresh_buffer(f"{region.buffer.name}_part", region.buffer, buffers, shape)
                buffers.append(part)
                pieces.append(nest_over(Region.whole(part), region))
                view = dataclasses.replace(view, **{name: Region.whole(part)})
            if not pieces:
                return [stmt]
            return [tree.located(piece, stmt) for piece in (*pieces, view.stmt())]

        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in materialize(stmt)]
        )
        return frame.build(body=body, buffers=buffers)


def _parts(view: Copy | Transpose | Reduce | Gemm) -> dict[str, Region]:
    """The operands that are parts of on-chip buffers, by the name of the view's field."""
    is_gemm = isinstance(view, Gemm)
    operands = {"a": view.a, "b": view.b} if is_gemm else {"src": view.src}
    return {
        name: region
        for name, region in operands.items()
        if not is_global(region.buffer) and not region.is_whole
    }
