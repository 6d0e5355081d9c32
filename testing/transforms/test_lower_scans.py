"""LowerScans: running sums as products with a triangle of ones, the rest as reductions."""

import pytest
import tilelang.language as tl
from helpers import check, check_unchanged, fragment, line_marked, scripted, shared, until

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, Reduce
from tilelang_tt.transforms.lower_scans import LowerScans


def scan(dim, reverse, *shape, kind="sum", dtype="bfloat16"):
    body = f"scan(S, D, {dim}, reverse={reverse}, kind={kind!r})"
    func = scripted(body, S=shared(*shape, dtype=dtype), D=shared(*shape, dtype=dtype))
    after = LowerScans().rewrite(func)
    check_unchanged(LowerScans(), after)
    return [view for _, view in access.leaves(Frame.of(after).body)]


@pytest.mark.parametrize(
    ("dim", "reverse", "condition"),
    [(1, False, "i <= j"), (1, True, "i >= j"), (0, False, "j <= i"), (0, True, "j >= i")],
)
def test_a_block(dim, reverse, condition):
    ones, gemm = scan(dim, reverse, 32, 64)
    assert condition in str(ones.store.value)
    assert isinstance(gemm, Gemm)
    assert gemm.always_clears
    triangle, other = (gemm.b, gemm.a) if dim else (gemm.a, gemm.b)
    assert [int(extent) for extent in triangle.extents] == [(32, 64)[dim]] * 2
    assert (other.buffer.name, gemm.c.buffer.name) == ("S", "D")
    assert gemm.mnk == (32, 64, (32, 64)[dim])


@pytest.mark.parametrize(("kind", "neutral"), [("sum", "0.0"), ("max", '"-inf"')])
@pytest.mark.parametrize(("reverse", "condition"), [(False, "j <= i"), (True, "j >= i")])
def test_a_vector(reverse, condition, kind, neutral):
    terms, reduce = scan(0, reverse, 64, kind=kind)
    value = str(terms.store.value)
    assert value == f"T.if_then_else({condition}, S[j], T.bfloat16({neutral}))"
    assert isinstance(reduce, Reduce)
    assert (reduce.kind, reduce.dim, reduce.dst.buffer.name) == (kind, 1, "D")


LINES = """
for i in T.parallel(32):
    for j in T.parallel(64): D_all[i, j] = S[i, j]
for i in T.parallel(32):
    for j in T.parallel(64): D[i, j] = {none}
for k in range({lines}):
    for i in T.parallel(32):
        for j in T.parallel(64):
            D_terms[i, j] = T.if_then_else({condition}, D_all[i, j], {none})
    reduce(D_terms, D_line, {kind!r}, {dim})
    for i in T.parallel({length}): D[{place}] = D_line[i]
"""


@pytest.mark.parametrize(
    ("kind", "dtype", "none"),
    [
        ("max", "bfloat16", "T.bfloat16('-inf')"),
        ("max", "int32", "T.int32(-2147483648)"),
        ("sum", "int32", "T.int32(0)"),
    ],
)
@pytest.mark.parametrize(
    ("dim", "reverse", "condition"),
    [(1, False, "j <= k"), (1, True, "j >= k"), (0, False, "i <= k"), (0, True, "i >= k")],
)
def test_a_block_line_by_line(dim, reverse, condition, kind, dtype, none):
    block = shared(32, 64, dtype=dtype)
    length, lines = (32, 64) if dim == 1 else (64, 32)
    place = "i, k" if dim == 1 else "k, i"
    text = LINES.format(none=none, lines=lines, condition=condition, kind=kind, dim=dim,
                        length=length, place=place)  # fmt: skip
    check(
        LowerScans(),
        scripted(f"scan(S, D, {dim}, reverse={reverse}, kind={kind!r})", S=block, D=block),
        scripted(
            text.strip(),
            S=block,
            D=block,
            D_all=block,
            D_terms=block,
            D_line=shared(length, dtype=dtype),
        ),
    )


def test_a_vector_of_integers_starts_at_the_smallest():
    terms, _ = scan(0, False, 64, kind="max", dtype="int32")
    assert str(terms.store.value) == "T.if_then_else(j <= i, S[j], -2147483648)"


@pytest.mark.parametrize(
    ("dim", "shape", "kind", "what"),
    [
        (2, (2, 32, 32), "sum", "T.cumsum of a buffer that is no vector or block"),
        (2, (2, 32, 32), "max", "T.cummax of a buffer that is no vector or block"),
    ],
)
def test_others_are_refused(dim, shape, kind, what):
    with pytest.raises(UnsupportedReduction, match=f"TT1002: {what}"):
        scan(dim, False, *shape, kind=kind)


def test_what_is_no_scan_stays():
    check_unchanged(LowerScans(), scripted("copy(S, D)", S=shared(32, 32), D=fragment(32, 32)))


def test_the_pieces_have_the_users_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((32, 64), "float32"), C: tl.Tensor((32, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((32, 64), "float32")
            tl.copy(A, A_s)
            tl.cummax(A_s, dim=1)  # <- scan
            tl.copy(A_s, C)

    func = LowerScans().rewrite(until(kernel, LowerScans.name))
    lines = [tree.line_of(stmt) for stmt, _ in access.leaves(Frame.of(func).body)]
    assert lines[1:-1] == [(__file__, line_marked(__file__, "# <- scan"))] * 5
