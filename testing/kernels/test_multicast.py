"""Cores that share loads compute, bit for bit, what each computes alone, on any grid of cores."""

from __future__ import annotations

import pytest
import tilelang.language as T
import torch

import tilelang_tt
from testing.kernels import accuracy, programs
from testing.kernels.programs import TORCH, compiled

# M, N, K, of blocks 64x32 in steps of 64: as many as the cores, in several turns, with idle cores
# in the last turn, of one row or column, of one block.
SIZES = [
    (128, 96, 128),
    (320, 224, 64),
    (448, 352, 192),
    (64, 320, 128),
    (320, 32, 128),
    (64, 32, 64),
    (300, 200, 100),
]
GRIDS = [(3, 2), (2, 3), (1, 1), (4, 1)]


def results(factory, operands, *args, **chosen):
    options = tuple(chosen.items())
    kernel = compiled(factory, *args, options=options)
    return kernel, kernel(*operands)


def both(factory, operands, *args, **chosen):
    """The result with shared loads, which is that without."""
    kernel, shared = results(factory, operands, *args, multicast=True, **chosen)
    _, alone = results(factory, operands, *args, multicast=False, **chosen)
    assert torch.equal(shared, alone)
    return kernel, shared


def groups(kernel):
    """The kinds of groups that share loads."""
    kernels = tilelang_tt.artifact(kernel).plan.kernels
    return {a.name for k in kernels for a in k.core_args if a.kind == "group"}


SWEEP = [
    # Of the other grids, two sizes each in every run.
    pytest.param(size, grid, marks=[] if grid == (3, 2) or i < 2 else pytest.mark.long)
    for i, size in enumerate(SIZES)
    for grid in GRIDS
]


@pytest.mark.parametrize("size, grid", SWEEP, ids=str)
def test_a_product_is_the_same(size, grid):
    m, n, k = size
    operands = torch.randn(m, k).bfloat16(), torch.randn(k, n).bfloat16()
    kernel, shared = both(programs.gemm, operands, size, (64, 32, 64), grid=grid)
    blocks = -(-m // 64), -(-n // 32)
    assert bool(groups(kernel)) == (blocks != (1, 1))
    accuracy.check(shared, accuracy.product(*operands, block_k=64))


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("dtype", TORCH)
def test_a_product_of_any_dtype_on_the_whole_chip(dtype, arch):
    """Whole numbers: steps may have another length where loads are shared, sums another order."""
    size = (640, 512, 256)
    shapes = (640, 256), (256, 512)
    operands = [torch.randint(-4, 5, shape).to(TORCH[dtype]) for shape in shapes]
    both(programs.gemm, operands, size, (64, 64, 32), dtype, dtype, arch=arch)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_batch_of_products_shares_one_operand(batch):
    operands = torch.randn(batch, 128, 64).bfloat16(), torch.randn(batch, 64, 96).bfloat16()
    both(programs.gemm_batched, operands, batch, (128, 96, 64), (64, 32, 32), grid=(3, 3))


def test_one_kernel_serves_all_shapes():
    for m, n, k in [(64, 64, 64), (320, 96, 128), (96, 320, 96)]:
        operands = torch.randn(m, k).bfloat16(), torch.randn(k, n).bfloat16()
        both(programs.gemm_dynamic, operands, (64, 32, 32), grid=(3, 2))


def triangle(size, block):
    """Sums over the keys up to the diagonal: blocks of rising work."""

    @T.prim_func
    def main(A: T.Tensor((size, size), "float32"), B: T.Tensor((size, block), "float32")):
        with T.Kernel(size // block) as bx:
            part = T.alloc_shared((block, block), "float32")
            total = T.alloc_fragment((block, block), "float32")
            T.clear(total)
            for k in T.serial(bx + 1):
                T.copy(A[bx * block, k * block], part)
                for i, j in T.Parallel(block, block):
                    total[i, j] += part[i, j]
            T.copy(total, B[bx * block, 0])

    return main


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_uneven_work_is_dealt_out_and_right(grid):
    size, block = 288, 32
    a = torch.randint(-8, 8, (size, size)).float()
    _, result = results(triangle, [a], size, block, grid=grid)
    expected = torch.stack(
        [
            sum(a[x : x + block, k : k + block] for k in range(0, x + block, block))
            for x in range(0, size, block)
        ]
    )
    assert torch.equal(result, expected.reshape(size, block))
