"""The programs that run on silicon: kernel, arguments, exact result, and how far off it may be.

An error is the largest difference to the exact result as a part of the largest magnitude in it.
What a chip adds to the rounding of the output (ttsim's tensix.cpp, `mvmul` and below):

*   One step of the matrix unit sums two groups of 8 products. Each product has the 12 bits that one
    phase multiplies and is aligned, rounded, to the largest of its group; the two sums and the
    accumulator are then added at 24 bits. So a float32 sum of K products is off by about half a
    12th bit of a product times sqrt(K), which is the same part of the result for every K: 3.5e-4 to
    5.0e-4 measured here. `MATRIX_UNIT` is twice the largest. The mock, which sums exactly, is off
    by 1e-7.
*   A float32 operand loses its low 13 bits on the way to the matrix unit, cut and not rounded:
    2 * TF32_EPSILON for each operand.
*   In 16-bit destination registers every step of a sum is rounded to bfloat16, and what the vector
    unit stores there is cut, not rounded, unless its routine rounds: 2 * BF16.
*   The matrix unit and the packer round halves away from zero, the mock to even. So a bfloat16
    result is often one last bit apart from the mock's: "identical" in the table of a run is "no".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from tvm import tirx

from testing.silicon import kernels
from tilelang_tt.formats import BY_DTYPE, TF32_EPSILON

GRID = (2, 2)

MATRIX_UNIT = 2.0**-10
BF16 = BY_DTYPE["bfloat16"].epsilon
FP32 = BY_DTYPE["float32"].epsilon
TF32_PRODUCT = 4 * TF32_EPSILON  # both operands cut

_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True)
class Program:
    """One program. `reference` gets the arguments, tensors in float64."""

    name: str
    build: Callable[[], tirx.PrimFunc]
    arguments: Callable[[], Sequence[torch.Tensor | float]]
    reference: Callable[..., torch.Tensor]
    tolerance: float

    def expected(self, arguments: Sequence[torch.Tensor | float]) -> torch.Tensor:
        wide = [a.double() if isinstance(a, torch.Tensor) else a for a in arguments]
        return self.reference(*wide)


def error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, as a part of the largest expected magnitude."""
    difference = (actual.double() - expected.double()).abs().max()
    return (difference / expected.double().abs().max()).item()


def _random(*shapes: tuple[int, ...], dtype: str) -> Callable[[], list[torch.Tensor]]:
    def make() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        return [torch.randn(shape, generator=generator).to(_DTYPES[dtype]) for shape in shapes]

    return make


def _elementwise() -> list[Program]:
    shape, block = (128, 128), (64, 32)
    return [
        Program(
            f"{name}-{dtype}",
            partial(kernel, shape, block, dtype),
            _random(*[shape] * count, dtype=dtype),
            reference,
            roundings * BY_DTYPE[dtype].epsilon,
        )
        for name, kernel, count, reference, roundings in (
            ("add", kernels.add, 2, torch.add, 1),
            ("multiply-add", kernels.multiply_add, 3, lambda a, b, c: a * b + c, 4),
            ("relu", kernels.relu, 1, torch.relu, 0),
        )
        for dtype in ("bfloat16", "float32")
    ]


def _scale(dtype: str) -> Program:
    shape = (96, 64)
    tensors = _random(shape, dtype=dtype)
    return Program(
        f"scale-{dtype}",
        partial(kernels.scale, shape, (32, 64), dtype),
        lambda: [*tensors(), 1.7],
        lambda a, factor: a * factor,
        2 * BY_DTYPE[dtype].epsilon,
    )


def _gemm(
    name: str,
    size: tuple[int, int, int],
    block: tuple[int, int, int],
    tolerance: float,
    *,
    dtype: str = "bfloat16",
    out: str = "float32",
    accumulate: str = "float32",
    transpose: tuple[bool, bool] = (False, False),
) -> Program:
    (M, N, K), (first, second) = size, transpose
    return Program(
        f"gemm-{name}",
        partial(kernels.gemm, size, block, dtype, out, accumulate, first, second),
        _random((K, M) if first else (M, K), (N, K) if second else (K, N), dtype=dtype),
        lambda a, b: (a.T if first else a) @ (b.T if second else b),
        tolerance,
    )


def _bias_relu(name: str, dtype: str, out: str, tolerance: float) -> Program:
    M, N, K = 128, 192, 128
    return Program(
        f"gemm-bias-relu-{name}",
        partial(kernels.gemm_bias_relu, (M, N, K), (64, 64, 64), dtype, dtype, out),
        _random((M, K), (K, N), (N,), dtype=dtype),
        lambda a, b, bias: torch.relu(a @ b + bias),
        tolerance,
    )


def _batched() -> Program:
    batch, M, N, K = 3, 64, 64, 64
    return Program(
        "gemm-batched",
        partial(kernels.batched_gemm, batch, (M, N, K), (64, 32, 64), "bfloat16", "float32"),
        _random((batch, M, K), (batch, K, N), dtype="bfloat16"),
        torch.matmul,
        MATRIX_UNIT,
    )


def _transposed() -> list[Program]:
    """Both operands as they are and transposed, in one step over K and in two."""
    return [
        _gemm(
            f"{'nt'[a]}{'nt'[b]}-{steps}-step",
            (128, 192, 64 * steps),
            (64, 64, 64),
            MATRIX_UNIT,
            transpose=(a, b),
        )
        for a in (False, True)
        for b in (False, True)
        for steps in (1, 2)
    ]


def _formats() -> list[Program]:
    size, block = (128, 192, 128), (64, 64, 64)
    cut = MATRIX_UNIT + TF32_PRODUCT
    return [
        _gemm("bfloat16-out", size, block, MATRIX_UNIT + BF16, out="bfloat16"),
        # Each of the 4 phases of 8 sums of 16 products is rounded: sqrt(32) as roundings go.
        _gemm("bfloat16-sums", size, block, 6 * BF16, out="bfloat16", accumulate="bfloat16"),
        _gemm("float32-in", size, block, cut, dtype="float32"),
        _gemm("float32-in-tt", size, block, cut, dtype="float32", transpose=(True, True)),
    ]


def _shares() -> list[Program]:
    """Blocks that divide neither evenly nor at all among the cores, and long or tall ones."""
    return [
        _gemm("nine-blocks-on-four-cores", (96, 96, 64), (32, 32, 64), MATRIX_UNIT),
        _gemm("two-blocks-on-four-cores", (64, 32, 64), (32, 32, 64), MATRIX_UNIT),
        _gemm("one-tall-block", (160, 32, 64), (160, 32, 64), MATRIX_UNIT),
        _gemm("eight-steps", (64, 96, 256), (32, 32, 32), MATRIX_UNIT),
        _batched(),
    ]


def _epilogues() -> list[Program]:
    return [
        _bias_relu("bfloat16", "bfloat16", "bfloat16", MATRIX_UNIT + BF16),
        _bias_relu("float32-out", "bfloat16", "float32", MATRIX_UNIT),
        _bias_relu("float32", "float32", "float32", MATRIX_UNIT + TF32_PRODUCT),
    ]


PROGRAMS = [
    *_elementwise(),
    _scale("bfloat16"),
    _scale("float32"),
    *_transposed(),
    *_formats(),
    *_shares(),
    *_epilogues(),
]
