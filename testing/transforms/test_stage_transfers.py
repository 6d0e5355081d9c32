"""StageTransfers: transfers become plain copies between a tensor and a buffer of its dtype."""

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, copy, fragment, scripted, shared, tensor, until

from tilelang_tt.diagnostics import RegionMismatch, SymbolicRegion, UnsupportedIndex
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.stage_transfers import StageTransfers


def test_conversion_and_computation_move_onto_the_chip():
    @T.prim_func(private=True)
    def before(
        A: T.Buffer((128, 64), "float32"),
        C: T.Buffer((128, 64), "bfloat16"),
        D: T.Buffer((128, 64), "float32"),
    ):
        for by in range(2):
            with T.sblock("tilelang_root"):
                C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
                copy(C_l, C[by * 64 : by * 64 + 64, 0:64])
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        D[by * 64 + i, j] = A[by * 64 + i, j] + T.float32(1)

    @T.prim_func(private=True)
    def expected(
        A: T.Buffer((128, 64), "float32"),
        C: T.Buffer((128, 64), "bfloat16"),
        D: T.Buffer((128, 64), "float32"),
    ):
        for by in range(2):
            with T.sblock("tilelang_root"):
                C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
                C_l_out = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
                A_in = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
                D_out = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        C_l_out[i, j] = T.Cast("bfloat16", C_l[i, j])
                copy(C_l_out, C[by * 64 : by * 64 + 64, 0:64])
                copy(A[by * 64 : by * 64 + 64, 0:64], A_in)
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        D_out[i, j] = A_in[i, j] + T.float32(1)
                copy(D_out, D[by * 64 : by * 64 + 64, 0:64])

    check(StageTransfers(), before, expected)


BUFFERS = {
    "A": tensor(4, 64, 64),
    "F": tensor(64, 64, dtype="float32"),
    "V": tensor(64),
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64):\n        "
STAGED = {
    "a copy on the chip is a nest": ("copy(S, L)", NEST + "L[i, j] = S[i, j]", {}),
    "a copy on the chip converts": (
        "copy(S, G)",
        NEST + "G[i, j] = T.Cast('float32', S[i, j])",
        {},
    ),
    "parts on the chip keep their offsets": (
        "copy(S[32:64, 0:64], L[0:32, 0:64])",
        "for i in T.parallel(32):\n    for j in T.parallel(64): L[i, j] = S[32 + i, j]",
        {},
    ),
    "a read that converts": (
        "copy(F, S)",
        f"copy(F, S_in)\n{NEST}S[i, j] = T.Cast('bfloat16', S_in[i, j])",
        {"S_in": shared(64, 64, dtype="float32")},
    ),
    "extents of 1 are skipped in pairing": (
        "copy(F, A[n, 0:64, 0:64])",
        f"copy(F, F_in)\n{NEST}F_in_out[i, j] = T.Cast('bfloat16', F_in[i, j])\n"
        "copy(F_in_out, A[n, 0:64, 0:64])",
        {"F_in": shared(64, 64, dtype="float32"), "F_in_out": shared(64, 64)},
    ),
    "a copy between tensors goes through the chip": (
        "copy(A[0, 0:64, 0:64], A[1, 0:64, 0:64])",
        "copy(A[0, 0:64, 0:64], A_in)\ncopy(A_in, A[1, 0:64, 0:64])",
        {"A_in": shared(64, 64)},
    ),
    "a copy between tensors that converts": (
        "copy(F, A[1, 0:64, 0:64])",
        f"copy(F, F_in)\n{NEST}F_in_out[i, j] = T.Cast('bfloat16', F_in[i, j])\n"
        "copy(F_in_out, A[1, 0:64, 0:64])",
        {"F_in": shared(64, 64, dtype="float32"), "F_in_out": shared(64, 64)},
    ),
    "a tensor is brought in once for all its uses": (
        NEST + "L[i, j] = A[n, i, j] * A[n, i, j]",
        f"copy(A[n, 0:64, 0:64], A_in)\n{NEST}L[i, j] = A_in[i, j] * A_in[i, j]",
        {"A_in": shared(64, 64)},
    ),
    "different blocks of one tensor": (
        NEST + "L[i, j] = A[0, i, j] * A[1, i, j]",
        "copy(A[0, 0:64, 0:64], A_in)\ncopy(A[1, 0:64, 0:64], A_in_1)\n"
        + NEST
        + "L[i, j] = A_in[i, j] * A_in_1[i, j]",
        {"A_in": shared(64, 64), "A_in_1": shared(64, 64)},
    ),
    "a row vector": (
        NEST + "L[i, j] = S[i, j] + V[j]",
        f"copy(V, V_in)\n{NEST}L[i, j] = S[i, j] + V_in[j]",
        {"V_in": shared(64)},
    ),
    "one element": (
        NEST + "L[i, j] = S[i, j] + V[n]",
        f"copy(V[n], V_in)\n{NEST}L[i, j] = S[i, j] + V_in[0]",
        {"V_in": shared(1)},
    ),
}


@pytest.mark.parametrize("before, expected, new", STAGED.values(), ids=STAGED)
def test_staged(before, expected, new):
    check(
        StageTransfers(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS, **new),
    )


def test_new_names_do_not_clash():
    buffers = {"F": tensor(64, 64, dtype="float32"), "S": shared(64, 64), "S_in": shared(64, 64)}
    after = StageTransfers().rewrite(scripted("copy(F, S)", **buffers))
    names = [buffer.name for buffer in Frame.of(after).buffers]
    assert names == ["S", "S_in", "S_in_1"]


UNTOUCHED = {
    "a read without conversion": "copy(A[n, 0:64, 0:64], S)",
    "a write without conversion": "copy(L, A[n, 0:64, 0:64])",
    "a nest on the chip": NEST + "L[i, j] = S[i, j]",
    "other operations": "transpose(S, L); gemm(S, S, G)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(StageTransfers(), scripted(body, scalars=["n"], **BUFFERS))


@pytest.mark.parametrize("index", ["2 * i, j", "i // 2, j", "i + j, j", "0 - i, j"])
def test_an_access_that_is_no_box_is_refused(index):
    body = f"{NEST}L[i, j] = F[{index}]"
    with pytest.raises(UnsupportedIndex, match=r"TT1010: F\[.*\] is not .* loops over i, j"):
        StageTransfers().rewrite(scripted(body, **BUFFERS))


def test_a_store_that_is_no_box_is_refused():
    with pytest.raises(UnsupportedIndex, match=r"TT1010: F\["):
        StageTransfers().rewrite(scripted(f"{NEST}F[i + j, j] = G[i, j]", **BUFFERS))


@pytest.mark.parametrize(
    "body", ["copy(A[0, 0:n, 0:64], S)", "copy(S, A[0, 0:n, 0:64])", "copy(S, L[0:n, 0:64])"]
)
def test_a_symbolic_extent_is_refused(body):
    with pytest.raises(SymbolicRegion, match=r"TT2002: the extent n of '[AL]'"):
        StageTransfers().rewrite(scripted(body, scalars=["n"], **BUFFERS))


@pytest.mark.parametrize(
    "body, extents",
    [
        ("copy(A[0:2, 0:32, 0:64], S)", "2x32x64 elements is copied to one of 64x64"),
        ("copy(S[0:32, 0:64], L)", "32x64 elements is copied to one of 64x64"),
        ("copy(S[0:32, 0:64], L[0:64, 0:32])", "32x64 elements is copied to one of 64x32"),
    ],
)
def test_regions_that_differ_are_refused(body, extents):
    with pytest.raises(RegionMismatch, match=f"TT2005: a region of {extents}"):
        StageTransfers().rewrite(scripted(body, **BUFFERS))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def index(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            C_l = tl.alloc_fragment((32, 64), "float32")
            for i, j in tl.Parallel(32, 64):  # <- index loop
                C_l[i, j] = A[2 * i, j]  # <- index

    @tl.prim_func
    def symbolic(A: tl.Tensor((64, 64), "float32"), n: tl.int32):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[0:n, 0:64], A_s[0:n, 0:64])  # <- symbolic

    @tl.prim_func
    def mismatch(A: tl.Tensor((2, 32, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[0:2, 0:32, 0:64], A_s[0:64, 0:64])  # <- mismatch

    for kernel, error, text, markers in (
        (index, UnsupportedIndex, "TT1010", ("# <- index", "# <- index loop")),
        (symbolic, SymbolicRegion, "TT2002", ("# <- symbolic",)),
        (mismatch, RegionMismatch, "TT2005", ("# <- mismatch",)),
    ):
        with pytest.raises(error, match=at(text, __file__, *markers)):
            StageTransfers().rewrite(until(kernel, StageTransfers.name))
