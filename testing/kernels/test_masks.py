"""Index expressions as values and in comparisons; selections and logic."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, check, numbers


def decay(dtype):
    """Factors that depend on the block and on places, by arithmetic among scalars."""

    @T.prim_func
    def main(A: T.Tensor((128, 64), dtype), scale: T.float32, C: T.Tensor((128, 64), dtype)):
        with T.Kernel(4, threads=128) as b:
            S = T.alloc_fragment((32, 64), "float32")
            T.copy(A[b * 32, 0], S)
            slope = T.alloc_var(T.float32)
            slope = T.log2(1 - T.exp2(-1.0 - 0.5 * b))
            for i, j in T.Parallel(32, 64):
                S[i, j] = S[i, j] * T.exp2((i + 1) * slope / 8) + scale * 2.0
            T.copy(S, C[b * 32, 0])

    return main


@pytest.mark.parametrize("dtype, arch", [("float32", ARCHS[0]), ("bfloat16", ARCHS[1])])
def test_factors_computed_from_scalars(dtype, arch):
    a = numbers((128, 64), dtype)
    check(decay, dtype, inputs=[a, 0.75, np.zeros_like(a)], arch=arch)


def counted(dtype, out):
    """Values times loop variables, places and blocks, in the type of the values."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), dtype), C: T.Tensor((3, 64, 64), out)):
        with T.Kernel(2, threads=128) as b:
            S = T.alloc_shared((32, 64), dtype)
            D = T.alloc_fragment((32, 64), out)
            T.copy(A[b * 32, 0], S)
            for k in T.serial(3):
                for i, j in T.Parallel(32, 64):
                    D[i, j] = S[i, j] * (k + 1) + (i + b) + S[i, j] * j
                T.copy(D, C[k, b * 32, 0])

    return main


@pytest.mark.parametrize(
    "dtype, out, arch",
    [
        ("bfloat16", "float32", ARCHS[0]),
        ("bfloat16", "bfloat16", ARCHS[1]),
        ("float16", "float16", ARCHS[0]),
        ("float32", "float32", ARCHS[1]),
    ],
)
def test_factors_that_loops_count(dtype, out, arch):
    check(counted, dtype, out, arch=arch)


SELECTIONS = {
    "a choice by comparison": lambda m, a, b: m.if_then_else(a < b, a, b * 2.0),
    "a choice of constants": lambda m, a, b: m.if_then_else(a >= b, 1.0, -1.0),
    "with a constant": lambda m, a, b: m.if_then_else(a > 0.5, b, 0.0),
    "of a constant": lambda m, a, b: m.if_then_else(m.float32(0.25) >= a, b, a),
    "equal or not": lambda m, a, b: m.if_then_else(a == b, 1.0, m.if_then_else(a != 0.5, b, 2.0)),
    "and": lambda m, a, b: m.if_then_else(m.And(a > 0.0, b <= 0.5), a, b),
    "or": lambda m, a, b: m.if_then_else(m.Or(a > 1.0, b < -1.0), a, b),
    "not": lambda m, a, b: m.if_then_else(m.Not(a > b), a, b),
    "infinities": lambda m, a, b: m.max(
        m.if_then_else(a > b, a, -m.infinity("float32")), m.min(b, m.infinity("float32"))
    ),
    "select": lambda m, a, b: m.Select(a > b, a, b),
}


def selected(name, dtype):
    f = SELECTIONS[name]

    @T.prim_func
    def main(
        A: T.Tensor((32, 64), dtype), B: T.Tensor((32, 64), dtype), C: T.Tensor((32, 64), dtype)
    ):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 64), dtype)
            B_s = T.alloc_shared((32, 64), dtype)
            T.copy(A, A_s)
            T.copy(B, B_s)
            for i, j in T.Parallel(32, 64):
                A_s[i, j] = f(T, T.Cast("float32", A_s[i, j]), T.Cast("float32", B_s[i, j]))
            T.copy(A_s, C)

    return main


@pytest.mark.parametrize("name", SELECTIONS)
def test_selections(name):
    """Half of the numbers are equal, and some of them the constants of the expressions."""
    position = list(SELECTIONS).index(name)
    dtype, arch = ("float32", "bfloat16")[position % 2], ARCHS[position // 2 % 2]
    a = np.round(numbers((32, 64), "float32") * 4) / 4
    b = np.where(np.arange(64) % 2, a, np.round(numbers((32, 64), "float32", seed=1) * 4) / 4)
    a, b = (x.astype(numbers((1,), dtype).dtype) for x in (a, b))
    check(selected, name, dtype, inputs=[a, b, np.zeros_like(a)], arch=arch)


INDICES = {
    "rows": lambda m, b, i, j: i,
    "columns": lambda m, b, i, j: j,
    "a place in the tensor": lambda m, b, i, j: b * 64 + i * 3 - j * 2 + 5,
    "the block only": lambda m, b, i, j: b * 3 + 1,
}


def of_one_tile(step, constant):
    """A block of one tile that nothing but places makes, and one that is also written otherwise."""

    @T.prim_func
    def main(C: T.Tensor((32, 32), "float32"), D: T.Tensor((32, 32), "float32")):
        with T.Kernel(1, threads=128) as _:
            C_l = T.alloc_fragment((32, 32), "float32")
            D_l = T.alloc_fragment((32, 32), "float32")
            for i, j in T.Parallel(32, 32):
                C_l[i, j] = T.Cast("float32", i * step - j + constant)
            T.copy(C_l, C)
            for i, j in T.Parallel(32, 32):
                D_l[i, j] = T.Cast("float32", i - j)
            for _k in T.serial(2):
                for i, j in T.Parallel(32, 32):
                    D_l[i, j] = D_l[i, j] * 2.0
            T.copy(D_l, D)

    return main


@pytest.mark.parametrize("step, constant, arch", [(1, 0, ARCHS[0]), (3, 7, ARCHS[1])])
def test_a_tile_of_indices(step, constant, arch):
    results = check(of_one_tile, step, constant, arch=arch)
    i, j = np.indices((32, 32))
    assert np.array_equal(results["C"], i * step - j + constant)
    assert np.array_equal(results["D"], (i - j) * 4)


def indexed(name, out):
    f = INDICES[name]

    @T.prim_func
    def main(C: T.Tensor((128, 96), out)):
        with T.Kernel(2, threads=128) as b:
            C_l = T.alloc_fragment((64, 96), "float32")
            for i, j in T.Parallel(64, 96):
                C_l[i, j] = T.Cast("float32", f(T, b, i, j))
            T.copy(C_l, C[b * 64, 0])

    return main


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("name", INDICES)
def test_indices_are_values(name, arch):
    (c,) = check(indexed, name, "float32", arch=arch).values()
    rows, columns = np.indices((128, 96))
    block, inner = rows // 64, rows % 64
    expected = np.broadcast_to(INDICES[name](None, block, inner, columns), c.shape)
    assert np.array_equal(c, expected), "small integers are exact"


MASKS = {
    "causal": lambda m, q, k, n: q >= k,
    "strictly causal": lambda m, q, k, n: q > k,
    "a sliding window": lambda m, q, k, n: m.And(q >= k, q - k < 24),
    "padding": lambda m, q, k, n: k < n,
    "padding of rows": lambda m, q, k, n: q < n,
    "every third": lambda m, q, k, n: m.Or(k == q, k * 3 == q),
    "off the diagonal": lambda m, q, k, n: q != k,
}


def masked(name, dtype, shape, block):
    """A where the mask of its places holds, and minus infinity elsewhere; `n` is a parameter."""
    (M, N), (bM, bN), f = shape, block, MASKS[name]

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), n: T.int32, C: T.Tensor((M, N), dtype)):
        with T.Kernel(M // bM, threads=128) as b:
            A_s = T.alloc_shared((bM, bN), dtype)
            for k in T.serial(N // bN):
                T.copy(A[b * bM, k * bN], A_s)
                for i, j in T.Parallel(bM, bN):
                    A_s[i, j] = T.if_then_else(
                        f(T, b * bM + i, k * bN + j, n), A_s[i, j], -T.infinity(dtype)
                    )
                T.copy(A_s, C[b * bM, k * bN])

    return main


@pytest.mark.parametrize(
    "name, dtype, arch",
    [
        *((name, "float32", ARCHS[position % 2]) for position, name in enumerate(MASKS)),
        ("causal", "bfloat16", ARCHS[1]),
        ("a sliding window", "bfloat16", ARCHS[0]),
        ("padding", "float16", ARCHS[1]),
        ("every third", "float16", ARCHS[0]),
    ],
)
def test_masks(name, dtype, arch):
    a = numbers((128, 96), dtype)
    case = (name, dtype, (128, 96), (64, 32))
    (c,) = check(masked, *case, inputs=[a, 50, np.zeros_like(a)], arch=arch).values()
    q, k = np.indices((128, 96))

    class Logic:
        And, Or = staticmethod(np.logical_and), staticmethod(np.logical_or)

    holds = MASKS[name](Logic, q, k, 50)
    assert holds.any()
    assert not holds.all()
    assert np.array_equal(c, np.where(holds, a, -np.inf).astype(a.dtype))


def diagonal(dtype):
    """Blocks further down a long tensor: places that 16-bit registers could not hold."""

    @T.prim_func
    def main(A: T.Tensor((1024, 32), dtype), C: T.Tensor((1024, 32), dtype)):
        with T.Kernel(32, threads=128) as b:
            A_s = T.alloc_shared((32, 32), dtype)
            T.copy(A[b * 32, 0], A_s)
            for i, j in T.Parallel(32, 32):
                A_s[i, j] = T.if_then_else(b * 32 + i >= j + 961, A_s[i, j], 0.0)
            T.copy(A_s, C[b * 32, 0])

    return main


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_places_are_exact_far_into_a_tensor(dtype):
    a = numbers((1024, 32), dtype)
    (c,) = check(diagonal, dtype, inputs=[a, np.zeros_like(a)]).values()
    q, k = np.indices(a.shape)
    assert np.array_equal(c, np.where(q >= k + 961, a, 0).astype(a.dtype))
