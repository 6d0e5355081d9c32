"""PlaceAccumulators: products add up in L1 where nothing else looks, else by an addition."""

import pytest
import tilelang.language as tl
from helpers import (
    begin,
    check,
    check_unchanged,
    end,
    fragment,
    gemm,
    line_marked,
    scripted,
    shared,
    until,
)

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.place_accumulators import PlaceAccumulators


def test_a_loop_of_products_is_bracketed():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            for k in range(8):
                gemm(A_s, B_s, C_l, clear=k == 0)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            begin(C_l)
            for k in range(8):
                gemm(A_s, B_s, C_l, clear=k == 0)
            end(C_l)

    check(PlaceAccumulators(), before, expected)


BUFFERS = {
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "H": fragment(64, 64, dtype="float32"),
    "V": fragment(128, 64, dtype="float32"),
}
NEST = "for i in T.parallel(64):\n{0}    for j in T.parallel(64): "


def nest(store, depth=0):
    return (NEST + store).format("    " * depth)


FIRST = "for k in range(4): gemm(S, S, G, clear=k == 0)"
READ = nest("L[i, j] = G[i, j]")
SCALED = nest("G[i, j] = G[i, j] * T.float32(2)", 1)
BRACKETED = {
    "several products": (
        "gemm(S, S, G, clear=True); gemm(S, S, G); gemm(S, S, G)",
        "begin(G); gemm(S, S, G, clear=True); gemm(S, S, G); gemm(S, S, G); end(G)",
    ),
    "a product before a loop": (
        "gemm(S, S, G, clear=True)\nfor k in range(4): gemm(S, S, G)",
        "begin(G); gemm(S, S, G, clear=True)\nfor k in range(4): gemm(S, S, G)\nend(G)",
    ),
    "nested loops": (
        "for k in range(4):\n    for l in range(2): gemm(S, S, G, clear=T.And(k == 0, l == 0))",
        "begin(G)\nfor k in range(4):\n"
        "    for l in range(2): gemm(S, S, G, clear=T.And(k == 0, l == 0))\nend(G)",
    ),
    "a loop for each iteration of another": (
        "for k in range(4):\n    for l in range(2): gemm(S, S, G, clear=l == 0)",
        "begin(G)\nfor k in range(4):\n    for l in range(2): gemm(S, S, G, clear=l == 0)\nend(G)",
    ),
    "a loop for each iteration of another, read in between": (
        "for k in range(4):\n    for l in range(2): gemm(S, S, G, clear=l == 0)\n    "
        + nest("L[i, j] = G[i, j]", 1),
        "for k in range(4):\n    begin(G)\n    for l in range(2): gemm(S, S, G, clear=l == 0)\n"
        "    end(G)\n    " + nest("L[i, j] = G[i, j]", 1),
    ),
    "only up to the first that does something else": (
        f"{FIRST}\n{READ}\n{FIRST}\n{READ}",
        f"begin(G)\n{FIRST}\nend(G)\n{READ}\nbegin(G)\n{FIRST}\nend(G)\n{READ}",
    ),
    "two accumulations one after the other": (
        f"{FIRST}\n{FIRST}",
        f"begin(G)\n{FIRST}\nend(G)\nbegin(G)\n{FIRST}\nend(G)",
    ),
    "two accumulators in one loop": (
        "for k in range(4):\n    gemm(S, S, G, clear=k == 0)\n    gemm(S, S, H, clear=k == 0)",
        "begin(G); begin(H)\nfor k in range(4):\n    gemm(S, S, G, clear=k == 0)\n"
        "    gemm(S, S, H, clear=k == 0)\nend(H); end(G)",
    ),
    "an update under a condition": (
        f"{FIRST}\nif n == 0: gemm(S, S, G)",
        f"begin(G)\n{FIRST}\nif n == 0: gemm(S, S, G)\nend(G)",
    ),
    "other statements in between": (
        f"gemm(S, S, G, clear=True); copy(L, S)\n{FIRST.replace('G', 'H')}\ngemm(S, S, G)",
        "begin(G); gemm(S, S, G, clear=True); copy(L, S); begin(H)\n"
        f"{FIRST.replace('G', 'H')}\nend(H)\ngemm(S, S, G); end(G)",
    ),
    "loops that are known to run": (
        "for k in range(n % 4 + 1): gemm(S, S, G, clear=k == 0)",
        "begin(G)\nfor k in range(n % 4 + 1): gemm(S, S, G, clear=k == 0)\nend(G)",
    ),
    "products of which each overwrites": (
        "for k in range(4): gemm(S, S, G, clear=True)",
        "begin(G)\nfor k in range(4): gemm(S, S, G, clear=True)\nend(G)",
    ),
    "loops from another start": (
        "for k in range(2, 6): gemm(S, S, G, clear=k == 2)",
        "begin(G)\nfor k in range(2, 6): gemm(S, S, G, clear=k == 2)\nend(G)",
    ),
}


@pytest.mark.parametrize("before, expected", BRACKETED.values(), ids=BRACKETED)
def test_bracketed(before, expected):
    check(
        PlaceAccumulators(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS),
    )


ALONE = "gemm(S, S, G_mm, clear=True)"
ADD = "G[i, j] = G[i, j] + G_mm[i, j]"
ZERO = "G[i, j] = T.float32(0)"


def looped(*parts):
    return "for k in range(4):\n    " + "\n    ".join(parts)


ADDED = {
    "onto a value": ("gemm(S, S, G)", f"{ALONE}\n{nest(ADD)}"),
    "onto a value that changes in between": (
        looped(SCALED, "gemm(S, S, G)"),
        looped(SCALED, ALONE, nest(ADD, 1)),
    ),
    "while it is read": (
        looped("gemm(S, S, G)", nest("L[i, j] = G[i, j]", 1)),
        looped(ALONE, nest(ADD, 1), nest("L[i, j] = G[i, j]", 1)),
    ),
    "of what was accumulated": (
        "gemm(S, S, G, clear=True); gemm(S, G, G)",
        f"gemm(S, S, G, clear=True); gemm(S, G, G_mm, clear=True)\n{nest(ADD)}",
    ),
    "of itself": ("gemm(S, G, G)", f"gemm(S, G, G_mm, clear=True)\n{nest(ADD)}"),
    "that clears now and then": (
        looped("gemm(S, S, G, clear=k == n)"),
        looped(f"if k == n:\n        {nest(ZERO, 2)}", ALONE, nest(ADD, 1)),
    ),
    "that clears in a loop that may not run": (
        "for k in range(n): gemm(S, S, G, clear=k == 0)",
        f"for k in range(n):\n    if k == 0:\n        {nest(ZERO, 2)}\n    {ALONE}\n"
        f"    {nest(ADD, 1)}",
    ),
    "that clears too late": (
        looped("gemm(S, S, G, clear=k == 1)"),
        looped(f"if k == 1:\n        {nest(ZERO, 2)}", ALONE, nest(ADD, 1)),
    ),
    "under a condition, first of all": (
        "if n == 0: gemm(S, S, G, clear=n == 0)\ngemm(S, S, G)",
        f"if n == 0:\n    if n == 0:\n        {nest(ZERO, 2)}\n    {ALONE}\n    {nest(ADD, 1)}\n"
        f"gemm(S, S, G_mm_1, clear=True)\n{nest(ADD.replace('G_mm', 'G_mm_1'))}",
    ),
}


@pytest.mark.parametrize("before, expected", ADDED.values(), ids=ADDED)
def test_added(before, expected):
    names = [name for name in ("G_mm", "G_mm_1") if f"{name}[" in expected]
    check(
        PlaceAccumulators(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(
            expected,
            scalars=["n"],
            **BUFFERS,
            **{name: fragment(64, 64, dtype="float32") for name in names},
        ),
    )


@pytest.mark.parametrize("first", ["", "gemm(S, S, V[64:128, 0:64], clear=True); "])
def test_a_product_into_a_part_is_added_there(first):
    check(
        PlaceAccumulators(),
        scripted(f"{first}gemm(S, S, V[64:128, 0:64])", **BUFFERS),
        scripted(
            f"{first}gemm(S, S, V_mm, clear=True)\nfor i in T.parallel(64):\n    "
            "for j in T.parallel(64):"
            " V[64 + i, j] = V[64 + i, j] + V_mm[i, j]",
            **BUFFERS,
            V_mm=fragment(64, 64, dtype="float32"),
        ),
    )


UNTOUCHED = {
    "a product that overwrites": "gemm(S, S, G, clear=True)",
    "a product that overwrites what was accumulated": (
        f"begin(G)\n{FIRST}\nend(G)\n{READ}\ngemm(S, S, G, clear=True)"
    ),
    "no product": f"copy(S, L)\n{READ}",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(PlaceAccumulators(), scripted(body, **BUFFERS))


def test_what_is_made_has_the_line_of_the_product():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "bfloat16"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "bfloat16")
            C_l = tl.alloc_fragment((64, 64), "float32")
            tl.copy(A, A_s)
            tl.copy(C, C_l)
            tl.gemm(A_s, A_s, C_l)  # <- product

    before = until(kernel, PlaceAccumulators.name)
    known = {stmt for stmt, _ in access.leaves(Frame.of(before).body)}
    after = access.leaves(Frame.of(PlaceAccumulators().rewrite(before)).body)
    new = [stmt for stmt, _ in after if stmt not in known]
    line = (__file__, line_marked(__file__, "# <- product"))
    assert [tree.line_of(stmt) for stmt in new] == [line, line]
