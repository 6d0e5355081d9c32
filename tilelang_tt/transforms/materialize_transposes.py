"""Give a matrix product whose first operand is transposed a transposed copy of it.

The matrix unit can transpose the tiles of its second operand as they are unpacked, not those of its
first.

    before:  T.gemm(A_s, B_s, C_l, transpose_A=True)

    after:   T.transpose(A_s, A_s_t)
             T.gemm(A_s_t, B_s, C_l)

Needs:    `RenameVersions`.
Leaves:   no gemm with a transposed first operand.
"""

from __future__ import annotations

import dataclasses

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, Region, Transpose, leaf
from tilelang_tt.transforms.buffers import fresh_buffer


class MaterializeTransposes:
    """See the module docstring."""

    name = "tt.MaterializeTransposes"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers

        def transpose(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _transpose(stmt, buffers)]

        body = tree.rewrite_sequences(frame.body, transpose)
        return frame.build(body=body, buffers=buffers)


def _transpose(stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Gemm) or not view.transpose_a:
        return [stmt]
    source = view.a.buffer
    *leading, rows, columns = source.shape
    turned = fresh_buffer(f"{source.name}_t", source, buffers, [*leading, columns, rows])
    buffers.append(turned)
    gemm = dataclasses.replace(view, a=Region.whole(turned), transpose_a=False)
    pieces = [Transpose(view.a, Region.whole(turned)).stmt(), gemm.stmt()]
    return [tree.located(piece, stmt) for piece in pieces]
