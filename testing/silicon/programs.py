"""The programs that run on silicon; those of `row_programs.py` at the end."""

from __future__ import annotations

from functools import partial

import torch

from examples.online_softmax.example_softmax_one_row import softmax
from testing.silicon import kernels, row_programs
from testing.silicon.program import BF16, FP32, GRID, MATRIX_UNIT, TF32_PRODUCT, Program, random
from tilelang_tt.formats import BY_DTYPE


def _elementwise() -> list[Program]:
    shape, block = (128, 128), (64, 32)
    return [
        Program(
            f"{name}-{dtype}",
            partial(kernel, shape, block, dtype),
            random(*[shape] * count, dtype=dtype),
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
    tensors = random(shape, dtype=dtype)
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
    grid: tuple[int, int] = GRID,
    multicast: bool | None = None,
    split: bool = False,
) -> Program:
    (M, N, K), (first, second) = size, transpose
    return Program(
        f"gemm-{name}",
        partial(kernels.gemm, size, block, dtype, out, accumulate, first, second),
        random((K, M) if first else (M, K), (N, K) if second else (K, N), dtype=dtype),
        lambda a, b: (a.T if first else a) @ (b.T if second else b),
        tolerance,
        grid,
        multicast,
        split,
    )


def _bias_relu(name: str, dtype: str, out: str, tolerance: float) -> Program:
    M, N, K = 128, 192, 128
    return Program(
        f"gemm-bias-relu-{name}",
        partial(kernels.gemm_bias_relu, (M, N, K), (64, 64, 64), dtype, dtype, out),
        random((M, K), (K, N), (N,), dtype=dtype),
        lambda a, b, bias: torch.relu(a @ b + bias),
        tolerance,
    )


def _batched() -> Program:
    batch, M, N, K = 3, 64, 64, 64
    return Program(
        "gemm-batched",
        partial(kernels.batched_gemm, batch, (M, N, K), (64, 32, 64), "bfloat16", "float32"),
        random((batch, M, K), (batch, K, N), dtype="bfloat16"),
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


def _causal(name: str, size: tuple[int, int], grid: tuple[int, int]) -> Program:
    M, N = size
    block = torch.arange(M) // 32
    kept = block[:, None] >= block
    return Program(
        f"gemm-causal-{name}",
        partial(kernels.causal_gemm, size, (32, 32), "bfloat16"),
        random((M, M), (M, N), dtype="bfloat16"),
        lambda a, b: torch.where(kept, a, 0.0) @ b,
        MATRIX_UNIT,
        grid,
        multicast=True,
    )


def _multicasts() -> list[Program]:
    """Cores that load for those of their row, of their column, or for all; and a loop that ends at
    the diagonal, whose blocks are dealt out in a snake or share along the rows.

    Most take several turns, and in the last one some cores run a block that nobody wants.
    """
    shared = partial(_gemm, tolerance=MATRIX_UNIT, multicast=True)
    block, wide = (32, 32, 64), (64, 64, 64)
    return [
        shared("shared-on-2x2", (80, 112, 150), block),
        shared("shared-on-3x2", (150, 300, 128), wide, grid=(3, 2)),
        shared("shared-on-2x3", (300, 150, 128), wide, grid=(2, 3)),
        shared("shared-by-all-of-2x2", (64, 290, 128), wide),
        shared("shared-by-all-of-3x2", (290, 64, 128), wide, grid=(3, 2)),
        shared("shared-on-4x1", (70, 160, 128), block, grid=(4, 1)),
        _causal("dealt-out", (290, 32), (2, 2)),
        _causal("shared", (160, 96), (2, 2)),
    ]


def _split() -> list[Program]:
    """Cores that share loops; in a softmax of one row the parts meet and the result goes back."""
    split = partial(_gemm, tolerance=MATRIX_UNIT, split=True)
    length = 3072
    return [
        split("split-by-four", (32, 64, 512), (32, 64, 64), grid=(2, 2)),
        split("split-by-five", (64, 32, 900), (64, 32, 64), grid=(5, 1)),
        split("two-blocks-split-by-three", (64, 32, 512), (32, 32, 64), grid=(3, 2)),
        Program(
            "softmax-of-one-row",
            partial(softmax, 32 * length, 128, "float32"),
            random((32, length), dtype="float32", deviation=3.0),
            lambda x: torch.softmax(x.flatten(), 0).view_as(x),
            2**-9,
            (3, 2),
            split=True,
        ),
    ]


def _steered() -> list[Program]:
    """Numbers in tensors say what is computed."""
    size, block, dtypes = (128, 128, 256), (64, 64, 32), ("bool", "int32")
    shape = tuple(whole // part for whole, part in zip(size, block, strict=True))

    def operands(dtype: str) -> list[torch.Tensor]:
        mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5
        return [*random(size[::2], (256, 128), dtype="bfloat16")(), mask.to(getattr(torch, dtype))]

    def sparse(a: torch.Tensor, b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        kept = mask.repeat_interleave(64, 0).repeat_interleave(64, 1)
        parts = [a[:, at : at + 32] @ b[at : at + 32] for at in range(0, 256, 32)]
        return sum(kept[:, :, k] * part for k, part in enumerate(parts))

    def tables() -> list[torch.Tensor]:
        rows = torch.tensor([[0, 7, 1], [3, 3, 2], [5, 0, 0], [6, 2, 4], [1, 1, 1]])
        counts = torch.tensor([3, 0, 1, 2, 3])
        return [*random((256, 64), dtype="bfloat16")(), counts.int(), rows.int()]

    def chosen(a: torch.Tensor, counts: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        blocks, pairs = a.reshape(8, 32, 64), zip(rows.long(), counts.int(), strict=True)
        return torch.cat([blocks[row[:count]].sum(0) for row, count in pairs])

    return [
        *(
            Program(
                f"gemm-blocksparse-{dtype}",
                partial(kernels.blocksparse_gemm, size, block, "bfloat16", dtype),
                partial(operands, dtype),
                sparse,
                MATRIX_UNIT,
            )
            for dtype in dtypes
        ),
        Program(
            "sums-of-chosen-rows",
            partial(kernels.chosen_rows, 5, 3, 64, "bfloat16"),
            tables,
            chosen,
            4 * FP32,
        ),
    ]


PROGRAMS = [
    *_elementwise(),
    _scale("bfloat16"),
    _scale("float32"),
    *_transposed(),
    *_formats(),
    *_shares(),
    *_epilogues(),
    *_multicasts(),
    *_split(),
    *_steered(),
    *row_programs.PROGRAMS,
]
