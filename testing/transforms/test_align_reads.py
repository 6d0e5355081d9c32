"""AlignReads: lines and moved blocks are brought to where they are wanted."""

import pytest
import tilelang.language as tl
from helpers import check, check_unchanged, line_marked, scripted, shared, tensor, until

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.align_reads import AlignReads


def test_moved_rows_are_put_together():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "float32", scope="shared.dyn")
            C = T.sblock_alloc_buffer((32, 96), "float32", scope="local.fragment")
            for i in T.parallel(32):
                for j in T.parallel(96):
                    C[i, j] = C[i, j] - S[i + 5, j]

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "float32", scope="shared.dyn")
            C = T.sblock_alloc_buffer((32, 96), "float32", scope="local.fragment")
            S_moved = T.sblock_alloc_buffer((32, 96), "float32", scope="shared.dyn")
            for i in T.parallel(32):
                for j in T.parallel(96):
                    S_moved[i, j] = T.float32(0)
            for k in range(32):
                for i in T.parallel(32):
                    for j in T.parallel(96):
                        S_moved[i, j] = T.if_then_else(i == k, S[k + 5, j], S_moved[i, j])
            for i in T.parallel(32):
                for j in T.parallel(96):
                    C[i, j] = C[i, j] - S_moved[i, j]

    check(AlignReads(), before, expected)


BUFFERS = {
    "S": shared(64, 96),
    "B": shared(2, 64, 96),
    "I": shared(64, 96, dtype="int8"),
    "C": shared(32, 96),
    "D": shared(64, 96),
    "Q": shared(64, 96, dtype="int8"),
    "R": shared(1, 96),
    "v": shared(64),
    "w": shared(40),
    "x": shared(96),
    "A": tensor(64, 96),
}


def over(*extents):
    lines = [
        "    " * level + f"for {var} in T.parallel({extent}):\n"
        for level, (var, extent) in enumerate(zip("ij", extents, strict=False))
    ]
    return "".join(lines) + "    " * len(extents)


CASES = {
    "moved columns": (
        over(64, 96) + "D[i, j] = S[i, j - n]",
        over(64, 96)
        + "S_moved[i, j] = T.bfloat16(0)\nfor k in range(96):\n    "
        + (
            over(64, 96)
            + "S_moved[i, j] = T.if_then_else(j == k, S[i, k + (0 - n)], S_moved[i, j])"
        ).replace("\n", "\n    ")
        + "\n"
        + over(64, 96)
        + "D[i, j] = S_moved[i, j]",
        {"S_moved": shared(64, 96)},
    ),
    "moved bytes": (
        over(64, 96) + "Q[i, j] = I[i + n, j]",
        over(64, 96)
        + "I_moved[i, j] = 0\nfor k in range(64):\n    "
        + (
            over(64, 96) + "I_moved[i, j] = T.if_then_else(\n"
            "    i == k, T.Cast('int32', I[k + n, j]), I_moved[i, j])"
        ).replace("\n", "\n    ")
        + "\n"
        + over(64, 96)
        + "Q[i, j] = T.Cast('int8', I_moved[i, j])",
        {"I_moved": shared(64, 96, dtype="int32")},
    ),
    "rows of tiles that may lie outside": (
        over(32, 96) + "C[i, j] = S[n * 32 + i, j]",
        over(32, 96) + "C[i, j] = S[(n * 32 + i) % 64, j]",
        {},
    ),
    "rows of tiles of which some are outside": (
        over(64, 96) + "D[i, j] = S[i - 32, j]",
        over(64, 96) + "D[i, j] = S[(i - 32) % 64, j]",
        {},
    ),
    "a ragged vector moved by a tile": (
        over(96) + "x[i] = w[i - 64]",
        over(96) + "x[i] = w[(i - 64) % 64]",
        {},
    ),
    "a moved vector": (
        over(40) + "w[i] = v[i + 20]",
        over(40, 64)
        + "v_terms[i, j] = T.if_then_else(j == i + 20, v[j], T.bfloat16(0))\n"
        + "reduce(v_terms, v_moved, 'sum', 1)\n"
        + over(40)
        + "w[i] = v_moved[i]",
        {"v_terms": shared(40, 64), "v_moved": shared(40)},
    ),
}


@pytest.mark.parametrize("body, expected, new", CASES.values(), ids=CASES)
def test_aligned(body, expected, new):
    check(
        AlignReads(),
        scripted(body, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS, **new),
    )


def test_both_axes_one_after_the_other():
    func = AlignReads().rewrite(
        scripted(over(32, 96) + "C[i, j] = S[i + 5, j - 7]", scalars=["n"], **BUFFERS)
    )
    names = [buffer.name for buffer in Frame.of(func).buffers[len(BUFFERS) - 1 :]]
    assert [name for name in names if name.endswith("moved")] == ["S_moved", "S_moved_moved"]
    check_unchanged(AlignReads(), func)


UNTOUCHED = {
    "a block at its place": over(64, 96) + "D[i, j] = S[i, j]",
    "a row for all": over(64, 96) + "D[i, j] = S[5, j]",
    "a block moved by tiles": over(32, 96) + "C[i, j] = S[i + 32, j]",
    "vectors that stand for all": over(64, 96) + "D[i, j] = v[i] * x[j] * R[0, j]",
    "the first row of a tile as a row": over(96) + "R[0, i] = S[32, i]",
    "the first row of a tile as a vector": over(96) + "x[i] = S[32, i]",
    "a part put among the rest": over(64, 96) + "D[i, j] = C[(i - 5) % 32, j]",
    "another order": over(64, 64) + "D[i, j] = S[j, i]",
    "every other row": over(32, 96) + "C[i, j] = S[i * 2, j]",
    "a diagonal": over(64, 32) + "D[i, j] = v[i + j]",
    "one element": over(64, 96) + "D[i, j] = S[5, 6]",
    "a batch of rows": over(2, 96) + "D[i, j] = B[i, 5, j]",
    "a tensor": "copy(A[5, 0:96], x)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(AlignReads(), scripted(body, scalars=["n"], **BUFFERS))


def test_the_pieces_have_the_users_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((32, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            C_l = tl.alloc_fragment((32, 64), "float32")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(32, 64):
                C_l[i, j] = A_s[i + 3, j]  # <- moved
            tl.copy(C_l, C)

    func = AlignReads().rewrite(until(kernel, AlignReads.name))
    lines = [tree.line_of(stmt) for stmt, _ in access.leaves(Frame.of(func).body)]
    assert lines[1:4] == [(__file__, line_marked(__file__, "# <- moved"))] * 3
