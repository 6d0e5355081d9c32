"""What operators and functions of the tile IR compute: one row each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from tvm import tirx

from testing.reference import bounded, dtypes
from testing.reference.bounded import EXACT, Array, Bounded
from testing.reference.errors import UnknownConstruct

Unary = Callable[[Bounded], Bounded]
Binary = Callable[[Bounded, Bounded], Bounded]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _relation(relation: np.ufunc) -> Binary:
    return lambda a, b: a.compared(b, relation)


def _exactly(function: Callable[..., Array]) -> Callable[..., Bounded]:
    """An operation on integers or truth values; nothing is known of it if an operand is
    uncertain."""

    def apply(*operands: Bounded) -> Bounded:
        dtype = operands[0].dtype
        if dtypes.is_float(dtype):
            raise UnknownConstruct(f"an integer operation on {dtype}")
        value = function(*(operand.value for operand in operands))
        if all(operand.error is EXACT for operand in operands):
            return Bounded(np.asarray(value), EXACT, dtype)
        errors = sum(operand.error for operand in operands)
        return Bounded(np.asarray(value), np.where(errors > 0, np.inf, 0.0), dtype)

    return apply


def _truncated(a: Array, b: Array) -> Array:
    """The quotient cut towards zero, as in C; 0 for a divisor of 0, which C leaves open."""
    quotient = np.floor_divide(a, b)
    return np.where((quotient < 0) & (quotient * b != a), quotient + 1, quotient).astype(a.dtype)


def _divide(a: Bounded, b: Bounded) -> Bounded:
    return a / b if dtypes.is_float(a.dtype) else _exactly(_truncated)(a, b)


def _remainder(a: Bounded, b: Bounded) -> Bounded:
    return _exactly(lambda x, y: x - _truncated(x, y) * y)(a, b)


def _power(a: Bounded, b: Bounded) -> Bounded:
    """By the four corners of the operands' ranges: between them, a power rises or falls."""
    value = np.power(a.value, b.value)
    if a.error is EXACT and b.error is EXACT:
        return Bounded(value, EXACT, a.dtype).through(lambda x: x)
    corners = [
        np.power(a.value + s * a.error, b.value + t * b.error) for s in (-1, 1) for t in (-1, 1)
    ]
    error = np.max([np.abs(corner - value) for corner in corners], axis=0)
    crosses = (a.error > 0) & (np.abs(a.value) <= a.error)
    error = np.where(np.isnan(error) | crosses, np.inf, error)
    return Bounded(value, error, a.dtype).through(lambda x: x)


def _clamp(a: Bounded, low: Bounded, high: Bounded) -> Bounded:
    return bounded.minimum(bounded.maximum(a, low), high)


def _rising(function: Callable[[Array], Array]) -> Unary:
    return lambda a: a.through(function)


def _whole(function: Callable[[Array], Array]) -> Unary:
    """Rounding to a whole number makes no error of its own."""
    return lambda a: a.through(function, exact=True)


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _half_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def _classified(function: Callable[[Array], Array]) -> Unary:
    def apply(a: Bounded) -> Bounded:
        error = EXACT if a.error is EXACT else np.where(np.isfinite(a.error), 0.0, 1.0)
        return Bounded(function(a.value), error, "bool")

    return apply


def reinterpret(a: Bounded, dtype: str) -> Bounded:
    """The same bits as another dtype; nothing is known of them if the value is uncertain."""
    bits = a.value.astype(dtypes.numpy_dtype(a.dtype)).view(dtypes.numpy_dtype(dtype))
    value = bits.astype(dtypes.held(dtype))
    return Bounded(value, EXACT if a.error is EXACT else np.where(a.error > 0, np.inf, 0.0), dtype)


NODES: dict[type, Binary] = {
    tirx.Add: lambda a, b: a + b,
    tirx.Sub: lambda a, b: a - b,
    tirx.Mul: lambda a, b: a * b,
    tirx.Div: _divide,
    tirx.Mod: _remainder,
    tirx.FloorDiv: _exactly(np.floor_divide),
    tirx.FloorMod: _exactly(np.mod),
    tirx.Min: bounded.minimum,
    tirx.Max: bounded.maximum,
    tirx.EQ: _relation(np.equal),
    tirx.NE: _relation(np.not_equal),
    tirx.LT: _relation(np.less),
    tirx.LE: _relation(np.less_equal),
    tirx.GT: _relation(np.greater),
    tirx.GE: _relation(np.greater_equal),
    tirx.And: bounded.both,
    tirx.Or: bounded.either,
}

CALLS: dict[str, Callable[..., Bounded]] = {
    "tirx.exp": _rising(np.exp),
    "tirx.exp2": _rising(np.exp2),
    "tirx.exp10": _rising(lambda x: np.power(10.0, x)),
    "tirx.log": _rising(np.log),
    "tirx.log2": _rising(np.log2),
    "tirx.log10": _rising(np.log10),
    "tirx.log1p": _rising(np.log1p),
    "tirx.sqrt": _rising(np.sqrt),
    "tirx.rsqrt": _rising(lambda x: 1.0 / np.sqrt(x)),
    "tirx.sigmoid": _rising(_sigmoid),
    "tirx.tanh": _rising(np.tanh),
    "tirx.erf": _rising(_erf),
    "tirx.atan": _rising(np.arctan),
    "tirx.sinh": _rising(np.sinh),
    "tirx.sin": lambda a: a.smooth(np.sin, 1.0),
    "tirx.cos": lambda a: a.smooth(np.cos, 1.0),
    "tirx.floor": _whole(np.floor),
    "tirx.ceil": _whole(np.ceil),
    "tirx.trunc": _whole(np.trunc),
    "tirx.round": _whole(_half_away),
    "tirx.nearbyint": _whole(np.rint),
    "tirx.fabs": bounded.absolute,
    "tirx.abs": bounded.absolute,
    "tirx.pow": _power,
    "tl.pow_of_int": _power,
    "tirx.fma": lambda a, b, c: a * b + c,
    "tirx.isnan": _classified(np.isnan),
    "tirx.isinf": _classified(np.isinf),
    "tirx.isfinite": _classified(np.isfinite),
    "tirx.likely": lambda a: a,
    "tirx.bitwise_and": _exactly(np.bitwise_and),
    "tirx.bitwise_or": _exactly(np.bitwise_or),
    "tirx.bitwise_xor": _exactly(np.bitwise_xor),
    "tirx.bitwise_not": _exactly(np.bitwise_not),
    "tirx.shift_left": _exactly(np.left_shift),
    "tirx.shift_right": _exactly(np.right_shift),
    "tl.clamp": _clamp,
}
