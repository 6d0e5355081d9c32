"""FuseElementwise: values are computed where they are used."""

import pytest
from helpers import asked, check, check_unchanged, fragment, scripted, shared, tensor

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.fuse_elementwise import FuseElementwise

FUSE = FuseElementwise(dst_tiles=4)


def test_a_value_used_once_is_computed_where_it_is_used():
    @T.prim_func(private=True)
    def before(C: T.Buffer((64, 32), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="local.fragment")
            C_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for i in T.parallel(64):
                for j in T.parallel(32):
                    C_l[i, j] = A_s[i, j] + B_s[i, j]
            for a in T.parallel(64):
                for b in T.parallel(32):
                    C_s[a, b] = C_l[a, b]
            T.copy(T.region(C_s[0, 0], 1, 64, 32), T.region(C[0, 0], 2, 64, 32))

    @T.prim_func(private=True)
    def expected(C: T.Buffer((64, 32), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            C_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for a in T.parallel(64):
                for b in T.parallel(32):
                    C_s[a, b] = A_s[a, b] + B_s[a, b]
            T.copy(T.region(C_s[0, 0], 1, 64, 32), T.region(C[0, 0], 2, 64, 32))

    check(FUSE, before, expected)


BUFFERS = {
    "O": tensor(64, 64),
    "P": tensor(64, 64),
    "F": tensor(64, 64, dtype="float32"),
    "S": shared(64, 64),
    "X": shared(64, 64),
    "Y": shared(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "V": shared(64),
    "W": shared(64),
}


def nest(target, value):
    row = target in ("V", "W")
    inner = f"{target}[j] = {value}" if row else f"{target}[i, j] = {value}"
    loops = "for j in T.parallel(64):\n    "
    return loops + inner + "\n" if row else f"for i in T.parallel(64):\n    {loops}    {inner}\n"


def nests(*pairs):
    return "".join(nest(*pair) for pair in pairs)


FUSED = {
    "a chain": (
        nests(("X", "S[i, j] * S[i, j]"), ("Y", "X[i, j] + S[i, j]"), ("G", "Y[i, j] - S[i, j]"))
        + "copy(G, F)",
        nest("G", "T.Cast('float32', S[i, j] * S[i, j] + S[i, j] - S[i, j])") + "copy(G, F)",
        ["S", "G"],
    ),
    "a value used as a row vector": (
        nests(("W", "V[j] * V[j]"), ("Y", "S[i, j] + W[j]")) + "copy(Y, O)",
        nest("Y", "S[i, j] + V[j] * V[j]") + "copy(Y, O)",
        ["S", "Y", "V"],
    ),
    "a copy of the operand of a product": (
        nest("X", "S[i, j]") + "gemm(X, X, G, clear=True); copy(G, F)",
        "gemm(S, S, G, clear=True); copy(G, F)",
        ["S", "G"],
    ),
    "a copy that a loop reads": (
        nest("X", "S[i, j]") + "for k in range(2): gemm(X, X, G, clear=k == 0)\ncopy(G, F)",
        "for k in range(2): gemm(S, S, G, clear=k == 0)\ncopy(G, F)",
        ["S", "G"],
    ),
    "a copy that several statements read": (
        nests(("X", "S[i, j]"), ("Y", "X[i, j] + X[i, j]")) + "copy(X, O); copy(Y, P)",
        nest("Y", "S[i, j] + S[i, j]") + "copy(S, O); copy(Y, P)",
        ["S", "Y"],
    ),
    "a converted copy used twice in one statement": (
        nests(("G", "S[i, j]"), ("X", "G[i, j] * G[i, j]")) + "copy(X, O)",
        nest(
            "X",
            "T.Cast('bfloat16', T.Cast('float32', S[i, j]) * T.Cast('float32', S[i, j]))",
        )
        + "copy(X, O)",
        ["S", "X"],
    ),
    "values that nobody uses": (
        nests(("X", "S[i, j] * S[i, j]"), ("Y", "X[i, j]")) + "transpose(S, X)\ncopy(S, O)",
        "copy(S, O)",
        ["S"],
    ),
    "a product that nobody uses": ("gemm(S, S, G)\ncopy(S, O)", "copy(S, O)", ["S"]),
    "statements in between stay": (
        nest("X", "S[i, j] * S[i, j]") + "copy(S, P)\n" + nest("Y", "X[i, j]") + "copy(Y, O)",
        "copy(S, P)\n" + nest("Y", "S[i, j] * S[i, j]") + "copy(Y, O)",
        ["S", "Y"],
    ),
}


def only(names):
    return {name: b for name, b in BUFFERS.items() if b.scope == "global" or name in names}


@pytest.mark.parametrize("before, expected, left", FUSED.values(), ids=FUSED)
def test_fused(before, expected, left):
    check(FUSE, scripted(before, **BUFFERS), scripted(expected, **only(left)))


def test_a_sequence_may_become_empty():
    before = f"for k in range(2):\n    copy(O, X)\n{nest('Y', 'S[i, j]')}copy(Y, P)"
    after = "for k in range(2):\n    T.evaluate(0)\ncopy(S, P)"
    check(FUSE, scripted(before, **BUFFERS), scripted(after, **only(["S"])))


SQUARE = nest("X", "S[i, j] * S[i, j]")
UNTOUCHED = {
    "a part that is put into its place": (
        SQUARE + nest("Y", "T.if_then_else(i < 32, X[i % 64, j], S[i, j])") + "copy(Y, O)",
        ["S", "X", "Y"],
    ),
    "a value used by two statements": (
        SQUARE + nests(("Y", "X[i, j] + S[i, j]"), ("G", "X[i, j]")) + "copy(Y, O); copy(G, F)",
        ["S", "X", "Y", "G"],
    ),
    "a value used twice in one statement": (
        SQUARE + nest("Y", "X[i, j] + X[i, j]") + "copy(Y, O)",
        ["S", "X", "Y"],
    ),
    "a value used in a loop": (
        SQUARE
        + "for k in range(2):\n    "
        + nest("Y", "X[i, j] + S[i, j]").replace("\n", "\n    ")
        + "\n"
        "    copy(Y, O)",
        ["S", "X", "Y"],
    ),
    "an operand of a product": (SQUARE + "gemm(X, X, G, clear=True); copy(G, F)", ["S", "X", "G"]),
    "a value that is stored": (SQUARE + "copy(X, O)", ["S", "X"]),
    "a product": (
        "gemm(S, S, G, clear=True)\n" + nest("X", "G[i, j]") + "copy(X, O)",
        ["S", "X", "G"],
    ),
    "a value with two writers": (
        SQUARE + nests(("X", "S[i, j]"), ("Y", "X[i, j] + S[i, j]")) + "copy(Y, O)",
        ["S", "X", "Y"],
    ),
    "a value that is accumulated onto": (
        nest("G", "S[i, j]") + "gemm(S, S, G)\n" + nest("X", "G[i, j]") + "copy(X, O)",
        ["S", "X", "G"],
    ),
    "a copy whose source changes": (
        nest("X", "S[i, j]") + "copy(O, S); gemm(X, S, G, clear=True); copy(G, F)",
        ["S", "X", "G"],
    ),
    "a value whose operand changes before it is used": (
        SQUARE + "copy(O, S)\n" + nest("Y", "X[i, j] + S[i, j]") + "copy(Y, P)",
        ["S", "X", "Y"],
    ),
    "a value whose operand changes in a loop before it is used": (
        SQUARE
        + "for k in range(2):\n    copy(O, S)\n    copy(S, P)\n"
        + nest("Y", "X[i, j] + S[i, j]")
        + "copy(Y, P)",
        ["S", "X", "Y"],
    ),
    "a value of elements that the statement itself replaces": (
        nests(("X", "S[j, i] * S[j, i]"), ("S", "X[i, j] + S[i, j]")) + "copy(S, O)",
        ["S", "X"],
    ),
    "a converted operand of a product": (
        nest("X", "G[i, j]") + "gemm(X, X, G, clear=True); copy(G, F)",
        ["X", "G"],
    ),
    "a row vector that becomes rows": (
        nest("X", "V[j]") + "gemm(X, X, G, clear=True); copy(G, F)",
        ["X", "G", "V"],
    ),
}


@pytest.mark.parametrize("body, names", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body, names):
    check_unchanged(FUSE, scripted(body, **only(names)))


def test_fusion_stops_where_an_expression_would_need_too_many_registers():
    products = nests(("X", "S[i, j] * S[i, j]"), ("Y", "T.exp(S[i, j]) * T.sqrt(S[i, j])"))
    body = products + nest("G", "X[i, j] / Y[i, j]") + "copy(G, F)"
    names = ["S", "X", "Y", "G"]
    before = scripted(body, **only(names))
    check_unchanged(FuseElementwise(dst_tiles=1), before)
    left = {
        tiles: len(access.leaves(Frame.of(FuseElementwise(tiles).rewrite(before)).body))
        for tiles in (1, 2, 4)
    }
    assert left[1] == 4
    assert left[1] > left[2] >= left[4] == 2


IN_A_LOOP = "for k in range(2):\n    " + nest("Y", "X[i, j] + S[i, j]").replace("\n", "\n    ")
FORCED = {
    "a value used by two statements": (
        SQUARE + nests(("Y", "X[i, j] + S[i, j]"), ("G", "X[i, j]")) + "copy(Y, O); copy(G, F)",
        nests(("Y", "S[i, j] * S[i, j] + S[i, j]"), ("G", "S[i, j] * S[i, j]"))
        + "copy(Y, O); copy(G, F)",
        ["S", "Y", "G"],
    ),
    "a value used twice in one statement": (
        SQUARE + nest("Y", "X[i, j] + X[i, j]") + "copy(Y, O)",
        nest("Y", "S[i, j] * S[i, j] + S[i, j] * S[i, j]") + "copy(Y, O)",
        ["S", "Y"],
    ),
    "a value used in a loop": (
        SQUARE + IN_A_LOOP + "\n    copy(Y, O)",
        IN_A_LOOP.replace("X[i, j]", "S[i, j] * S[i, j]") + "\n    copy(Y, O)",
        ["S", "Y"],
    ),
    "statements in between stay": (
        SQUARE + "copy(O, X_2)\ncopy(X_2, P)\n" + nest("Y", "X[i, j] + X[i, j]") + "copy(Y, O)",
        "copy(O, X_2)\ncopy(X_2, P)\n"
        + nest("Y", "S[i, j] * S[i, j] + S[i, j] * S[i, j]")
        + "copy(Y, O)",
        ["S", "X_2", "Y"],
    ),
}


@pytest.mark.parametrize("before, after, left", FORCED.values(), ids=FORCED)
def test_what_is_to_be_fused_is_fused_everywhere(before, after, left):
    wish = asked(("fuse", "X", 1))
    buffers = {**BUFFERS, "X_2": shared(64, 64)}
    kept = {name: b for name, b in buffers.items() if b.scope == "global" or name in left}
    check(
        FUSE,
        scripted(before, attributes=wish, **buffers),
        scripted(after, attributes=wish, **kept),
    )


KEPT = {
    "a value": SQUARE + nest("Y", "X[i, j] + S[i, j]") + "copy(Y, O)",
    "a copy": nest("X", "S[i, j]") + nest("Y", "X[i, j] * X[i, j]") + "copy(Y, O)",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_what_is_to_be_kept_is_kept(body):
    buffers = only(["S", "X", "Y"])
    check_unchanged(FUSE, scripted(body, attributes=asked(("separate", "X", 1)), **buffers))
    assert len(Frame.of(FUSE.rewrite(scripted(body, **buffers))).buffers) == 2


def test_what_is_to_be_kept_still_takes_in_what_it_is_made_of():
    body = nests(("X", "S[i, j] * S[i, j]"), ("Y", "X[i, j] + S[i, j]"), ("G", "Y[i, j]"))
    func = scripted(body + "copy(G, F)", attributes=asked(("separate", "Y", 1)), **BUFFERS)
    left = [buffer.name for buffer in Frame.of(FUSE.rewrite(func)).buffers]
    assert left == ["S", "Y", "G"]


NOT_FUSED = {
    "a product": (
        "gemm(S, S, X, clear=True)\ncopy(X, O)",
        "which makes it, is not element-wise",
    ),
    "two writers": (
        SQUARE + nests(("X", "S[i, j]"), ("Y", "X[i, j] + S[i, j]")) + "copy(Y, O)",
        "both write 'X'",
    ),
    "an operand of a product": (
        SQUARE + "gemm(X, X, G, clear=True); copy(G, F)",
        "needs it stored",
    ),
    "a part": (
        SQUARE + nest("Y", "T.if_then_else(i < 32, X[i % 64, j], S[i, j])") + "copy(Y, O)",
        "needs it stored",
    ),
    "an operand that changes": (
        SQUARE + "copy(O, S)\n" + nest("Y", "X[i, j] + S[i, j]") + "copy(Y, P)",
        "'S', of which it is made, changes before",
    ),
    "an operand that changes in the loop": (
        SQUARE + IN_A_LOOP + "\n    copy(Y, O)\n    copy(P, S)",
        "'S', of which it is made, changes before",
    ),
    "an operand that is replaced elsewhere": (
        nests(("X", "S[j, i] * S[j, i]"), ("S", "X[i, j] + S[i, j]")) + "copy(S, O)",
        "replaces 'S', of which it is made",
    ),
    "a use outside": (
        "for k in range(2):\n    "
        + SQUARE.replace("\n", "\n    ")
        + "T.evaluate(0)\n"
        + nest("Y", "X[i, j] + S[i, j]")
        + "copy(Y, O)",
        "outside of the loop or branch",
    ),
    "too many registers": (
        SQUARE + nest("Y", "T.exp(S[i, j]) / (X[i, j] + X[i, j])") + "copy(Y, O)",
        "destination registers of 1",
    ),
}


@pytest.mark.parametrize("body, why", NOT_FUSED.values(), ids=NOT_FUSED)
def test_what_cannot_be_fused_is_refused(body, why):
    func = scripted(body, attributes=asked(("fuse", "X", 1)), **BUFFERS)
    pass_ = FuseElementwise(1) if "registers" in why else FUSE
    with pytest.raises(DirectiveRefused, match=r"TT4006: directives.fuse\(X\)") as caught:
        pass_.rewrite(func)
    assert why in str(caught.value)
    assert "--> p.py:1:1" in str(caught.value)


def test_what_nobody_uses_cannot_be_kept():
    func = scripted(SQUARE + "copy(S, O)", attributes=asked(("separate", "X", 1)), **BUFFERS)
    with pytest.raises(DirectiveRefused, match="no statement left that uses 'X'"):
        FUSE.rewrite(func)
