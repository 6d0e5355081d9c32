"""Cores that share the loops of a block compute what one core does."""

from __future__ import annotations

import pytest
import tilelang.language as T
import torch

import tilelang_tt
from testing.kernels import atomics, programs
from testing.kernels.programs import TORCH, compiled, sources_of

ARCHS = pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
# M, N, K of blocks 64x32 in steps of 64: as many parts as steps, fewer, a share of one step more
# for some parts, ragged, more blocks than cores.
SIZES = [(64, 32, 256), (128, 32, 1024), (64, 64, 448), (100, 60, 500), (320, 160, 512)]
GRIDS = [(8, 8), (3, 2), (5, 1)]


def whole(*shape):
    """Small whole numbers, so that sums are exact in any order."""
    return torch.randint(-4, 5, shape).float()


def parts_of(kernel):
    """How many cores at most work on a block."""
    return tilelang_tt.artifact(kernel).plan.partition.parts


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_product(size, grid):
    m, n, k = size
    options = (("grid", grid), ("split", True))
    kernel = compiled(programs.gemm, size, (64, 32, 64), options=options)
    a, b = whole(m, k).bfloat16(), whole(k, n).bfloat16()
    assert torch.equal(kernel(a, b), a.float() @ b.float())
    assert parts_of(kernel) > 1


@ARCHS
@pytest.mark.parametrize("dtype", TORCH)
def test_a_product_of_any_dtype(dtype, arch):
    size, options = (96, 64, 640), (("arch", arch), ("split", True))
    kernel = compiled(programs.gemm, size, (32, 32, 32), dtype, dtype, options=options)
    a, b = torch.randn(96, 640).to(TORCH[dtype]), torch.randn(640, 64).to(TORCH[dtype])
    expected = a.double() @ b.double()
    error = (kernel(a, b).double() - expected).abs().max() / expected.abs().max()
    assert error <= (2**-9 if dtype == "float32" else 2 * torch.finfo(TORCH[dtype]).eps)


def test_the_sources_do_not_depend_on_the_grid_of_cores():
    found = []
    for grid in GRIDS:
        options = (("grid", grid), ("split", True))
        sources = sources_of(compiled(programs.gemm, SIZES[1], (64, 32, 64), options=options))
        found.append({name: sources[name] for name in ("reader.cpp", "compute.cpp", "writer.cpp")})
    assert found[0] == found[1] == found[2]


def test_one_kernel_serves_all_shapes():
    options = (("grid", (3, 2)), ("split", True))
    kernel = compiled(programs.gemm_dynamic, (64, 32, 64), depth=512, options=options)
    for m, n in [(64, 32), (96, 64), (640, 320)]:
        a, b = whole(m, 512).bfloat16(), whole(512, n).bfloat16()
        assert torch.equal(kernel(a, b), a.float() @ b.float())


@pytest.mark.parametrize("form", ["tile", "element"])
@pytest.mark.parametrize("size", [(64, 32, 512, 8), (128, 96, 384, 3)], ids=str)
def test_additions_to_what_a_tensor_holds(size, form):
    m, n, k, splits = size
    kernel = compiled(
        atomics.gemm_splitk, (m, n, k), (64, 32, 64), splits, form,
        options=(("split", True),), out_idx=(),
    )  # fmt: skip
    a, b, c = whole(m, k).bfloat16(), whole(k, n).bfloat16(), whole(m, n)
    expected = c + a.float() @ b.float()
    kernel(a, b, c)
    assert torch.equal(c, expected)
    assert parts_of(kernel) == splits


def softmax(N, block, dtype):
    """Of all elements together, in three loops."""
    bM, bN = block

    @T.prim_func
    def main(X: T.Tensor((bM, N), dtype), Y: T.Tensor((bM, N), dtype)):
        with T.Kernel(1, threads=128):
            x = T.alloc_fragment((bM, bN), dtype)
            highest = T.alloc_fragment((bM,), "float32")
            total = T.alloc_fragment((bM,), "float32")
            top = T.alloc_fragment((1,), "float32")
            whole = T.alloc_fragment((1,), "float32")
            p = T.alloc_fragment((bM, bN), "float32")
            T.fill(highest, -T.infinity("float32"))
            T.clear(total)
            for k in T.Pipelined(N // bN, num_stages=2):
                T.copy(X[0, k * bN], x)
                for i, j in T.Parallel(bM, bN):
                    p[i, j] = x[i, j]
                T.reduce_max(p, highest, dim=1, clear=False)
            T.reduce_max(highest, top, dim=0)
            for k in T.Pipelined(N // bN, num_stages=2):
                T.copy(X[0, k * bN], x)
                for i, j in T.Parallel(bM, bN):
                    p[i, j] = T.exp(x[i, j] - top[0])
                T.reduce_sum(p, total, dim=1, clear=False)
            T.reduce_sum(total, whole, dim=0)
            for k in T.Pipelined(N // bN, num_stages=2):
                T.copy(X[0, k * bN], x)
                for i, j in T.Parallel(bM, bN):
                    x[i, j] = T.exp(x[i, j] - top[0]) / whole[0]
                T.copy(x, Y[0, k * bN])

    return main


@ARCHS
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("grid", [(8, 8), (3, 2)], ids=str)
def test_a_softmax_over_all_cores(grid, dtype, arch):
    options = (("grid", grid), ("arch", arch), ("split", True))
    kernel = compiled(softmax, 2304, (32, 128), dtype, options=options)
    x = (torch.randn(32, 2304) * 3).to(TORCH[dtype])
    expected = torch.softmax(x.double().flatten(), 0).view_as(x)
    error = ((kernel(x).double() - expected).abs() / expected).max()
    assert error <= (2**-15 if dtype == "float32" else 2**-7)
    assert parts_of(kernel) > 1


def extremes(count, op):
    """The largest or smallest of all rows, element by element, and what lies between."""

    @T.prim_func
    def main(
        X: T.Tensor((count * 32, 64), "float32"),
        S: T.Tensor((32, 64), "float32"),
        Y: T.Tensor((32, 64), "float32"),
    ):
        with T.Kernel(1, threads=128):
            x = T.alloc_shared((32, 64), "float32")
            best = T.alloc_fragment((32, 64), "float32")
            T.copy(S, best)
            for k in T.serial(count):
                T.copy(X[k * 32, 0], x)
                for i, j in T.Parallel(32, 64):
                    best[i, j] = op(best[i, j], x[i, j])
            T.copy(best, Y)

    return main


@pytest.mark.parametrize(
    "op, reference", [(T.max, torch.amax), (T.min, torch.amin)], ids=["max", "min"]
)
def test_extremes_with_what_the_loop_begins_with(op, reference):
    kernel = compiled(extremes, 9, op, options=(("split", True),))
    x, s = torch.randn(288, 64), torch.randn(32, 64) * 2
    expected = reference(torch.cat([x, s]).view(10, 32, 64), 0)
    assert torch.equal(kernel(x, s), expected)
    assert parts_of(kernel) == 9


def test_loops_are_shared_where_it_pays():
    steep = compiled(programs.gemm, (64, 64, 4096), (64, 64, 64))
    flat = compiled(programs.gemm, (512, 512, 128), (64, 64, 64))
    never = compiled(programs.gemm, (64, 64, 4096), (64, 64, 64), options=(("split", False),))
    assert (parts_of(steep), parts_of(flat), parts_of(never)) == (32, 1, 1)
    a, b = torch.randn(64, 4096).bfloat16(), torch.randn(4096, 64).bfloat16()
    shared, alone = (tilelang_tt.profile(kernel, a, b).cycles for kernel in (steep, never))
    assert shared < alone
