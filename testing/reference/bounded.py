"""Values with a bound on how far a device may be from them, element by element.

A `Bounded` is the exact value of an expression, floats in float64, and a bound on the error of what
a kernel computes for it. The bound is a running first-order rounding analysis:

* an input is exact: it is given in the dtype that the kernel reads;
* every operation cuts its result to its dtype, as the vector unit does where it writes a
  destination register: a unit in the last place of bfloat16 (2^-7), float16 (2^-10), float32
  (2^-23) or an 8-bit float; a function of the vector unit is as good as the C library's, 2^-22,
  before that; packing and conversions round, half a unit;
* a matrix product of K terms has the error

      (2 t + f + K 2^-24 + r u) |A| |B|

  where t is what an operand loses on its way into the matrix unit (0 for 16-bit dtypes; a float32
  is cut to TF32's ten fraction bits, 2^-10), f what the fidelity leaves out, and r the number of
  times an accumulator of precision u is rounded;
* a truth value that the error of its operands may turn over has the error 1; what is chosen by it
  is as uncertain as the two choices differ;
* where nothing can be said, the error is infinite: an overflow, a divisor that may be zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from testing.reference import dtypes

TF32_CUT = 2.0**-10
"""The largest relative error of a float32 in the source registers, which hold ten fraction bits:
the unpacker cuts, it does not round."""

FIDELITY_LOSS = {"LoFi": 2.0**-4 + 2.0**-6, "HiFi2": 2.0**-6, "HiFi3": 2.0**-10, "HiFi4": 0.0}
"""The second operand of a product is seen with 5 significant bits and the first with 7; HiFi2 sees
all of the second, HiFi3 also the rest of the first next to those 5."""

FUNCTION = 2.0**-22
"""The relative error of a function of the vector unit."""

EXACT = np.zeros(())
"""The error of what is known exactly."""

Array: TypeAlias = np.ndarray
Number: TypeAlias = "float | Bounded"


@dataclass(frozen=True, eq=False)
class Bounded:
    """`value` is exact; what a kernel computes is at most `error` away.

    `dtype` is what results are rounded to. `error` has the shape of `value` or one that broadcasts
    to it; of a truth value it is 1 where the device may say the contrary.
    """

    value: Array
    error: Array
    dtype: str

    @property
    def is_exact(self) -> bool:
        return self.error is EXACT or not self.error.any()

    def __add__(self, other: Number) -> Bounded:
        other = self.lift(other)
        return self._result(self.value + other.value, _sum(self.error, other.error))

    def __sub__(self, other: Number) -> Bounded:
        other = self.lift(other)
        return self._result(self.value - other.value, _sum(self.error, other.error))

    def __mul__(self, other: Number) -> Bounded:
        other = self.lift(other)
        value = self.value * other.value
        if self.error is EXACT and other.error is EXACT:
            return self._result(value, EXACT)
        error = (
            _times(self.magnitude, other.error)
            + _times(other.magnitude, self.error)
            + _times(self.error, other.error)
        )
        is_certain = np.isinf(value) & self._keeps_sign & other._keeps_sign
        return self._result(value, np.where(is_certain, 0.0, error))

    def __truediv__(self, other: Number) -> Bounded:
        """The quotient of floats; infinitely uncertain where the divisor may be zero."""
        other = self.lift(other)
        value = np.asarray(self.value / other.value)
        divisor = np.abs(other.value) - other.error
        error = (self.error + _times(np.abs(value), other.error)) / divisor
        error = np.where(divisor > 0, error, np.inf)
        to_zero = np.isinf(other.value) & np.isfinite(self.value)
        is_certain = np.isinf(self.value) & self._keeps_sign & np.isfinite(other.value)
        error = np.where(to_zero | (is_certain & (divisor > 0)), 0.0, error)
        return self._result(value, error, FUNCTION)

    def __radd__(self, other: float) -> Bounded:
        return self.lift(other) + self

    def __rsub__(self, other: float) -> Bounded:
        return self.lift(other) - self

    def __rmul__(self, other: float) -> Bounded:
        return self.lift(other) * self

    def __rtruediv__(self, other: float) -> Bounded:
        return self.lift(other) / self

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error, self.dtype)

    @property
    def magnitude(self) -> Array:
        return np.abs(self.value)

    @property
    def _keeps_sign(self) -> Array:
        """Where the device certainly sees the sign, and a number that is not zero."""
        return np.isfinite(self.error) & (np.abs(self.value) > self.error)

    def lift(self, other: Number) -> Bounded:
        """A constant is rounded like everything else."""
        return other if isinstance(other, Bounded) else constant(other, self.dtype)

    def packed(self, dtype: str) -> Bounded:
        """The same exact value, after packing to a float dtype."""
        return Bounded(self.value, _rounding(self.value, self.error, dtype), self.dtype)

    def stored(self, dtype: str) -> Bounded:
        """The value rounded to `dtype`, as a program that stores it says.

        A device may round it or, where it needs no store, keep it as it is: the error covers both.
        """
        if not dtypes.is_float(dtype):
            return self._stored_exactly(dtype)
        value = dtypes.rounded(self.value, dtype)
        if self.error is EXACT and np.array_equal(value, self.value):
            return Bounded(value, EXACT, dtype)
        is_same = (self.value == value) & (self.error == 0)
        error = _rounding(self.value, self.error, dtype) + _difference(value, self.value)
        return Bounded(value, np.where(is_same, 0.0, error), dtype)

    def _stored_exactly(self, dtype: str) -> Bounded:
        """Converted to an integer or a truth value; a float is cut towards zero."""
        if dtype == "bool":
            return self.compared(constant(0, self.dtype), np.not_equal)
        if not dtypes.is_float(self.dtype):
            wide = self.value.astype(np.int64)
            value = wide.astype(dtypes.numpy_dtype(dtype))
            error = np.where(wide == value, self.error, _all_or_nothing(self.error))
            return Bounded(value, EXACT if self.error is EXACT else error, dtype)
        info = np.iinfo(dtypes.numpy_dtype(dtype))
        low, high = np.trunc(self.value - self.error), np.trunc(self.value + self.error)
        fits = (low >= info.min) & (high <= info.max)
        cut = np.where(fits, np.trunc(self.value), 0.0)
        error = np.where(fits, _spread(np.trunc, self.value, self.error, cut), np.inf)
        return Bounded(cut.astype(dtypes.numpy_dtype(dtype)), error, dtype)

    def cut(self) -> Bounded:
        """The same value in the matrix unit, which cuts a float32 to TF32."""
        if self.dtype != "float32":
            return self
        finite = np.where(np.isfinite(self.value), self.magnitude, 0.0)
        return Bounded(self.value, self.error + TF32_CUT * finite, self.dtype)

    def in_registers(self, dtype: str) -> Bounded:
        """The same value, held in destination registers of `dtype` on its way."""
        if not dtypes.is_float(self.dtype) or dtypes.unit(dtype) <= dtypes.unit(self.dtype):
            return self
        if self.error is EXACT and np.array_equal(dtypes.rounded(self.value, dtype), self.value):
            return self
        error = _rounding(self.value, self.error, dtype, is_cut=True)
        return Bounded(self.value, error, self.dtype)

    def through(
        self, function: Callable[[Array], Array], *, loss: float = FUNCTION, exact: bool = False
    ) -> Bounded:
        """A function that rises or falls everywhere; `exact` ones make no error of their own."""
        value = np.asarray(function(self.value))
        error = _spread(function, self.value, self.error, value)
        return Bounded(value, error, self.dtype) if exact else self._result(value, error, loss)

    def smooth(self, function: Callable[[Array], Array], steepest: float) -> Bounded:
        """A function whose slope is at most `steepest` anywhere."""
        return self._result(np.asarray(function(self.value)), steepest * self.error, FUNCTION)

    def compared(self, other: Bounded, relation: Callable[[Array, Array], Array]) -> Bounded:
        """The truth value of `==`, `<` and the like."""
        value = np.asarray(relation(self.value, other.value))
        if self.error is EXACT and other.error is EXACT:
            return Bounded(value, EXACT, "bool")
        margin = self.error + other.error
        is_far = _difference(self.value, other.value) > margin
        return Bounded(value, np.where(is_far | (margin == 0), 0.0, 1.0), "bool")

    def _result(self, value: Array, error: Array, loss: float = 0.0) -> Bounded:
        """Of an operation: rounded to this dtype."""
        value = np.asarray(value)
        if not dtypes.is_float(self.dtype):
            return Bounded(value, error, self.dtype)
        if loss:
            error = error + loss * (np.where(np.isfinite(value), np.abs(value), 0.0) + error)
        return Bounded(value, _rounding(value, error, self.dtype, is_cut=True), self.dtype)


def exact(value: Array, dtype: str) -> Bounded:
    """An input, for a kernel that computes in `dtype`."""
    return Bounded(np.asarray(value).astype(dtypes.held(dtype)), EXACT, dtype)


def constant(value: float, dtype: str) -> Bounded:
    """A constant of a program, rounded where `dtype` has no such number."""
    found = exact(np.asarray(value, dtypes.held(dtype)), dtype)
    return found.stored(dtype) if dtypes.is_float(dtype) else found


def unknown(shape: tuple[int, ...], dtype: str) -> Bounded:
    """What nobody has written."""
    return Bounded(np.zeros(shape, dtypes.held(dtype)), np.full(shape, np.inf), dtype)


def maximum(a: Bounded, b: Bounded) -> Bounded:
    """Choosing rounds nothing."""
    return Bounded(np.maximum(a.value, b.value), np.maximum(a.error, b.error), a.dtype)


def minimum(a: Bounded, b: Bounded) -> Bounded:
    """Choosing rounds nothing."""
    return Bounded(np.minimum(a.value, b.value), np.maximum(a.error, b.error), a.dtype)


def absolute(a: Bounded) -> Bounded:
    return Bounded(np.abs(a.value), a.error, a.dtype)


def select(condition: Bounded, then: Bounded, other: Bounded) -> Bounded:
    """`then` where the condition holds, `other` elsewhere."""
    value = np.where(condition.value, then.value, other.value)
    error = np.where(condition.value, then.error, other.error)
    if not condition.is_exact:
        either = np.maximum(then.error, other.error) + _difference(then.value, other.value)
        error = np.where(condition.error > 0, either, error)
    return Bounded(value, error, then.dtype)


def both(a: Bounded, b: Bounded) -> Bounded:
    """Logical and."""
    may_a, may_b = a.value | (a.error > 0), b.value | (b.error > 0)
    return _truth(a.value & b.value, may_a & may_b & ((a.error > 0) | (b.error > 0)), a, b)


def either(a: Bounded, b: Bounded) -> Bounded:
    """Logical or."""
    return negated(both(negated(a), negated(b)))


def negated(a: Bounded) -> Bounded:
    """Logical not."""
    return Bounded(~a.value, a.error, "bool")


def product(
    a: Bounded, b: Bounded, *, accumulator: str, roundings: int, fidelity: str = "HiFi4"
) -> Bounded:
    """`a @ b`, its accumulator rounded `roundings` times. See the module's text."""
    k = a.value.shape[-1]
    cuts = sum(TF32_CUT for operand in (a, b) if operand.dtype == "float32")
    relative = cuts + FIDELITY_LOSS[fidelity] + k * 2.0**-24
    if accumulator != "float32":
        relative += roundings * dtypes.unit(accumulator)
    magnitude, size = a.magnitude @ b.magnitude, a.value @ b.value
    error = relative * magnitude
    for left, right in ((a.error, b.magnitude), (a.magnitude, b.error), (a.error, b.error)):
        if left is not EXACT and right is not EXACT:
            shapes = np.broadcast_to(left, a.value.shape), np.broadcast_to(right, b.value.shape)
            error = error + (1 + relative) * (shapes[0] @ shapes[1])
    return Bounded(size, error, accumulator)


@dataclass(frozen=True)
class Agreement:
    """How a result compares with what was expected.

    Attributes:
        wrong: elements further away than the bound.
        unknown: elements about which the bound says nothing.
        size: all elements.
        largest: the largest error of a known element, relative to the largest exact value.
        worst: the index of the element that is wrong by the most.
        text: that element in words; empty where none is wrong.
    """

    wrong: int
    unknown: int
    size: int
    largest: float
    worst: tuple[int, ...]
    text: str


def compare(actual: Array, expected: Bounded) -> Agreement:
    """Compare a result with an exact one within its bound; a NaN where a number is due is wrong.

    Infinities must be met exactly.
    """
    assert actual.shape == expected.value.shape, (actual.shape, expected.value.shape)
    with np.errstate(invalid="ignore"):
        return _compare(actual, expected)


def _compare(actual: Array, expected: Bounded) -> Agreement:
    got = actual.astype(np.float64)
    value = expected.value.astype(np.float64)
    bound = np.broadcast_to(expected.error, value.shape)
    is_known = np.isfinite(bound) & ~np.isnan(value)
    difference = _difference(got, value)
    is_wrong = is_known & ~(difference <= bound)
    size = np.abs(value[is_known & np.isfinite(value)]).max(initial=0.0)
    largest = difference[is_known & np.isfinite(difference)].max(initial=0.0)
    worst: tuple[int, ...] = ()
    text = ""
    if is_wrong.any():
        excess = np.where(is_wrong, difference / np.maximum(bound, 1e-300), -1.0)
        excess = np.where(np.isnan(excess), math.inf, excess)
        worst = tuple(int(i) for i in np.unravel_index(int(excess.argmax()), excess.shape))
        text = (
            f"{int(is_wrong.sum())} of {is_wrong.size} elements are wrong; at {worst}: "
            f"{got[worst]} for {value[worst]}, {bound[worst]:.2e} allowed"
        )
    relative = float(largest / size) if size else float(largest)
    unknowns = int((~is_known).sum())
    return Agreement(int(is_wrong.sum()), unknowns, value.size, relative, worst, text)


def _rounding(value: Array, error: Array, dtype: str, *, is_cut: bool = False) -> Array:
    """The error after rounding to a float dtype, or after cutting the digits it has no room for."""
    unit = dtypes.unit(dtype) * (2 if is_cut else 1)
    is_finite = np.isfinite(value)
    reach = np.where(is_finite, np.abs(value), 0.0) + error
    more = unit * np.maximum(reach, dtypes.smallest(dtype))
    overflows = reach * (1 + unit) > dtypes.largest(dtype)
    return np.where(is_finite, np.where(overflows, np.inf, error + more), _of_infinities(error))


def _of_infinities(error: Array) -> Array:
    """An infinity plus or minus anything finite is the same infinity."""
    return np.where(np.isfinite(error), 0.0, np.inf)


def _difference(a: Array, b: Array) -> Array:
    """`|a - b|`, 0 for two equal infinities; NaN where one is not a number."""
    return np.where(a == b, 0.0, np.abs(np.subtract(a, b, dtype=np.float64)))


def _sum(a: Array, b: Array) -> Array:
    return EXACT if a is EXACT and b is EXACT else a + b


def _times(a: Array, b: Array) -> Array:
    """`a * b`, where no error times infinity is no error."""
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def _spread(function: Callable[[Array], Array], value: Array, error: Array, at: Array) -> Array:
    """How far a monotonous function may get from `at` if its argument is off by `error`."""
    if error is EXACT:
        return EXACT
    low, high = function(value - error), function(value + error)
    spread = np.maximum(_difference(low, at), _difference(high, at))
    return np.where(error == 0, 0.0, np.where(np.isnan(spread), np.inf, spread))


def _all_or_nothing(error: Array) -> Array:
    return np.where(error > 0, np.inf, 0.0)


def _truth(value: Array, uncertain: Array, *operands: Bounded) -> Bounded:
    if all(operand.error is EXACT for operand in operands):
        return Bounded(value, EXACT, "bool")
    return Bounded(value, uncertain.astype(np.float64), "bool")
