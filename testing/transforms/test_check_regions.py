"""CheckRegions: regions start at tiles, and whole tiles are written."""

import pytest
import tilelang.language as tl
from helpers import at, check_unchanged, fragment, scripted, shared, tensor, until

from tilelang_tt.diagnostics import (
    GemmDtypeMismatch,
    GemmShapeMismatch,
    MisalignedRegion,
    PartialTileWrite,
    RaggedRegion,
    SymbolicRegion,
    UnsupportedDtype,
    UnsupportedIndex,
    UnwrittenOutput,
)
from tilelang_tt.transforms.check_regions import CheckRegions
from tilelang_tt.transforms.choose_tiled_axes import ChooseTiledAxes

BUFFERS = {
    "A": tensor(4, 128, 64),
    "M": tensor("n", "n"),
    "O": tensor(64, 64),
    "V": tensor(96),
    "Q": tensor(4, 1, 64),
    "W": tensor(4, 64, 1),
    "N": tensor(64, 2, 64),
    "P": tensor(80, 64),
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "R_s": shared(1, 64),
    "C_s": shared(64, 1),
    "E_s": shared(1, 1),
    "Z": shared(32, 32),
    "D": shared(2, 64, 64),
    "B": shared(128, 96),
}
OUT = "copy(S, O)"
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64):\n        "


def function(body, grid=None, **extra):
    """`body`, inside grid loops, and a store of S; tensors tiled as the copies need it."""
    text = f"{body}\n{OUT}" if OUT not in body else body
    func = scripted(text, grid=grid, scalars=["n"], **{**BUFFERS, **extra})
    return ChooseTiledAxes().rewrite(func)


ACCEPTED = {
    "a whole tensor": ("copy(O, S)", {}),
    "blocks": ("copy(A[b, y * 64 : y * 64 + 64, 0:64], S)", {"b": 4, "y": 2}),
    "a block in a loop": ("for k in range(2): copy(A[1, k * 64 : k * 64 + 64, 0:64], S)", {}),
    "a row of a matrix": ("copy(A[0, 32, 0:64], R_s)", {}),
    "any row of a tensor of which only rows are used": ("copy(A[0, 33, 0:64], R_s)", {}),
    "a vector": ("copy(V[0:64], R_s)", {}),
    "an offset vector": ("copy(V[32:96], R_s)", {}),
    "a vector as a column": ("copy(V[32:96], C_s)", {}),
    "a nest over rows": (NEST + "L[i, j] = S[i, j] + R_s[0, j]", {}),
    "a nest over columns": (NEST + "L[i, j] = S[i, j] + C_s[i, 0]", {}),
    "a nest over an element": (NEST + "L[i, j] = S[i, j] + E_s[0, 0]", {}),
    "rows from another dimension": ("copy(N[0:64, 1, 0:64], S)", {}),
    "past the end": ("copy(A[0, 96:160, 0:64], S)", {}),
    "past the end in a leading dimension": ("copy(A[4, 0:64, 0:64], S)", {}),
    "before the beginning": ("copy(A[0, -32:32, 0:64], S)", {}),
    "dynamic extents": ("copy(M[y * 64 : y * 64 + 64, 32:96], S)", {"y": "(n + 63) // 64"}),
    "one of several matrices": (NEST + "L[i, j] = S[i, j] + D[n, i, j]", {}),
    "a part of a buffer": (NEST + "L[i, j] = S[i, j] + B[i + 64, j + 32]", {}),
    "a part for each iteration": (
        "for k in range(3):\n    for i in T.parallel(64):\n"
        "        for j in T.parallel(64): L[i, j] = B[i + k * 32, j]",
        {},
    ),
    "one tile for all": (NEST + "L[i, j] = S[i, j] + Z[i % 32, j % 32]", {}),
    "the only row of a tensor": ("copy(R_s, Q[b, 0, 0:64])", {"b": 4}),
    "the only column of a tensor": ("copy(C_s, W[b, 0:64, 0])", {"b": 4}),
    "a vector that is written": ("copy(R_s, V[0:64])", {}),
    "a column that is written": ("copy(C_s, V[0:64])", {}),
    "a vector that is written past the end": ("copy(R_s, V[64:128])", {}),
    "a block that is written past the end": ("copy(S, P[64:128, 0:64])", {}),
    "a part of the last tile that ends with the tensor": ("copy(S, P[64:80, 0:64])", {}),
    "products": ("gemm(S, S, G); gemm(S, S, G, transpose_a=True); gemm(S, S, G)", {}),
}


@pytest.mark.parametrize("body, grid", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(body, grid):
    check_unchanged(CheckRegions(), function(body, grid))


REFUSED = {
    "a ragged on-chip buffer": (
        "copy(A[0, 0:40, 0:64], X)",
        {"X": shared(40, 64)},
        RaggedRegion,
        "TT2001: the 40x64 region of 'X'",
    ),
    "a ragged on-chip row": (
        "copy(V[0:40], X)",
        {"X": shared(1, 40)},
        RaggedRegion,
        "TT2001: the 1x40 region of 'X'",
    ),
    "a ragged on-chip column": (
        "copy(V[0:40], X)",
        {"X": shared(40, 1)},
        RaggedRegion,
        "TT2001: the 40x1 region of 'X'",
    ),
    "a ragged buffer that is computed with": (
        "for i in T.parallel(40):\n    for j in T.parallel(64): X[i, j] = S[i, j]",
        {"X": shared(40, 64)},
        RaggedRegion,
        "TT2001: the 40x64 region of 'X'",
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
        "copy(A[0, 0:64, 0:64], S); copy(A[0, 33, 0:64], R_s)",
        {},
        MisalignedRegion,
        "TT2003: the region of 'A' starts at 33,",
    ),
    "a scalar offset": ("copy(V[n : n + 64], R_s)", {}, MisalignedRegion, "TT2003: .* starts at n"),
    "a misaligned row of another dimension": (
        "copy(N[8:72, 1, 0:64], S)",
        {},
        MisalignedRegion,
        "TT2003: the region of 'N' starts at 8,",
    ),
    "rows from a small dimension": (
        "copy(A[0:4, 0, 0:64], X)",
        {"X": shared(4, 64)},
        RaggedRegion,
        "TT2001: the 4x64 region of 'X'",
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
    "a column read by the columns": (
        NEST + "L[i, j] = C_s[j, 0]",
        {},
        UnsupportedIndex,
        r"TT1010: C_s\[j, 0\]",
    ),
    "an access to a larger buffer": (
        NEST + "L[i, j] = X[i * 2, j]",
        {"X": shared(128, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i \* 2, j\]",
    ),
    "an access of higher rank that changes with the loops": (
        NEST + "L[i, j] = X[i, i, j]",
        {"X": shared(64, 64, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i, i, j\]",
    ),
    "a part that starts inside a tile": (
        NEST + "L[i, j] = X[i + 16, j]",
        {"X": shared(128, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i \+ 16, j\]",
    ),
    "a part that goes past the end": (
        NEST + "L[i, j] = X[i + 96, j]",
        {"X": shared(128, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i \+ 96, j\]",
    ),
    "a part at a place that is not known": (
        NEST + "L[i, j] = X[i + n, j]",
        {"X": shared(128, 64)},
        UnsupportedIndex,
        r"TT1010: X\[i \+ n, j\]",
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
    "a product of integers": (
        "gemm(X, X, Y)",
        {"X": shared(64, 64, dtype="int32"), "Y": shared(64, 64, dtype="int32")},
        UnsupportedDtype,
        "TT1009: an operand of T.gemm has dtype int32, which the matrix unit does not multiply\n"
        "  hint: cast it to bfloat16",
    ),
    "a row of a tile that has others": (
        "copy(R_s, O[0, 0:64])",
        {},
        PartialTileWrite,
        "TT2010: .* 'O'",
    ),
    "a column of a tile that has others": (
        "copy(C_s, O[0:64, 0])",
        {},
        PartialTileWrite,
        "TT2010: .* 'O'",
    ),
    "a part of a tile that goes on": (
        "copy(S, A[0, 0:40, 0:64])",
        {},
        PartialTileWrite,
        "TT2010: .* 'A'",
    ),
    "a part of a tile that goes on in its columns": (
        "copy(S, A[0, 0:64, 0:40])",
        {},
        PartialTileWrite,
        "TT2010: .* 'A'",
    ),
    "a part of a tile of a dynamic tensor": (
        "copy(S, M[0:40, 0:64])",
        {},
        PartialTileWrite,
        "TT2010: .* 'M'",
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
    func = function(body, **extra)
    with pytest.raises(error, match=message):
        CheckRegions().rewrite(func)


def test_a_program_without_output_is_refused():
    with pytest.raises(UnwrittenOutput, match="TT3006: the program writes no tensor"):
        CheckRegions().rewrite(
            ChooseTiledAxes().rewrite(scripted("copy(O, S)", scalars=["n"], **BUFFERS))
        )


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def partial(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((48, 64), "float32")
            tl.copy(A[0:48, 0:64], A_s)
            tl.copy(A_s, C[0:48, 0:64])  # <- partial

    @tl.prim_func
    def misaligned(A: tl.Tensor((128, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[8:72, 0:64], A_s)  # <- misaligned
            tl.copy(A_s, C)

    @tl.prim_func
    def silent(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):  # <- silent
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)

    for kernel, error, text, marker in (
        (partial, PartialTileWrite, "TT2010", "# <- partial"),
        (misaligned, MisalignedRegion, "TT2003", "# <- misaligned"),
        (silent, UnwrittenOutput, "TT3006", "# <- silent"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            CheckRegions().rewrite(until(kernel, CheckRegions.name))
