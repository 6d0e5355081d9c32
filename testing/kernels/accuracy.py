"""How far a result on the device may be from the exact one, element by element.

A `Bounded` is an exact value, in float64, and a bound on the error of what a kernel computes for
it. The bound is the first-order rounding analysis of the kernel, with these sources of error:

* an input is exact: it is given in the dtype that the kernel reads;
* every operation rounds its result to a destination register: relative error `u`, half a unit in
  the last place of bfloat16 (2^-8), float16 (2^-11) or float32 (2^-24), by the width of the
  registers; a function of the vector unit is as good as the C library's, 2^-22, before that;
* packing rounds to the dtype of the buffer or tensor;
* a matrix product of K terms has the error

      (2 t + f + K 2^-24 + r u) |A| |B|

  where t is what an operand loses on its way into the matrix unit (0 for 16-bit dtypes; a float32
  is cut to TF32's ten fraction bits, 2^-10), f what the fidelity leaves out, and r the number of
  times an accumulator of precision u is rounded: once for each 32 terms, twice more for each block
  that is added to the accumulator.

The functions below are named as TileLang's, so that one definition of an expression serves the
kernel (`f(T, a, b)`) and its reference (`f(accuracy, a, b)`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

TF32_CUT = 2.0**-10
"""The unpacker cuts, it does not round: twice `formats.TF32_EPSILON`."""

FIDELITY_LOSS = {"LoFi": 2.0**-4 + 2.0**-6, "HiFi2": 2.0**-6, "HiFi3": 2.0**-10, "HiFi4": 0.0}
"""The second operand of a product is seen with 5 significant bits and the first with 7; HiFi2 sees
all of the second, HiFi3 also the rest of the first next to those 5."""

_SFPU = 2.0**-22


def unit(dtype: torch.dtype) -> float:
    """The largest relative error of one rounding to `dtype`."""
    return torch.finfo(dtype).eps / 2


@dataclass(frozen=True)
class Bounded:
    """`value` is exact; what a kernel computes is at most `error` away.

    `registers` is the dtype of the destination registers that results are rounded to.
    """

    value: torch.Tensor
    error: torch.Tensor
    registers: torch.dtype

    def __add__(self, other: Bounded | float) -> Bounded:
        other = self._lift(other)
        return self._rounded(self.value + other.value, self.error + other.error)

    def __sub__(self, other: Bounded | float) -> Bounded:
        other = self._lift(other)
        return self._rounded(self.value - other.value, self.error + other.error)

    def __mul__(self, other: Bounded | float) -> Bounded:
        other = self._lift(other)
        error = (
            self.value.abs() * other.error
            + other.value.abs() * self.error
            + self.error * other.error
        )
        return self._rounded(self.value * other.value, error)

    def __truediv__(self, other: Bounded | float) -> Bounded:
        other = self._lift(other)
        value = self.value / other.value
        divisor = other.value.abs() - other.error
        assert (divisor > 0).all(), "the divisor may be zero"
        return self._rounded(value, (self.error + value.abs() * other.error) / divisor, _SFPU)

    def __radd__(self, other: float) -> Bounded:
        return self._lift(other) + self

    def __rsub__(self, other: float) -> Bounded:
        return self._lift(other) - self

    def __rmul__(self, other: float) -> Bounded:
        return self._lift(other) * self

    def __rtruediv__(self, other: float) -> Bounded:
        return self._lift(other) / self

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error, self.registers)

    def packed(self, dtype: torch.dtype) -> Bounded:
        """After packing to `dtype`."""
        return Bounded(self.value, self._rounding(self.value, self.error, dtype), self.registers)

    def _lift(self, other: Bounded | float) -> Bounded:
        """A constant is rounded like everything else."""
        if isinstance(other, Bounded):
            return other
        value = torch.full_like(self.value, other)
        return self._rounded(value, torch.zeros_like(value))

    def _rounded(self, value: torch.Tensor, error: torch.Tensor, function: float = 0.0) -> Bounded:
        error = error + function * (value.abs() + error)
        return Bounded(value, self._rounding(value, error, self.registers), self.registers)

    @staticmethod
    def _rounding(value: torch.Tensor, error: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        smallest = torch.finfo(dtype).smallest_normal  # absolute where numbers are subnormal
        return error + unit(dtype) * (value.abs() + error).clamp_min(smallest)

    def through(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Bounded:
        """A function of the vector unit that rises or falls everywhere."""
        value = function(self.value)
        low, high = function(self.value - self.error), function(self.value + self.error)
        error = torch.maximum((low - value).abs(), (high - value).abs())
        return self._rounded(value, error, _SFPU)


def exact(tensor: torch.Tensor, registers: torch.dtype) -> Bounded:
    """An input, for a kernel with these registers."""
    return Bounded(tensor.double(), torch.zeros(tensor.shape, dtype=torch.float64), registers)


def product(
    a: torch.Tensor,
    b: torch.Tensor,
    *,
    block_k: int,
    accumulator: torch.dtype = torch.float32,
    fidelity: str = "HiFi4",
) -> Bounded:
    """`a @ b` in an accumulator, by blocks of `block_k` terms. See the module's text."""
    k = a.shape[-1]
    cut = TF32_CUT if a.dtype == torch.float32 else 0.0
    times = 0 if accumulator == torch.float32 else math.ceil(k / 32) + 2 * math.ceil(k / block_k)
    relative = 2 * cut + FIDELITY_LOSS[fidelity] + k * 2.0**-24 + times * unit(accumulator)
    a, b = a.double(), b.double()
    return Bounded(a @ b, relative * (a.abs() @ b.abs()), accumulator)


def max(a: Bounded | float, b: Bounded | float) -> Bounded:
    return _chosen(torch.maximum, a, b)


def min(a: Bounded | float, b: Bounded | float) -> Bounded:
    return _chosen(torch.minimum, a, b)


def _chosen(
    choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    a: Bounded | float,
    b: Bounded | float,
) -> Bounded:
    """Choosing rounds nothing."""
    if isinstance(a, Bounded):
        b = a._lift(b)
    else:
        assert isinstance(b, Bounded), "one of the two is a tile"
        a = b._lift(a)
    return Bounded(choose(a.value, b.value), torch.maximum(a.error, b.error), a.registers)


def exp(a: Bounded) -> Bounded:
    return a.through(torch.exp)


def exp2(a: Bounded) -> Bounded:
    return a.through(torch.exp2)


def log(a: Bounded) -> Bounded:
    return a.through(torch.log)


def sqrt(a: Bounded) -> Bounded:
    return a.through(torch.sqrt)


def rsqrt(a: Bounded) -> Bounded:
    return a.through(torch.rsqrt)


def tanh(a: Bounded) -> Bounded:
    return a.through(torch.tanh)


def sigmoid(a: Bounded) -> Bounded:
    return a.through(torch.sigmoid)


def abs(a: Bounded) -> Bounded:
    return Bounded(a.value.abs(), a.error, a.registers)


def check(actual: torch.Tensor, expected: Bounded) -> float:
    """Raise where a packed result is further from the exact one than the bound.

    Returns:
        The largest error, relative to the largest exact value.
    """
    assert actual.shape == expected.value.shape, (actual.shape, expected.value.shape)
    bound = expected.packed(actual.dtype).error
    difference = (actual.double() - expected.value).abs()
    wrong = ~(difference <= bound)  # a NaN is wrong
    if wrong.any():
        worst = (difference / bound).nan_to_num(nan=math.inf).argmax()
        at = tuple(int(i) for i in torch.unravel_index(worst, actual.shape))
        raise AssertionError(
            f"{int(wrong.sum())} of {wrong.numel()} elements are wrong; at {at}: "
            f"{actual[at].item()} for {expected.value[at].item()}, {bound[at].item():.2e} allowed"
        )
    return float(difference.max() / expected.value.abs().max())
