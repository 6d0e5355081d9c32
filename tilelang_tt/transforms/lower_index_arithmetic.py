"""Turn floor division, which C++ lacks, into C++ division where both are the same.

    before:  T.noc_read(A.data, block // 4, ...)

    after:   T.noc_read(A.data, T.Div(block, 4), ...)

C++ rounds towards zero. For an operand that may be negative a helper function rounds down.

Needs:    a kernel function.
Leaves:   no FloorDiv, no FloorMod.
"""

from __future__ import annotations

from tvm import arith, tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import attrs, ops
from tilelang_tt.ir.frame import Frame
from tilelang_tt.plan import COUNTS


class LowerIndexArithmetic:
    """See the module docstring."""

    name = "tt.LowerIndexArithmetic"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        analyzer = ranges.analyzer_for(func)
        for name, var in attrs.core_args(func).items():
            least = 1 if name in COUNTS else 0
            analyzer.update(var, arith.ConstIntBound(least, 2**30), True)
        ranges.enter(analyzer, ranges.all_loops(func))

        def lower(expr: tirx.FloorDiv | tirx.FloorMod) -> tirx.PrimExpr:
            is_division = isinstance(expr, tirx.FloorDiv)
            if analyzer.can_prove(expr.a >= 0) and analyzer.can_prove(expr.b > 0):
                return tirx.Div(expr.a, expr.b) if is_division else tirx.Mod(expr.a, expr.b)
            return (ops.FLOOR_DIV if is_division else ops.FLOOR_MOD).call(expr.a, expr.b)

        return frame.build(
            body=ir_transform(frame.body, None, lower, ["tirx.FloorDiv", "tirx.FloorMod"])
        )
