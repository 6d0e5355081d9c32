"""Writes to parts of on-chip buffers."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, built, check, numbers, run


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


def exactly(factory, *args, inputs, expected, arch):
    """Every element of the result is the one expected."""
    _, made = built(factory, *args, arch=arch)
    (c,) = run(made, [*inputs, np.zeros_like(expected)]).values()
    np.testing.assert_array_equal(c, expected)


def drawn(shape, dtype):
    if not dtype.startswith(("int", "uint")):
        return numbers(shape, dtype)
    info = np.iinfo(dtype)
    return np.random.default_rng(0).integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def window(shape, low, size, dtype):
    """A window of a block is changed, the rest of it kept."""
    (M, N), (top, left), (rows, columns) = shape, low, size

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((M, N), dtype)
            T.copy(A, S)
            for i, j in T.Parallel(rows, columns):
                S[top + i, left + j] = S[top + i, left + j] + S[top + i, left + j]
            T.copy(S, C)

    return main


@pytest.mark.parametrize("shape, low, size, dtype, arch", [
    ((64, 64), (0, 0), (16, 64), "float32", ARCHS[0]),
    ((64, 96), (5, 7), (40, 70), "bfloat16", ARCHS[1]),
    ((50, 70), (30, 0), (20, 33), "float16", ARCHS[0]),
    ((64, 40), (8, 32), (3, 8), "int8", ARCHS[1]),
])  # fmt: skip
def test_a_window_of_a_block(shape, low, size, dtype, arch):
    a = drawn(shape, dtype)
    expected = a.copy()
    expected[tuple(slice(x, x + n) for x, n in zip(low, size, strict=True))] *= 2
    exactly(window, shape, low, size, dtype, inputs=[a], expected=expected, arch=arch)


def moved(shape, size, source, target, dtype):
    """A part of one block becomes a part of another."""
    (M, N), (rows, columns) = shape, size

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((M, N), dtype)
            D = T.alloc_shared((M, N), dtype)
            T.copy(A, S)
            T.copy(A, D)
            T.copy(
                S[source[0] : source[0] + rows, source[1] : source[1] + columns],
                D[target[0] : target[0] + rows, target[1] : target[1] + columns],
            )
            T.copy(D, C)

    return main


@pytest.mark.parametrize("shape, size, source, target, dtype, arch", [
    ((64, 64), (16, 64), (0, 0), (8, 0), "float32", ARCHS[0]),
    ((64, 64), (64, 10), (0, 40), (0, 3), "bfloat16", ARCHS[1]),
    ((50, 70), (20, 30), (3, 5), (25, 37), "float32", ARCHS[1]),
    ((50, 70), (20, 64), (30, 0), (0, 0), "int32", ARCHS[0]),
    ((32, 32), (16, 16), (0, 16), (16, 0), "uint8", ARCHS[0]),
])  # fmt: skip
def test_a_part_moves(shape, size, source, target, dtype, arch):
    a = drawn(shape, dtype)
    at = [
        tuple(slice(x, x + n) for x, n in zip(low, size, strict=True)) for low in (source, target)
    ]
    expected = a.copy()
    expected[at[1]] = a[at[0]]
    case = (shape, size, source, target, dtype)
    exactly(moved, *case, inputs=[a], expected=expected, arch=arch)


def lines(shape, row, column, dtype):
    """One row and one column stand for all, and become vectors."""
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((2 * M, N), dtype), C: T.Tensor((2 * M, N), dtype)):
        with T.Kernel(2, threads=128) as b:
            S = T.alloc_shared((M, N), dtype)
            D = T.alloc_fragment((M, N), dtype)
            v = T.alloc_fragment((N,), dtype)
            T.copy(A[b * M, 0], S)
            for j in T.Parallel(N):
                v[j] = S[b + row, j]
            for i, j in T.Parallel(M, N):
                D[i, j] = T.max(T.min(S[i, j], S[i, column]), v[j])
            T.copy(D, C[b * M, 0])

    return main


@pytest.mark.parametrize("shape, row, column, dtype, arch", [
    ((64, 96), 5, 40, "float32", ARCHS[0]),
    ((32, 50), 30, 0, "bfloat16", ARCHS[1]),
    ((32, 64), 0, 63, "int32", ARCHS[1]),
    ((64, 32), 33, 1, "int8", ARCHS[0]),
])  # fmt: skip
def test_lines_of_a_block(shape, row, column, dtype, arch):
    a = drawn((2 * shape[0], shape[1]), dtype)
    halves = a.reshape(2, *shape)
    rows = np.stack([halves[b, b + row] for b in range(2)])[:, None]
    expected = np.maximum(np.minimum(halves, halves[:, :, column : column + 1]), rows)
    case = (shape, row, column, dtype)
    exactly(lines, *case, inputs=[a], expected=expected.reshape(a.shape), arch=arch)


def quarters(size, dtype):
    """Parts of a block by the variable of a loop, and of a vector."""

    @T.prim_func
    def main(
        A: T.Tensor((64, size), dtype), V: T.Tensor((size,), dtype), C: T.Tensor((64, size), dtype)
    ):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((64, size), dtype)
            D = T.alloc_fragment((64, size), dtype)
            v = T.alloc_shared((size,), dtype)
            w = T.alloc_fragment((size,), dtype)
            T.copy(A, S)
            T.copy(V, v)
            T.clear(D)
            T.clear(w)
            for j in T.Parallel(20):
                w[j + 3] = v[j + 11]
            for k in T.serial(4):
                for i, j in T.Parallel(16, size):
                    D[k * 16 + i, j] = T.max(S[i, j], S[k * 16 + i, j]) + w[j]
            T.copy(D, C)

    return main


@pytest.mark.parametrize("size, dtype, arch", [(64, "float32", ARCHS[0]), (40, "int32", ARCHS[1])])
def test_parts_that_a_loop_counts(size, dtype, arch):
    a, v = drawn((64, size), dtype), drawn((size,), dtype)
    w = np.zeros_like(v)
    w[3:23] = v[11:31]
    expected = np.maximum(np.tile(a[:16], (4, 1)), a) + w
    exactly(quarters, size, dtype, inputs=[a, v], expected=expected, arch=arch)


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
