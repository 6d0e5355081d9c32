"""Silicon programs that reduce, choose, count, or multiply more than once; examples among them.

Beyond the roundings that `program.py` describes: a float32 operand of a reduction loses its low 13
bits, so a maximum is off by `TF32_CUT`; the float32 exponential is right to 2**-10, and
what is summed of it to another 2**-10; attention rounds its weights to bfloat16.
"""

from __future__ import annotations

from functools import partial

import torch

from examples.elementwise.example_elementwise_mask import elementwise_mask
from examples.elementwise.example_elementwise_select import elementwise_select
from examples.flash_attention import example_mha_fwd_bshd as attention
from examples.norm.example_rms_norm import rms_norm
from examples.online_softmax.example_softmax import softmax
from testing.reference.bounded import TF32_CUT
from testing.silicon import kernels, row_kernels
from testing.silicon.program import BF16, FP32, MATRIX_UNIT, TF32_PRODUCT, Program, random
from tilelang_tt.formats import BY_DTYPE

RAGGED = (100, 70)


def _reduce(
    kind: str, axis: int, dtype: str, tolerance: float, shape: tuple[int, int] = (64, 96)
) -> Program:
    reference = {"sum": torch.sum, "max": torch.amax}[kind]
    ragged = "-ragged" if shape[0] % 32 else ""
    return Program(
        f"{'column' if axis == 0 else 'row'}-{kind}-{dtype}{ragged}",
        partial(row_kernels.reduce, shape, 32, kind, axis, dtype),
        random(shape, dtype=dtype),
        lambda a: reference(a, dim=axis),
        tolerance,
    )


def _reductions() -> list[Program]:
    summed = {"bfloat16": MATRIX_UNIT + 2 * BF16, "float32": MATRIX_UNIT + TF32_PRODUCT}
    chosen = {"bfloat16": 0.0, "float32": TF32_CUT}
    return [
        *(
            _reduce(kind, axis, dtype, tolerances[dtype])
            for kind, tolerances in (("sum", summed), ("max", chosen))
            for axis in (1, 0)
            for dtype in ("bfloat16", "float32")
        ),
        _reduce("sum", 1, "float32", summed["float32"], RAGGED),
        _reduce("max", 0, "bfloat16", 0.0, RAGGED),
        *(
            Program(
                f"{name}-running-sums",
                partial(row_kernels.running_sums, (64, 96), axis, "float32"),
                random((64, 96), dtype="float32"),
                partial(torch.cumsum, dim=axis),
                summed["float32"],
            )
            for axis, name in enumerate(("column", "row"))
        ),
        Program(
            "row-sums-along-columns",
            partial(row_kernels.add_row_sums_to_columns, 64, "float32"),
            random((64, 64), dtype="float32"),
            lambda a: a + a.sum(1),
            summed["float32"],
        ),
    ]


def _rows(dtype: str) -> list[Program]:
    """Rows that a block holds whole."""
    rows = (64, 96)
    tolerance = 2.0**-9 + BY_DTYPE[dtype].epsilon
    return [
        Program(
            f"softmax-{dtype}",
            partial(softmax, *rows, 32, dtype),
            random(rows, dtype=dtype, deviation=3),
            lambda x: torch.softmax(x, 1),
            tolerance,
        ),
        Program(
            f"rms-norm-{dtype}",
            partial(rms_norm, *rows, 32, 1e-5, dtype),
            random(rows, rows[1:], dtype=dtype),
            lambda x, weight: x * (x.square().mean(1, keepdim=True) + 1e-5).rsqrt() * weight,
            tolerance,
        ),
    ]


def _attention(name: str, queries: int, keys: int, is_causal: bool) -> Program:
    query, key = (1, queries, 1, 64), (1, keys, 1, 64)
    return Program(
        f"attention-{name}",
        partial(attention.flash_attention, 1, 1, queries, keys, 64, is_causal, 32, 32, "bfloat16"),
        random(query, key, key, dtype="bfloat16"),
        lambda q, k, v: attention.reference(q, k, v, is_causal),
        2.0**-8 + 2 * BF16,
    )


def _attentions() -> list[Program]:
    return [
        _attention("causal", 64, 64, True),
        _attention("ragged", 50, 70, False),
    ]


def _mask(a: torch.Tensor) -> torch.Tensor:
    distance = torch.arange(a.shape[0])[:, None] - torch.arange(a.shape[1])
    return torch.where((distance >= 0) & (distance < 20), a, -1.0)


def _choices(dtype: str) -> list[Program]:
    square = (64, 64)
    cut = 0.0 if dtype == "bfloat16" else TF32_CUT
    return [
        Program(
            f"select-{dtype}",
            partial(elementwise_select, *RAGGED, 32, 64, -0.5, 0.75, dtype),
            random(RAGGED, RAGGED, dtype=dtype),
            lambda a, b: torch.where(a.abs() > b.abs(), a, b.clamp(-0.5, 0.75)),
            0.0,
        ),
        Program(
            f"mask-{dtype}",
            partial(elementwise_mask, *RAGGED, 32, 64, 20, -1.0, dtype),
            random(RAGGED, dtype=dtype),
            _mask,
            0.0,
        ),
        Program(
            f"causal-row-max-{dtype}",
            partial(row_kernels.causal_row_max, 64, 32, dtype),
            random(square, dtype=dtype),
            lambda a: torch.where(torch.ones(square).tril() > 0, a, -torch.inf).amax(1),
            cut,
        ),
    ]


def _integer(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    low = torch.remainder(3 * a + b, 256)
    return torch.where(a > b, low, torch.floor(a / 2) - b.clamp(min=7))


def _cut(x: torch.Tensor) -> torch.Tensor:
    """What a byte with a sign keeps of a number."""
    return torch.remainder(x.trunc() + 128, 256) - 128


def _integers() -> list[Program]:
    shape = (64, 70)
    pair = random(shape, shape, dtype="int32", deviation=1000)
    return [
        Program("add-int32", partial(row_kernels.add_integers, shape, 32), pair, torch.add, 0.0),
        Program("integers", partial(row_kernels.integers, shape, 32), pair, _integer, 0.0),
        Program(
            "plus-index",
            partial(row_kernels.plus_index, RAGGED, (32, 64), "float32"),
            random(RAGGED, dtype="float32"),
            lambda a: a + 2 * torch.arange(RAGGED[0])[:, None] + torch.arange(RAGGED[1]),
            FP32,
        ),
        *(
            Program(
                f"{source}-to-{to}",
                partial(row_kernels.cast, shape, 32, source, to),
                random(shape, dtype=source, deviation=100),
                reference,
                tolerance,
            )
            for source, to, reference, tolerance in (
                ("float32", "int32", torch.trunc, 0.0),
                ("bfloat16", "int32", torch.trunc, 0.0),
                ("int32", "float32", torch.clone, 0.0),
                ("int32", "bfloat16", torch.clone, BF16),
                ("float32", "bfloat16", torch.clone, BF16),
                ("float32", "int8", _cut, 0.0),
                ("int32", "int8", _cut, 0.0),
                ("bfloat16", "uint8", lambda x: torch.remainder(x.trunc(), 256), 0.0),
                ("int8", "float32", torch.clone, 0.0),
                ("uint8", "int8", _cut, 0.0),
                ("uint8", "bfloat16", torch.clone, 0.0),
            )
        ),
    ]


def _products() -> list[Program]:
    size = (64, 96, 64, 32)
    (M, K, L, N), vector = size, (100, 70)
    return [
        Program(
            "chained-gemms",
            partial(row_kernels.chained_gemms, size, 32, "bfloat16"),
            random((M, K), (K, L), (L, N), dtype="bfloat16"),
            lambda a, b, c: a @ b @ c,
            2 * MATRIX_UNIT + BF16,
        ),
        *(
            Program(
                f"gemv-{dtype}",
                partial(row_kernels.gemv, vector, (32, 32), dtype),
                random(vector, vector[1:], dtype=dtype),
                torch.mv,
                MATRIX_UNIT + TF32_PRODUCT,
            )
            for dtype in ("bfloat16", "float32")
        ),
        Program(
            "gemm-ragged",
            partial(kernels.gemm, (100, 70, 50), (32, 64, 32), "bfloat16", "float32", "float32"),
            random((100, 50), (50, 70), dtype="bfloat16"),
            torch.matmul,
            MATRIX_UNIT,
        ),
    ]


PROGRAMS = [
    *_reductions(),
    *_rows("bfloat16"),
    *_rows("float32"),
    *_choices("bfloat16"),
    *_choices("float32"),
    *_integers(),
    *_products(),
    *_attentions(),
]
