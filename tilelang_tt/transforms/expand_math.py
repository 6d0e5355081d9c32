"""Write functions that the vector unit lacks by those it has.

    before:  C[i, j] = T.clamp(A[i, j], lo, hi) + T.pow(B[i, j], 2)

    after:   C[i, j] = T.min(T.max(A[i, j], lo), hi) + B[i, j] * B[i, j]

A power with a literal exponent is a product or a root; any other is `exp(exponent * log(base))`,
for a base above 0. `T.round` takes halves away from zero. `T.infinity` and what multiplies it are
literals.

Needs:    front-end expressions.
Leaves:   no infinities by name, no clamp, pow, round, log10 or tan.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable

from tvm import tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform

_LARGEST_POWER = 8


class ExpandMath:
    """See the module docstring."""

    name = "tt.ExpandMath"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        return func.with_body(
            ir_transform(func.body, None, _expand, ["tirx.Call", "tirx.Mul", "tirx.Sub"])
        )


def _expand(expr: tirx.PrimExpr) -> tirx.PrimExpr | None:
    match expr:
        case tirx.Call(op=Op()) if expr.op.name in _FUNCTIONS:
            return _FUNCTIONS[expr.op.name](expr)
        case tirx.Mul(a=tirx.FloatImm(), b=tirx.FloatImm()):
            return tirx.FloatImm(expr.dtype, expr.a.value * expr.b.value)
        case tirx.Sub(a=tirx.FloatImm(value=0.0), b=tirx.FloatImm()):
            return tirx.FloatImm(expr.dtype, -expr.b.value)
    return None


def _infinity(call: tirx.Call) -> tirx.PrimExpr:
    return tirx.FloatImm(call.dtype, math.inf)


def _clamp(call: tirx.Call) -> tirx.PrimExpr:
    value, low, high = call.args
    return tirx.Min(tirx.Max(value, low), high)


def _pow(call: tirx.Call) -> tirx.PrimExpr:
    base, exponent = call.args
    if isinstance(exponent, tirx.FloatImm | tirx.IntImm):
        power = float(exponent.value)
        if power == int(power) and 1 <= power <= _LARGEST_POWER:
            return functools.reduce(operator.mul, [base] * int(power))
        if power == 0.5:
            return tirx.sqrt(base)
        if power == -0.5:
            return tirx.rsqrt(base)
    return tirx.exp(exponent * tirx.log(base))


def _round(call: tirx.Call) -> tirx.PrimExpr:
    (value,) = call.args
    zero, half = tirx.const(0.0, value.dtype), tirx.const(0.5, value.dtype)
    up, down = tirx.floor(value + half), tirx.ceil(value - half)
    return tirx.if_then_else(tirx.GE(value, zero), up, down)


def _log10(call: tirx.Call) -> tirx.PrimExpr:
    (value,) = call.args
    return tirx.log(value) * tirx.const(1 / math.log(10), value.dtype)


def _tan(call: tirx.Call) -> tirx.PrimExpr:
    (value,) = call.args
    return tirx.Div(tirx.sin(value), tirx.cos(value))


_FUNCTIONS: dict[str, Callable[[tirx.Call], tirx.PrimExpr]] = {
    "tl.infinity": _infinity,
    "tl.clamp": _clamp,
    "tirx.pow": _pow,
    "tirx.round": _round,
    "tirx.log10": _log10,
    "tirx.tan": _tan,
}
