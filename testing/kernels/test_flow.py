"""Programs whose statements hand values to each other in less usual ways."""

import pytest
import tilelang
import tilelang.language as T
import torch

ARCHS = ("wormhole_b0", "blackhole")


def copied_across(src, dst):
    @T.prim_func
    def main(A: T.Tensor((64, 96), src), C: T.Tensor((64, 96), dst)):
        with T.Kernel(2, threads=128) as bx:
            T.copy(A[bx * 32 : bx * 32 + 32, 0:96], C[bx * 32 : bx * 32 + 32, 0:96])

    return main


def accumulated_onto_a_tensor():
    @T.prim_func
    def main(
        A: T.Tensor((64, 128), "bfloat16"),
        B: T.Tensor((128, 32), "bfloat16"),
        D: T.Tensor((64, 32), "float32"),
        C: T.Tensor((64, 32), "float32"),
    ):
        with T.Kernel(2, threads=128) as bx:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            C_l = T.alloc_fragment((32, 32), "float32")
            T.copy(D[bx * 32, 0], C_l)
            for k in T.serial(4):
                T.copy(A[bx * 32, k * 32], A_s)
                T.copy(B[k * 32, 0], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[bx * 32, 0])

    return main


def steps_that_depend_on_the_block():
    """The first block runs no step at all: its accumulator is the zero it was cleared to."""

    @T.prim_func
    def main(
        A: T.Tensor((96, 128), "bfloat16"),
        B: T.Tensor((128, 32), "bfloat16"),
        C: T.Tensor((96, 32), "float32"),
    ):
        with T.Kernel(3, threads=128) as bx:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            C_l = T.alloc_fragment((32, 32), "float32")
            T.clear(C_l)
            for k in T.serial(bx * 2):
                T.copy(A[bx * 32, k * 32], A_s)
                T.copy(B[k * 32, 0], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[bx * 32, 0])

    return main


def with_a_value_nobody_uses():
    @T.prim_func
    def main(
        A: T.Tensor((32, 32), "bfloat16"),
        B: T.Tensor((32, 32), "bfloat16"),
        C: T.Tensor((32, 32), "bfloat16"),
    ):
        with T.Kernel(1, threads=128) as _bx:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            unused = T.alloc_fragment((32, 32), "float32")
            T.clear(unused)
            for k in T.Pipelined(2):
                T.copy(A[0, k * 0], A_s)
                T.copy(B[0, k * 0], B_s)
                T.gemm(A_s, B_s, unused)
            T.copy(A, C)

    return main


def one_branch_or_the_other():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "bfloat16"), n: T.int32, C: T.Tensor((32, 64), "bfloat16")):
        with T.Kernel(1, threads=128) as _bx:
            A_s = T.alloc_shared((32, 64), "bfloat16")
            T.copy(A, A_s)
            if n > 0:
                T.copy(A_s, C)
            else:
                T.fill(A_s, 1)
                T.copy(A_s, C)

    return main


def negated_or_doubled():
    """Both cases replace the value the condition is about."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), "bfloat16"), C: T.Tensor((64, 64), "bfloat16")):
        with T.Kernel(1, threads=128) as _bx:
            A_s = T.alloc_shared((64, 64), "bfloat16")
            C_l = T.alloc_fragment((64, 64), "bfloat16")
            T.copy(A, A_s)
            for i, j in T.Parallel(64, 64):
                if A_s[i, j] > 0:
                    A_s[i, j] = -A_s[i, j]
                else:
                    A_s[i, j] = A_s[i, j] * 2.0
                if A_s[i, j] < -1.0:
                    C_l[i, j] = 1.0
                else:
                    C_l[i, j] = A_s[i, j]
            T.copy(C_l, C)

    return main


def negated_and_remembered():
    """The first assignment makes the condition of the second false."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), "bfloat16"), C: T.Tensor((64, 64), "bfloat16")):
        with T.Kernel(1, threads=128) as _bx:
            A_s = T.alloc_shared((64, 64), "bfloat16")
            C_l = T.alloc_fragment((64, 64), "bfloat16")
            T.copy(A, A_s)
            T.clear(C_l)
            for i, j in T.Parallel(64, 64):
                if A_s[i, j] > 0:
                    A_s[i, j] = -A_s[i, j]
                    C_l[i, j] = A_s[i, j]
            T.copy(C_l, C)

    return main


def growth_of_the_maximum():
    """The old maximum is copied before it is replaced, and used after."""

    @T.prim_func
    def main(A: T.Tensor((32, 128), "bfloat16"), C: T.Tensor((32,), "float32")):
        with T.Kernel(1, threads=128) as _bx:
            A_l = T.alloc_fragment((32, 32), "bfloat16")
            new = T.alloc_fragment((32,), "float32")
            old = T.alloc_fragment((32,), "float32")
            total = T.alloc_fragment((32,), "float32")
            T.clear(total)
            T.clear(new)
            for k in T.serial(4):
                T.copy(A[0, k * 32], A_l)
                T.copy(new, old)
                T.reduce_max(A_l, new, dim=1, clear=False)
                for i in T.Parallel(32):
                    total[i] = total[i] * 2.0 + (new[i] - old[i])
            T.copy(total, C)

    return main


def compiled(function, arch="wormhole_b0"):
    return tilelang.compile(function, target=f"tenstorrent/{arch}", out_idx=[-1])


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("src, dst", [("bfloat16", "bfloat16"), ("bfloat16", "float32")])
def test_a_tensor_is_copied_to_a_tensor(src, dst, arch):
    a = torch.randn(64, 96).to(getattr(torch, src))
    got = compiled(copied_across(src, dst), arch)(a)
    assert torch.equal(got, a.to(getattr(torch, dst)))


@pytest.mark.parametrize("arch", ARCHS)
def test_a_product_is_added_to_a_tensor(arch):
    a, b, d = torch.randn(64, 128).bfloat16(), torch.randn(128, 32).bfloat16(), torch.randn(64, 32)
    got = compiled(accumulated_onto_a_tensor(), arch)(a, b, d)
    torch.testing.assert_close(got, a.float() @ b.float() + d, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("arch", ARCHS)
def test_a_loop_may_have_as_many_steps_as_the_block_says(arch):
    a, b = torch.randn(96, 128).bfloat16(), torch.randn(128, 32).bfloat16()
    got = compiled(steps_that_depend_on_the_block(), arch)(a, b)
    for block in range(3):
        rows, inner = slice(block * 32, block * 32 + 32), slice(0, block * 64)
        expected = a[rows, inner].float() @ b[inner].float()
        torch.testing.assert_close(got[rows], expected, rtol=1e-5, atol=1e-5)


def test_a_value_nobody_uses_is_not_computed():
    kernel = compiled(with_a_value_nobody_uses())
    a, b = torch.randn(32, 32).bfloat16(), torch.randn(32, 32).bfloat16()
    assert torch.equal(kernel(a, b), a)
    assert "matmul" not in kernel.get_kernel_source()


@pytest.mark.parametrize("n", [1, 0, -7])
def test_a_branch_may_depend_on_a_scalar(n):
    a = torch.randn(32, 64).bfloat16()
    got = compiled(one_branch_or_the_other())(a, n)
    assert torch.equal(got, a if n > 0 else torch.ones_like(a))


@pytest.mark.parametrize("arch", ARCHS)
def test_both_cases_of_a_branch_may_replace_what_it_depends_on(arch):
    a = torch.randn(64, 64).bfloat16()
    replaced = torch.where(a > 0, -a, a * 2)
    expected = torch.where(replaced < -1, 1, replaced)
    assert torch.equal(compiled(negated_or_doubled(), arch)(a), expected)


@pytest.mark.parametrize("arch", ARCHS)
def test_a_branch_is_decided_before_its_assignments(arch):
    a = torch.randn(64, 64).bfloat16()
    assert torch.equal(compiled(negated_and_remembered(), arch)(a), torch.where(a > 0, -a, 0))


@pytest.mark.parametrize("arch", ARCHS)
def test_a_copy_keeps_what_its_source_held(arch):
    a = torch.randint(-9, 100, (32, 128)).bfloat16()
    expected, old = torch.zeros(32), torch.zeros(32)
    for part in a.float().split(32, dim=1):
        new = torch.maximum(old, part.amax(1))
        expected, old = expected * 2 + (new - old), new
    assert torch.equal(compiled(growth_of_the_maximum(), arch)(a), expected)
