"""Broadcast 16-bit vectors on the matrix unit where the destination registers hold 32 bits.

The vector unit works on whole tiles, so a row or column has to be spread over one first.
`unary_bcast` does that by a register move that writes 16 bits at a time: right for 16-bit
destination registers and for 32-bit data, wrong for 16-bit data in 32-bit registers. There the
vector is added to a tile of zeros, which the matrix unit does exactly.

    before:  for block in ...:
                 C_o[i, j] = T.max(C_l[i, j], v[0, j])

    after:   for i, j in T.Parallel(32, 32):
                 v_zero[i, j] = 0
             for block in ...:
                 C_o[i, j] = T.max(C_l[i, j], v_zero[i % 32, j % 32] + v[0, j])

Needs:    `MapGrid`, `ChooseDstMode`.
Leaves:   no 16-bit vector that only `unary_bcast` could spread over 32-bit registers.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis.expression import select
from tilelang_tt.analysis.operands import classifier
from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, leaf, map_loads
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.constant_tiles import ConstantTiles

_SPREADING = {broadcast.tile for broadcast in ops.UNARY_BROADCAST.values()}


class MaterializeBroadcasts:
    """See the module docstring."""

    name = "tt.MaterializeBroadcasts"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if not func.attrs[FP32_DEST]:
            return func
        frame = Frame.of(func)
        zeros = ConstantTiles("zero", frame.buffers)
        body = tree.rewrite_sequences(frame.body, lambda stmts: [_add(s, zeros) for s in stmts])
        if not zeros.tiles:
            return func
        return zeros.made_before(frame, body, lambda dtype: tirx.const(0.0, dtype))


def _add(stmt: tirx.Stmt, zeros: ConstantTiles) -> tirx.Stmt:
    nest = leaf(stmt)
    if not isinstance(nest, Elementwise):
        return stmt
    program = select(nest.store.value, classifier(nest.dst), stmt)
    spread = [load for ins in program if ins.op in _SPREADING for load in ins.loads]
    narrow = {load.buffer for load in spread if formats.BY_DTYPE[load.dtype].element_bytes < 4}
    if not narrow:
        return stmt
    places = [tirx.floormod(index, TILE) for index in nest.store.indices[-2:]]

    def with_zeros(load: tirx.BufferLoad) -> tirx.PrimExpr | None:
        if load.buffer not in narrow:
            return None
        return tirx.BufferLoad(zeros.of(load.buffer), places) + load

    value = map_loads(nest.store.value, with_zeros)
    store = tirx.BufferStore(nest.dst, value, nest.store.indices)
    return tree.located(Elementwise(nest.loops, store).stmt(), stmt)
