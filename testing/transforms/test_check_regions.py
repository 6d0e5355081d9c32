"""CheckRegions: regions are whole tiles, in place and in bounds."""

import pytest
import tilelang.language as tl
from helpers import assert_same, at, fragment, scripted, shared, tensor, until

from tilelang_tt.diagnostics import (
    GemmDtypeMismatch,
    GemmShapeMismatch,
    MisalignedRegion,
    PartialTileWrite,
    RaggedRegion,
    RegionOutOfBounds,
    SymbolicRegion,
    UnsupportedIndex,
    UntiledDimension,
    UnwrittenOutput,
)
from tilelang_tt.ir import attrs
from tilelang_tt.transforms.check_regions import CheckRegions

BUFFERS = {
    "A": tensor(4, 128, 64),
    "M": tensor("n", "n"),
    "O": tensor(64, 64),
    "V": tensor(96),
    "Q": tensor(4, 1, 64),
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "V_s": shared(64),
    "R_s": shared(1, 64),
    "Z": shared(32, 32),
}
OUT = "copy(S, O)"
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64):\n        "


def function(body, **grid):
    """`body`, inside grid loops, and a store of S."""
    text = f"{body}\n{OUT}" if OUT not in body else body
    return scripted(text, grid=grid, scalars=["n"], **BUFFERS)


ACCEPTED = {
    "a whole tensor": ("copy(O, S)", {}),
    "blocks": ("copy(A[b, y * 64 : y * 64 + 64, 0:64], S)", {"b": 4, "y": 2}),
    "a block in a loop": ("for k in range(2): copy(A[1, k * 64 : k * 64 + 64, 0:64], S)", {}),
    "a row of a matrix": ("copy(A[0, 32, 0:64], R_s)", {}),
    "a vector": ("copy(V[0:64], V_s)", {}),
    "an offset vector": ("copy(V[32:96], V_s)", {}),
    "a nest over row vectors": (NEST + "L[i, j] = S[i, j] + V_s[j]", {}),
    "a nest over rows": (NEST + "L[i, j] = S[i, j] + R_s[0, j]", {}),
    "one tile for all": (NEST + "L[i, j] = S[i, j] + Z[i % 32, j % 32]", {}),
    "the only row of a tensor": ("copy(V_s, Q[b, 0, 0:64])", {"b": 4}),
    "a vector that is written": ("copy(V_s, V[0:64])", {}),
    "products": ("gemm(S, S, G); gemm(S, S, G, transpose_a=True); gemm(S, S, G)", {}),
}


@pytest.mark.parametrize("body, grid", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(body, grid):
    before = function(body, **grid)
    after = CheckRegions().rewrite(before)
    assert list(after.attrs[attrs.CONDITIONS]) == []
    assert_same(after.without_attr(attrs.CONDITIONS), before)
    assert_same(CheckRegions().rewrite(after), after)


def test_what_depends_on_a_dynamic_extent_becomes_a_condition():
    body = "copy(M[y * 64 : y * 64 + 64, x * 32 : x * 32 + 32], T_s); copy(M[0:64, 0:64], S)"
    before = scripted(
        f"{body}\n{OUT}",
        grid={"x": "(n + 31) // 32", "y": 4},
        scalars=["n"],
        **BUFFERS,
        T_s=shared(64, 32),
    )
    conditions = CheckRegions().rewrite(before).attrs[attrs.CONDITIONS]
    assert [str(condition) for condition in conditions] == [
        "256 <= n",
        "(n + 31) // 32 * 32 == n",
        "64 <= n",
    ]


def test_a_condition_is_listed_once():
    after = CheckRegions().rewrite(function("copy(M[0:64, 0:64], S)\ncopy(M[0:64, 0:64], L)"))
    assert [str(condition) for condition in after.attrs[attrs.CONDITIONS]] == ["64 <= n"]


REFUSED = {
    "a ragged on-chip buffer": (
        "copy(A[0, 0:40, 0:64], X)",
        {"X": shared(40, 64)},
        RaggedRegion,
        "TT2001: the 40x64 region of 'X'",
    ),
    "a ragged on-chip row": (
        "copy(V[0:40], X)",
        {"X": shared(40)},
        RaggedRegion,
        "TT2001: the 40 region of 'X'",
    ),
    "a ragged buffer that is computed with": (
        "for i in T.parallel(40):\n    for j in T.parallel(64): X[i, j] = S[i, j]",
        {"X": shared(40, 64)},
        RaggedRegion,
        "TT2001: the 40x64 region of 'X'",
    ),
    "a ragged region of a tensor": (
        "copy(A[0, 0:40, 0:64], S)",
        {},
        RaggedRegion,
        "TT2001: the 1x40x64 region of 'A'",
    ),
    "a block of a tensor as a row": (
        "copy(A[0, 0:64, 0:32], X)",
        {"X": shared(1, 2048)},
        RaggedRegion,
        "TT2001: the 1x64x32 region of 'A'",
    ),
    "a symbolic leading extent": (
        "copy(A[0:n, 0:64, 0:64], S)",
        {},
        SymbolicRegion,
        "TT2002: the extent n of 'A'",
    ),
    "a misaligned row": (
        "copy(A[0, 16:80, 0:64], S)",
        {},
        MisalignedRegion,
        "TT2003: the region of 'A' starts at 16,",
    ),
    "a misaligned column": (
        "copy(A[0, 0:64, 1:65], S)",
        {},
        MisalignedRegion,
        "TT2003: the region of 'A' starts at 1,",
    ),
    "a row within a tile": (
        "copy(A[0, 33, 0:64], R_s)",
        {},
        MisalignedRegion,
        "TT2003: the region of 'A' starts at 33,",
    ),
    "a scalar offset": ("copy(V[n : n + 64], V_s)", {}, MisalignedRegion, "TT2003: .* starts at n"),
    "past the end of the rows": (
        "copy(A[0, 96:160, 0:64], S)",
        {},
        RegionOutOfBounds,
        "TT2004: the region of 'A' may end at 160, past its extent 128 in dimension 1",
    ),
    "past the end in a leading dimension": (
        "copy(A[4, 0:64, 0:64], S)",
        {},
        RegionOutOfBounds,
        "TT2004: .* 5, past its extent 4 in dimension 0",
    ),
    "past the end in the last iteration": (
        "for k in range(3): copy(A[0, k * 64 : k * 64 + 64, 0:64], S)",
        {},
        RegionOutOfBounds,
        r"TT2004: .* past its extent 128 in dimension 1",
    ),
    "before the beginning": (
        "copy(A[0, -32:32, 0:64], S)",
        {},
        RegionOutOfBounds,
        "TT2004: .* in dimension 1",
    ),
    "before the beginning of a dynamic extent": (
        "copy(M[-32:32, 0:64], S)",
        {},
        RegionOutOfBounds,
        "TT2004: the region of 'M' .* in dimension 0",
    ),
    "an offset that falls in a dynamic extent": (
        "for k in range(4): copy(M[96 - k * 32 : 160 - k * 32, 0:64], S)",
        {},
        RegionOutOfBounds,
        "TT2004: the region of 'M' .* in dimension 0",
    ),
    "rows from a leading dimension": (
        "copy(A[0:4, 0, 0:64], X)",
        {"X": shared(4, 64), "A": tensor(64, 128, 64)},
        RaggedRegion,
        "TT2001: the 4x64 region of 'X'",
    ),
    "rows from an untiled dimension": (
        "copy(A[0:64, 0, 0:64], S)",
        {"A": tensor(64, 128, 64)},
        UntiledDimension,
        r"TT2008: 'S' takes its rows and columns from dimensions \[0, 2\] of tensor 'A'",
    ),
    "a column read with its row": (
        NEST + "L[i, j] = S[i, 0]",
        {},
        UnsupportedIndex,
        r"TT1010: S\[i, 0\] is not .* over i, j",
    ),
    "a transposed access": (
        NEST + "L[i, j] = S[j, i]",
        {},
        UnsupportedIndex,
        r"TT1010: S\[j, i\]",
    ),
    "a shifted access": (
        NEST + "L[i, j] = S[i + 1, j]",
        {},
        UnsupportedIndex,
        r"TT1010: S\[i \+ 1, j\]",
    ),
    "a column vector": (NEST + "L[i, j] = V_s[i]", {}, UnsupportedIndex, r"TT1010: V_s\[i\]"),
    "an access to a larger buffer": (
        NEST + "L[i, j] = X[i, j]",
        {"X": shared(128, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i, j\]",
    ),
    "an access of higher rank": (
        NEST + "L[i, j] = X[0, i, j]",
        {"X": shared(1, 64, 64)},
        UnsupportedIndex,
        r"TT1010: X\[0, i, j\]",
    ),
    "a product whose depth differs": (
        "gemm(S, X, G)",
        {"X": shared(32, 64)},
        GemmShapeMismatch,
        "TT2007: T.gemm of 64x64 and 32x64 into 64x64 does not fit M=64, N=64, K=64",
    ),
    "a transposed product whose shape differs": (
        "gemm(S, X, G, transpose_b=True)",
        {"X": shared(64, 32)},
        GemmShapeMismatch,
        "TT2007",
    ),
    "a first operand that does not fit": (
        "gemm(X, S, G, transpose_a=True)",
        {"X": shared(64, 32)},
        GemmShapeMismatch,
        "TT2007",
    ),
    "a product of two dtypes": (
        "gemm(S, X, G)",
        {"X": shared(64, 64, dtype="float16")},
        GemmDtypeMismatch,
        "TT2009: T.gemm multiplies bfloat16 by float16",
    ),
    "a row of a tile that has others": (
        "copy(V_s, O[0, 0:64])",
        {},
        PartialTileWrite,
        "TT2010: one row of 'O' is written",
    ),
    "a buffer of several tiles read modulo one": (
        NEST + "L[i, j] = S[i % 32, j % 32]",
        {},
        UnsupportedIndex,
        r"TT1010: S\[",
    ),
    "a tile read modulo its size in another order": (
        NEST + "L[i, j] = X[j % 32, i % 32]",
        {"X": shared(32, 32)},
        UnsupportedIndex,
        r"TT1010: X\[",
    ),
    "an accumulator that does not fit": (
        "gemm(S, S, X)",
        {"X": fragment(32, 64, dtype="float32")},
        GemmShapeMismatch,
        "TT2007",
    ),
}


@pytest.mark.parametrize("body, extra, error, message", REFUSED.values(), ids=REFUSED)
def test_refused(body, extra, error, message):
    func = scripted(f"{body}\n{OUT}", scalars=["n"], **{**BUFFERS, **extra})
    with pytest.raises(error, match=message):
        CheckRegions().rewrite(func)


def test_a_program_without_output_is_refused():
    with pytest.raises(UnwrittenOutput, match="TT3006: the program writes no tensor"):
        CheckRegions().rewrite(scripted("copy(O, S)", scalars=["n"], **BUFFERS))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def ragged(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((48, 64), "float32")
            tl.copy(A[0:48, 0:64], A_s)  # <- ragged
            tl.copy(A_s, C[0:48, 0:64])

    @tl.prim_func
    def misaligned(A: tl.Tensor((128, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[8:72, 0:64], A_s)  # <- misaligned
            tl.copy(A_s, C)

    @tl.prim_func
    def outside(A: tl.Tensor((96, 64), "float32"), C: tl.Tensor((128, 64), "float32")):
        with tl.Kernel(2) as bx:
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[bx * 64, 0], A_s)  # <- outside
            tl.copy(A_s, C[bx * 64, 0])

    @tl.prim_func
    def untiled(A: tl.Tensor((64, 4, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[0:64, 1, 0:64], A_s)  # <- untiled
            tl.copy(A_s, C)

    @tl.prim_func
    def silent(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):  # <- silent
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)

    for kernel, error, text, marker in (
        (ragged, RaggedRegion, "TT2001", "# <- ragged"),
        (misaligned, MisalignedRegion, "TT2003", "# <- misaligned"),
        (outside, RegionOutOfBounds, "TT2004", "# <- outside"),
        (untiled, UntiledDimension, "TT2008", "# <- untiled"),
        (silent, UnwrittenOutput, "TT3006", "# <- silent"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            CheckRegions().rewrite(until(kernel, CheckRegions.name))
