"""Give every reduction the tile of ones that the matrix unit multiplies by.

The matrix unit reduces a tile by a product with a second one, which scales the result.

    before:  for block in ...:
                 T.reduce(S, m, "sum", 1, True)

    after:   for i, j in T.Parallel(32, 32):
                 S_one[i, j] = 1
             for block in ...:
                 T.reduce(S, m, "sum", 1, True, S_one)

Needs:    `MapGrid`.
Leaves:   reductions with a scaler, one tile for each dtype, made once.
"""

from __future__ import annotations

import dataclasses

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Reduce, Region, leaf
from tilelang_tt.transforms.constant_tiles import ConstantTiles


class MaterializeScalers:
    """See the module docstring."""

    name = "tt.MaterializeScalers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        ones = ConstantTiles("one", frame.buffers)

        def scale(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if not isinstance(view, Reduce) or view.scaler is not None:
                return stmt
            scaler = Region.whole(ones.of(view.src.buffer))
            return tree.located(dataclasses.replace(view, scaler=scaler).stmt(), stmt)

        body = tree.rewrite_sequences(frame.body, lambda stmts: [scale(stmt) for stmt in stmts])
        return ones.made_before(frame, body, lambda dtype: tirx.const(1.0, dtype))
