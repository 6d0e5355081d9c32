"""Values carried through loops and branches: running statistics, updates, buffers used again."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, check, numbers


def running(dtype, acc, steps, stages):
    """The maxima and the sums of rows longer than a block, in one pass."""
    N = steps * 32

    @T.prim_func
    def main(A: T.Tensor((64, N), dtype), top: T.Tensor((64,), acc), total: T.Tensor((64,), acc)):
        with T.Kernel(2, threads=128) as b:
            A_s = T.alloc_shared((32, 32), dtype)
            best = T.alloc_fragment((32,), acc)
            found = T.alloc_fragment((32,), acc)
            added = T.alloc_fragment((32,), acc)
            T.fill(best, -T.infinity(acc))
            T.clear(added)
            for k in T.Pipelined(steps, num_stages=stages):
                T.copy(A[b * 32, k * 32], A_s)
                T.reduce_max(A_s, found, dim=1)
                for i in T.Parallel(32):
                    best[i] = T.max(best[i], found[i])
                T.reduce_sum(A_s, added, dim=1, clear=False)
            T.copy(best, top[b * 32])
            T.copy(added, total[b * 32])

    return main


@pytest.mark.parametrize(
    "dtype, acc, steps, stages, arch",
    [
        ("bfloat16", "float32", 4, 2, ARCHS[0]),
        ("float32", "float32", 3, 1, ARCHS[1]),
        ("float16", "float16", 2, 3, ARCHS[0]),
        ("bfloat16", "bfloat16", 3, 2, ARCHS[1]),
    ],
)
def test_running_statistics(dtype, acc, steps, stages, arch):
    check(running, dtype, acc, steps, stages, arch=arch)


def online_softmax(dtype, steps):
    """Two passes over rows longer than a block; the first keeps a maximum and a rescaled sum."""
    N = steps * 32

    @T.prim_func
    def main(A: T.Tensor((32, N), dtype), C: T.Tensor((32, N), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), dtype)
            X = T.alloc_fragment((32, 32), "float32")
            top = T.alloc_fragment((32,), "float32")
            old = T.alloc_fragment((32,), "float32")
            part = T.alloc_fragment((32,), "float32")
            total = T.alloc_fragment((32,), "float32")
            T.fill(top, -T.infinity("float32"))
            T.fill(total, 0)
            for k in T.serial(steps):
                T.copy(A[0, k * 32], A_s)
                T.copy(A_s, X)
                T.copy(top, old)
                T.reduce_max(X, top, dim=1, clear=False)
                for i, j in T.Parallel(32, 32):
                    X[i, j] = T.exp(X[i, j] - top[i])
                T.reduce_sum(X, part, dim=1)
                for i in T.Parallel(32):
                    total[i] = total[i] * T.exp(old[i] - top[i]) + part[i]
            for k in T.serial(steps):
                T.copy(A[0, k * 32], A_s)
                for i, j in T.Parallel(32, 32):
                    A_s[i, j] = T.exp(A_s[i, j] - top[i]) / total[i]
                T.copy(A_s, C[0, k * 32])

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[1]), ("float32", ARCHS[0])])
def test_online_softmax(dtype, arch):
    (c,) = check(online_softmax, dtype, 3, arch=arch).values()
    assert np.allclose(c.astype(np.float32).sum(axis=1), 1, atol=3e-2)


def two_accumulators():
    """One loop feeds two products; one of them is rescaled in between."""

    @T.prim_func
    def main(
        A: T.Tensor((32, 96), "bfloat16"),
        B: T.Tensor((96, 32), "bfloat16"),
        C: T.Tensor((32, 32), "float32"),
        D: T.Tensor((32, 32), "float32"),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            plain = T.alloc_fragment((32, 32), "float32")
            faded = T.alloc_fragment((32, 32), "float32")
            T.clear(plain)
            T.clear(faded)
            for k in T.Pipelined(3, num_stages=2):
                T.copy(A[0, k * 32], A_s)
                T.copy(B[k * 32, 0], B_s)
                T.gemm(A_s, B_s, plain)
                for i, j in T.Parallel(32, 32):
                    faded[i, j] = faded[i, j] * 0.5
                T.gemm(A_s, B_s, faded)
            T.copy(plain, C)
            T.copy(faded, D)

    return main


@pytest.mark.parametrize("arch", ARCHS)
def test_two_accumulators_of_which_one_is_rescaled(arch):
    check(two_accumulators, arch=arch)


def prefix_products():
    """An accumulator that is read while it grows."""

    @T.prim_func
    def main(
        A: T.Tensor((32, 96), "bfloat16"),
        B: T.Tensor((96, 32), "bfloat16"),
        C: T.Tensor((3, 32, 32), "float32"),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            C_l = T.alloc_fragment((32, 32), "float32")
            T.clear(C_l)
            for k in T.serial(3):
                T.copy(A[0, k * 32], A_s)
                T.copy(B[k * 32, 0], B_s)
                T.gemm(A_s, B_s, C_l)
                T.copy(C_l, C[k, 0, 0])

    return main


def test_an_accumulator_that_is_read_while_it_grows():
    check(prefix_products)


def branches(dtype):
    """A buffer that one branch replaces, and one that both make."""

    @T.prim_func
    def main(
        A: T.Tensor((96, 32), dtype), B: T.Tensor((96, 32), dtype), C: T.Tensor((96, 32), dtype)
    ):
        with T.Kernel(3, threads=128) as b:
            A_s = T.alloc_shared((32, 32), dtype)
            B_s = T.alloc_shared((32, 32), dtype)
            C_l = T.alloc_fragment((32, 32), dtype)
            T.copy(A[b * 32, 0], A_s)
            T.copy(B[b * 32, 0], B_s)
            if b == 1:
                for i, j in T.Parallel(32, 32):
                    A_s[i, j] = A_s[i, j] * 2.0
            if b == 2:
                for i, j in T.Parallel(32, 32):
                    C_l[i, j] = A_s[i, j] + B_s[i, j]
            else:
                for i, j in T.Parallel(32, 32):
                    C_l[i, j] = A_s[i, j] - B_s[i, j]
            T.copy(C_l, C[b * 32, 0])

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_buffers_made_in_branches(dtype, arch):
    check(branches, dtype, arch=arch)


def some_iterations(dtype):
    """A value that changes in some iterations of a loop whose length depends on the block."""

    @T.prim_func
    def main(
        A: T.Tensor((32, 32), dtype),
        B: T.Tensor((4, 32, 32), dtype),
        C: T.Tensor((4, 32, 32), dtype),
    ):
        with T.Kernel(4, threads=128) as b:
            A_s = T.alloc_shared((32, 32), dtype)
            B_s = T.alloc_shared((32, 32), dtype)
            T.copy(A, A_s)
            for k in T.serial(b):
                T.copy(B[k, 0, 0], B_s)
                if k != 1:
                    for i, j in T.Parallel(32, 32):
                        A_s[i, j] = A_s[i, j] + B_s[i, j]
            T.copy(A_s, C[b, 0, 0])

    return main


def test_a_value_that_changes_in_some_iterations():
    a, b = numbers((32, 32), "float32"), numbers((4, 32, 32), "float32", seed=1)
    (c,) = check(some_iterations, "float32", inputs=[a, b, np.zeros_like(b)]).values()
    assert np.array_equal(c[0], a), "no iteration"


def last_value(dtype):
    """The block that the last iteration loads; loops that may not run at all."""

    @T.prim_func
    def main(A: T.Tensor((4, 32, 32), dtype), n: T.int32, C: T.Tensor((32, 32), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), dtype)
            T.fill(A_s, 7)
            for k in T.serial(n):
                T.copy(A[k, 0, 0], A_s)
            T.copy(A_s, C)

    return main


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_loop_that_may_not_run(n):
    a = numbers((4, 32, 32), "bfloat16")
    (c,) = check(last_value, "bfloat16", inputs=[a, n, np.zeros((32, 32), a.dtype)]).values()
    expected = a[n - 1] if n else np.full((32, 32), 7, a.dtype)
    assert np.array_equal(c, expected)


def powers(dtype):
    """A matrix and its square, and so on: two buffers that take turns."""

    @T.prim_func
    def main(A: T.Tensor((32, 32), dtype), C: T.Tensor((32, 32), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), dtype)
            B_s = T.alloc_shared((32, 32), dtype)
            T.copy(A, A_s)
            for _k in T.serial(3):
                T.transpose(A_s, B_s)
                for i, j in T.Parallel(32, 32):
                    A_s[i, j] = A_s[i, j] * 0.5 + B_s[i, j]
            T.copy(A_s, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[0]), ("float32", ARCHS[1])])
def test_two_buffers_that_feed_each_other(dtype, arch):
    check(powers, dtype, arch=arch)


def nested(dtype):
    """A sum over two loops, of which the inner one also keeps a maximum for itself."""

    @T.prim_func
    def main(A: T.Tensor((2, 3, 32, 32), dtype), C: T.Tensor((32, 32), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 32), dtype)
            best = T.alloc_fragment((32, 32), dtype)
            total = T.alloc_fragment((32, 32), dtype)
            T.clear(total)
            for o in T.serial(2):
                T.fill(best, -T.infinity(dtype))
                for k in T.serial(3):
                    T.copy(A[o, k, 0, 0], A_s)
                    for i, j in T.Parallel(32, 32):
                        best[i, j] = T.max(best[i, j], A_s[i, j])
                for i, j in T.Parallel(32, 32):
                    total[i, j] = total[i, j] + best[i, j]
            T.copy(total, C)

    return main


def test_state_of_nested_loops():
    a = numbers((2, 3, 32, 32), "float32")
    (c,) = check(nested, "float32", inputs=[a, np.zeros((32, 32), np.float32)]).values()
    assert np.allclose(c, a.max(axis=1).sum(axis=0), atol=1e-5)


def products_onto_values(dtype, acc):
    """Products added to a row, to a value scaled above a diagonal, and in a loop that may not
    run."""

    @T.prim_func
    def main(
        A: T.Tensor((96, 128), dtype),
        B: T.Tensor((128, 64), dtype),
        row: T.Tensor((64,), acc),
        n: T.int32,
        C: T.Tensor((96, 64), acc),
        D: T.Tensor((96, 64), acc),
    ):
        with T.Kernel(2, 3, threads=128) as (bx, by):
            A_s = T.alloc_shared((32, 32), dtype)
            B_s = T.alloc_shared((32, 32), dtype)
            C_l = T.alloc_fragment((32, 32), acc)
            D_l = T.alloc_fragment((32, 32), acc)
            for i, j in T.Parallel(32, 32):
                D_l[i, j] = row[bx * 32 + j]
            T.fill(C_l, 1.0)
            for k in T.serial(4):
                T.copy(A[by * 32, k * 32], A_s)
                T.copy(B[k * 32, bx * 32], B_s)
                for i, j in T.Parallel(32, 32):
                    C_l[i, j] = T.if_then_else(
                        by * 32 + i >= k * 32 + j, C_l[i, j] * 0.5, C_l[i, j]
                    )
                T.gemm(A_s, B_s, C_l)
                if k < n:
                    T.gemm(A_s, B_s, D_l)
            T.copy(C_l, C[by * 32, bx * 32])
            T.copy(D_l, D[by * 32, bx * 32])

    return main


@pytest.mark.parametrize("n", [0, 3])
@pytest.mark.parametrize(
    "dtype, acc, arch",
    [
        ("bfloat16", "float32", ARCHS[0]),
        ("bfloat16", "bfloat16", ARCHS[1]),
        ("float32", "float32", ARCHS[1]),
    ],
)
def test_products_onto_values(dtype, acc, n, arch):
    shapes = {"A": (96, 128), "B": (128, 64), "row": (64,)}
    arrays = [numbers(shape, acc if name == "row" else dtype) for name, shape in shapes.items()]
    results = [np.zeros((96, 64), arrays[2].dtype) for _ in range(2)]
    check(products_onto_values, dtype, acc, inputs=[*arrays, n, *results], arch=arch)


def chained_products(dtype):
    """(A @ B) @ D, and the transpose of the first result times itself."""

    @T.prim_func
    def main(
        A: T.Tensor((64, 32), dtype),
        B: T.Tensor((32, 64), dtype),
        D: T.Tensor((64, 32), dtype),
        C: T.Tensor((64, 32), "float32"),
        E: T.Tensor((64, 64), "float32"),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 32), dtype)
            B_s = T.alloc_shared((32, 64), dtype)
            D_s = T.alloc_shared((64, 32), dtype)
            P = T.alloc_fragment((64, 64), "float32")
            P_s = T.alloc_shared((64, 64), dtype)
            Q = T.alloc_fragment((64, 32), "float32")
            R = T.alloc_fragment((64, 64), "float32")
            T.copy(A, A_s)
            T.copy(B, B_s)
            T.copy(D, D_s)
            T.gemm(A_s, B_s, P, clear_accum=True)
            T.copy(P, P_s)
            T.gemm(P_s, D_s, Q, clear_accum=True)
            T.gemm(P_s, P_s, R, transpose_A=True, clear_accum=True)
            T.copy(Q, C)
            T.copy(R, E)

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[1]), ("float16", ARCHS[0])])
def test_products_of_products(dtype, arch):
    check(chained_products, dtype, arch=arch)
