"""CompleteWrites: writes to parts of on-chip buffers become writes of the whole."""

import pytest
import tilelang.language as tl
from helpers import (
    at,
    check,
    check_unchanged,
    line_marked,
    scripted,
    shared,
    tensor,
    until,
)

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import UnsupportedIndex
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.complete_writes import CompleteWrites


def test_a_part_is_put_among_the_rest():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((128, 64), "float32", scope="local.fragment")
            for k in range(4):
                for i in T.parallel(32):
                    for j in T.parallel(64):
                        C_l[k * 32 + i, j] = T.Cast("float32", A_s[i, j])

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((128, 64), "float32", scope="local.fragment")
            C_l_part = T.sblock_alloc_buffer((32, 64), "float32", scope="local.fragment")
            for k in range(4):
                for i in T.parallel(32):
                    for j in T.parallel(64):
                        C_l_part[i, j] = T.Cast("float32", A_s[i, j])
                for i in T.parallel(128):
                    for j in T.parallel(64):
                        C_l[i, j] = T.if_then_else(
                            i >= k * 32 and i < k * 32 + 32,
                            C_l_part[(i - k * 32) % 32, j],
                            C_l[i, j],
                        )

    check(CompleteWrites(), before, expected)


BUFFERS = {
    "A": tensor(128, 128),
    "S": shared(128, 96),
    "R": shared(8, 64),
    "V": shared(128),
    "N": shared(4, 64, 64),
    "W": shared(64),
    "E": shared(52, 64),
}
READ = "copy(A[0:128, 0:96], S); copy(A[0:8, 0:64], R); copy(A[0, 0:128], V)\n"
READ += "copy(A[0:52, 0:64], E); copy(A[0:64, 0], W)\nfor b in range(4): copy(A[0:64, 0:64], N)\n"


def over(*extents):
    """Parallel loops over `i`, `j`, `k`."""
    lines = [f"{'    ' * at}for {var} in T.parallel({extent}):" for at, (var, extent)
             in enumerate(zip("ijk", extents, strict=False))]  # fmt: skip
    return "\n".join(lines) + " "


def placed(dst, extents, condition, part):
    return over(*extents) + f"{dst} = T.if_then_else({condition}, {part}, {dst})"


CASES = {
    "the first rows": (
        over(32, 96) + "S[i, j] = T.bfloat16(1)",
        over(32, 96) + "S_part[i, j] = T.bfloat16(1)\n"
        + placed("S[i, j]", (128, 96), "i < 32", "S_part[i % 32, j]"),
        {"S_part": shared(32, 96)},
    ),
    "the last rows": (
        over(64, 96) + "S[64 + i, j] = S[64 + i, j] + S[64 + i, j]",
        over(64, 96) + "S_part[i, j] = S[64 + i, j] + S[64 + i, j]\n"
        + placed("S[i, j]", (128, 96), "i >= 64", "S_part[(i - 64) % 64, j]"),
        {"S_part": shared(64, 96)},
    ),
    "a box": (
        over(32, 32) + "S[32 + i, 64 + j] = T.bfloat16(1)",
        over(32, 32) + "S_part[i, j] = T.bfloat16(1)\n"
        + placed("S[i, j]", (128, 96), "i >= 32 and i < 64 and j >= 64",
                 "S_part[(i - 32) % 32, (j - 64) % 32]"),
        {"S_part": shared(32, 32)},
    ),
    "the end of a ragged buffer": (
        over(20, 64) + "E[32 + i, j] = T.bfloat16(1)",
        over(20, 64) + "E_part[i, j] = T.bfloat16(1)\n"
        + placed("E[i, j]", (52, 64), "i >= 32", "E_part[(i - 32) % 32, j]"),
        {"E_part": shared(20, 64)},
    ),
    "a row": (
        over(64) + "R[n, i] = W[i]",
        over(64) + "R_part[0, i] = W[i]\n"
        + placed("R[i, j]", (8, 64), "i == n", "R_part[0, j]"),
        {"R_part": shared(1, 64)},
    ),
    "a column": (
        over(8) + "R[i, 5] = T.bfloat16(0)",
        over(8) + "R_part[i, 0] = T.bfloat16(0)\n"
        + placed("R[i, j]", (8, 64), "j == 5", "R_part[i, 0]"),
        {"R_part": shared(8, 1)},
    ),
    "a part of a vector": (
        over(64) + "V[64 + i] = W[i]",
        over(64) + "V_part[i] = W[i]\n"
        + placed("V[i]", (128,), "i >= 64", "V_part[(i - 64) % 64]"),
        {"V_part": shared(64)},
    ),
    "one of several blocks": (
        over(64, 64) + "N[n, i, j] = T.bfloat16(1)",
        over(64, 64) + "N_part[0, i, j] = T.bfloat16(1)\n"
        + placed("N[i, j, k]", (4, 64, 64), "i == n", "N_part[0, j, k]"),
        {"N_part": shared(1, 64, 64)},
    ),
    "some of several blocks": (
        over(3, 64, 64) + "N[1 + i, j, k] = T.bfloat16(1)",
        over(3, 64, 64) + "N_part[i, j, k] = T.bfloat16(1)\n"
        + placed("N[i, j, k]", (4, 64, 64), "i >= 1", "N_part[(i - 1) % 3, j, k]"),
        {"N_part": shared(3, 64, 64)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("before, expected, new", CASES.values(), ids=CASES)
def test_parts(before, expected, new):
    check(
        CompleteWrites(),
        scripted(READ + before, scalars=["n"], **BUFFERS),
        scripted(READ + expected, scalars=["n"], **BUFFERS, **new),
    )


HALF = over(64, 96) + "S[{} + i, j] = T.bfloat16(1)\n"


def test_nothing_is_kept_of_a_buffer_that_holds_nothing():
    new = over(64, 96) + "{}[i, j] = T.bfloat16(1)\n"
    expected = (
        new.format("S_part")
        + over(128, 96)
        + "S[i, j] = S_part[i % 64, j]\n"
        + new.format("S_part_1")
        + placed("S[i, j]", (128, 96), "i >= 64", "S_part_1[(i - 64) % 64, j]")
    )
    check(
        CompleteWrites(),
        scripted(HALF.format(0) + HALF.format(64), **BUFFERS),
        scripted(expected, **BUFFERS, S_part=shared(64, 96), S_part_1=shared(64, 96)),
    )


def test_what_an_earlier_iteration_wrote_is_kept():
    part = over(64, 96) + "S_part[i, j] = T.bfloat16(1)\n"
    place = placed("S[i, j]", (128, 96), "i < 64", "S_part[i % 64, j]")
    loop = "for k in range(2):\n    "
    check(
        CompleteWrites(),
        scripted(loop + HALF.format(0).replace("\n", "\n    "), **BUFFERS),
        scripted(loop + (part + place).replace("\n", "\n    "), **BUFFERS, S_part=shared(64, 96)),
    )


UNTOUCHED = {
    "a whole buffer": over(128, 96) + "S[i, j] = T.bfloat16(1)",
    "a part of a tensor": "copy(S[0:128, 0:96], A[0:128, 0:96])",
    "a part that is read": over(64) + "W[i] = V[64 + i]",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(CompleteWrites(), scripted(READ + body, **BUFFERS))


IN_PLACE = {
    "rows between those of tiles": (
        over(32, 96) + "S[16 + i, j] = T.bfloat16(1)",
        "i >= 16 and i < 48",
        "T.bfloat16(1)",
    ),
    "some rows of a tile": (
        over(16, 96) + "S[i, j] = S[i, j] + S[i, j]",
        "i < 16",
        "S[i, j] + S[i, j]",
    ),
    "columns between those of tiles": (
        over(128, 32) + "S[i, n + j] = S[i, j] - S[i, n + j]",
        "j >= n and j < n + 32",
        "S[i, j - n] - S[i, j]",
    ),
    "rows and columns": (
        over(9, 70) + "S[i + 5, j + 7] = S[i + 70, j]",
        "((i >= 5 and i < 14) and j >= 7) and j < 77",
        "S[i + 65, j - 7]",
    ),
    "rows of one column": (
        over(9) + "S[i + 5, n] = S[i, n]",
        "(i >= 5 and i < 14) and j == n",
        "S[i - 5, n]",
    ),
}


@pytest.mark.parametrize("body, condition, value", IN_PLACE.values(), ids=IN_PLACE)
def test_what_has_no_tiles_of_its_own_is_computed_in_place(body, condition, value):
    expected = over(128, 96) + f"S[i, j] = T.if_then_else({condition}, {value}, S[i, j])"
    check(
        CompleteWrites(),
        scripted(READ + body, scalars=["n"], **BUFFERS),
        scripted(READ + expected, scalars=["n"], **BUFFERS),
    )


def test_nothing_is_kept_in_place_of_a_buffer_that_holds_nothing():
    check(
        CompleteWrites(),
        scripted(over(16, 96) + "S[i + 8, j] = T.bfloat16(1)", **BUFFERS),
        scripted(over(128, 96) + "S[i, j] = T.bfloat16(1)", **BUFFERS),
    )


def test_loops_in_another_order():
    check(
        CompleteWrites(),
        scripted(READ + over(96, 128) + "S[j, i] = S[j, i] * S[0, i]", **BUFFERS),
        scripted(READ + over(128, 96) + "S[i, j] = S[i, j] * S[0, j]", **BUFFERS),
    )


REFUSED = {
    "every other row": over(64, 96) + "S[i * 2, j] = T.bfloat16(1)",
    "a diagonal": over(32, 64) + "S[i + j, j] = T.bfloat16(1)",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refused(body):
    with pytest.raises(UnsupportedIndex, match=r"TT1010: S\["):
        CompleteWrites().rewrite(scripted(READ + body, **BUFFERS))


def test_errors_and_pieces_have_the_users_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32"), n: tl.int32):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.clear(A_s)  # <- clear
            for i, j in tl.Parallel(32, 64):
                A_s[32 + i, j] = tl.exp(A_s[32 + i, j])  # <- part
            tl.copy(A_s, C)

    func = CompleteWrites().rewrite(until(kernel, CompleteWrites.name))
    lines = [tree.line_of(stmt) for stmt, _ in access.leaves(Frame.of(func).body)]
    part = (__file__, line_marked(__file__, "# <- part"))
    assert lines[1:3] == [part, part]

    @tl.prim_func
    def spread(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            for i, j in tl.Parallel(32, 64):
                A_s[2 * i, j] = A[i, j]  # <- spread

    with pytest.raises(UnsupportedIndex, match=at("TT1010", __file__, "# <- spread")):
        CompleteWrites().rewrite(until(spread, CompleteWrites.name))
