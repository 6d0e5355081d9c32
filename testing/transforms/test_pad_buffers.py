"""PadBuffers: on-chip buffers of whole tiles, and the padding kept out of sums and products."""

import pytest
from helpers import check_unchanged, fragment, scripted, shared, tensor

from tilelang_tt.analysis import access
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Gemm, Reduce
from tilelang_tt.transforms.pad_buffers import PadBuffers


def prepared(body, **buffers):
    frame = Frame.of(scripted(body, **buffers))
    axes = {t.data: TiledAxes.default(len(t.shape)) for t in frame.tensors}
    return attrs.with_tiled_axes(frame, axes)


def padded(body, **buffers):
    """The statements' views, and the shapes of the buffers by name, after the pass."""
    after = PadBuffers().rewrite(prepared(body, **buffers))
    check_unchanged(PadBuffers(), after)
    frame = Frame.of(after)
    shapes = {buffer.name: tuple(map(int, buffer.shape)) for buffer in frame.buffers}
    return [view for _, view in access.leaves(frame.body)], shapes


def nest(dst, value, rows, columns):
    return (
        f"for i in T.parallel({rows}):\n    for j in T.parallel({columns}): {dst}[i, j] = {value}\n"
    )


def reduction(dim, kind="sum"):
    return f'reduce(P, m, "{kind}", {dim})\n'


EXP = nest("P", "T.exp(S[i, j])", 40, 70)
RAGGED = {"S": shared(40, 70, dtype="float32"), "P": fragment(40, 70, dtype="float32")}


def test_loops_and_buffers_are_rounded_up():
    (view,), shapes = padded(EXP, **RAGGED)
    assert shapes == {"S": (64, 96), "P": (64, 96)}
    assert [int(loop.extent) for loop in view.loops] == [64, 96]


def test_whole_tiles_and_vectors_stay():
    body = nest("P", "S[i, j] + v[0, j]", 64, 32)
    func = prepared(body, S=shared(64, 32), P=shared(64, 32), v=shared(1, 32))
    check_unchanged(PadBuffers(), func)


@pytest.mark.parametrize(
    ("kind", "neutral"), [("sum", "T.float32(0.0)"), ("max", 'T.float32("-inf")')]
)
def test_a_reduction_does_not_see_the_padding(kind, neutral):
    body = nest("P", "T.exp(S[i, j])", 32, 70) + reduction(1, kind)
    buffers = {name: shared(32, 70, dtype="float32") for name in "SP"}
    (_, mask, reduce), shapes = padded(body, **buffers, m=shared(32, 1, dtype="float32"))
    assert isinstance(mask, Elementwise)
    assert str(mask.store.value) == f"T.if_then_else(j < 70, P[i, j], {neutral})"
    assert isinstance(reduce, Reduce)
    assert reduce.src.buffer.name == "P_in"
    assert shapes["P_in"] == (32, 96)


def test_a_reduction_along_whole_tiles_needs_no_mask():
    body = nest("P", "T.exp(S[i, j])", 40, 64) + reduction(1)
    buffers = {name: shared(40, 64, dtype="float32") for name in "SP"}
    views, shapes = padded(body, **buffers, m=shared(40, 1, dtype="float32"))
    assert len(views) == 2
    assert shapes["m"] == (64, 1)


def test_zeros_from_beyond_a_tensor_need_no_mask_in_a_sum():
    body = "copy(A, P)\n" + reduction(1)
    buffers = {"P": shared(32, 70, dtype="float32"), "m": shared(32, 1, dtype="float32")}
    assert len(padded(body, A=tensor(32, 70, dtype="float32"), **buffers)[0]) == 2
    wider = padded("copy(A[0:32, 0:70], P)\n" + reduction(1), A=tensor(32, 80), **buffers)[0]
    assert len(wider) == 3, "the tile holds more of the tensor than the block has"
    maximum = padded("copy(A, P)\n" + reduction(1, "max"), A=tensor(32, 70), **buffers)[0]
    assert len(maximum) == 3, "a zero may be the largest"


@pytest.mark.parametrize(("transpose", "k_axis"), [(False, 0), (True, 1)])
def test_a_product_does_not_see_the_padding_of_its_inner_dimension(transpose, k_axis):
    b_shape = [48, 48]
    b_shape[k_axis] = 40
    body = f"gemm(P, B, C, transpose_b={transpose}, clear=True)"
    (mask_a, mask_b, gemm), shapes = padded(
        nest("P", "T.bfloat16(1)", 40, 40) + nest("B", "T.bfloat16(1)", *b_shape) + body,
        P=shared(40, 40), B=shared(*b_shape), C=fragment(40, 48, dtype="float32"),
    )[0][2:], None  # fmt: skip
    assert isinstance(gemm, Gemm)
    assert gemm.mnk == (64, 64, 64)
    assert (gemm.a.buffer.name, gemm.b.buffer.name) == ("P_in", "B_in")
    assert str(mask_a.store.value).startswith("T.if_then_else(j < 40")
    assert str(mask_b.store.value).startswith(f"T.if_then_else({'ij'[k_axis]} < 40")
    assert shapes is None
