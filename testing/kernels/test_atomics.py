"""T.atomic_add into tensors: the same sums, bit for bit, on any grid of cores."""

from __future__ import annotations

import pytest
import tilelang
import tilelang.language as T
import torch

import tilelang_tt
from testing.kernels import atomics
from testing.kernels.programs import TORCH, compiled
from tilelang_tt.diagnostics import ReadBeforeWrite, UnsetSum

ARCHS = pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
FORMS = pytest.mark.parametrize("form", ["tile", "element"])
# M, N, K, splits of blocks 64x32 in steps of 64: fewer blocks than cores, more, one, ragged.
SIZES = [(128, 96, 512, 4), (320, 224, 256, 2), (64, 32, 512, 8), (100, 90, 384, 3)]
GRIDS = [(3, 2), (1, 1), (4, 1), (8, 8)]


def whole(*shape):
    """Small whole numbers, so that sums are exact in any order."""
    return torch.randint(-4, 5, shape).float()


@FORMS
@pytest.mark.parametrize(
    "size, arch", zip(SIZES, ["wormhole_b0", "blackhole"] * 2, strict=True), ids=str
)
def test_a_split_product_is_added_to_what_the_tensor_holds(size, arch, form):
    m, n, k, splits = size
    kernel = compiled(
        atomics.gemm_splitk, (m, n, k), (64, 32, 64), splits, form,
        target=f"tenstorrent/{arch}", out_idx=(),
    )  # fmt: skip
    a, b, c = whole(m, k).bfloat16(), whole(k, n).bfloat16(), whole(m, n)
    expected = c + a.float() @ b.float()
    kernel(a, b, c)
    assert torch.equal(c, expected)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_grid_of_cores_makes_the_same_bits(size):
    m, n, k, splits = size
    a, b, start = torch.randn(m, k).bfloat16(), torch.randn(k, n).bfloat16(), torch.randn(m, n)
    results = []
    for grid, multicast in zip(GRIDS, (True, False, True, False), strict=True):
        kernel = compiled(
            atomics.gemm_splitk, (m, n, k), (64, 32, 64), splits, "tile",
            options=(("grid", grid), ("multicast", multicast)), out_idx=(),
        )  # fmt: skip
        results.append(start.clone())
        kernel(a, b, results[-1])
    assert all(torch.equal(result, results[0]) for result in results)
    parts = torch.einsum(
        "msk,skn->smn", a.double().view(m, splits, -1), b.double().view(splits, -1, n)
    )
    assert torch.allclose(results[0].double(), start + parts.sum(0), atol=1e-3)


@FORMS
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sums_are_kept_in_the_type_of_the_tensor(dtype, form):
    size, block = (64, 64, 256), (32, 32, 32)
    kernel = compiled(atomics.gemm_splitk, size, block, 4, form, out=dtype, out_idx=())
    a, b = torch.randn(64, 256).bfloat16(), torch.randn(256, 64).bfloat16()
    c = torch.randn(64, 64).to(TORCH[dtype])
    expected = c
    for part in range(4):
        at = slice(part * 64, part * 64 + 64)
        expected = (expected.double() + a[:, at].double() @ b[at].double()).to(TORCH[dtype])
    kernel(a, b, c)
    error = (c.double() - expected.double()).abs().max() / expected.double().abs().max()
    assert error <= 4 * torch.finfo(TORCH[dtype]).eps


@ARCHS
@pytest.mark.parametrize("grid", [(1, 1), (2, 1), (8, 8)], ids=str)
def test_a_part_that_moves_in_a_loop_is_read_after_it_was_written(grid, arch):
    """As the gradient of the queries in attention: every block of keys adds to every query."""
    options = (("grid", grid), ("arch", arch))
    kernel = compiled(atomics.pairwise, 2, 128, 3, 64, 32, options=options, out_idx=())
    x, y = whole(2, 128, 3, 64).bfloat16(), whole(2, 128, 3, 64).bfloat16()
    q, p = whole(2, 128, 3, 64), torch.zeros(2, 128, 3, 64)
    folded = [t.float().view(2, 4, 32, 3, 64).sum(1).repeat(1, 4, 1, 1) for t in (x, y)]
    expected = q + 4 * x.float() + folded[1]
    kernel(x, y, q, p)
    assert torch.equal(q, expected)
    assert torch.equal(p, folded[0])
    plan = tilelang_tt.artifact(kernel).plan
    assert plan.semaphores == ("Q_taken",)


@ARCHS
def test_heads_that_share_keys_add_to_one_part(arch):
    kernel = compiled(atomics.grouped, 2, 6, 3, 64, 64, target=f"tenstorrent/{arch}", out_idx=())
    x, y = whole(2, 64, 6, 64), whole(2, 64, 2, 64)
    q, k = whole(2, 64, 6, 64), whole(2, 64, 2, 64)
    folded = [t.view(2, 2, 32, -1, 64).sum(1).repeat(1, 2, 1, 1) for t in (x, y)]
    expected_q = q + 2 * x + folded[1].repeat_interleave(3, dim=2)
    expected_k = k + 3 * y + folded[0].view(2, 64, 2, 3, 64).sum(3)
    kernel(x, y, q, k)
    assert torch.equal(q, expected_q)
    assert torch.equal(k, expected_k)
    assert tilelang_tt.artifact(kernel).plan.blocks == (2, 2)  # groups of heads, batches


@ARCHS
@pytest.mark.parametrize("heads", [3, 4])
def test_cores_that_share_loads_take_turns_at_tensors_of_their_own(heads, arch):
    """Also those past the end of the grid, which write nothing."""
    options = (("grid", (3, 2)), ("multicast", True), ("arch", arch))
    kernel = compiled(atomics.heads_of_one, 2, heads, 96, 64, options=options, out_idx=())
    x, y, q = whole(2, 96, 64), whole(2, 96, 64), whole(2, heads, 96, 64)
    folded = y.view(2, 3, 32, 64).sum(1).repeat(1, 3, 1)
    expected = q + (3 * x + folded).unsqueeze(1)
    kernel(x, y, q)
    assert torch.equal(q, expected)
    plan = tilelang_tt.artifact(kernel).plan
    assert plan.partition.kind == "lattice"
    assert "Q_taken" in plan.semaphores


@ARCHS
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32], ids=str)
def test_one_kernel_clears_and_the_next_one_adds_for_any_shape(dtype, arch):
    name = str(dtype).removeprefix("torch.")
    kernel = compiled(atomics.zeroed, 64, 3, name, target=f"tenstorrent/{arch}")
    for shape in ((64, 64), (100, 200), (33, 640)):
        a = whole(3, *shape).to(dtype)
        assert torch.equal(kernel(a), a.sum(0, dtype=dtype))


@ARCHS
@pytest.mark.parametrize("size", [(128, 128), (100, 200)], ids=str)
def test_sums_of_columns_by_elements_and_by_vectors(size, arch):
    """As the gradients of the weights of a layer norm."""
    m, n = size
    kernel = compiled(atomics.columns, m, n, 64, 64, target=f"tenstorrent/{arch}", out_idx=())
    x, y, gamma, beta = whole(m, n), whole(m, n), whole(n), whole(n)
    expected = gamma + (x * y).sum(0), beta + x.sum(0)
    kernel(x, y, gamma, beta)
    assert torch.equal(gamma, expected[0])
    assert torch.equal(beta, expected[1])


@ARCHS
def test_parts_that_overlap_are_added_to_one_after_the_other(arch):
    kernel = compiled(atomics.overlapping, 4, target=f"tenstorrent/{arch}", out_idx=())
    x, c = whole(4, 64, 64), whole(96 + 32, 64)
    expected = c.clone()
    for i in range(4):
        for start in (0, 32):
            expected[start : start + 64] += x[i]
        expected[i * 16 // 32 * 32 :][:32] += 1
    kernel(x, c)
    assert torch.equal(c, expected)


def test_a_value_that_a_block_does_not_make_is_refused():
    @T.prim_func
    def main(A: T.Tensor((4, 32, 32), "float32"), C: T.Tensor((32, 32), "float32")):
        with T.Kernel(4) as bx:
            A_s = T.alloc_shared((32, 32), "float32")
            B_s = T.alloc_shared((32, 32), "float32")
            T.copy(A[bx, 0, 0], A_s)
            for i, j in T.Parallel(32, 32):
                B_s[i, j] = B_s[i, j] + A_s[i, j]
            T.atomic_add(C, B_s)

    with pytest.raises(ReadBeforeWrite, match="TT3001: 'B_s'"):
        tilelang.compile(main, target="tenstorrent")


@FORMS
def test_a_sum_that_starts_with_nothing_is_refused(form):
    program = atomics.gemm_splitk((64, 64, 128), (32, 32, 32), 2, form)
    with pytest.raises(UnsetSum, match=r"TT3007: T\.atomic_add adds to 'C'"):
        tilelang.compile(program, target="tenstorrent", out_idx=[-1])
