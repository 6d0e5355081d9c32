"""Reductions along rows and columns, whole vectors, and what is computed with the results."""

import itertools

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, built, check, numbers, run

KINDS = ("sum", "max", "min", "abssum", "absmax")


def reduced(kind, dim, clear, shape, block, dtype, out):
    """C = the reduction of A, and of what D holds unless it clears."""
    (M, N), (bM, bN) = shape, block
    kept, bK = (M, bM) if dim == 1 else (N, bN)
    reduce = getattr(T, f"reduce_{kind}")
    how = {} if kind == "abssum" else {"clear": clear}  # T.reduce_abssum always clears

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), D: T.Tensor((kept,), out), C: T.Tensor((kept,), out)):
        with T.Kernel(kept // bK, threads=128) as b:
            A_l = T.alloc_fragment((bM, bN), dtype)
            found = T.alloc_fragment((bK,), out)
            if dim == 1:
                T.copy(A[b * bM, 0], A_l)
            else:
                T.copy(A[0, b * bN], A_l)
            T.copy(D[b * bK], found)
            reduce(A_l, found, dim=dim, **how)
            T.copy(found, C[b * bK])

    return main


VARIANTS = itertools.cycle(
    [
        (True, "bfloat16", "float32", ARCHS[0]),
        (False, "float32", "float32", ARCHS[1]),
        (True, "float16", "float16", ARCHS[1]),
        (False, "bfloat16", "bfloat16", ARCHS[0]),
        (False, "float16", "float32", ARCHS[0]),
        (True, "float32", "bfloat16", ARCHS[1]),
    ]
)
CASES = [
    (kind, dim, *variant)
    for (kind, dim), variant in zip(
        [(kind, dim) for kind in KINDS for dim in (0, 1) for _ in range(2)],
        VARIANTS,
        strict=False,
    )
]


@pytest.mark.parametrize("kind, dim, clear, dtype, out, arch", CASES)
def test_a_reduction(kind, dim, clear, dtype, out, arch):
    check(reduced, kind, dim, clear, (64, 64), (64, 32)[:: 1 if dim == 0 else -1], dtype, out,
          arch=arch)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim, dtype, out", [
    (0, "int32", "int32"), (1, "int32", "int32"), (1, "int32", "float32"), (0, "float32", "int32")
])  # fmt: skip
def test_a_reduction_of_integers(kind, dim, dtype, out):
    a = np.random.default_rng(0).integers(-1000, 1000, (64, 64)).astype(dtype)
    d = np.zeros(64, out)
    case = (kind, dim, True, (64, 64), (64, 32)[:: 1 if dim == 0 else -1], dtype, out)
    (c,) = check(reduced, *case, inputs=[a, d, d.copy()]).values()
    whole = np.abs(a) if kind.startswith("abs") else a
    assert np.array_equal(c, getattr(whole, kind.removeprefix("abs"))(dim))


INT32 = np.iinfo(np.int32)


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize(
    "dim, shape, block, arch",
    [
        (1, (64, 64), (32, 64), ARCHS[0]),
        (1, (50, 70), (50, 70), ARCHS[1]),
        (0, (50, 70), (50, 70), ARCHS[0]),
    ],
)
def test_extremes_of_the_range_of_integers(kind, dim, shape, block, arch):
    """The neighbours of the ends, and the padding of a ragged block, must not win over them."""
    ends = [INT32.min, INT32.min + 1, -1, 0, INT32.max - 1, INT32.max]
    a = np.random.default_rng(0).choice(np.array(ends, np.int32), shape)
    for line, end in enumerate((INT32.min, INT32.max, INT32.min + 1, INT32.max - 1)):
        a[(line, slice(None)) if dim == 1 else (slice(None), line)] = end
    kept = np.zeros(shape[1 - dim], np.int32)
    _, made = built(reduced, kind, dim, True, shape, block, "int32", "int32", arch=arch)
    (c,) = run(made, [a, kept, kept.copy()]).values()
    np.testing.assert_array_equal(c, getattr(a, kind)(dim))


@pytest.mark.parametrize("kind", ["max", "min"])
def test_a_reduction_of_integers_under_a_condition(kind):
    """What the condition leaves out does not win over the ends of the range."""
    a = np.random.default_rng(0).choice(np.array([INT32.min, INT32.max], np.int32), (40, 50))
    _, made = built(of_one_sign, kind)
    (c,) = run(made, [a, np.zeros(40, np.int32)]).values()
    chosen = (a < 0) if kind == "max" else (a > 0)
    end = INT32.min if kind == "max" else INT32.max
    np.testing.assert_array_equal(c, getattr(np.where(chosen, a, end), kind)(1))


def of_one_sign(kind):
    """The largest of what is negative, or the smallest of what is positive."""

    @T.prim_func
    def main(A: T.Tensor((40, 50), "int32"), C: T.Tensor((40,), "int32")):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((40, 50), "int32")
            C_l = T.alloc_fragment((40,), "int32")
            T.copy(A, A_s)
            T.fill(C_l, int(INT32.min if kind == "max" else INT32.max))
            for i in T.Parallel(40):
                for k in T.serial(50):
                    if (A_s[i, k] < 0) if kind == "max" else (A_s[i, k] > 0):
                        C_l[i] = getattr(T, kind)(C_l[i], A_s[i, k])
            T.copy(C_l, C)

    return main


@pytest.mark.parametrize("shape, block", [((32, 160), (32, 160)), ((320, 32), (320, 32))])
@pytest.mark.parametrize("dim", [0, 1])
def test_more_tiles_than_registers(shape, block, dim):
    check(reduced, "sum", dim, True, shape, block, "bfloat16", "float32")


def test_the_maximum_of_negative_numbers_is_negative():
    """What a tile or register holds besides must not win."""
    a, d = -numbers((64, 64), "bfloat16", low=1), -numbers((64,), "bfloat16", low=1)
    case = ("max", 1, True, (64, 64), (32, 64), "bfloat16", "bfloat16")
    (c,) = check(reduced, *case, inputs=[a, d, np.zeros_like(d)]).values()
    assert (c < 0).all()
    assert np.array_equal(c, a.max(axis=1))


def test_extremes_are_exact():
    a, d = numbers((64, 64), "bfloat16"), numbers((64,), "bfloat16")
    case = ("min", 0, True, (64, 64), (64, 32), "bfloat16", "bfloat16")
    (c,) = check(reduced, *case, inputs=[a, d, np.zeros_like(d)]).values()
    assert np.array_equal(c, a.min(axis=0))


def whole(kind, n, dtype):
    """One element from a vector."""
    reduce = getattr(T, f"reduce_{kind}")

    @T.prim_func
    def main(A: T.Tensor((n,), dtype), C: T.Tensor((1,), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment((n,), dtype)
            found = T.alloc_fragment((1,), dtype)
            T.copy(A, A_l)
            reduce(A_l, found, dim=0)
            T.copy(found, C)

    return main


@pytest.mark.parametrize(
    "kind, n, dtype, arch",
    [
        ("sum", 96, "float32", ARCHS[0]),
        ("absmax", 64, "bfloat16", ARCHS[1]),
        ("min", 32, "bfloat16", ARCHS[0]),
    ],
)
def test_a_vector_to_one_element(kind, n, dtype, arch):
    check(whole, kind, n, dtype, arch=arch)


def matrix_to_element(shape, dtype):
    """One element from a matrix, by way of its rows; and the matrix less it."""
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment((M, N), dtype)
            rows = T.alloc_fragment((M,), dtype)
            top = T.alloc_fragment((1,), dtype)
            T.copy(A, A_l)
            T.reduce_max(A_l, rows, dim=1)
            T.reduce_max(rows, top, dim=0)
            for i, j in T.Parallel(M, N):
                A_l[i, j] = A_l[i, j] - top[0]
            T.copy(A_l, C)

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[0]), ("float32", ARCHS[1])])
def test_the_maximum_of_a_matrix(dtype, arch):
    check(matrix_to_element, (64, 96), dtype, arch=arch)


def normalised(shape, dtype):
    """Rows less their mean, by the root of their mean square."""
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(M // 32, threads=128) as b:
            A_l = T.alloc_fragment((32, N), dtype)
            X = T.alloc_fragment((32, N), "float32")
            squares = T.alloc_fragment((32, N), "float32")
            mean = T.alloc_fragment((32,), "float32")
            scale = T.alloc_fragment((32,), "float32")
            T.copy(A[b * 32, 0], A_l)
            T.copy(A_l, X)
            T.reduce_sum(X, mean, dim=1)
            for i, j in T.Parallel(32, N):
                X[i, j] = X[i, j] - mean[i] / N
            for i, j in T.Parallel(32, N):
                squares[i, j] = X[i, j] * X[i, j]
            T.reduce_sum(squares, scale, dim=1)
            for i in T.Parallel(32):
                scale[i] = T.rsqrt(scale[i] / N + 1e-5)
            for i, j in T.Parallel(32, N):
                A_l[i, j] = X[i, j] * scale[i]
            T.copy(A_l, C[b * 32, 0])

    return main


@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[0]), ("float32", ARCHS[1])])
def test_rows_are_normalised(dtype, arch):
    check(normalised, (64, 96), dtype, arch=arch)


def single_rows(dtype, acc):
    """Statistics and a normalised row, a block each; T.Parallel loops of one iteration."""

    @T.prim_func
    def main(
        A: T.Tensor((5, 96), dtype),
        weight: T.Tensor((96,), dtype),
        C: T.Tensor((5, 96), dtype),
        mean: T.Tensor((5,), acc),
    ):
        with T.Kernel(5, threads=128) as b:
            A_s = T.alloc_shared((1, 96), dtype)
            X = T.alloc_fragment((1, 96), acc)
            total = T.alloc_fragment((1,), acc)
            T.copy(A[b, 0], A_s)
            for i, j in T.Parallel(1, 96):
                X[i, j] = T.Cast(acc, A_s[i, j]) * 2.0
            T.reduce_sum(X, total, dim=1)
            for i in T.Parallel(1):
                total[i] = total[i] / 96.0
                mean[b * 1 + i] = total[i]
            for i, j in T.Parallel(1, 96):
                A_s[i, j] = (X[i, j] - total[i]) * weight[j]
            T.copy(A_s, C[b, 0])

    return main


@pytest.mark.parametrize(
    "dtype, acc, arch", [("float32", "float32", ARCHS[0]), ("bfloat16", "float32", ARCHS[1])]
)
def test_blocks_of_one_row(dtype, acc, arch):
    check(single_rows, dtype, acc, arch=arch)


def softmax(shape, dtype, dim):
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment((M, N), "float32")
            top = T.alloc_fragment((M if dim == 1 else N,), "float32")
            total = T.alloc_fragment((M if dim == 1 else N,), "float32")
            T.copy(A, A_l)
            T.reduce_max(A_l, top, dim=dim)
            for i, j in T.Parallel(M, N):
                A_l[i, j] = T.exp(A_l[i, j] - top[i if dim == 1 else j])
            T.reduce_sum(A_l, total, dim=dim)
            for i, j in T.Parallel(M, N):
                A_l[i, j] = A_l[i, j] / total[i if dim == 1 else j]
            T.copy(A_l, C)

    return main


@pytest.mark.parametrize("dim, arch", [(0, ARCHS[1]), (1, ARCHS[0])])
def test_softmax(dim, arch):
    (c,) = check(softmax, (64, 96), "float32", dim, arch=arch).values()
    assert np.allclose(c.sum(axis=dim), 1, atol=1e-6)


def batch_of_rows(dtype):
    @T.prim_func
    def main(A: T.Tensor((3, 32, 64), dtype), C: T.Tensor((3, 32), dtype)):
        with T.Kernel(1, threads=128) as _:
            for b in T.serial(3):
                A_l = T.alloc_fragment((32, 64), dtype)
                rows = T.alloc_fragment((32,), dtype)
                T.copy(A[b, 0, 0], A_l)
                T.reduce_sum(A_l, rows, dim=1)
                T.copy(rows, C[b, 0])

    return main


def test_rows_of_a_batch_go_to_rows_of_a_tensor():
    check(batch_of_rows, "float32")


def chosen_terms(shape, dtype, acc):
    """Loops that add some elements of each row, subtract the others, and find the largest of some
    of each column."""
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor(shape, dtype), S: T.Tensor((M,), acc), C: T.Tensor((N,), acc)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared(shape, dtype)
            total = T.alloc_fragment((M,), acc)
            top = T.alloc_fragment((N,), acc)
            T.copy(A, A_s)
            T.clear(total)
            for i in T.Parallel(M):
                for k in T.serial(N):
                    if A_s[i, k] > 0.5:
                        total[i] += A_s[i, k]
                    else:
                        if k >= 5:
                            total[i] += -A_s[i, k]
            T.fill(top, -1)
            for j in T.Parallel(N):
                for k in T.serial(M):
                    if k < j:
                        top[j] = T.max(top[j], A_s[k, j])
            T.copy(total, S)
            T.copy(top, C)

    return main


@pytest.mark.parametrize("shape", [(32, 32), (64, 96), (50, 40)])
@pytest.mark.parametrize("dtype, arch", [("bfloat16", ARCHS[0]), ("float32", ARCHS[1])])
def test_loops_over_terms_that_conditions_choose(shape, dtype, arch):
    check(chosen_terms, shape, dtype, "float32", arch=arch)


def halved_integers(shape):
    """A condition that its first assignment changes, on integers."""

    @T.prim_func
    def main(A: T.Tensor(shape, "int32"), C: T.Tensor(shape, "int32")):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared(shape, "int32")
            C_l = T.alloc_fragment(shape, "int32")
            T.copy(A, A_s)
            T.clear(C_l)
            for i, j in T.Parallel(*shape):
                if A_s[i, j] > 3:
                    A_s[i, j] = -A_s[i, j]
                    C_l[i, j] = A_s[i, j]
            T.copy(C_l, C)

    return main


@pytest.mark.parametrize("shape", [(32, 32), (64, 40)])
@pytest.mark.parametrize("arch", ARCHS)
def test_a_condition_on_integers_is_kept(shape, arch):
    a = np.random.default_rng(0).integers(-9, 9, shape).astype(np.int32)
    results = check(halved_integers, shape, inputs=[a, np.zeros_like(a)], arch=arch)
    assert (results["C"] == np.where(a > 3, -a, 0)).all()


def of_blocks(kind, dim, clear, shape, dtype, out):
    """A reduction of a block of three dimensions."""
    kept = [extent for axis, extent in enumerate(shape) if axis != dim]
    reduce = getattr(T, f"reduce_{kind}")
    how = {} if kind == "abssum" else {"clear": clear}

    @T.prim_func
    def main(A: T.Tensor(shape, dtype), D: T.Tensor(kept, out), C: T.Tensor(kept, out)):
        with T.Kernel(1, threads=128) as _:
            A_l = T.alloc_fragment(shape, dtype)
            found = T.alloc_fragment(kept, out)
            T.copy(A, A_l)
            T.copy(D, found)
            reduce(A_l, found, dim=dim, **how)
            T.copy(found, C)

    return main


BLOCKS = [
    ("sum", 0, True, (4, 32, 64), "bfloat16", "float32"),
    ("absmax", 0, False, (3, 50, 40), "float32", "float32"),
    ("min", 0, True, (2, 32, 32), "int32", "int32"),
    ("max", 1, True, (3, 64, 32), "bfloat16", "bfloat16"),
    ("sum", 1, False, (5, 40, 64), "float32", "float32"),
    ("min", 2, True, (4, 64, 32), "bfloat16", "float32"),
    ("abssum", 2, True, (2, 32, 70), "float16", "float16"),
    ("sum", 2, False, (33, 32, 32), "bfloat16", "float32"),
]


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("kind, dim, clear, shape, dtype, out", BLOCKS)
def test_a_reduction_of_several_blocks(kind, dim, clear, shape, dtype, out, arch):
    inputs = None
    if dtype == "int32":
        a = np.random.default_rng(0).integers(-(2**31), 2**31, shape, dtype=np.int64)
        inputs = [a.astype(dtype), *(np.zeros(shape[1:], dtype) for _ in range(2))]
    check(of_blocks, kind, dim, clear, shape, dtype, out, inputs=inputs, arch=arch)


def running_vector(n, dtype, reverse):
    """Running maxima and sums of parts of a vector."""

    @T.prim_func
    def main(A: T.Tensor((n,), dtype), C: T.Tensor((n,), dtype), D: T.Tensor((n,), dtype)):
        with T.Kernel(1, threads=128) as _:
            v = T.alloc_shared((n,), dtype)
            w = T.alloc_shared((n,), dtype)
            T.copy(A, v)
            T.cummax(v, w, dim=0, reverse=reverse)
            T.cumsum(v, dim=0, reverse=reverse)
            T.copy(w, C)
            T.copy(v, D)

    return main


@pytest.mark.parametrize(
    "n, dtype, reverse, arch",
    [
        (32, "bfloat16", False, ARCHS[0]),
        (96, "float32", True, ARCHS[1]),
        (50, "float32", False, ARCHS[0]),
    ],
)
def test_running_results_of_a_vector(n, dtype, reverse, arch):
    check(running_vector, n, dtype, reverse, arch=arch, sharp=0.25)


def running_block(kind, shape, block, dtype, dim, reverse, in_place):
    """Running results of each block."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), threads=128) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            C_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            if in_place:
                getattr(T, f"cum{kind}")(A_s, dim=dim, reverse=reverse)
                T.copy(A_s, C[by * bM, bx * bN])
            else:
                getattr(T, f"cum{kind}")(A_s, C_s, dim=dim, reverse=reverse)
                T.copy(C_s, C[by * bM, bx * bN])

    return main


RUNNING = [
    ("max", (64, 64), (32, 64), "float32", 1, False, False, ARCHS[0]),
    ("max", (64, 64), (64, 32), "float32", 0, True, True, ARCHS[1]),
    ("max", (70, 50), (32, 50), "bfloat16", 1, True, True, ARCHS[0]),
    ("max", (50, 96), (50, 64), "float16", 0, False, False, ARCHS[1]),
    ("max", (32, 64), (32, 64), "int32", 1, True, False, ARCHS[1]),
    ("sum", (64, 64), (64, 32), "int32", 0, False, True, ARCHS[0]),
    ("sum", (40, 33), (40, 33), "int32", 1, True, False, ARCHS[1]),
    ("max", (32, 32), (32, 32), "int8", 0, False, False, ARCHS[0]),
    ("sum", (32, 32), (32, 32), "uint8", 1, False, True, ARCHS[1]),
]


@pytest.mark.parametrize("kind, shape, block, dtype, dim, reverse, in_place, arch", RUNNING)
def test_exact_running_results_of_a_block(kind, shape, block, dtype, dim, reverse, in_place, arch):
    a = numbers(shape, dtype)
    if "int" in dtype:
        info = np.iinfo(dtype)
        rng = np.random.default_rng(0)
        a = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    case = (kind, shape, block, dtype, dim, reverse, in_place)
    _, made = built(running_block, *case, arch=arch)
    (c,) = run(made, [a, np.zeros_like(a)]).values()
    join = np.maximum.accumulate if kind == "max" else np.cumsum
    expected = np.zeros_like(a)
    for top, left in itertools.product(range(0, shape[0], block[0]), range(0, shape[1], block[1])):
        place = (slice(top, top + block[0]), slice(left, left + block[1]))
        part = np.flip(a[place], dim) if reverse else a[place]
        part = join(part, axis=dim).astype(dtype)
        expected[place] = np.flip(part, dim) if reverse else part
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize("dim, arch", [(0, ARCHS[1]), (1, ARCHS[0])])
def test_a_softmax_of_masked_lines_is_as_right_as_float32(dim, arch):
    """The maximum is one of the numbers, so that what is masked as a whole becomes even weights."""
    x = numbers((64, 96), "float32")
    x[np.random.default_rng(1).random(x.shape) < 0.3] = -1e30
    masked = (slice(5), slice(None)) if dim == 1 else (slice(None), slice(5))
    x[masked] = -1e30
    case = ((64, 96), "float32", dim)
    (c,) = check(softmax, *case, inputs=[x, np.zeros_like(x)], arch=arch, sharp=0).values()
    weights = np.exp(x.astype(np.float64) - x.max(axis=dim, keepdims=True))
    expected = weights / weights.sum(axis=dim, keepdims=True)
    assert np.allclose(c[masked], 1 / x.shape[dim], rtol=1e-6)
    assert np.allclose(c, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", ["max", "min", "absmax"])
@pytest.mark.parametrize("dim", [0, 1])
def test_an_extreme_of_float32_is_one_of_the_numbers(kind, dim):
    a, d = numbers((64, 96), "float32"), numbers((64 if dim == 1 else 96,), "float32")
    case = (kind, dim, True, a.shape, a.shape, "float32", "float32")
    (c,) = check(reduced, *case, inputs=[a, d, np.zeros_like(d)]).values()
    found = {"max": a.max(dim), "min": a.min(dim), "absmax": np.abs(a).max(dim)}[kind]
    assert np.array_equal(c, found)


def test_rows_are_normalised_to_float32():
    x = numbers((64, 96), "float32")
    case = ((64, 96), "float32")
    (c,) = check(normalised, *case, inputs=[x, np.zeros_like(x)]).values()
    centred = x.astype(np.float64) - x.mean(axis=1, keepdims=True, dtype=np.float64)
    expected = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    assert np.abs(c - expected).max() < 2e-6 * np.abs(expected).max()
