"""ChooseTiledAxes: a tensor is tiled in the axes that blocks take their rows and columns from."""

import pytest
import tilelang.language as tl
from helpers import assert_same, at, scripted, shared, tensor, tiled, until

from tilelang_tt.diagnostics import UntiledDimension
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.choose_tiled_axes import ChooseTiledAxes

BUFFERS = {
    "Q": tensor(2, 128, 4, 64),
    "M": tensor(128, 96),
    "V": tensor(128),
    "U": tensor(4, 64),
    "S": shared(64, 64),
    "B": shared(2, 64, 64),
    "R": shared(1, 64),
    "C": shared(64, 1),
    "E": shared(1, 1),
}


def chosen(body):
    func = ChooseTiledAxes().rewrite(scripted(body, scalars=["n"], **BUFFERS))
    frame = Frame.of(func)
    return {tensor.name: attrs.tiled_axes(frame)[tensor.data] for tensor in frame.tensors}


def test_the_axes_become_an_annotation():
    body = "copy(Q[n, 64:128, 1, 0:64], S); copy(S, M[0:64, 0:64])"
    func = scripted(body, scalars=["n"], **BUFFERS)
    expected = tiled(func, Q=(1, 3))
    assert_same(ChooseTiledAxes().rewrite(func), expected)
    assert_same(ChooseTiledAxes().rewrite(expected), expected)


CHOSEN = {
    "rows from the sequence": ("copy(Q[n, 64:128, 1, 0:64], S)", "Q", (1, 3)),
    "the last two": ("copy(M[0:64, 32:96], S)", "M", (0, 1)),
    "a store": ("copy(S, Q[n, 0:64, 1, 0:64])", "Q", (1, 3)),
    "matrices of a leading axis": ("copy(Q[0:2, 0:64, n, 0:64], B)", "Q", (1, 3)),
    "a row": ("copy(Q[n, 5, 1, 0:64], R)", "Q", (None, 3)),
    "a column": ("copy(Q[n, 64:128, 1, 7], C)", "Q", (1, None)),
    "a vector as a row": ("copy(V[0:64], R)", "V", (None, 0)),
    "a vector as a column": ("copy(V[0:64], C)", "V", (0, None)),
    "an element": ("copy(V[3], E)", "V", (None, None)),
    "nothing": ("copy(M[0:64, 0:64], S)", "Q", (2, 3)),
    "nothing of a vector": ("copy(M[0:64, 0:64], S)", "V", (None, 0)),
    "blocks, and a row of their tiles": (
        "copy(Q[n, 0:64, 1, 0:64], S); copy(Q[n, 32, 1, 0:64], R)",
        "Q",
        (1, 3),
    ),
    "a row, and then blocks": (
        "copy(Q[n, 32, 1, 0:64], R); copy(Q[n, 0:64, 1, 0:64], S)",
        "Q",
        (1, 3),
    ),
    "a row and a column": (
        "copy(M[0, 0:64], R); copy(M[0:64, 0], C)",
        "M",
        (0, 1),
    ),
    "loads and stores in loops": (
        "for k in range(2):\n    if n == 0: copy(Q[k, 0:64, n, 0:64], S)\n"
        "    copy(S, M[0:64, 0:64])",
        "Q",
        (1, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("body, name, axes", CHOSEN.values(), ids=CHOSEN)
def test_chosen(body, name, axes):
    assert chosen(body)[name] == TiledAxes(*axes)


REFUSED = {
    "rows from two axes": (
        "copy(Q[n, 0:64, 1, 0:64], S); copy(Q[0:2, n, 0:4, 0:64], X)",
        r"TT2008: 'X' takes its elements from axes \[2, 3\] of tensor 'Q', of which other blocks "
        r"take theirs from axes \[1, 3\]",
    ),
    "blocks with their axes exchanged": (
        "copy(M[0:64, 0:64], S); copy(M[0:64, 0], R)",
        r"TT2008: 'R' takes its elements from axes \[0\] .* from axes \[0, 1\]",
    ),
    "a vector as a row and as a column": (
        "copy(V[0:64], R); copy(V[0:64], C)",
        r"TT2008: 'C' takes its elements from axes \[0\] .* from axes \[0\]",
    ),
}


@pytest.mark.parametrize("body, message", REFUSED.values(), ids=REFUSED)
def test_refused(body, message):
    func = scripted(body, scalars=["n"], **BUFFERS, X=shared(2, 4, 64))
    with pytest.raises(UntiledDimension, match=message):
        ChooseTiledAxes().rewrite(func)


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[1, 0:64, 0:64], A_s)
            tl.copy(A_s, C)
            tl.copy(A[0:64, 1, 0:64], A_s)  # <- exchanged
            tl.copy(A_s, C)

    with pytest.raises(UntiledDimension, match=at("TT2008", __file__, "# <- exchanged")):
        ChooseTiledAxes().rewrite(until(kernel, ChooseTiledAxes.name))
