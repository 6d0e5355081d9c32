"""Writes to parts of on-chip buffers."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, check, numbers


def halves(rows, columns, dtype, out):
    """Each half of a buffer comes from another place; one is changed afterwards."""
    half = rows // 2

    @T.prim_func
    def main(A: T.Tensor((2 * rows, columns), dtype), C: T.Tensor((rows, columns), out)):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((rows, columns), out)
            T.copy(A[half : 2 * half, 0:columns], S[0:half, 0:columns])
            T.copy(A[3 * half : 4 * half, 0:columns], S[half:rows, 0:columns])
            for i, j in T.Parallel(half, columns):
                S[half + i, j] = S[i, j] - S[half + i, j] * 2.0
            T.copy(S, C)

    return main


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("rows, columns, dtype, out", [
    (64, 32, "bfloat16", "bfloat16"),
    (128, 96, "float32", "float32"),
    (64, 70, "float16", "float32"),
])  # fmt: skip
def test_halves_of_a_buffer(rows, columns, dtype, out, arch):
    check(halves, rows, columns, dtype, out, arch=arch)


def slices(steps, rows, columns, dtype):
    """Each iteration fills one slice; a nest reads them all."""

    @T.prim_func
    def main(
        A: T.Tensor((steps * rows, columns), dtype),
        C: T.Tensor((steps * rows, columns), dtype),
        D: T.Tensor((steps, columns), dtype),
    ):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_fragment((steps * rows, columns), dtype)
            top = T.alloc_fragment((steps, columns), dtype)
            part = T.alloc_fragment((rows, columns), dtype)
            found = T.alloc_fragment((columns,), dtype)
            T.clear(top)
            for k in T.serial(steps):
                T.copy(A[k * rows, 0], part)
                for i, j in T.Parallel(rows, columns):
                    S[k * rows + i, j] = part[i, j] * part[i, j]
                T.reduce_max(part, found, dim=0)
                for j in T.Parallel(columns):
                    top[k, j] = found[j]
            for i, j in T.Parallel(steps * rows, columns):
                S[i, j] = S[i, j] + 1.0
            T.copy(S, C)
            T.copy(top, D)

    return main


@pytest.mark.parametrize("steps, rows, columns, dtype, arch", [
    (4, 32, 64, "bfloat16", ARCHS[0]),
    (3, 64, 32, "float32", ARCHS[1]),
    (5, 32, 40, "float32", ARCHS[0]),
])  # fmt: skip
def test_one_slice_in_each_iteration(steps, rows, columns, dtype, arch):
    check(slices, steps, rows, columns, dtype, arch=arch)


def products(clears):
    """Halves of an accumulator take products with different blocks."""

    @T.prim_func
    def main(
        A: T.Tensor((128, 96), "bfloat16"),
        B: T.Tensor((96, 64), "bfloat16"),
        C: T.Tensor((128, 64), "float32"),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 32), "bfloat16")
            B_s = T.alloc_shared((32, 64), "bfloat16")
            C_l = T.alloc_fragment((128, 64), "float32")
            if not clears:
                T.fill(C_l, 1.5)
            for k in T.serial(3):
                T.copy(B[k * 32, 0], B_s)
                T.copy(A[0, k * 32], A_s)
                T.gemm(A_s, B_s, C_l[0:64, 0:64], clear_accum=clears and k == 0)
                T.copy(A[64, k * 32], A_s)
                T.gemm(A_s, B_s, C_l[64:128, 0:64], clear_accum=clears and k == 0)
            T.copy(C_l, C)

    return main


@pytest.mark.parametrize("clears, arch", [(False, ARCHS[0]), (True, ARCHS[1])])
def test_products_into_parts(clears, arch):
    check(products, clears, arch=arch)


def blocks(dtype):
    """Whole blocks of a buffer of three dimensions, in another order, one of them negated."""

    @T.prim_func
    def main(A: T.Tensor((4, 32, 64), dtype), n: T.int32, C: T.Tensor((4, 32, 64), dtype)):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((4, 32, 64), dtype)
            for k in T.serial(4):
                T.copy(A[3 - k, 0:32, 0:64], S[k, 0:32, 0:64])
            for i, j in T.Parallel(32, 64):
                S[n, i, j] = -S[n, i, j]
            T.copy(S, C)

    return main


@pytest.mark.parametrize("n", [0, 3])
def test_blocks_of_three_dimensions(n):
    a = numbers((4, 32, 64), "float32")
    results = check(blocks, "float32", inputs=[a, n, np.zeros_like(a)])
    expected = a[::-1].copy()
    expected[n] *= -1
    assert (results["C"] == expected).all()


def vectors(dtype):
    """Parts of vectors, of which one is a statistic of rows, and single rows and columns."""

    @T.prim_func
    def main(
        A: T.Tensor((64, 64), dtype),
        B: T.Tensor((128,), dtype),
        C: T.Tensor((128,), dtype),
        D: T.Tensor((64, 64), dtype),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 64), dtype)
            both = T.alloc_fragment((128,), dtype)
            T.copy(A, A_s)
            T.copy(B[64:128], both[0:64])
            T.reduce_max(A_s, both[64:128], dim=1)
            for i in T.Parallel(128):
                both[i] = both[i] + B[i]
            for j in T.Parallel(64):
                A_s[37, j] = both[j]
            for i in T.Parallel(64):
                A_s[i, 5] = both[64 + i]
            T.copy(both, C)
            T.copy(A_s, D)

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_parts_of_vectors_and_single_rows(dtype, arch):
    check(vectors, dtype, arch=arch)


def integers():
    """A column of tiles of integers, under a condition of the block."""

    @T.prim_func
    def main(A: T.Tensor((128, 64), "int32"), C: T.Tensor((128, 64), "int32")):
        with T.Kernel(2, threads=128) as b:
            S = T.alloc_shared((64, 64), "int32")
            T.copy(A[b * 64, 0], S)
            if b == 1:
                for i, j in T.Parallel(64, 32):
                    S[i, 32 + j] = S[i, j] * 3
            T.copy(S, C[b * 64, 0])

    return main


@pytest.mark.parametrize("arch", ARCHS)
def test_parts_of_integers_in_a_branch(arch):
    a = np.random.default_rng(0).integers(-99, 99, (128, 64)).astype(np.int32)
    results = check(integers, inputs=[a, np.zeros_like(a)], arch=arch)
    a[64:, 32:] = a[64:, :32] * 3
    assert (results["C"] == a).all()


def chosen(dtype):
    """Rows, columns and elements that loops and parameters choose, of blocks and of vectors."""

    @T.prim_func
    def main(
        A: T.Tensor((64, 96), dtype),
        v: T.Tensor((96,), dtype),
        n: T.int32,
        C: T.Tensor((64, 96), dtype),
        D: T.Tensor((96,), "float32"),
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 96), dtype)
            v_s = T.alloc_shared((96,), dtype)
            row = T.alloc_fragment((96,), "float32")
            total = T.alloc_fragment((96,), "float32")
            T.copy(A, A_s)
            T.copy(v, v_s)
            T.clear(total)
            for k in T.serial(3):
                T.copy(A_s[k * 21 + n, :], row)
                for j in T.Parallel(96):
                    total[j] = total[j] + row[j] * v_s[k + n] + A_s[k, 5]
            for i, j in T.Parallel(64, 96):
                A_s[i, j] = (A_s[i, j] - total[j]) * v_s[n]
            for i, j in T.Parallel(64, 96):
                C[i, j] = A_s[i, j] + A_s[i, 40]
            T.copy(total, D)

    return main


@pytest.mark.parametrize("n", [0, 21])
@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_rows_columns_and_elements_that_are_chosen(dtype, n, arch):
    a, v = numbers((64, 96), dtype), numbers((96,), dtype, seed=1)
    results = [np.zeros_like(a), np.zeros(96, np.float32)]
    check(chosen, dtype, inputs=[a, v, n, *results], arch=arch)


def infinite(column):
    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), C: T.Tensor((32,), "float32")):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((32, 32), "float32")
            out = T.alloc_fragment((32,), "float32")
            T.copy(A, S)
            for i in T.Parallel(32):
                out[i] = S[i, column]
            T.copy(out, C)

    return main


def test_what_is_not_chosen_has_no_part_in_it():
    a = numbers((32, 32), "float32")
    a[:, 3], a[:, 9], a[5, 7] = np.inf, np.nan, -np.inf
    results = check(infinite, 7, inputs=[a, np.zeros(32, np.float32)])
    assert (results["C"] == a[:, 7]).all()
