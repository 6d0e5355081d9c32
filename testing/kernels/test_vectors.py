"""Rows and columns: 1-D buffers that stand for all rows or columns of a block, and each other."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, check, numbers

OPERATIONS = {
    "plus": lambda m, a, r, c: a + r + c,
    "a row less a block": lambda m, a, r, c: (r - a) * c,
    "quotients": lambda m, a, r, c: a / (c * c + 1.0) + r,
    "extremes": lambda m, a, r, c: m.max(m.min(a, r), c),
    "of vectors only": lambda m, a, r, c: r * c,
    "a column and a function": lambda m, a, r, c: m.exp(a * 0.25 - c) * r,
}


def outer(name, shape, dtype, out):
    """C[i, j] = f(A[i, j], R[j], K[i]); `out` decides the width of the destination registers."""
    (M, N), f = shape, OPERATIONS[name]

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype),
        R: T.Tensor((N,), dtype),
        K: T.Tensor((M,), dtype),
        C: T.Tensor((M, N), out),
    ):
        with T.Kernel(M // 32, threads=128) as b:
            A_s = T.alloc_shared((32, N), dtype)
            R_s = T.alloc_shared((N,), dtype)
            K_s = T.alloc_shared((32,), dtype)
            C_s = T.alloc_shared((32, N), out)
            T.copy(A[b * 32, 0], A_s)
            T.copy(R, R_s)
            T.copy(K[b * 32], K_s)
            for i, j in T.Parallel(32, N):
                C_s[i, j] = f(T, A_s[i, j], R_s[j], K_s[i])
            T.copy(C_s, C[b * 32, 0])

    return main


@pytest.mark.parametrize(
    "name, dtype, out, arch",
    [
        ("plus", "bfloat16", "bfloat16", ARCHS[0]),
        ("plus", "bfloat16", "float32", ARCHS[1]),
        ("plus", "float32", "float32", ARCHS[0]),
        ("a row less a block", "bfloat16", "bfloat16", ARCHS[1]),
        ("a row less a block", "float16", "float32", ARCHS[0]),
        ("quotients", "float32", "float32", ARCHS[1]),
        ("quotients", "bfloat16", "float32", ARCHS[0]),
        ("extremes", "bfloat16", "float32", ARCHS[0]),
        ("extremes", "float16", "float16", ARCHS[1]),
        ("of vectors only", "bfloat16", "float32", ARCHS[1]),
        ("of vectors only", "bfloat16", "bfloat16", ARCHS[0]),
        ("a column and a function", "float32", "float32", ARCHS[0]),
    ],
)
def test_rows_and_columns_stand_for_all(name, dtype, out, arch):
    check(outer, name, (64, 96), dtype, out, arch=arch)


def both_ways(dtype):
    """One vector as a row and as a column."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), dtype), V: T.Tensor((64,), dtype), C: T.Tensor((64, 64), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 64), dtype)
            V_s = T.alloc_shared((64,), dtype)
            T.copy(A, A_s)
            T.copy(V, V_s)
            for i, j in T.Parallel(64, 64):
                A_s[i, j] = A_s[i, j] + V_s[i] * V_s[j]
            T.copy(A_s, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_one_vector_both_ways(dtype, arch):
    check(both_ways, dtype, arch=arch)


def two_of_one_tensor(dtype):
    """Two vectors from one tensor: one for the columns, one for the rows."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), dtype), V: T.Tensor((96,), dtype), C: T.Tensor((64, 64), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 64), dtype)
            row = T.alloc_shared((64,), dtype)
            column = T.alloc_fragment((64,), "float32")
            T.copy(A, A_s)
            T.copy(V[0:64], row)
            T.copy(V[32:96], column)
            for i, j in T.Parallel(64, 64):
                A_s[i, j] = A_s[i, j] * row[j] - column[i]
            T.copy(A_s, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[1]), ("bfloat16", ARCHS[0])])
def test_rows_and_columns_from_one_tensor(dtype, arch):
    check(two_of_one_tensor, dtype, arch=arch)


def turned_reduction(dtype):
    """The maxima of rows, as a row."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), dtype), C: T.Tensor((64, 64), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment((64, 64), dtype)
            top = T.alloc_fragment((64,), dtype)
            T.copy(A, A_l)
            T.reduce_max(A_l, top, dim=1)
            for i, j in T.Parallel(64, 64):
                A_l[i, j] = A_l[i, j] - top[j]
            T.copy(A_l, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[1]), ("bfloat16", ARCHS[0])])
def test_a_column_is_turned_into_a_row(dtype, arch):
    check(turned_reduction, dtype, arch=arch)


def mixed_vectors(dtype):
    """What belongs to rows and what belongs to columns in one statement over vectors."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), dtype), C: T.Tensor((64,), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment((64, 64), dtype)
            rows = T.alloc_fragment((64,), dtype)
            columns = T.alloc_fragment((64,), dtype)
            T.copy(A, A_l)
            T.reduce_sum(A_l, rows, dim=1)
            T.reduce_max(A_l, columns, dim=0)
            for i in T.Parallel(64):
                rows[i] = rows[i] * 0.125 + columns[i]
            T.copy(rows, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_rows_and_columns_meet_in_a_vector(dtype, arch):
    check(mixed_vectors, dtype, arch=arch)


def transposed_block(dtype):
    @T.prim_func
    def main(
        A: T.Tensor((64, 96), dtype), B: T.Tensor((96, 64), dtype), C: T.Tensor((96, 64), dtype)
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 96), dtype)
            B_s = T.alloc_shared((96, 64), dtype)
            T.copy(A, A_s)
            T.copy(B, B_s)
            for i, j in T.Parallel(96, 64):
                B_s[i, j] = B_s[i, j] - A_s[j, i]
            T.copy(B_s, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[0]), ("float32", ARCHS[1])])
def test_a_block_is_read_with_its_indices_exchanged(dtype, arch):
    check(transposed_block, dtype, arch=arch)


def vectors_only(dtype, n):
    @T.prim_func
    def main(A: T.Tensor((n,), dtype), B: T.Tensor((n,), dtype), C: T.Tensor((n,), dtype)):
        with T.Kernel(n // 32, threads=128) as b:
            A_s = T.alloc_shared((32,), dtype)
            B_s = T.alloc_shared((32,), dtype)
            T.copy(A[b * 32], A_s)
            T.copy(B[b * 32], B_s)
            for i in T.Parallel(32):
                A_s[i] = T.max(A_s[i], B_s[i]) * 2.0
            T.copy(A_s, C[b * 32])

    return main


def test_vectors_among_themselves():
    check(vectors_only, "bfloat16", 96)


def tensor_columns(dtype):
    """A tensor of columns: each block scales a column by another tensor's column."""

    @T.prim_func
    def main(A: T.Tensor((64, 3), dtype), C: T.Tensor((64, 3), dtype)):
        with T.Kernel(3, threads=128) as b:
            A_s = T.alloc_shared((64,), dtype)
            T.copy(A[0:64, b], A_s)
            for i in T.Parallel(64):
                A_s[i] = A_s[i] * 3.0
            T.copy(A_s, C[0:64, b])

    return main


def test_columns_of_a_tensor():
    a = numbers((64, 3), "float32")
    (c,) = check(tensor_columns, "float32", inputs=[a, np.zeros_like(a)]).values()
    assert np.array_equal(c, a * 3)


def layouts(layout, dtype):
    """Blocks of (sequence, width) of one head; batch, sequence, heads and width in some order."""
    sizes = {"b": 2, "s": 64, "h": 3, "d": 64}
    shape = tuple(sizes[axis] for axis in layout)

    def at(b, s, h):
        places = {"b": b, "s": s, "h": h, "d": slice(0, 64)}
        return tuple(places[axis] for axis in layout)

    @T.prim_func
    def main(A: T.Tensor(shape, dtype), C: T.Tensor(shape, dtype)):
        with T.Kernel(2, 3, 2, threads=128) as (bx, by, bz):
            A_s = T.alloc_shared((32, 64), dtype)
            total = T.alloc_fragment((32,), dtype)
            T.copy(A[at(bz, slice(bx * 32, bx * 32 + 32), by)], A_s)
            T.reduce_sum(A_s, total, dim=1)
            for i, j in T.Parallel(32, 64):
                A_s[i, j] = A_s[i, j] * 8.0 - total[i]
            T.copy(A_s, C[at(bz, slice(bx * 32, bx * 32 + 32), by)])

    return main


@pytest.mark.parametrize(
    "layout, arch", [("bshd", ARCHS[0]), ("bhsd", ARCHS[1]), ("sbhd", ARCHS[1]), ("hsbd", ARCHS[0])]
)
def test_blocks_of_any_two_axes(layout, arch):
    check(layouts, layout, "float32", arch=arch)
