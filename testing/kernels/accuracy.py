"""How far a result on the device may be from the exact one, for tests that work with torch.

The bounds are `testing.reference.bounded`'s; this is their torch face. The functions below are
named as TileLang's, so that one definition of an expression serves the kernel (`f(T, a, b)`) and
its reference (`f(accuracy, a, b)`).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from testing.reference import bounded, dtypes
from testing.reference.bounded import FIDELITY_LOSS, Bounded
from testing.reference.functions import CALLS

__all__ = ["FIDELITY_LOSS", "Bounded"]

exp = CALLS["tirx.exp"]
exp2 = CALLS["tirx.exp2"]
log = CALLS["tirx.log"]
log2 = CALLS["tirx.log2"]
sqrt = CALLS["tirx.sqrt"]
rsqrt = CALLS["tirx.rsqrt"]
tanh = CALLS["tirx.tanh"]
sigmoid = CALLS["tirx.sigmoid"]
erf = CALLS["tirx.erf"]
floor = CALLS["tirx.floor"]
ceil = CALLS["tirx.ceil"]
abs = bounded.absolute


def unit(dtype: torch.dtype) -> float:
    """The largest relative error of one rounding to `dtype`."""
    return dtypes.unit(_name(dtype))


def exact(tensor: torch.Tensor, registers: torch.dtype) -> Bounded:
    """An input, for a kernel whose destination registers hold values of this dtype."""
    return bounded.exact(_array(tensor), _name(registers))


def product(
    a: torch.Tensor | Bounded,
    b: torch.Tensor,
    *,
    block_k: int,
    accumulator: torch.dtype = torch.float32,
    fidelity: str = "HiFi4",
) -> Bounded:
    """`a @ b` in an accumulator, by blocks of `block_k` terms.

    The accumulator is rounded once for each 32 terms, twice more for each block that is added.
    """
    k = b.shape[-2]
    left = a if isinstance(a, Bounded) else exact(a, a.dtype)
    return bounded.product(
        left,
        exact(b, b.dtype),
        accumulator=_name(accumulator),
        roundings=math.ceil(k / 32) + 2 * math.ceil(k / block_k),
        fidelity=fidelity,
    )


def max(a: Bounded | float, b: Bounded | float) -> Bounded:
    return bounded.maximum(*_lifted(a, b))


def min(a: Bounded | float, b: Bounded | float) -> Bounded:
    return bounded.minimum(*_lifted(a, b))


def _lifted(a: Bounded | float, b: Bounded | float) -> tuple[Bounded, Bounded]:
    if isinstance(a, Bounded):
        return a, a.lift(b)
    assert isinstance(b, Bounded), "one of the two is a tile"
    return b.lift(a), b


def check(actual: torch.Tensor, expected: Bounded) -> float:
    """Raise where a packed result is further from the exact one than the bound.

    Returns:
        The largest error, relative to the largest exact value.
    """
    agreement = bounded.compare(_array(actual), expected.packed(_name(actual.dtype)))
    if agreement.wrong:
        raise AssertionError(agreement.text)
    assert not agreement.unknown, f"nothing is known of {agreement.unknown} elements"
    return agreement.largest


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.double().numpy()
