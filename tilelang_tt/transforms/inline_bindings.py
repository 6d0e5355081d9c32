"""Put the value of every binding where its name is used.

TileLang binds names to values that later statements use, some before the loop whose variable they
mention. They are substitutions, not evaluations. TileLang's own pass for this loses the source
positions of the statements it rewrites, which errors need.

    before:  row: T.int32 = by * 64
             T.copy(A[row, 0], A_s)

    after:   T.copy(A[by * 64, 0], A_s)

What is computed of variables of integers, which may change between the binding and the use, is left
to `BindScalars`.

Needs:    front-end IR.
Leaves:   no bindings but of such values.
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
        kept: set[tirx.Var] = set()
        for bind in tree.collect(func.body, tirx.Bind):
            _check(bind)
            value = substitute(bind.value, values)
            if not _may_change(value, kept):
                values[bind.var] = value
            else:
                kept.add(bind.var)
        if not values:
            return func

        def left(bind: tirx.Bind) -> tirx.Stmt:
            return bind if bind.var in kept else tirx.Evaluate(0)

        body = ir_transform(func.body, None, left, ["tirx.Bind"])
        return func.with_body(substitute(body, values))


def is_variable(buffer: tirx.Buffer) -> bool:
    """Whether the buffer is a variable of integers."""
    is_one = all(isinstance(size, tirx.IntImm) and size.value == 1 for size in buffer.shape)
    return is_one and buffer.scope() in ("local.var", "local") and buffer.dtype in ("int32", "bool")


def _may_change(value: tirx.PrimExpr, kept: set[tirx.Var]) -> bool:
    loads = tree.collect(value, tirx.BufferLoad)
    return any(is_variable(load.buffer) for load in loads) or any(
        var in kept for var in tree.collect(value, tirx.Var)
    )


def _check(bind: tirx.Bind) -> None:
    """What has an effect, and happens once, is no value to put in other places."""
    for call in tree.collect(bind.value, tirx.Call):
        if isinstance(call.op, Op) and call.op.name.startswith("tl.atomic_"):
            raise UnsupportedAtomic.at(bind, op="the value that an atomic returns")
