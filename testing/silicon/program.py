"""A program that runs on silicon: kernel, arguments, exact result, and how far off it may be.

An error is the largest difference to the exact result as a part of the largest magnitude in it.
What a chip adds to the rounding of the output (ttsim's tensix.cpp, `mvmul` and below):

*   One step of the matrix unit sums two groups of 8 products. Each product has the 12 bits that one
    phase multiplies and is aligned, rounded, to the largest of its group; the two sums and the
    accumulator are then added at 24 bits. So a float32 sum of K products is off by about half a
    12th bit of a product times sqrt(K), which is the same part of the result for every K: 3.5e-4 to
    5.0e-4 measured here. `MATRIX_UNIT` is twice the largest. The mock, which sums exactly, is off
    by 1e-7.
*   A float32 operand loses its low 13 bits on the way to the matrix unit, cut and not rounded:
    TF32_CUT for each operand.
*   In 16-bit destination registers every step of a sum is rounded to bfloat16, and what the vector
    unit stores there is cut, not rounded, unless its routine rounds: 2 * BF16.
*   The matrix unit and the packer round halves away from zero, the mock to even. So a bfloat16
    result is often one last bit apart from the mock's: "identical" in the table of a run is "no".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from tvm import tirx

from testing.reference.bounded import TF32_CUT
from tilelang_tt.formats import BY_DTYPE
from tilelang_tt.options import Options

GRID = (2, 2)

MATRIX_UNIT = 2.0**-10
BF16 = BY_DTYPE["bfloat16"].epsilon
FP32 = BY_DTYPE["float32"].epsilon
TF32_PRODUCT = 2 * TF32_CUT  # both operands cut

_DTYPES = {name: getattr(torch, name) for name in ("bfloat16", "float32", "int32", "int8", "uint8")}


@dataclass(frozen=True)
class Program:
    """One program. `reference` gets the arguments, tensors in float64; `grid`, `multicast` and
    `split` are options of the target."""

    name: str
    build: Callable[[], tirx.PrimFunc]
    arguments: Callable[[], Sequence[torch.Tensor | float]]
    reference: Callable[..., torch.Tensor]
    tolerance: float
    grid: tuple[int, int] = GRID
    multicast: bool | None = None
    split: bool | None = False

    def options(self, arch: str, execution: str) -> Options:
        """The options of a target that runs the program."""
        return Options(
            arch=arch,
            grid=self.grid,
            multicast=self.multicast,
            split=self.split,
            execution=execution,
        )

    def expected(self, arguments: Sequence[torch.Tensor | float]) -> torch.Tensor:
        wide = [a.double() if isinstance(a, torch.Tensor) else a for a in arguments]
        return self.reference(*wide)


def error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, as a part of the largest expected magnitude."""
    difference = (actual.double() - expected.double()).abs().max()
    return (difference / expected.double().abs().max()).item()


def random(
    *shapes: tuple[int, ...], dtype: str, deviation: float = 1.0
) -> Callable[[], list[torch.Tensor]]:
    def make() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        floats = [deviation * torch.randn(shape, generator=generator) for shape in shapes]
        return [tensor.to(_DTYPES[dtype]) for tensor in floats]

    return make
