"""SelectElements: single rows, columns and elements of blocks become vectors."""

import pytest
from helpers import check, check_unchanged, fragment, scripted, shared, tensor

from tilelang_tt.transforms.select_elements import SelectElements

BUFFERS = {
    "S": shared(4, 64, dtype="float32"),
    "B": fragment(96, 64),
    "Q": fragment(2, 4, 64, dtype="float32"),
    "I": fragment(64, dtype="int32"),
    "Y": shared(4, 64, dtype="int8"),
    "R": fragment(1, 64, dtype="float32"),
    "v": fragment(64, dtype="float32"),
    "w": fragment(96),
    "D": fragment(4, 64, dtype="float32"),
}
ROW = """\
for i in T.parallel(4):
    for j in T.parallel(64):
        S_kept[i, j] = T.if_then_else(i == n, S[i, j], T.float32(0))
reduce(S_kept, S_taken, "sum", 0)
"""


def program(body, **more):
    return scripted(body, scalars=["n", "m"], **BUFFERS, **more)


SELECTED = {
    "a row": (
        "for i in T.parallel(64): v[i] = S[n, i] * T.float32(2)",
        ROW + "for i in T.parallel(64): v[i] = S_taken[i] * T.float32(2)",
        {"S_kept": shared(4, 64, dtype="float32"), "S_taken": shared(64, dtype="float32")},
    ),
    "a row that is read twice, for all rows": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = S[n, j] * S[n, j]",
        ROW + "for i in T.parallel(4):\n"
        "    for j in T.parallel(64): D[i, j] = S_taken[j] * S_taken[j]",
        {"S_kept": shared(4, 64, dtype="float32"), "S_taken": shared(64, dtype="float32")},
    ),
    "a column": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = S[i, n]",
        "for i in T.parallel(4):\n    for j in T.parallel(32): S_kept[i, j] = T.if_then_else(\n"
        "        n // 32 * 32 + j == n, S[i, (n // 32 * 32 + j) % 64], T.float32(0))\n"
        'reduce(S_kept, S_taken, "sum", 1)\n'
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = S_taken[i]",
        {"S_kept": shared(4, 32, dtype="float32"), "S_taken": shared(4, dtype="float32")},
    ),
    "a row of a block of several tiles": (
        "for i in T.parallel(64): v[i] = B[n, i]",
        "for i in T.parallel(32):\n    for j in T.parallel(64): B_kept[i, j] = T.if_then_else(\n"
        "        n // 32 * 32 + i == n, B[(n // 32 * 32 + i) % 96, j], T.bfloat16(0))\n"
        'reduce(B_kept, B_taken, "sum", 0)\n'
        "for i in T.parallel(64): v[i] = B_taken[i]",
        {"B_kept": fragment(32, 64), "B_taken": fragment(64)},
    ),
    "a row of one block of several": (
        "for i in T.parallel(64): v[i] = Q[m, n, i]",
        ROW.replace("S[i", "Q[m, i").replace("S_", "Q_")
        + "for i in T.parallel(64): v[i] = Q_taken[i]",
        {"Q_kept": fragment(4, 64, dtype="float32"), "Q_taken": fragment(64, dtype="float32")},
    ),
    "the first row of a tile for all": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = S[0, j]",
        ROW.replace("== n", "== 0") + "for i in T.parallel(4):\n"
        "    for j in T.parallel(64): D[i, j] = S_taken[j]",
        {"S_kept": shared(4, 64, dtype="float32"), "S_taken": shared(64, dtype="float32")},
    ),
    "a row of bytes": (
        "for i in T.parallel(64): Y[1, i] = Y[n, i]",
        "for i in T.parallel(4):\n    for j in T.parallel(64): Y_kept[i, j] = T.if_then_else(\n"
        "        i == n, T.Cast('int32', Y[i, j]), 0)\n"
        'reduce(Y_kept, Y_taken, "sum", 0)\n'
        "for i in T.parallel(64): Y[1, i] = T.Cast('int8', Y_taken[i])",
        {"Y_kept": shared(4, 64, dtype="int32"), "Y_taken": shared(64, dtype="int32")},
    ),
    "an element of a vector": (
        "for i in T.parallel(64): I[i] = I[i] + I[n]",
        "for i in T.parallel(32): I_kept[i] = T.if_then_else(\n"
        "    n // 32 * 32 + i == n, I[(n // 32 * 32 + i) % 64], 0)\n"
        'reduce(I_kept, I_taken, "sum", 0)\n'
        "for i in T.parallel(64): I[i] = I[i] + I_taken[0]",
        {"I_kept": fragment(32, dtype="int32"), "I_taken": fragment(1, dtype="int32")},
    ),
    "an element of a block": (
        "for i in T.parallel(64): v[i] = S[n, m]",
        ROW + "for i in T.parallel(32): S_taken_kept[i] = T.if_then_else(\n"
        "    m // 32 * 32 + i == m, S_taken[(m // 32 * 32 + i) % 64], T.float32(0))\n"
        'reduce(S_taken_kept, S_taken_taken, "sum", 0)\n'
        "for i in T.parallel(64): v[i] = S_taken_taken[0]",
        {
            "S_kept": shared(4, 64, dtype="float32"),
            "S_taken": shared(64, dtype="float32"),
            "S_taken_kept": shared(32, dtype="float32"),
            "S_taken_taken": shared(1, dtype="float32"),
        },
    ),
}


@pytest.mark.parametrize("before, after, made", SELECTED.values(), ids=SELECTED)
def test_selected(before, after, made):
    check(SelectElements(), program(before), program(after, **made))


UNTOUCHED = {
    "a block element by element": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = S[i, j]"
    ),
    "a block of a buffer of three dimensions": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = Q[n, i, j]"
    ),
    "a buffer of one row": (
        "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = R[0, j]"
    ),
    "a vector": "for i in T.parallel(4):\n    for j in T.parallel(64): D[i, j] = v[j]",
    "the first row of a tile as a vector": "for i in T.parallel(64): v[i] = B[32, i]",
    "the first row of a tile as a row": "for i in T.parallel(64): R[0, i] = B[64, i]",
    "a tensor": "for i in T.parallel(64): v[i] = A[n, i]",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(SelectElements(), program(body, A=tensor(64, 64, dtype="float32")))
