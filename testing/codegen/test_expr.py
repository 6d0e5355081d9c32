"""Expressions in C++ and in the text of a plan."""

import struct

import pytest
from tvm import tirx

from tilelang_tt.codegen.expr import print_expr, print_extent
from tilelang_tt.diagnostics import UnprintableExpr
from tilelang_tt.ir import ops

i, j, k = (tirx.Var(name, "int32") for name in "ijk")
x = tirx.Var("x", "float32")
best = tirx.decl_buffer([1], "int32", "best", scope="local.scalar")
NAMES = {i: "i", j: "j", k: "k_1", x: "x_bits", best.data: "best"}
one, minus = tirx.const(1, "int32"), tirx.const(-1, "int32")

CPP = {
    "i + j * k_1": i + j * k,
    "(i + j) * k_1": (i + j) * k,
    "i - (j - k_1)": i - (j - k),
    "i - j - k_1": i - j - k,
    "i + j - k_1": i + j - k,
    "i / (j * k_1)": tirx.Div(i, j * k),
    "i / j / k_1": tirx.Div(tirx.Div(i, j), k),
    "i % j": tirx.Mod(i, j),
    "i * (j / k_1)": i * tirx.Div(j, k),
    "i * (j % k_1)": i * tirx.Mod(j, k),
    "i < j": i < j,
    "i <= j + 1": i <= j + 1,
    "i > j": i > j,
    "i >= j": i >= j,
    "i == j": tirx.EQ(i, j),
    "i != j": tirx.NE(i, j),
    "i < j && j < k_1": tirx.And(i < j, j < k),
    "i < j || j < k_1": tirx.Or(i < j, j < k),
    "(i < j || j < k_1) && i < k_1": tirx.And(tirx.Or(i < j, j < k), i < k),
    "i < j && j < k_1 || i < k_1": tirx.Or(tirx.And(i < j, j < k), i < k),
    "!(i < j)": tirx.Not(i < j),
    "i + (-1)": tirx.Add(i, minus),
    "k_1 + 1": ops.SCALAR.call(k, i, j) + 1,
    "best": tirx.BufferLoad(best, [0]),
    "i < j ? i : best": tirx.if_then_else(i < j, i, tirx.BufferLoad(best, [0])),
    "(i < j ? i : j) + 1": tirx.if_then_else(i < j, i, j) + 1,
    "static_cast<int8_t>(i) != 0": tirx.NE(tirx.Cast("int8", i), tirx.const(0, "int8")),
    "static_cast<uint8_t>(i) * j": tirx.Cast("int32", tirx.Cast("uint8", i)) * j,
    "-1": minus,
    "true": tirx.IntImm("bool", 1),
    "false": tirx.IntImm("bool", 0),
    "std::min<int32_t>(i, j + 1)": tirx.Min(i, j + 1),
    "std::max<int32_t>(i, j) * k_1": tirx.Max(i, j) * k,
    "floor_div(i - j, k_1)": ops.FLOOR_DIV.call(i - j, k),
    "floor_mod(i, k_1) + 1": ops.FLOOR_MOD.call(i, k) + 1,
    "i": tirx.Cast("int32", tirx.Cast("int64", i).value.astype("int64")),
    "x_bits": ops.FLOAT_BITS.call(x),
    "0x40000000u /* 2 */": ops.FLOAT_BITS.call(tirx.const(2.0, "float32")),
    "0xbe99999au /* -0.3 */": ops.FLOAT_BITS.call(tirx.const(-0.3, "float32")),
}


@pytest.mark.parametrize("text, expr", CPP.items(), ids=CPP)
def test_cpp(text, expr):
    if isinstance(expr, tirx.Cast):
        expr = tirx.Cast("int32", tirx.Var("i", "int64"))
        assert print_expr(expr, {expr.value: "i"}) == text
        return
    assert print_expr(expr, NAMES) == text


@pytest.mark.parametrize("outer, text", [(0, "i + j"), (50, "i + j"), (60, "(i + j)")])
def test_parentheses_where_the_context_binds_tighter(outer, text):
    assert print_expr(i + j, NAMES, outer) == text


@pytest.mark.parametrize(
    "text",
    ["i - (j + k)", "i - (j - k)", "i / (j / k)", "i % (j % k)", "i / (j * k)", "i * (j / k)"],
)
def test_text_means_what_the_expression_means(text):
    """The printed text, read by C++'s rules of precedence, has the value of the tree."""
    kinds = {"+": tirx.Add, "-": tirx.Sub, "*": tirx.Mul, "/": tirx.Div, "%": tirx.Mod}
    _, outer, inner = text[0], text[2], text[7]
    expr = kinds[outer](i, kinds[inner](j, k))
    printed = print_expr(expr, {i: "97", j: "13", k: "5"}).replace("/", "//")
    table = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
    table |= {"/": int.__floordiv__, "%": int.__mod__}
    assert eval(printed) == table[outer](97, table[inner](13, 5))


def test_float_bits_are_those_of_a_float32():
    number = 0.1
    text = print_expr(ops.FLOAT_BITS.call(tirx.const(number, "float32")), {})
    bits = int(text.split("u")[0], 16)
    assert struct.unpack("<f", struct.pack("<I", bits))[0] == pytest.approx(number)


@pytest.mark.parametrize(
    "expr, kind",
    [
        (tirx.FloorDiv(i, j), "FloorDiv"),
        (tirx.FloorMod(i, j), "FloorMod"),
        (tirx.Select(i < j, i, j), "Select"),
        (tirx.const(1.0, "float32"), "FloatImm"),
        (tirx.Cast("float32", i), "Cast"),
        (tirx.exp(x), "Call"),
    ],
)
def test_what_has_no_cpp_is_refused(expr, kind):
    with pytest.raises(UnprintableExpr, match=rf"TT9002: no C\+\+ is defined for the {kind} in"):
        print_expr(i + expr if expr.dtype == "int32" else expr, NAMES)


def test_a_variable_without_a_name_is_an_error():
    with pytest.raises(KeyError):
        print_expr(i + tirx.Var("stranger", "int32"), NAMES)


EXTENTS = {
    "i // 32": tirx.FloorDiv(i, tirx.const(32, "int32")),
    "(i + 31) // 32 * 32": tirx.FloorDiv(i + 31, tirx.const(32, "int32")) * 32,
    "i % 32": tirx.FloorMod(i, tirx.const(32, "int32")),
    "i - (j - k)": i - (j - k),
    "min(i, j)": tirx.Min(i, j),
    "max(i, j + 1)": tirx.Max(i, j + 1),
}


@pytest.mark.parametrize("text, expr", EXTENTS.items(), ids=EXTENTS)
def test_extent(text, expr):
    assert print_extent(expr) == text


@pytest.mark.parametrize(
    "expr", [tirx.Div(i, j), tirx.Mod(i, j), i < j, tirx.EQ(i, j), tirx.Cast("int32", i < j)]
)
def test_what_a_plan_cannot_say_is_refused(expr):
    with pytest.raises(UnprintableExpr, match="TT9002"):
        print_extent(expr)
