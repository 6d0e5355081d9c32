"""Instruction selection and slots of DST."""

import math
import operator
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tvm import ir, tirx

from tilelang_tt.analysis.expression import Operand, allocate, select, slots_needed
from tilelang_tt.diagnostics import UnsupportedExpression
from tilelang_tt.ir import ops

i, j = tirx.Var("i", "int32"), tirx.Var("j", "int32")
x = tirx.Var("x", "float32")
n = tirx.Var("n", "int32")


def load(name, dtype="bfloat16", indices=(i, j)):
    return tirx.BufferLoad(tirx.decl_buffer((32, 32), dtype, name), list(indices))


A, B, F, G, V, W, C, E = (
    load("A"),
    load("B"),
    load("F", "float32"),
    load("G", "float32"),
    load("V"),
    load("W"),
    load("C"),
    load("E"),
)
H = load("H", "float16")
BROADCASTS = {"V": "row", "W": "row", "C": "column", "E": "scalar"}
FORMATS = {"bfloat16": "Float16_b", "float16": "Float16", "float32": "", "int32": "Int32"}
FORMATS |= {"int8": "UInt8", "uint8": "UInt8"}


def classify(value):
    return Operand(value, BROADCASTS.get(value.buffer.name, ""), FORMATS[value.dtype])


def text(ins):
    """An instruction, readable: r2 = add_tiles(A, B)."""
    loads = [operand.buffer.name for operand in ins.loads]
    inputs = [f"r{register}" for register in ins.inputs]
    bits = [] if ins.bits is None else [str(ins.bits.args[0])]
    return f"r{ins.out} = {ins.op.name}({', '.join([*loads, *inputs, *bits])})"


def selected(value):
    return [text(ins) for ins in select(value, classify)]


def call(name, *values):
    return tirx.Call(values[-1].dtype, ir.Op.get(f"tirx.{name}"), list(values))


def f32(value):
    return tirx.Cast("float32", value)


TWO, ZERO = tirx.const(2.0, "float32"), tirx.const(0.0, "float32")
INF, MINUS_INF = tirx.const(math.inf, "float32"), tirx.const(-math.inf, "float32")
LOAD_F = "r0 = copy_tile(F)"
SELECTED = {
    "a tile": (A, ["r0 = copy_tile(A)"]),
    "a row": (V, ["r0 = unary_bcast_row(V)"]),
    "a column": (C, ["r0 = unary_bcast_column(C)"]),
    "an element": (E, ["r0 = unary_bcast_scalar(E)"]),
    "a constant": (TWO, ["r0 = fill_tile_bitcast(T.float32(2.0))"]),
    "a scalar": (x, ["r0 = fill_tile_bitcast(x)"]),
    "two tiles that the matrix unit reads exactly": (A + B, ["r0 = add_tiles(A, B)"]),
    "their difference": (A - B, ["r0 = sub_tiles(A, B)"]),
    "their product": (A * B, ["r0 = mul_tiles(A, B)"]),
    "their quotient": (
        A / B,
        ["r0 = copy_tile(A)", "r1 = copy_tile(B)", "r2 = div_binary_tile(r0, r1)"],
    ),
    "tiles of 32 bits": (F + G, [LOAD_F, "r1 = copy_tile(G)", "r2 = add_binary_tile(r0, r1)"]),
    "tiles of two formats": (
        f32(A) + f32(H),
        ["r0 = copy_tile(A)", "r1 = copy_tile(H)", "r2 = add_binary_tile(r0, r1)"],
    ),
    "conversions cost nothing": (
        tirx.Cast("bfloat16", f32(A) + f32(B)),
        ["r0 = add_tiles(A, B)"],
    ),
    "a tile and a row": (A + V, ["r0 = add_tiles_bcast_row(A, V)"]),
    "a row and a tile": (V + A, ["r0 = add_tiles_bcast_row(A, V)"]),
    "a tile times a row": (V * A, ["r0 = mul_tiles_bcast_row(A, V)"]),
    "a tile less a row": (A - V, ["r0 = sub_tiles_bcast_row(A, V)"]),
    "a tile and a column": (A + C, ["r0 = add_tiles_bcast_column(A, C)"]),
    "a column and a tile": (C + A, ["r0 = add_tiles_bcast_column(A, C)"]),
    "a tile times a column": (C * A, ["r0 = mul_tiles_bcast_column(A, C)"]),
    "a tile less a column": (A - C, ["r0 = sub_tiles_bcast_column(A, C)"]),
    "a tile and an element": (E + A, ["r0 = add_tiles_bcast_scalar(A, E)"]),
    "a tile times an element": (A * E, ["r0 = mul_tiles_bcast_scalar(A, E)"]),
    "a tile less an element": (A - E, ["r0 = sub_tiles_bcast_scalar(A, E)"]),
    "a column less a tile": (
        C - A,
        ["r0 = unary_bcast_column(C)", "r1 = copy_tile(A)", "r2 = sub_binary_tile(r0, r1)"],
    ),
    "a column and a row": (
        C + V,
        ["r0 = unary_bcast_column(C)", "r1 = unary_bcast_row(V)", "r2 = add_binary_tile(r0, r1)"],
    ),
    "a row less a tile": (
        V - A,
        ["r0 = unary_bcast_row(V)", "r1 = copy_tile(A)", "r2 = sub_binary_tile(r0, r1)"],
    ),
    "two rows": (
        V + W,
        ["r0 = unary_bcast_row(V)", "r1 = unary_bcast_row(W)", "r2 = add_binary_tile(r0, r1)"],
    ),
    "plus a constant": (F + TWO, [LOAD_F, "r1 = add_unary_tile(r0, T.float32(2.0))"]),
    "constant first": (TWO + F, [LOAD_F, "r1 = add_unary_tile(r0, T.float32(2.0))"]),
    "minus a constant": (F - TWO, [LOAD_F, "r1 = sub_unary_tile(r0, T.float32(2.0))"]),
    "constant minus": (TWO - F, [LOAD_F, "r1 = rsub_unary_tile(r0, T.float32(2.0))"]),
    "times a scalar": (F * x, [LOAD_F, "r1 = mul_unary_tile(r0, x)"]),
    "divided by a constant": (
        F / TWO,
        [LOAD_F, "r1 = mul_unary_tile(r0, T.float32(0.5))"],
    ),
    "divided by zero": (
        tirx.Div(F, ZERO),
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(0.0))", "r2 = div_binary_tile(r0, r1)"],
    ),
    "divided by a scalar": (
        F / x,
        [LOAD_F, "r1 = fill_tile_bitcast(x)", "r2 = div_binary_tile(r0, r1)"],
    ),
    "a constant divided": (
        TWO / F,
        ["r0 = fill_tile_bitcast(T.float32(2.0))", "r1 = copy_tile(F)",
         "r2 = div_binary_tile(r0, r1)"],
    ),
    "relu": (tirx.Max(F, ZERO), [LOAD_F, "r1 = relu_tile(r0)"]),
    "relu, zero first": (tirx.Max(ZERO, F), [LOAD_F, "r1 = relu_tile(r0)"]),
    "max with another constant": (
        tirx.Max(F, TWO),
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(2.0))", "r2 = binary_max_tile(r0, r1)"],
    ),
    "min with zero": (
        tirx.Min(F, ZERO),
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(0.0))", "r2 = binary_min_tile(r0, r1)"],
    ),
    "constants among themselves": (
        F * tirx.Add(TWO, tirx.Mul(TWO, TWO)),
        [LOAD_F, "r1 = mul_unary_tile(r0, T.float32(6.0))"],
    ),
    "constants of another dtype": (
        F - f32(tirx.Sub(tirx.const(2.0, "float16"), tirx.const(0.5, "float16"))),
        [LOAD_F, "r1 = sub_unary_tile(r0, T.float32(1.5))"],
    ),
    "a maximum with the least value": (tirx.Max(F, MINUS_INF), [LOAD_F]),
    "a maximum of the least value": (tirx.Max(MINUS_INF, F), [LOAD_F]),
    "a minimum with the greatest value": (tirx.Min(F, INF), [LOAD_F]),
    "a minimum of the greatest value": (tirx.Min(INF, F), [LOAD_F]),
    "a maximum with the greatest value": (
        tirx.Max(F, INF),
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(\"inf\"))", "r2 = binary_max_tile(r0, r1)"],
    ),
    "a minimum with the least value": (
        tirx.Min(F, MINUS_INF),
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(\"-inf\"))", "r2 = binary_min_tile(r0, r1)"],
    ),
    "a number of the whole tile": (
        F + f32(n * 2),
        [LOAD_F, "r1 = add_unary_tile(r0, n * 2)"],
    ),
    "the logarithm to base 2": (
        call("log2", F),
        [LOAD_F, "r1 = log_tile(r0)", "r2 = mul_unary_tile(r1, T.float32(1.4426950408889634))"],
    ),
    "a comparison": (
        f32(F < G),
        [LOAD_F, "r1 = copy_tile(G)", "r2 = lt_binary_tile(r0, r1)"],
    ),
    "a comparison with a constant": (
        f32(F >= TWO),
        [LOAD_F, "r1 = unary_ge_tile(r0, T.float32(2.0))"],
    ),
    "a comparison of a constant": (
        f32(tirx.LT(TWO, F)),
        [LOAD_F, "r1 = unary_gt_tile(r0, T.float32(2.0))"],
    ),
    "a comparison of constants": (
        tirx.GE(TWO, ZERO),
        ["r0 = fill_tile_bitcast(T.float32(0.0))", "r1 = unary_le_tile(r0, T.float32(2.0))"],
    ),
    "and": (
        f32(tirx.And(F < G, F > ZERO)),
        [LOAD_F, "r1 = copy_tile(G)", "r2 = lt_binary_tile(r0, r1)",
         "r3 = unary_gt_tile(r0, T.float32(0.0))", "r4 = mul_binary_tile(r2, r3)"],
    ),
    "or": (
        f32(tirx.Or(F < TWO, F > TWO)),
        [LOAD_F, "r1 = unary_lt_tile(r0, T.float32(2.0))",
         "r2 = unary_gt_tile(r0, T.float32(2.0))", "r3 = binary_max_tile(r1, r2)"],
    ),
    "not": (
        f32(tirx.Not(F < TWO)),
        [LOAD_F, "r1 = unary_lt_tile(r0, T.float32(2.0))",
         "r2 = rsub_unary_tile(r1, T.float32(1.0))"],
    ),
    "a condition that always holds": (
        f32(tirx.And(F < TWO, tirx.const(True, "bool"))),
        [LOAD_F, "r1 = unary_lt_tile(r0, T.float32(2.0))",
         "r2 = fill_tile_bitcast(T.float32(1.0))", "r3 = mul_binary_tile(r1, r2)"],
    ),
    "a choice": (
        call("if_then_else", F < TWO, G, F),
        [LOAD_F, "r1 = unary_lt_tile(r0, T.float32(2.0))", "r2 = copy_tile(G)",
         "r3 = where_tile(r1, r2, r0)"],
    ),
    "a selection": (
        tirx.Select(F < TWO, G, F),
        [LOAD_F, "r1 = unary_lt_tile(r0, T.float32(2.0))", "r2 = copy_tile(G)",
         "r3 = where_tile(r1, r2, r0)"],
    ),
    "a common subexpression": (
        (F * G) + (F * G),
        [LOAD_F, "r1 = copy_tile(G)", "r2 = mul_binary_tile(r0, r1)",
         "r3 = add_binary_tile(r2, r2)"],
    ),
    "an operand loaded once": (
        call("exp", F) + F,
        [LOAD_F, "r1 = exp_tile(r0)", "r2 = add_binary_tile(r1, r0)"],
    ),
    "the operand that needs more room first": (
        F - (call("exp", F) + call("exp", G)),
        ["r0 = copy_tile(F)", "r1 = exp_tile(r0)", "r2 = copy_tile(G)", "r3 = exp_tile(r2)",
         "r4 = add_binary_tile(r1, r3)", "r5 = sub_binary_tile(r0, r4)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("value, expected", SELECTED.values(), ids=SELECTED)
def test_selection(value, expected):
    assert selected(value) == expected


FUNCTIONS = {
    "exp": "exp",
    "exp2": "exp2",
    "log": "log",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "fabs": "abs",
    "erf": "erf",
    "floor": "floor",
    "ceil": "ceil",
    "trunc": "trunc",
    "sin": "sin",
    "cos": "cos",
    "log1p": "log1p",
}


@pytest.mark.parametrize(
    "kind, name, mirrored",
    [
        (tirx.EQ, "eq", "eq"),
        (tirx.NE, "ne", "ne"),
        (tirx.LT, "lt", "gt"),
        (tirx.LE, "le", "ge"),
        (tirx.GT, "gt", "lt"),
        (tirx.GE, "ge", "le"),
    ],
)
def test_comparisons(kind, name, mirrored):
    assert selected(kind(F, G))[-1] == f"r2 = {name}_binary_tile(r0, r1)"
    assert selected(kind(F, TWO)) == [LOAD_F, f"r1 = unary_{name}_tile(r0, T.float32(2.0))"]
    assert selected(kind(TWO, F)) == [LOAD_F, f"r1 = unary_{mirrored}_tile(r0, T.float32(2.0))"]


@pytest.mark.parametrize("name, op", FUNCTIONS.items())
def test_functions_run_on_the_vector_unit(name, op):
    assert selected(call(name, F)) == [LOAD_F, f"r1 = {op}_tile(r0)"]


def test_a_power_has_two_operands():
    assert selected(call("pow", F, TWO))[-1] == "r2 = power_binary_tile(r0, r1)"


integer = tirx.BufferLoad(tirx.decl_buffer((32, 32), "int32"), [i, j])


@pytest.mark.parametrize(
    "value, name",
    [
        (integer + integer, "add"),
        (tirx.floordiv(integer, 3), "floor_div"),
        (tirx.floormod(integer, 3), "floor_mod"),
        (tirx.truncdiv(integer, 3), "trunc_div"),
        (tirx.truncmod(integer, 3), "trunc_mod"),
        (integer << 3, "shift_left"),
        (integer >> 3, "shift_right"),
        (integer & 3, "and"),
    ],
)
def test_operations_on_integers(value, name):
    *_, last = select(value, classify)
    assert last.op is ops.INT_BINARY[name]
    assert last.inputs == ((0, 0) if name == "add" else (0, 1))


I8, J8 = load("I8", "int8"), load("J8", "int8")
U8 = load("U8", "uint8")
I32 = load("I32", "int32")
LOAD_I8 = "r0 = copy_tile(I8)"
NUMBER_I8 = "r1 = typecast_int8_int32(r0)"
LOAD_U8 = "r0 = copy_tile(U8)"


def cast(dtype, value):
    return tirx.Cast(dtype, value)


BYTES = {
    "a copy": (I8, [LOAD_I8]),
    "of a float": (cast("int8", F), ["r0 = copy_tile(F)", "r1 = typecast_float32_int8(r0)"]),
    "of a narrow float": (
        cast("uint8", H),
        ["r0 = copy_tile(H)", "r1 = typecast_float32_uint8(r0)"],
    ),
    "of an integer": (cast("int8", I32), ["r0 = copy_tile(I32)", "r1 = typecast_int32_int8(r0)"]),
    "of a condition": (
        cast("int8", F > ZERO),
        [
            "r0 = copy_tile(F)",
            "r1 = unary_gt_tile(r0, T.float32(0.0))",
            "r2 = typecast_float32_int8(r1)",
        ],
    ),
    "of the other sign": (cast("uint8", I8), [LOAD_I8]),
    "of a float by way of the other": (
        cast("uint8", cast("int8", F)),
        ["r0 = copy_tile(F)", "r1 = typecast_float32_int8(r0)"],
    ),
    "a sum": (
        I8 + J8,
        [
            LOAD_I8,
            NUMBER_I8,
            "r2 = copy_tile(J8)",
            "r3 = typecast_int8_int32(r2)",
            "r4 = add_int(r1, r3)",
            "r5 = typecast_int32_int8(r4)",
        ],
    ),
    "a sum without sign": (
        U8 + U8,
        [LOAD_U8, "r1 = add_int(r0, r0)", "r2 = typecast_int32_uint8(r1)"],
    ),
    "a maximum without sign": (tirx.Max(U8, U8), [LOAD_U8, "r1 = max_int(r0, r0)"]),
    "a maximum": (
        tirx.Max(I8, I8),
        [LOAD_I8, NUMBER_I8, "r2 = max_int(r1, r1)", "r3 = typecast_int32_int8(r2)"],
    ),
    "what is compared after a sum": (
        tirx.Max(I8 + I8, I8),
        [
            LOAD_I8,
            NUMBER_I8,
            "r2 = add_int(r1, r1)",
            "r3 = typecast_int32_int8(r2)",
            "r4 = typecast_int8_int32(r3)",
            "r5 = max_int(r4, r1)",
            "r6 = typecast_int32_int8(r5)",
        ],
    ),
    "to a float": (cast("float32", I8), [LOAD_I8, "r1 = typecast_int8_float32(r0)"]),
    "without sign to a float": (
        cast("bfloat16", U8),
        [LOAD_U8, "r1 = typecast_int32_float32(r0)"],
    ),
    "a maximum to a float": (
        cast("float32", tirx.Max(I8, I8)),
        [LOAD_I8, NUMBER_I8, "r2 = max_int(r1, r1)", "r3 = typecast_int32_float32(r2)"],
    ),
    "to an integer": (cast("int32", I8), [LOAD_I8, NUMBER_I8]),
    "a float cut to a byte": (
        cast("int32", cast("int8", F)),
        ["r0 = copy_tile(F)", "r1 = typecast_float32_int8(r0)", "r2 = typecast_int8_int32(r1)"],
    ),
    "a comparison": (
        I8 < J8,
        [
            LOAD_I8,
            NUMBER_I8,
            "r2 = copy_tile(J8)",
            "r3 = typecast_int8_int32(r2)",
            "r4 = lt_int(r1, r3)",
            "r5 = typecast_int32_float32(r4)",
        ],
    ),
}


@pytest.mark.parametrize("value, expected", BYTES.values(), ids=BYTES)
def test_integers_of_8_bits_are_numbers_between_their_bytes(value, expected):
    assert selected(value) == expected


@pytest.mark.parametrize(
    "value, wraps",
    [
        (I8 - I8, True),
        (I8 * I8, True),
        (tirx.truncdiv(I8, J8), True),
        (tirx.floordiv(I8, J8), True),
        (I8 << J8, True),
        (I8 >> J8, False),
        (tirx.Min(I8, J8), False),
        (tirx.truncmod(I8, J8), False),
        (tirx.floormod(I8, J8), False),
        (I8 & J8, False),
        (tirx.if_then_else(I8 < J8, I8, J8), False),
    ],
    ids=str,
)
def test_a_number_that_no_byte_holds_is_cut_before_it_is_used(value, wraps):
    names = [ins.op.name for ins in select(tirx.Max(value, I8), classify)]
    assert ("typecast_int32_int8" in names[:-1]) is wraps


@pytest.mark.parametrize(
    "value",
    [
        call("acos", F),
        call("atan", F),
        tirx.Cast("float32", tirx.Cast("int64", n)),
    ],
    ids=str,
)
def test_the_rest_is_refused(value):
    with pytest.raises(UnsupportedExpression, match=r"TT1007: .*\n.*supported on floating-point"):
        select(F * value if value.dtype == "float32" else value, classify)


@pytest.mark.parametrize(
    "value, names",
    [
        (tirx.Add(TWO, x), ["fill_tile_bitcast", "add_unary_tile"]),
        (tirx.Sub(TWO, x), ["fill_tile_bitcast", "sub_unary_tile"]),
        (tirx.Div(TWO, x), ["fill_tile_bitcast", "fill_tile_bitcast", "div_binary_tile"]),
        (call("exp", tirx.Mul(x, x)), ["fill_tile_bitcast", "mul_unary_tile", "exp_tile"]),
    ],
    ids=str,
)
def test_arithmetic_of_scalars_is_done_on_a_tile(value, names):
    assert [ins.op.name for ins in select(value, classify)] == names


def test_an_operation_in_place_on_a_value_needed_later_works_on_a_copy():
    program, used = allocate(select(call("exp", F) + F, classify))
    assert used == 2
    assert [text(ins) for ins in program] == [
        LOAD_F,
        "r1 = copy_dest_values(r0)",
        "r1 = exp_tile(r1)",
        "r0 = add_binary_tile(r1, r0)",
    ]


def test_an_operation_in_place_on_a_dying_value_needs_no_copy():
    program, used = allocate(select(call("exp", call("sqrt", F)), classify))
    assert used == 1
    assert [text(ins) for ins in program] == [LOAD_F, "r0 = sqrt_tile(r0)", "r0 = exp_tile(r0)"]


def test_a_slot_is_free_after_its_last_use():
    value = F
    for divisor in (G, A, B, V):
        value = value / f32(divisor)
    assert allocate(select(value, classify))[1] == 2


def test_what_accumulates_gets_a_slot_that_nothing_has_been_in():
    value = call("exp", F) / G / f32(A * B)
    program, used = allocate(select(value, classify))
    (product,) = [ins for ins in program if ins.op is ops.FPU_BINARY[""]["mul"]]
    before = program[: program.index(product)]
    assert product.op.accumulates
    assert product.out not in {ins.out for ins in before}
    assert used == 3
    shared_slots = allocate(select(value, classify, fpu_products=False))[1]
    assert shared_slots == 3


def test_without_products_on_the_matrix_unit_the_vector_unit_multiplies():
    ops_used = [ins.op for ins in select(A * B, classify, fpu_products=False)]
    assert ops_used == [ops.COPY_TILE, ops.COPY_TILE, ops.SFPU_BINARY["mul"]]
    assert [ins.op for ins in select(A + B, classify, fpu_products=False)] == [
        ops.FPU_BINARY[""]["add"]
    ]
    ops_used = [ins.op for ins in select(A * C, classify, fpu_products=False)]
    column = ops.UNARY_BROADCAST["column"].tile
    assert ops_used == [ops.COPY_TILE, column, ops.SFPU_BINARY["mul"]]


def test_slots_needed_counts_every_operand():
    assert slots_needed(A + B) == 2
    assert slots_needed(A) == 1
    assert slots_needed(A * A) == 1


def test_slots_needed_counts_an_index_as_a_tile():
    assert slots_needed(A + f32(i * 2 - j)) == 2
    assert slots_needed(f32(i) + f32(j)) == 2
    narrow = tirx.Cast("bfloat16", A)
    assert slots_needed(narrow * tirx.Cast("bfloat16", i)) == 2
    assert slots_needed(call("if_then_else", i >= j, A, MINUS_INF)) == 3


# Random expressions. ------------------------------------------------------------------------------

VALUES = {"A": 0.5, "B": -1.25, "F": 2.0, "G": -0.75, "V": 1.5, "W": 0.25, "C": -0.5, "E": 3.5}
SCALAR = 3.0
BINARY = {
    tirx.Add: operator.add,
    tirx.Sub: operator.sub,
    tirx.Mul: operator.mul,
    tirx.Max: max,
    tirx.Min: min,
}
COMPARISONS = {
    tirx.EQ: operator.eq,
    tirx.NE: operator.ne,
    tirx.LT: operator.lt,
    tirx.LE: operator.le,
    tirx.GT: operator.gt,
    tirx.GE: operator.ge,
}
LOGICAL = {tirx.And: operator.and_, tirx.Or: operator.or_}
UNARY = {"tanh": math.tanh, "fabs": abs, "sigmoid": lambda v: 1 / (1 + math.exp(-v))}


def evaluate(value):
    """The value of an expression, element by element the same."""
    match value:
        case tirx.Cast():
            return evaluate(value.value)
        case tirx.FloatImm():
            return value.value
        case tirx.Var():
            return SCALAR
        case tirx.BufferLoad():
            return VALUES[value.buffer.name]
        case tirx.Call() if value.op.name == "tirx.if_then_else":
            condition, yes, no = (evaluate(arg) for arg in value.args)
            return yes if condition else no
        case tirx.Call():
            return UNARY[value.op.name.removeprefix("tirx.")](evaluate(value.args[0]))
        case tirx.Not():
            return not evaluate(value.a)
        case tirx.Select():
            chosen = value.true_value if evaluate(value.condition) else value.false_value
            return evaluate(chosen)
    function = (BINARY | COMPARISONS | LOGICAL)[type(value)]
    return function(evaluate(value.a), evaluate(value.b))


BY_OP = {
    **{
        ops.FPU_BINARY[broadcast][name]: function
        for broadcast in ("", "row", "column", "scalar")
        for name, function in (("add", operator.add), ("sub", operator.sub), ("mul", operator.mul))
    },
    **{ops.SFPU_BINARY[name]: getattr(operator, name) for name in ops.COMPARISONS},
    **{ops.SFPU_SCALAR[name]: getattr(operator, name) for name in ops.COMPARISONS},
    ops.WHERE: lambda condition, yes, no: yes if condition else no,
    ops.SFPU_BINARY["add"]: operator.add,
    ops.SFPU_BINARY["sub"]: operator.sub,
    ops.SFPU_BINARY["mul"]: operator.mul,
    ops.SFPU_BINARY["max"]: max,
    ops.SFPU_BINARY["min"]: min,
    ops.SFPU_SCALAR["add"]: operator.add,
    ops.SFPU_SCALAR["sub"]: operator.sub,
    ops.SFPU_SCALAR["mul"]: operator.mul,
    ops.SFPU_SCALAR["rsub"]: lambda a, b: b - a,
    ops.SFPU_UNARY["relu"]: lambda v: max(v, 0.0),
    ops.SFPU_UNARY["tanh"]: math.tanh,
    ops.SFPU_UNARY["abs"]: abs,
    ops.SFPU_UNARY["sigmoid"]: UNARY["sigmoid"],
    ops.COPY_DEST: lambda v: v,
    ops.COPY_TILE: lambda v: v,
    **{broadcast.tile: lambda v: v for broadcast in ops.UNARY_BROADCAST.values()},
    ops.FILL_TILE: lambda v: v,
}


def run(program, used):
    """Execute a program on `used` slots that start with garbage."""
    slots = [math.nan] * used
    for ins in program:
        operands = [VALUES[operand.buffer.name] for operand in ins.loads]
        operands += [slots[slot] for slot in ins.inputs]
        if ins.bits is not None:
            operands.append(evaluate(ins.bits.args[0]))
        if ins.in_place:
            assert ins.out == ins.inputs[0], "works in place on another slot"
        slots[ins.out] = BY_OP[ins.op](*operands)
    return slots[program[-1].out]


def as_float(value):
    return tirx.Cast("float32", value) if value.dtype != "float32" else value


def leaves():
    constants = st.sampled_from([0.0, 1.0, -2.5]).map(lambda v: tirx.const(v, "float32"))
    return st.one_of(st.sampled_from([A, B, F, G, V, W, C, E]), constants, st.just(x))


def trees(children):
    binary = st.tuples(st.sampled_from(list(BINARY)), children, children)
    unary = st.tuples(st.sampled_from(list(UNARY)), children)
    compared = st.tuples(st.sampled_from(list(COMPARISONS)), children, children)
    comparisons = compared.map(lambda node: node[0](as_float(node[1]), as_float(node[2])))
    logical = st.tuples(st.sampled_from(list(LOGICAL)), comparisons, comparisons)
    conditions = st.one_of(
        comparisons, logical.map(lambda node: node[0](*node[1:])), comparisons.map(tirx.Not)
    )
    return st.one_of(
        binary.map(lambda node: node[0](as_float(node[1]), as_float(node[2]))),
        unary.map(lambda node: call(node[0], as_float(node[1]))),
        st.tuples(conditions, children, children).map(
            lambda node: call("if_then_else", node[0], as_float(node[1]), as_float(node[2]))
        ),
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.recursive(leaves(), trees, max_leaves=12))
def test_random_expressions_are_computed_on_slots(value):
    program = select(value, classify)
    allocated, used = allocate(program)
    expected = evaluate(value)
    registers = max(ins.out for ins in program) + 1
    assert run_registers(program, registers) == pytest.approx(expected)
    assert run(allocated, used) == pytest.approx(expected)
    assert used <= registers


def run_registers(program, count):
    values = [math.nan] * count
    for ins in program:
        operands = [VALUES[operand.buffer.name] for operand in ins.loads]
        operands += [values[register] for register in ins.inputs]
        if ins.bits is not None:
            operands.append(evaluate(ins.bits.args[0]))
        values[ins.out] = BY_OP[ins.op](*operands)
    return values[program[-1].out]


def test_scalars_are_passed_as_bits():
    (_, ins) = select(F * TWO, classify)
    assert ins.bits.op.same_as(ops.FLOAT_BITS.op)
    assert struct.pack("<f", ins.bits.args[0].value) == struct.pack("<f", 2.0)
