"""Put the value of every binding where its name is used.

TileLang binds names to values that later statements use, some before the loop whose variable they
mention. They are substitutions, not evaluations. TileLang's own pass for this loses the source
positions of the statements it rewrites, which errors need.

    before:  row: T.int32 = by * 64
             T.copy(A[row, 0], A_s)

    after:   T.copy(A[by * 64, 0], A_s)

Needs:    front-end IR.
Leaves:   no bindings.
Errors:   TT1003.
"""

from __future__ import annotations

from tvm import tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.diagnostics import UnsupportedAtomic
from tilelang_tt.ir import tree


class InlineBindings:
    """See the module docstring."""

    name = "tt.InlineBindings"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        values: dict[tirx.Var, tirx.PrimExpr] = {}
        for bind in tree.collect(func.body, tirx.Bind):
            _check(bind)
            values[bind.var] = substitute(bind.value, values)
        if not values:
            return func
        body = ir_transform(func.body, None, lambda _: tirx.Evaluate(0), ["tirx.Bind"])
        return func.with_body(substitute(body, values))


def _check(bind: tirx.Bind) -> None:
    """What has an effect, and happens once, is no value to put in other places."""
    for call in tree.collect(bind.value, tirx.Call):
        if isinstance(call.op, Op) and call.op.name.startswith("tl.atomic_"):
            raise UnsupportedAtomic.at(bind, op="the value that an atomic returns")
