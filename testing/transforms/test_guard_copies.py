"""GuardCopies: which copies may reach past the end of a tensor, and along which axes."""

import pytest
from helpers import check_unchanged, scripted, shared, tensor

from tilelang_tt.analysis import access
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy
from tilelang_tt.transforms.guard_copies import GuardCopies


def guarded(body, *, tiled=None, grid=None, symbols=(), scalars=(), **buffers):
    """The axes that the pass names for the only copy of `body`."""
    func = scripted(body, grid=grid, symbols=symbols, scalars=scalars, **buffers)
    frame = Frame.of(func)
    axes = {t.data: tiled or TiledAxes.default(len(t.shape)) for t in frame.tensors}
    func = attrs.with_tiled_axes(frame, axes)
    after = GuardCopies().rewrite(func)
    check_unchanged(GuardCopies(), after)
    (view,) = [view for _, view in access.leaves(Frame.of(after).body)]
    assert isinstance(view, Copy)
    return view.guarded


S = shared(64, 64)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (128, 128, ()),
        (100, 128, ()),  # the last tile is there in part: the host pads it
        (96, 128, (0,)),
        (128, 70, (1,)),
        (70, 40, (0, 1)),
    ],
)
def test_blocks_that_do_not_divide_a_tensor(rows, columns, expected):
    body = "copy(A[y * 64:y * 64 + 64, x * 64:x * 64 + 64], S)"
    assert guarded(body, grid={"x": 2, "y": 2}, A=tensor(rows, columns), S=S) == expected


def test_a_write_is_guarded_likewise():
    body = "copy(S, A[y * 64:y * 64 + 64, 0:64])"
    assert guarded(body, grid={"y": 2}, A=tensor(96, 64), S=S) == (0,)


def test_a_dynamic_extent_is_not_known_to_be_divided():
    body = "copy(A[y * 64:y * 64 + 64, 0:64], S)"
    grid = {"y": "(n + 63) // 64"}
    assert guarded(body, grid=grid, symbols=["n"], A=tensor("n", 64), S=S) == (0,)


def test_an_axis_that_is_not_tiled_counts_elements():
    body = "copy(A[b, 0:64, 0:64], S)"
    assert guarded(body, grid={"b": 4}, A=tensor(4, 64, 64), S=S) == ()
    assert guarded(body, grid={"b": 5}, A=tensor(4, 64, 64), S=S) == (0,)


def test_what_may_lie_before_a_tensor_is_guarded():
    body = "copy(A[y * 32 - 32:y * 32 + 32, 0:64], S)"
    assert guarded(body, grid={"y": 2}, A=tensor(128, 64), S=S) == (0,)


def test_the_tiled_axes_decide_what_a_tile_is():
    body = "copy(A[0:64, h, 0:64], S)"
    tiled = TiledAxes(0, 2)
    assert guarded(body, tiled=tiled, grid={"h": 3}, A=tensor(40, 3, 64), S=S) == ()
    assert guarded(body, tiled=tiled, grid={"h": 3}, A=tensor(30, 3, 64), S=S) == (0,)
