"""CanonicalizeReductions: sums and maxima of whole buffers into fresh ones."""

import pytest
import tilelang.language as tl
from helpers import (
    check,
    check_unchanged,
    fragment,
    line_marked,
    reduce,
    scripted,
    shared,
    until,
)

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.canonicalize_reductions import CanonicalizeReductions

BUFFERS = {
    "S": shared(64, 96),
    "B": shared(2, 64, 96),
    "V": fragment(64),
    "W": fragment(96),
    "X": fragment(128),
    "F": fragment(64, dtype="float32"),
    "I": shared(64, 96, dtype="int32"),
    "M": fragment(64, 1),
}


def test_the_largest_magnitude_joined_with_what_was_there():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64,), "float32", scope="local.fragment")
            reduce(S, m, "absmax", 1, clear=False)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64,), "float32", scope="local.fragment")
            S_in = T.sblock_alloc_buffer((64, 96), "bfloat16", scope="shared.dyn")
            m_red = T.sblock_alloc_buffer((64,), "float32", scope="local.fragment")
            for i in T.parallel(64):
                for j in T.parallel(96):
                    S_in[i, j] = T.fabs(S[i, j])
            reduce(S_in, m_red, "max", 1)
            for i in T.parallel(64):
                m[i] = T.max(m[i], m_red[i])

    check(CanonicalizeReductions(), before, expected)


IN = "for i in T.parallel(64):\n    for j in T.parallel(96): S_in[i, j] = {}\n"
OUT = "\nfor i in T.parallel({0}): {1}[i] = {2}"
CASES = {
    "a sum that accumulates": (
        "reduce(S, V, 'sum', 1, clear=False)",
        "reduce(S, V_red, 'sum', 1)" + OUT.format(64, "V", "V[i] + V_red[i]"),
        {"V_red": fragment(64)},
    ),
    "a maximum that accumulates": (
        "reduce(S, W, 'max', 0, clear=False)",
        "reduce(S, W_red, 'max', 0)" + OUT.format(96, "W", "T.max(W[i], W_red[i])"),
        {"W_red": fragment(96)},
    ),
    "a minimum": (
        "reduce(S, V, 'min', 1)",
        IN.format("T.bfloat16(0) - S[i, j]")
        + "reduce(S_in, V_red, 'max', 1)"
        + OUT.format(64, "V", "T.bfloat16(0) - V_red[i]"),
        {"S_in": shared(64, 96), "V_red": fragment(64)},
    ),
    "a minimum that accumulates": (
        "reduce(S, V, 'min', 1, clear=False)",
        IN.format("T.bfloat16(0) - S[i, j]")
        + "reduce(S_in, V_red, 'max', 1)"
        + OUT.format(64, "V", "T.min(V[i], T.bfloat16(0) - V_red[i])"),
        {"S_in": shared(64, 96), "V_red": fragment(64)},
    ),
    "magnitudes": (
        "reduce(S, V, 'abssum', 1)",
        IN.format("T.fabs(S[i, j])") + "reduce(S_in, V, 'sum', 1)",
        {"S_in": shared(64, 96)},
    ),
    "magnitudes that accumulate": (
        "reduce(S, F, 'abssum', 1, clear=False)",
        IN.format("T.fabs(S[i, j])")
        + "reduce(S_in, F_red, 'sum', 1)"
        + OUT.format(64, "F", "F[i] + F_red[i]"),
        {"S_in": shared(64, 96), "F_red": fragment(64, dtype="float32")},
    ),
    "integers to floats": (
        "reduce(I, F, 'sum', 1)",
        "for i in T.parallel(64):\n"
        "    for j in T.parallel(96): I_in[i, j] = T.Cast('float32', I[i, j])\n"
        "reduce(I_in, F, 'sum', 1)",
        {"I_in": fragment(64, 96, dtype="float32")},
    ),
    "a part of the source": (
        "reduce(B[1, 0:64, 0:96], V, 'sum', 1)",
        "for i in T.parallel(64):\n    for j in T.parallel(96): B_in[0, i, j] = B[1, i, j]\n"
        "reduce(B_in, V, 'sum', 1)",
        {"B_in": shared(1, 64, 96)},
    ),
    "a part of the destination": (
        "reduce(S, X[64:128], 'sum', 1)",
        "reduce(S, X_red, 'sum', 1)\nfor i in T.parallel(64): X[64 + i] = X_red[i]",
        {"X_red": fragment(64)},
    ),
    "a column": (
        "reduce(S, M, 'sum', 1, clear=False)",
        "reduce(S, M_red, 'sum', 1)\n"
        "for i in T.parallel(64): M[i, 0] = M[i, 0] + M_red[i, 0]",
        {"M_red": fragment(64, 1)},
    ),
    "in a loop, with a name that is free": (
        "for k in range(4):\n    reduce(S, V, 'sum', 1, clear=False)\n"
        "    reduce(S, V, 'max', 1, clear=False)",
        "for k in range(4):\n    reduce(S, V_red, 'sum', 1)\n"
        "    for i in T.parallel(64): V[i] = V[i] + V_red[i]\n"
        "    reduce(S, V_red_1, 'max', 1)\n"
        "    for i in T.parallel(64): V[i] = T.max(V[i], V_red_1[i])",
        {"V_red": fragment(64), "V_red_1": fragment(64)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("before, expected, new", CASES.values(), ids=CASES)
def test_canonical(before, expected, new):
    check(
        CanonicalizeReductions(), scripted(before, **BUFFERS), scripted(expected, **BUFFERS, **new)
    )


UNTOUCHED = {
    "a sum": "reduce(S, V, 'sum', 1)",
    "a maximum of columns": "reduce(S, W, 'max', 0)",
    "a sum that is rounded to another dtype once": "reduce(S, F, 'sum', 1)",
    "other statements": "copy(S, S); fill(V, 0)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(CanonicalizeReductions(), scripted(body, **BUFFERS))


def test_every_piece_has_the_line_of_the_reduction():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            v = tl.alloc_fragment((64,), "float32")
            for i in tl.Parallel(64):
                for k in tl.serial(64):
                    v[i] = tl.min(v[i], A_s[i, k])  # <- minimum

    func = CanonicalizeReductions().rewrite(until(kernel, CanonicalizeReductions.name))
    lines = {tree.line_of(stmt) for stmt, _ in access.leaves(Frame.of(func).body)}
    assert lines == {(__file__, line_marked(__file__, "# <- minimum"))}
