"""Broadcast 16-bit row vectors on the matrix unit where the destination registers hold 32 bits.

The vector unit works on whole tiles, so a row vector has to be spread over the rows of one first.
`unary_bcast` does that by a register move that writes 16 bits at a time: right for 16-bit
destination registers and for 32-bit data, wrong for 16-bit data in 32-bit registers. There the row
is added to a tile of zeros, which the matrix unit does exactly.

    before:  for block in ...:
                 C_o[i, j] = T.max(C_l[i, j], v[j])

    after:   for i, j in T.Parallel(32, 32):
                 v_zero[i, j] = 0
             for block in ...:
                 C_o[i, j] = T.max(C_l[i, j], v_zero[i % 32, j % 32] + v[j])

Needs:    `MapGrid`, `ChooseDstMode`.
Leaves:   no 16-bit row that only `unary_bcast` could broadcast into 32-bit registers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis.expression import select
from tilelang_tt.analysis.operands import classifier
from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Region, leaf, map_loads
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over


class MaterializeRowBroadcasts:
    """See the module docstring."""

    name = "tt.MaterializeRowBroadcasts"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if not func.attrs[FP32_DEST]:
            return func
        frame = Frame.of(func)
        zeros = _Zeros(frame.buffers)
        body = tree.rewrite_sequences(frame.body, lambda stmts: [_add(s, zeros) for s in stmts])
        if not zeros.tiles:
            return func
        fills = [
            tree.located(fill_over(Region.whole(zero), tirx.const(0.0, zero.dtype)), frame.realize)
            for zero in zeros.tiles.values()
        ]
        buffers = [*frame.buffers, *zeros.tiles.values()]
        return frame.build(body=tree.sequence([*fills, body]), buffers=buffers)


@dataclass
class _Zeros:
    """One tile of zeros for each dtype that needs one."""

    others: list[tirx.Buffer]
    tiles: dict[str, tirx.Buffer] = field(default_factory=dict)

    def of(self, like: tirx.Buffer) -> tirx.Buffer:
        if like.dtype not in self.tiles:
            others = [*self.others, *self.tiles.values()]
            zero = fresh_buffer(f"{like.name}_zero", like, others, (TILE, TILE))
            self.tiles[like.dtype] = zero
        return self.tiles[like.dtype]


def _add(stmt: tirx.Stmt, zeros: _Zeros) -> tirx.Stmt:
    nest = leaf(stmt)
    if not isinstance(nest, Elementwise):
        return stmt
    program = select(nest.store.value, classifier(nest.dst), stmt)
    rows = [load for ins in program if ins.op is ops.BCAST_ROW for load in ins.loads]
    narrow = {row.buffer for row in rows if formats.BY_DTYPE[row.dtype].element_bytes < 4}
    if not narrow:
        return stmt
    places = [tirx.floormod(var, TILE) for var in nest.vars[-2:]]

    def spread(load: tirx.BufferLoad) -> tirx.PrimExpr | None:
        if load.buffer not in narrow:
            return None
        return tirx.BufferLoad(zeros.of(load.buffer), places) + load

    value = map_loads(nest.store.value, spread)
    store = tirx.BufferStore(nest.dst, value, nest.store.indices)
    return tree.located(Elementwise(nest.loops, store).stmt(), stmt)
