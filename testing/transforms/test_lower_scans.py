"""LowerScans: running sums as products with a triangle of ones."""

import pytest
from helpers import check_unchanged, fragment, scripted, shared

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, Reduce
from tilelang_tt.transforms.lower_scans import LowerScans


def scan(dim, reverse, *shape):
    body = f"scan(S, D, {dim}, reverse={reverse})"
    func = scripted(body, S=shared(*shape), D=shared(*shape))
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


@pytest.mark.parametrize(("reverse", "condition"), [(False, "j <= i"), (True, "j >= i")])
def test_a_vector(reverse, condition):
    terms, reduce = scan(0, reverse, 64)
    assert str(terms.store.value).startswith(f"T.if_then_else({condition}, S[j]")
    assert isinstance(reduce, Reduce)
    assert (reduce.kind, reduce.dim, reduce.dst.buffer.name) == ("sum", 1, "D")


def test_a_batch_is_refused():
    with pytest.raises(UnsupportedReduction, match="no vector or block"):
        scan(2, False, 2, 32, 32)


def test_what_is_no_scan_stays():
    check_unchanged(LowerScans(), scripted("copy(S, D)", S=shared(32, 32), D=fragment(32, 32)))
