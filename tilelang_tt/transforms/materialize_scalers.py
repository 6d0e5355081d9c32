"""Decide which unit reduces, and give the matrix unit the tile of ones that it multiplies by.

The matrix unit reduces a tile by a product with a second one, which scales the result. It reads 19
bits of an element, so float32 and int32 are the vector unit's where the destination registers hold
all 32. It needs no second tile.

    before:  for block in ...:                       S bfloat16
                 T.reduce(S, m, "sum", 1, True)

    after:   for i, j in T.Parallel(32, 32):
                 S_one[i, j] = 1
             for block in ...:
                 T.reduce(S, m, "sum", 1, True, S_one)

Needs:    `MapGrid`, `ChooseDstMode`.
Leaves:   reductions with a scaler, one tile for each dtype, made once; those without are the vector
          unit's.
"""

from __future__ import annotations

import dataclasses

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Reduce, Region, leaf
from tilelang_tt.transforms.constant_tiles import ConstantTiles


class MaterializeScalers:
    """See the module docstring."""

    name = "tt.MaterializeScalers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        ones = ConstantTiles("one", frame.buffers)
        is_wide = bool(func.attrs[FP32_DEST])

        def scale(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if not isinstance(view, Reduce) or view.scaler is not None:
                return stmt
            if is_wide and formats.BY_DTYPE[view.src.buffer.dtype].element_bytes == 4:
                return stmt
            scaler = Region.whole(ones.of(view.src.buffer))
            return tree.located(dataclasses.replace(view, scaler=scaler).stmt(), stmt)

        body = tree.rewrite_sequences(frame.body, lambda stmts: [scale(stmt) for stmt in stmts])
        return ones.made_before(frame, body, lambda dtype: tirx.const(1.0, dtype))
