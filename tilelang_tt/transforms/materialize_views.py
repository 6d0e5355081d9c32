"""Give a tile operation that takes or makes a part of a buffer a copy of that part.

    before:  T.gemm(A_s[s, 0:64, 0:32], B_s, C_l[0:64, 0:32])

    after:   for i, j in T.Parallel(64, 32):
                 A_s_part[i, j] = A_s[s, i, j]
             for i, j in T.Parallel(64, 32):
                 C_l_part[i, j] = C_l[i, j]
             T.gemm(A_s_part, B_s, C_l_part)
             for i, j in T.Parallel(64, 32):
                 C_l[i, j] = C_l_part[i, j]

Needs:    `StageTransfers`, `CanonicalizeReductions`.
Leaves:   tile operations on whole buffers.
"""

from __future__ import annotations

import dataclasses

from tvm import tirx

from tilelang_tt.analysis import access, ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm, Reduce, Region, Transpose, is_global, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import nest_over

_MADE: dict[type, str] = {Copy: "dst", Transpose: "dst", Reduce: "dst", Gemm: "c"}
"""The field of each view that holds its result."""


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
            before: list[tirx.Stmt] = []
            after: list[tirx.Stmt] = []
            for name, region in _parts(view).items():
                shape = [extent for extent in region.extents if ranges.constant(extent) != 1]
                part = fresh_buffer(f"{region.buffer.name}_part", region.buffer, buffers, shape)
                buffers.append(part)
                is_made = name == _MADE[type(view)]
                if is_made:
                    after.append(nest_over(region, Region.whole(part)))
                if not is_made or any(region.buffer.same_as(read) for read in access.reads(view)):
                    before.append(nest_over(Region.whole(part), region))
                view = dataclasses.replace(view, **{name: Region.whole(part)})
            if not before and not after:
                return [stmt]
            return [tree.located(piece, stmt) for piece in (*before, view.stmt(), *after)]

        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in materialize(stmt)]
        )
        return frame.build(body=body, buffers=buffers)


def _parts(view: Copy | Transpose | Reduce | Gemm) -> dict[str, Region]:
    """The regions that are parts of on-chip buffers, by the name of the view's field."""
    regions = {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}
    return {
        name: region
        for name, region in regions.items()
        if isinstance(region, Region) and not is_global(region.buffer) and not region.is_whole
    }
