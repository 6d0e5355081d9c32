"""FoldClears: a product after a clear overwrites its accumulator."""

import pytest
from helpers import check, check_unchanged, fill, fragment, gemm, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.fold_clears import FoldClears

BUFFERS = {
    "A_s": shared(64, 64),
    "B_s": shared(64, 64),
    "C_l": fragment(64, 64, dtype="float32"),
    "D_l": fragment(64, 64, dtype="float32"),
}


def test_the_first_iteration_clears():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            fill(C_l, 0)
            for _ in range(8):
                gemm(A_s, B_s, C_l)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            for k in range(8):
                gemm(A_s, B_s, C_l, clear=k == 0)

    check(FoldClears(), before, expected)


FOLDED = {
    "a product outside of loops always clears": (
        "fill(C_l, T.float32(0)); gemm(A_s, B_s, C_l)",
        "gemm(A_s, B_s, C_l, clear=True)",
    ),
    "all loops are in their first iteration": (
        """
        fill(C_l, 0)
        for i in range(2):
            for k in T.serial(1, 5):
                gemm(A_s, B_s, C_l)
        """,
        """
        for i in range(2):
            for k in T.serial(1, 5):
                gemm(A_s, B_s, C_l, clear=T.And(i == 0, k == 1))
        """,
    ),
    "a loop of one iteration is always in its first": (
        "fill(C_l, 0)\nfor k in range(1): gemm(A_s, B_s, C_l)",
        "for k in range(1): gemm(A_s, B_s, C_l, clear=True)",
    ),
    "only the first product clears": (
        """
        fill(C_l, 0)
        for k in range(4):
            copy(A_s, D_l)
            gemm(A_s, B_s, C_l)
            gemm(B_s, A_s, C_l)
        """,
        """
        for k in range(4):
            copy(A_s, D_l)
            gemm(A_s, B_s, C_l, clear=k == 0)
            gemm(B_s, A_s, C_l)
        """,
    ),
    "statements on other buffers in between do not matter": (
        "fill(C_l, 0); copy(A_s, D_l); gemm(A_s, B_s, C_l)",
        "copy(A_s, D_l); gemm(A_s, B_s, C_l, clear=True)",
    ),
    "a clear under a condition": (
        "for k in range(4):\n    if k == 0: fill(C_l, 0)\n    gemm(A_s, B_s, C_l)",
        "for k in range(4): gemm(A_s, B_s, C_l, clear=k == 0)",
    ),
    "a clear under a condition, before a loop": (
        "if n == 0: fill(C_l, 0)\nfor k in range(4): gemm(A_s, B_s, C_l)",
        "for k in range(4): gemm(A_s, B_s, C_l, clear=T.And(n == 0, k == 0))",
    ),
    "two accumulators": (
        "fill(C_l, 0); fill(D_l, 0); gemm(A_s, B_s, C_l); gemm(A_s, B_s, D_l)",
        "gemm(A_s, B_s, C_l, clear=True); gemm(A_s, B_s, D_l, clear=True)",
    ),
    "inside a loop": (
        "for i in range(3):\n    fill(C_l, 0)\n    for k in range(2): gemm(A_s, B_s, C_l)",
        "for i in range(3):\n    for k in range(2): gemm(A_s, B_s, C_l, clear=k == 0)",
    ),
    "a symbolic loop that runs at least once": (
        "fill(C_l, 0)\nfor k in range(T.max(n, 1)): gemm(A_s, B_s, C_l)",
        "for k in range(T.max(n, 1)): gemm(A_s, B_s, C_l, clear=k == 0)",
    ),
}


@pytest.mark.parametrize("before, expected", FOLDED.values(), ids=FOLDED)
def test_folded(before, expected):
    check(
        FoldClears(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS),
    )


KEPT = {
    "a fill with another value": "fill(C_l, 1); gemm(A_s, B_s, C_l)",
    "a fill with a variable": "fill(C_l, n); gemm(A_s, B_s, C_l)",
    "a fill of a part": "fill(C_l[0:32, 0:64], 0); gemm(A_s, B_s, C_l)",
    "a clear with an alternative": (
        "if n == 0: fill(C_l, 0)\nelse: copy(A_s, D_l)\ngemm(A_s, B_s, C_l)"
    ),
    "a fill with another value under a condition": ("if n == 0: fill(C_l, 1)\ngemm(A_s, B_s, C_l)"),
    "no product": "fill(C_l, 0); copy(C_l, D_l)",
    "a loop that may not run": "fill(C_l, 0)\nfor k in range(n): gemm(A_s, B_s, C_l)",
    "a product that may not run": "fill(C_l, 0)\nif n == 0: gemm(A_s, B_s, C_l)",
    "another use first": "fill(C_l, 0); copy(C_l, D_l); gemm(A_s, B_s, C_l)",
    "another use first, in the loop": (
        "fill(C_l, 0)\nfor k in range(4):\n    copy(C_l, D_l)\n    gemm(A_s, B_s, C_l)"
    ),
    "a product that clears by itself": "fill(C_l, 0); gemm(A_s, B_s, C_l, clear=n == 0)",
    "a product into a part": "fill(C_l, 0); gemm(A_s[0:32, 0:64], B_s, C_l[0:32, 0:64])",
    "a product that reads what was cleared as its first operand": (
        "fill(C_l, 0); gemm(C_l, B_s, C_l)"
    ),
    "a product that reads what was cleared as its second operand": (
        "fill(C_l, 0); gemm(A_s, C_l, C_l)"
    ),
    "a product that only reads what was cleared": "fill(A_s, 0); gemm(A_s, B_s, C_l)",
    "a product before the fill": "gemm(A_s, B_s, C_l); fill(C_l, 0)",
    "a product after the loop of the fill": (
        "for i in range(2):\n    fill(C_l, 0)\ngemm(A_s, B_s, C_l)"
    ),
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_kept(body):
    check_unchanged(FoldClears(), scripted(body, scalars=["n"], **BUFFERS))
