"""Make int32 of 8-bit integers of which a row, a column or an element stands for all.

What spreads them over a tile does so in 32 bits; see `MaterializeBroadcasts`.

    before:  C[i, j] = T.Cast("float32", A[i, j]) - T.Cast("float32", z[0, j])      z (1, 64) int8

    after:   for j in T.Parallel(64):
                 z_wide[0, j] = T.Cast("int32", z[0, j])
             C[i, j] = T.Cast("float32", A[i, j]) - T.Cast("float32", z_wide[0, j])

Needs:    `OrientVectors`.
Leaves:   8-bit integers only tile by tile.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.analysis.operands import classifier
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.ops import BYTES
from tilelang_tt.ir.tileops import Elementwise, Region, leaf, map_loads
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import cast, nest_over


class WidenVectors:
    """See the module docstring."""

    name = "tt.WidenVectors"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers
        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in _widen(stmt, buffers)]
        )
        return frame.build(body=body, buffers=buffers)


def _widen(stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
    nest = leaf(stmt)
    if not isinstance(nest, Elementwise):
        return [stmt]
    wide = _wide(nest, buffers)
    if not wide:
        return [stmt]
    made = [nest_over(Region.whole(new), Region.whole(old)) for old, new in wide.items()]
    store = tirx.BufferStore(nest.dst, _widened(nest.store.value, wide), nest.store.indices)
    return [tree.located(piece, stmt) for piece in (*made, Elementwise(nest.loops, store).stmt())]


def _wide(nest: Elementwise, buffers: list[tirx.Buffer]) -> dict[tirx.Buffer, tirx.Buffer]:
    """A new one of `buffers` for each vector of bytes that the nest spreads."""
    classify = classifier(nest.dst)
    wide: dict[tirx.Buffer, tirx.Buffer] = {}
    for load in nest.loads:
        if load.dtype in BYTES and classify(load).broadcast and load.buffer not in wide:
            name = f"{load.buffer.name}_wide"
            wide[load.buffer] = fresh_buffer(name, load.buffer, buffers, dtype="int32")
            buffers.append(wide[load.buffer])
    return wide


def _widened(value: tirx.PrimExpr, wide: dict[tirx.Buffer, tirx.Buffer]) -> tirx.PrimExpr:
    """`value` of the wide vectors."""

    def widened(load: tirx.BufferLoad) -> tirx.PrimExpr | None:
        if load.buffer not in wide:
            return None
        return tirx.Cast(load.dtype, tirx.BufferLoad(wide[load.buffer], load.indices))

    def direct(expr: tirx.Cast) -> tirx.PrimExpr | None:
        """A conversion of what was widened, which holds the same numbers."""
        match expr.value:
            case tirx.Cast(value=tirx.BufferLoad() as load) if load.buffer in wide.values():
                return cast(expr.dtype, load)
        return None

    value = map_loads(value, widened)
    return ir_transform(tirx.Evaluate(value), None, direct, ["tirx.Cast"]).value
