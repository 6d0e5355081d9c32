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
from tilelang_tt.diagnostics import UnsupportedReduction
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
    "M": fragment(64, 1),
    "D": fragment(64, 96, dtype="float32"),
    "E": shared(4, 2, 64, 96),
    "G": fragment(2, 64),
    "H": fragment(2, 96),
    "I": shared(2, 64, 96, dtype="int32"),
    "J": shared(64, 96, dtype="int32"),
    "K": fragment(2, 64, 1),
    "L": fragment(1, 2, 96),
    "N": fragment(4, 2, 64),
    "Q": fragment(64, dtype="int32"),
    "R": fragment(1, 64),
    "Y": shared(64, 96, dtype="int8"),
    "Z": fragment(64, dtype="int8"),
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


NEST = "for i in T.parallel({}):\n    for j in T.parallel({}): "
ROWS = (
    "for i in T.parallel(2):\n    for j in T.parallel({0}):\n"
    "        {1}[i, j] = T.if_then_else(i == 0, {2}[0, 0, j], {2}[1, 0, j])"
)
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
        "reduce(J, F, 'sum', 1)",
        "for i in T.parallel(64):\n"
        "    for j in T.parallel(96): J_in[i, j] = T.Cast('float32', J[i, j])\n"
        "reduce(J_in, F, 'sum', 1)",
        {"J_in": shared(64, 96, dtype="float32")},
    ),
    "the smallest of integers": (
        "reduce(J, Q, 'min', 1)",
        NEST.format(64, 96) + "J_in[i, j] = -1 - J[i, j]\n"
        "reduce(J_in, Q_red, 'max', 1)\nfor i in T.parallel(64): Q[i] = -1 - Q_red[i]",
        {"J_in": shared(64, 96, dtype="int32"), "Q_red": fragment(64, dtype="int32")},
    ),
    "bytes to integers": (
        "reduce(Y, Q, 'sum', 1)",
        NEST.format(64, 96) + "Y_in[i, j] = T.Cast('int32', Y[i, j])\nreduce(Y_in, Q, 'sum', 1)",
        {"Y_in": shared(64, 96, dtype="int32")},
    ),
    "bytes to bytes": (
        "reduce(Y, Z, 'max', 1, clear=False)",
        NEST.format(64, 96) + "Y_in[i, j] = T.Cast('int32', Y[i, j])\n"
        "reduce(Y_in, Z_red, 'max', 1)\n"
        "for i in T.parallel(64): Z[i] = T.max(Z[i], T.Cast('int8', Z_red[i]))",
        {"Y_in": shared(64, 96, dtype="int32"), "Z_red": fragment(64, dtype="int32")},
    ),
    "floats to bytes": (
        "reduce(S, Z, 'sum', 1)",
        NEST.format(64, 96) + "S_in[i, j] = T.Cast('int32', T.Cast('int8', S[i, j]))\n"
        "reduce(S_in, Z_red, 'sum', 1)\n"
        "for i in T.parallel(64): Z[i] = T.Cast('int8', Z_red[i])",
        {"S_in": shared(64, 96, dtype="int32"), "Z_red": fragment(64, dtype="int32")},
    ),
    "bytes to floats": (
        "reduce(Y, F, 'sum', 1)",
        NEST.format(64, 96) + "Y_in[i, j] = T.Cast('float32', Y[i, j])\nreduce(Y_in, F, 'sum', 1)",
        {"Y_in": shared(64, 96, dtype="float32")},
    ),
    "a part of the source": (
        "reduce(B[1, 0:64, 0:96], R, 'sum', 2)",
        "for i in T.parallel(64):\n    for j in T.parallel(96): B_in[i, j] = B[1, i, j]\n"
        "reduce(B_in, R_red, 'sum', 1)\nfor i in T.parallel(64): R[0, i] = R_red[i]",
        {"B_in": shared(64, 96), "R_red": fragment(64)},
    ),
    "a row of the destination": (
        "reduce(S, R, 'sum', 1, clear=False)",
        "reduce(S, R_red, 'sum', 1)\nfor i in T.parallel(64): R[0, i] = R[0, i] + R_red[i]",
        {"R_red": fragment(64)},
    ),
    "over blocks": (
        "reduce(B, S, 'sum', 0)",
        NEST.format(64, 96) + "S[i, j] = B[0, i, j] + B[1, i, j]",
        {},
    ),
    "the largest magnitude of blocks, joined with what was there": (
        "reduce(B, D, 'absmax', 0, clear=False)",
        NEST.format(64, 96)
        + "D[i, j] = T.max(T.max(D[i, j], T.Cast('float32', T.fabs(B[0, i, j]))),"
        " T.Cast('float32', T.fabs(B[1, i, j])))",
        {},
    ),
    "the smallest of integers of blocks": (
        "reduce(I, J, 'min', 0)",
        NEST.format(64, 96) + "J[i, j] = T.min(I[0, i, j], I[1, i, j])",
        {},
    ),
    "some of more blocks": (
        "reduce(E[1:3, 0, 0:64, 0:96], S, 'max', 0)",
        NEST.format(64, 96) + "S[i, j] = T.max(E[1, 0, i, j], E[2, 0, i, j])",
        {},
    ),
    "columns of blocks, each by itself": ("reduce(B, K, 'sum', 2)", "reduce(B, K, 'sum', 2)", {}),
    "columns of blocks into rows": (
        "reduce(B, G, 'max', 2)",
        "reduce(B, G_columns, 'max', 2)\ntranspose(G_columns, G_rows)\n"
        + ROWS.format(64, "G", "G_rows"),
        {"G_columns": fragment(2, 64, 1), "G_rows": fragment(2, 1, 64)},
    ),
    "rows of blocks into rows that accumulate": (
        "reduce(B, H, 'min', 1, clear=False)",
        "for i in T.parallel(2):\n    for j in T.parallel(64):\n"
        "        for k in T.parallel(96): B_in[i, j, k] = T.bfloat16(0) - B[i, j, k]\n"
        "reduce(B_in, H_rows, 'max', 1)\n"
        + ROWS.format(96, "H_red", "H_rows")
        + "\n"
        + NEST.format(2, 96)
        + "H[i, j] = T.min(H[i, j], T.bfloat16(0) - H_red[i, j])",
        {"B_in": shared(2, 64, 96), "H_red": fragment(2, 96), "H_rows": fragment(2, 1, 96)},
    ),
    "some blocks of many": (
        "reduce(E[0, 0:2, 0:64, 0:96], L, 'sum', 2)",
        "for i in T.parallel(2):\n    for j in T.parallel(64):\n"
        "        for k in T.parallel(96): E_in[i, j, k] = E[0, i, j, k]\n"
        "reduce(E_in, L_rows, 'sum', 1)\n"
        + ROWS.format(96, "L_red", "L_rows")
        + "\n"
        + NEST.format(2, 96)
        + "L[0, i, j] = L_red[i, j]",
        {"E_in": shared(2, 64, 96), "L_red": fragment(2, 96), "L_rows": fragment(2, 1, 96)},
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


@pytest.mark.parametrize(
    "body, what",
    [
        ("reduce(E, N, 'max', 3)", "T.reduce_max over several dimensions of blocks"),
    ],
)
def test_what_cannot_be_reduced_is_refused(body, what):
    with pytest.raises(UnsupportedReduction, match=f"TT1002: {what} is not supported yet"):
        CanonicalizeReductions().rewrite(scripted(body, **BUFFERS))


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
