"""Several T.Kernel in one function: they run one after the other."""

from __future__ import annotations

import pytest
import tilelang
import tilelang.language as T
import torch

from testing.kernels import sequences
from testing.kernels.programs import compiled
from tilelang_tt.diagnostics import OutputReadBack, ReadBeforeWrite, UnsupportedParameter

ARCHS = pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])


@ARCHS
def test_partial_sums_go_through_a_workspace(arch: str) -> None:
    kernel = compiled(sequences.split_sum, 3, (32, 64), target=f"tenstorrent/{arch}")
    for steps in (2, 1):
        a = torch.randint(-8, 8, (steps, 3, 32, 64)).float()
        assert torch.equal(kernel(a, 0.5), 0.5 * a.sum((0, 1)))


@ARCHS
def test_a_product_is_split_along_k_and_summed(arch: str) -> None:
    shape, block = (64, 64, 256), (32, 32, 32)
    kernel = compiled(
        sequences.gemm_splitk, shape, block, 4, target=f"tenstorrent/{arch}", out_idx=(-2, -1)
    )
    a, b = torch.randint(-3, 4, (64, 256)).bfloat16(), torch.randint(-3, 4, (256, 64)).bfloat16()
    partial, c = kernel(a, b)
    parts = torch.einsum("msk,skn->smn", a.float().view(64, 4, 64), b.float().view(4, 64, 64))
    assert torch.equal(partial, parts)
    assert torch.equal(c, parts.sum(0).bfloat16())


def test_a_later_kernel_writes_what_an_earlier_one_read() -> None:
    kernel = compiled(sequences.in_place_between, 32, out_idx=())
    a, b = torch.arange(64.0 * 64).view(64, 64), torch.zeros(64, 64)
    given = a.clone()
    kernel(a, b)
    assert torch.equal(b, 2 * given + 1)
    assert torch.equal(a, 2 * given + 4)


@ARCHS
def test_each_kernel_tiles_a_tensor_in_axes_of_its_own(arch: str) -> None:
    kernel = compiled(sequences.heads, 2, 32, 32, 32, target=f"tenstorrent/{arch}")
    a = torch.arange(2.0 * 32**3).view(2, 32, 32, 32)
    assert torch.equal(kernel(a), 2 * a + 1)


def test_what_nobody_wrote_in_a_workspace_is_no_number() -> None:
    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), C: T.Tensor((64, 32), "float32")):
        W = T.alloc_global((64, 32), "float32")
        with T.Kernel(1) as bx:
            T.copy(A, W[bx * 32 : bx * 32 + 32, 0:32])
        with T.Kernel(2) as bx:
            T.copy(W[bx * 32 : bx * 32 + 32, 0:32], C[bx * 32 : bx * 32 + 32, 0:32])

    a = torch.ones(32, 32)
    c = tilelang.compile(main, target="tenstorrent", out_idx=[-1])(a)
    assert torch.equal(c[:32], a)
    assert c[32:].isnan().all()


def test_a_workspace_that_no_earlier_kernel_wrote_is_refused() -> None:
    @T.prim_func
    def main(C: T.Tensor((32, 32), "float32")):
        W = T.alloc_global((32, 32), "float32")
        with T.Kernel(1):
            T.copy(W, C)
        with T.Kernel(1):
            T.copy(C, W)

    with pytest.raises(ReadBeforeWrite, match="TT3001: 'W'"):
        tilelang.compile(main, target="tenstorrent")


def test_one_kernel_still_may_not_read_what_it_writes() -> None:
    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), B: T.Tensor((32, 32), "float32")):
        with T.Kernel(1):
            T.copy(A, B)
        with T.Kernel(1):
            for i, j in T.Parallel(32, 32):
                A[i, j] = A[i, j] + B[i, j]

    with pytest.raises(OutputReadBack, match="TT3004: tensor 'A'"):
        tilelang.compile(main, target="tenstorrent")


def test_two_workspaces_of_one_name_are_refused() -> None:
    @T.macro
    def through_memory(src, dst):
        W = T.alloc_global((32, 32), "float32")
        with T.Kernel(1):
            T.copy(src, W)
        with T.Kernel(1):
            T.copy(W, dst)

    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), B: T.Tensor((32, 32), "float32")):
        through_memory(A, B)
        through_memory(B, A)

    with pytest.raises(UnsupportedParameter, match="TT1013: parameter 'W' is the name of two"):
        tilelang.compile(main, target="tenstorrent")
