"""ChooseDstMode: 32-bit destination registers where the program needs them."""

import pytest
import tilelang.language as tl
from helpers import assert_same, at, fragment, scripted, shared, tensor, until

from tilelang_tt.diagnostics import PrecisionUnavailable
from tilelang_tt.ir import attrs
from tilelang_tt.options import Options
from tilelang_tt.transforms.choose_dst_mode import ChooseDstMode

BFLOAT, HALF, FLOAT, INTEGER = (
    shared(32, 32, dtype=dtype) for dtype in ("bfloat16", "float16", "float32", "int32")
)


@pytest.mark.parametrize(
    "buffers, option, is_fp32",
    [
        ([BFLOAT], None, False),
        ([HALF], None, False),
        ([FLOAT], None, True),
        ([BFLOAT, fragment(32, 32, dtype="float32")], None, True),
        ([BFLOAT, HALF], None, True),
        ([BFLOAT, INTEGER], None, True),
        ([BFLOAT, shared(32, 32, dtype="int8")], None, True),
        ([BFLOAT, shared(32, 32, dtype="uint8")], None, True),
        ([BFLOAT], True, True),
        ([FLOAT], False, False),
        ([BFLOAT, HALF], True, True),
        ([FLOAT, HALF], False, False),
        ([], None, False),
    ],
)
def test_mode(buffers, option, is_fp32):
    named = {f"B{i}": buffer for i, buffer in enumerate(buffers)}
    before = scripted("T.evaluate(0)", A=tensor(32, 32, dtype="float32"), **named)
    after = ChooseDstMode(option).rewrite(before)
    assert bool(after.attrs[attrs.FP32_DEST]) is is_fp32
    assert_same(after.without_attr(attrs.FP32_DEST), before)
    assert_same(ChooseDstMode(option).rewrite(after), after)


CHOICE = (
    "for i in T.parallel(32):\n    for j in T.parallel(32):\n"
    "        B[i, j] = T.if_then_else(i < j, B[i, j], B[i, j] + B[i, j])"
)


@pytest.mark.parametrize("buffer, is_fp32", [(HALF, True), (BFLOAT, False)])
def test_a_choice_between_float16_values_needs_32_bits(buffer, is_fp32):
    func = scripted(CHOICE, B=buffer)
    assert bool(ChooseDstMode(None).rewrite(func).attrs[attrs.FP32_DEST]) is is_fp32


def test_a_choice_between_float16_values_cannot_do_without():
    with pytest.raises(PrecisionUnavailable, match="a choice between float16 values"):
        ChooseDstMode(False).rewrite(scripted(CHOICE, B=HALF))


F = 'T.Cast("float32", B[i, j])'
EXPRESSIONS = {
    f"T.exp({F}) * {F}": True,
    f"{F} * s + s": True,
    f"T.max({F} * {F}, T.float32(0)) - {F}": True,
    f"{F} * s": False,
    "B[i, j] * B[i, j] + B[i, j]": False,
    f"T.fabs(T.max(T.min({F} + {F}, s), T.float32(-1)))": False,
    f"T.if_then_else({F} > s, {F} + s, {F})": False,
}


@pytest.mark.parametrize("value, is_fp32", EXPRESSIONS.items())
def test_results_that_are_made_of_float32_results_are_kept_in_float32(value, is_fp32):
    func = scripted(
        "s = T.float32(1.5)\nfor i in T.parallel(32):\n    for j in T.parallel(32):\n"
        f'        C[i, j] = T.Cast("bfloat16", {value})',
        B=BFLOAT,
        C=BFLOAT,
    )
    assert bool(ChooseDstMode(None).rewrite(func).attrs[attrs.FP32_DEST]) is is_fp32
    assert not ChooseDstMode(False).rewrite(func).attrs[attrs.FP32_DEST]


def test_statements_of_one_operation_each_need_no_more():
    nest = "for i in T.parallel(32):\n    for j in T.parallel(32):\n        {0}[i, j] = {1}\n"
    one = 'T.Cast("bfloat16", T.Cast("float32", {0}[i, j]) + T.float32(1))'
    func = scripted(
        nest.format("C", one.format("B")) + nest.format("D", one.format("C")),
        B=BFLOAT,
        C=BFLOAT,
        D=BFLOAT,
    )
    assert not ChooseDstMode(None).rewrite(func).attrs[attrs.FP32_DEST]


@pytest.mark.parametrize("dtype", ["int32", "int8", "uint8"])
def test_integers_cannot_do_without_32_bits(dtype):
    func = scripted("T.evaluate(0)", B=shared(32, 32, dtype=dtype))
    with pytest.raises(PrecisionUnavailable, match=f"TT4004: a value of {dtype}"):
        ChooseDstMode(False).rewrite(func)


def test_mixing_16_bit_formats_needs_32_bits():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float16"), C: tl.Tensor((64, 64), "bfloat16")):
        with tl.Kernel(1):  # <- kernel
            A_s = tl.alloc_shared((64, 64), "float16")
            C_l = tl.alloc_fragment((64, 64), "bfloat16")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):
                C_l[i, j] = A_s[i, j] + 1
            tl.copy(C_l, C)

    options = Options(fp32_acc=False)
    pattern = at("TT4004: mixing float16 with bfloat16 needs 32-bit", __file__, "# <- kernel")
    with pytest.raises(PrecisionUnavailable, match=pattern):
        ChooseDstMode(False).rewrite(until(kernel, "tt.ChooseDstMode", options))
