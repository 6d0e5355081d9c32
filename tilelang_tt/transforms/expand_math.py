"""Write functions that the vector unit lacks by those it has.

    before:  C[i, j] = T.clamp(A[i, j], lo, hi) + T.pow(B[i, j], 2)

    after:   C[i, j] = T.min(T.max(A[i, j], lo), hi) + B[i, j] * B[i, j]

A power with a small whole exponent is made of products and perhaps a reciprocal, one with a
fraction is a root or `exp(exponent * log(base))`, which is no number for a base below 0. The vector
unit computes powers with other exponents. `T.round` takes halves away from zero. `T.infinity` and
what multiplies it are literals.

Needs:    front-end expressions.
Leaves:   no infinities by name, no clamp, round, log10 or tan.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tvm import tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform

_POW = Op.get("tirx.pow")
_LARGEST_POWER = 64
"""The expression of a power grows with its exponent, which compile time pays for."""


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


def _pow(call: tirx.Call) -> tirx.PrimExpr | None:
    base, exponent = call.args
    if not isinstance(exponent, tirx.FloatImm | tirx.IntImm):
        return None
    power = float(exponent.value)
    if power.is_integer():
        if abs(power) <= _LARGEST_POWER:
            return _whole_power(base, int(power))
        return tirx.Call(base.dtype, _POW, [base, tirx.const(power, base.dtype)])
    if power == 0.5:
        return tirx.sqrt(base)
    if power == -0.5:
        return tirx.rsqrt(base)
    return tirx.exp(exponent * tirx.log(base))


def _whole_power(base: tirx.PrimExpr, power: int) -> tirx.PrimExpr:
    """`base ** power` by repeated squaring; equal factors are computed once."""
    if power == 0:
        return tirx.const(1, base.dtype)
    if power < 0:
        return tirx.Div(tirx.const(1, base.dtype), _whole_power(base, -power))
    if power == 1:
        return base
    half = _whole_power(base, power // 2)
    return half * half * base if power % 2 else half * half


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
    "tl.pow_of_int": _pow,
    "tirx.round": _round,
    "tirx.log10": _log10,
    "tirx.tan": _tan,
}
