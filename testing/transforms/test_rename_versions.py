"""RenameVersions: every value of a buffer gets a buffer of its own."""

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, fragment, gemm, scripted, shared, tensor, until

from tilelang_tt.diagnostics import OutputReadBack, ReadBeforeWrite
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.rename_versions import RenameVersions

BUFFERS = {
    "A": tensor(4, 64, 64),
    "O": tensor(4, 64, 64),
    "S": shared(64, 64),
    "H": shared(32, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "V": fragment(64),
    "W": fragment(128),
}
READ = "copy(A[0, 0:64, 0:64], S)"
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64):\n        "
LOOPED = "    for i in T.parallel(64):\n        for j in T.parallel(64):\n            "


def only(*names):
    """The tensors, and the buffers of these names, in this order."""
    tensors = {name: buffer for name, buffer in BUFFERS.items() if buffer.scope == "global"}
    return tensors | {name: BUFFERS[name] for name in names}


def test_a_second_value_gets_a_second_buffer():
    @T.prim_func(private=True)
    def before(A: T.Buffer((64, 64), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            T.copy(T.region(A[0, 0], 1, 64, 64), T.region(A_s[0, 0], 2, 64, 64))
            gemm(A_s, A_s, C_l, clear=True)
            for i in T.parallel(64):
                for j in T.parallel(64):
                    C_l[i, j] = C_l[i, j] + C_l[i, j]

    @T.prim_func(private=True)
    def expected(A: T.Buffer((64, 64), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            C_l_1 = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            T.copy(T.region(A[0, 0], 1, 64, 64), T.region(A_s[0, 0], 2, 64, 64))
            gemm(A_s, A_s, C_l, clear=True)
            for i in T.parallel(64):
                for j in T.parallel(64):
                    C_l_1[i, j] = C_l[i, j] + C_l[i, j]

    check(RenameVersions(), before, expected)


RENAMED = {
    "three values": (
        f"{READ}; copy(A[1, 0:64, 0:64], S); copy(A[2, 0:64, 0:64], S); copy(S, O[0, 0:64, 0:64])",
        f"{READ}; copy(A[1, 0:64, 0:64], S_1); copy(A[2, 0:64, 0:64], S_2);"
        "copy(S_2, O[0, 0:64, 0:64])",
        ["S", "S_1", "S_2"],
    ),
    "a value of one branch leaves the other its own": (
        f"{READ}\nif n == 0:\n    copy(A[1, 0:64, 0:64], S)\n    copy(S, O[0, 0:64, 0:64])\n"
        "else: copy(S, O[1, 0:64, 0:64])",
        f"{READ}\nif n == 0:\n    copy(A[1, 0:64, 0:64], S_1)\n    copy(S_1, O[0, 0:64, 0:64])\n"
        "else: copy(S, O[1, 0:64, 0:64])",
        ["S", "S_1"],
    ),
    "a transposition defines its destination": (
        f"{READ}; transpose(S, L); transpose(L, S); copy(S, O[0, 0:64, 0:64])",
        f"{READ}; transpose(S, L); transpose(L, S_1); copy(S_1, O[0, 0:64, 0:64])",
        ["S", "L", "S_1"],
    ),
    "an accumulation defines where it begins": (
        f"{READ}; begin(G)\nfor k in range(4): gemm(S, S, G, clear=k == 0)\nend(G)\n"
        f"{NEST}L[i, j] = T.Cast('bfloat16', G[i, j])\nbegin(G)\n"
        "for k in range(4): gemm(L, L, G, clear=k == 0)\nend(G)\n" + NEST + "L[i, j] = G[i, j]",
        f"{READ}; begin(G)\nfor k in range(4): gemm(S, S, G, clear=k == 0)\nend(G)\n"
        f"{NEST}L[i, j] = T.Cast('bfloat16', G[i, j])\nbegin(G_1)\n"
        "for k in range(4): gemm(L, L, G_1, clear=k == 0)\nend(G_1)\n"
        f"{NEST}L_1[i, j] = G_1[i, j]",
        ["S", "G", "L", "G_1", "L_1"],
    ),
    "a value updated after it was read": (
        f"{READ}; gemm(S, S, G, clear=True)\n{NEST}L[i, j] = G[i, j]\n"
        f"{NEST}G[i, j] = G[i, j] + G[i, j]",
        f"{READ}; gemm(S, S, G, clear=True)\n{NEST}L[i, j] = G[i, j]\n"
        f"{NEST}G_1[i, j] = G[i, j] + G[i, j]",
        ["S", "G", "L", "G_1"],
    ),
    "a reduction defines its destination": (
        f"{READ}; reduce(S, V, 'max', 1); reduce(S, V, 'max', 1)"
        "\nfor i in T.parallel(64): V[i] = V[i] * V[i]",
        f"{READ}; reduce(S, V, 'max', 1); reduce(S, V_1, 'max', 1)"
        "\nfor i in T.parallel(64): V_2[i] = V_1[i] * V_1[i]",
        ["S", "V", "V_1", "V_2"],
    ),
    "a value that a loop changes, and one after it": (
        f"{READ}\nfor k in range(4):\n{LOOPED}S[i, j] = S[i, j] * S[i, j]\n"
        f"copy(S, O[0, 0:64, 0:64]); {READ}; copy(S, O[1, 0:64, 0:64])",
        f"{READ}\nfor k in range(4):\n{LOOPED}S[i, j] = S[i, j] * S[i, j]\n"
        f"copy(S, O[0, 0:64, 0:64]); {READ.replace('S)', 'S_1)')}; copy(S_1, O[1, 0:64, 0:64])",
        ["S", "S_1"],
    ),
}


STARTED = {
    "a value of a loop": f"for k in range(n): {READ}\ncopy(S, O[0, 0:64, 0:64])",
    "a value of a branch": f"if n == 0: {READ}\ncopy(S, O[0, 0:64, 0:64])",
    "a value of the last iteration": (
        f"for k in range(4):\n    if k > 0: copy(S, O[0, 0:64, 0:64])\n    {READ}"
    ),
}


@pytest.mark.parametrize("body", STARTED.values(), ids=STARTED)
def test_what_may_be_read_before_it_is_written_starts_as_zeros(body):
    first = "copy(A[1, 0:64, 0:64], L)\n"
    check(
        RenameVersions(),
        scripted(f"{first}{body}", scalars=["n"], **only("L", "S")),
        scripted(f"{first}{NEST}S[i, j] = T.bfloat16(0)\n{body}", scalars=["n"], **only("L", "S")),
    )


def test_the_zeros_come_before_the_outermost_loop():
    body = f"for i in range(4):\n    if n == i: {READ}\n    copy(S, O[i, 0:64, 0:64])"
    check(
        RenameVersions(),
        scripted(body, scalars=["n"], **only("S")),
        scripted(f"{NEST}S[i, j] = T.bfloat16(0)\n{body}", scalars=["n"], **only("S")),
    )


@pytest.mark.parametrize("before, expected, names", RENAMED.values(), ids=RENAMED)
def test_renamed(before, expected, names):
    after = {name: BUFFERS[name.partition("_")[0]] for name in names}
    order = {name: BUFFERS[name] for name in names if "_" not in name}
    tensors = only()
    check(
        RenameVersions(),
        scripted(before, scalars=["n"], **tensors, **order),
        scripted(expected, scalars=["n"], **tensors, **after),
    )


UNTOUCHED = {
    "one value": (f"{READ}; copy(S, O[0, 0:64, 0:64])", ["S"]),
    "an accumulation": (
        f"{READ}; begin(G)\nfor k in range(4): gemm(S, S, G, clear=k == 0)\nend(G)\n"
        f"{NEST}L[i, j] = G[i, j]",
        ["S", "G", "L"],
    ),
    "an addition onto a value": (
        f"{READ}\n{NEST}G[i, j] = T.float32(1)\nfor k in range(4):\n{LOOPED}"
        f"G[i, j] = G[i, j] + S[i, j]\n{NEST}L[i, j] = G[i, j]",
        ["S", "G", "L"],
    ),
    "a new value in each iteration": (
        f"for k in range(4):\n    {READ}\n    gemm(S, S, G, clear=True)",
        ["S", "G"],
    ),
    "a value from around the loop": (f"{READ}\nfor k in range(4): gemm(S, S, G, clear=True)", "SG"),
    "a value from around the branch": (f"{READ}\nif n == 0: gemm(S, S, G, clear=True)", ["S", "G"]),
    "a value from around both branches": (
        f"{READ}\nif n == 0: copy(S, O[0, 0:64, 0:64])\nelse: copy(S, O[1, 0:64, 0:64])\n"
        "copy(S, O[2, 0:64, 0:64])",
        ["S"],
    ),
    "an accumulation that is repeated": (
        f"{READ}\nfor i in range(2):\n    begin(G)\n"
        "    for k in range(4): gemm(S, S, G, clear=k == 0)\n    end(G)",
        ["S", "G"],
    ),
    "an accumulation that is read while it is repeated": (
        f"{READ}\nfor i in range(2):\n    begin(G)\n"
        "    for k in range(4): gemm(S, S, G, clear=k == 0)\n    end(G)\n"
        "    for a in T.parallel(64):\n        for b in T.parallel(64): L[a, b] = G[a, b]",
        ["S", "G", "L"],
    ),
    "a value of one branch, read after both": (
        f"{READ}\nif n == 0: copy(A[1, 0:64, 0:64], S)\nelse: copy(S, O[0, 0:64, 0:64])\n"
        "copy(S, O[1, 0:64, 0:64])",
        ["S"],
    ),
    "values of both branches": (
        f"if n == 0: {READ}\nelse: copy(A[1, 0:64, 0:64], S)\ncopy(S, O[1, 0:64, 0:64])",
        ["S"],
    ),
    "a value that replaces the one the next iteration reads": (
        f"{READ}\nfor k in range(4):\n    gemm(S, S, G, clear=True)\n    {READ}",
        ["S", "G"],
    ),
    "a value that replaces itself in each iteration": (
        f"{READ}\nfor k in range(4):\n{LOOPED}S[i, j] = S[i, j] * S[i, j]",
        ["S"],
    ),
}


@pytest.mark.parametrize("body, names", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body, names):
    check_unchanged(RenameVersions(), scripted(body, scalars=["n"], **only(*names)))


def test_the_buffers_are_those_that_are_written():
    body = f"{READ}; copy(S, O[0, 0:64, 0:64])"
    check(
        RenameVersions(),
        scripted(body, **only("S", "L")),
        scripted(body, **only("S")),
    )


def test_new_names_do_not_clash():
    buffers = {"A": tensor(64, 64), "O": tensor(64, 64)}
    before = "copy(A, S); copy(A, S_1); copy(A, S); copy(S, O); copy(S_1, O)"
    expected = "copy(A, S); copy(A, S_1); copy(A, S_2); copy(S_2, O); copy(S_1, O)"
    new = {name: shared(64, 64) for name in ("S", "S_1", "S_2")}
    check(
        RenameVersions(),
        scripted(before, **buffers, S=shared(64, 64), S_1=shared(64, 64)),
        scripted(expected, **buffers, **new),
    )


REFUSED = {
    "a read before any write": ("copy(S, O[0, 0:64, 0:64])", ReadBeforeWrite, "TT3001: 'S'"),
    "an update before any write": (f"{READ}; gemm(S, S, G)", ReadBeforeWrite, "TT3001: 'G'"),
    "a nest that reads its destination before any write": (
        f"{NEST}L[i, j] = L[i, j] + L[i, j]",
        ReadBeforeWrite,
        "TT3001: 'L'",
    ),
    "a branch that reads what only the other one writes": (
        f"if n == 0: {READ}\nelse: copy(S, O[0, 0:64, 0:64])",
        ReadBeforeWrite,
        "TT3001: 'S'",
    ),
    "a tensor that is read and written": (
        f"{READ}; copy(S, A[1, 0:64, 0:64])",
        OutputReadBack,
        "TT3004: tensor 'A'",
    ),
}


@pytest.mark.parametrize("body, error, message", REFUSED.values(), ids=REFUSED)
def test_refused(body, error, message):
    with pytest.raises(error, match=message):
        RenameVersions().rewrite(scripted(body, scalars=["n"], **BUFFERS))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def unwritten(C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(C_s, C)  # <- unwritten

    @tl.prim_func
    def back(A: tl.Tensor((64, 64), "bfloat16")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "bfloat16")
            tl.copy(A, A_s)  # <- back
            tl.copy(A_s, A)

    for kernel, error, text, marker in (
        (unwritten, ReadBeforeWrite, "TT3001", "# <- unwritten"),
        (back, OutputReadBack, "TT3004", "# <- back"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            RenameVersions().rewrite(until(kernel, RenameVersions.name))
