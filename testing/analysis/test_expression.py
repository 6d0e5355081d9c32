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


def load(name, dtype="bfloat16", indices=(i, j)):
    return tirx.BufferLoad(tirx.decl_buffer((32, 32), dtype, name), list(indices))


A, B, F, G, V, W = (
    load("A"),
    load("B"),
    load("F", "float32"),
    load("G", "float32"),
    load("V"),
    load("W"),
)
H = load("H", "float16")
ROWS = (V, W)
FORMATS = {"bfloat16": "Float16_b", "float16": "Float16", "float32": ""}


def classify(value):
    is_row = any(value.same_as(row) for row in ROWS)
    return Operand(value, is_row, FORMATS[value.dtype])


def text(ins):
    """An instruction, readable: r2 = add_tiles(A, B)."""
    loads = [operand.buffer.name for operand in ins.loads]
    inputs = [f"r{register}" for register in ins.inputs]
    bits = [] if ins.bits is None else [str(ins.bits.args[0])]
    return f"r{ins.out} = {ins.op.name}({', '.join([*loads, *inputs, *bits])})"


def selected(value):
    return [text(ins) for ins in select(value, classify)]


def call(name, value):
    return tirx.Call(value.dtype, ir.Op.get(f"tirx.{name}"), [value])


def f32(value):
    return tirx.Cast("float32", value)


TWO, ZERO = tirx.const(2.0, "float32"), tirx.const(0.0, "float32")
LOAD_F = "r0 = copy_tile(F)"
SELECTED = {
    "a tile": (A, ["r0 = copy_tile(A)"]),
    "a row": (V, ["r0 = unary_bcast_row(V)"]),
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
    "a tile and a row": (A + V, ["r0 = add_tiles_bcast_rows(A, V)"]),
    "a row and a tile": (V + A, ["r0 = add_tiles_bcast_rows(A, V)"]),
    "a tile times a row": (V * A, ["r0 = mul_tiles_bcast_rows(A, V)"]),
    "a tile less a row": (A - V, ["r0 = sub_tiles_bcast_rows(A, V)"]),
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
        [LOAD_F, "r1 = fill_tile_bitcast(T.float32(2.0))", "r2 = div_binary_tile(r0, r1)"],
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
    "a common subexpression": (
        (F * G) + (F * G),
        [LOAD_F, "r1 = copy_tile(G)", "r2 = mul_binary_tile(r0, r1)",
         "r3 = add_binary_tile(r2, r2)"],
    ),
    "an operand loaded once": (
        call("exp", F) + F,
        [LOAD_F, "r1 = exp_tile(r0)", "r2 = add_binary_tile(r1, r0)"],
    ),
    "the deeper operand first": (
        F - call("exp", call("exp", G)),
        ["r0 = copy_tile(G)", "r1 = exp_tile(r0)", "r2 = exp_tile(r1)", "r3 = copy_tile(F)",
         "r4 = sub_binary_tile(r3, r2)"],
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
}


@pytest.mark.parametrize("name, op", FUNCTIONS.items())
def test_functions_run_on_the_vector_unit(name, op):
    assert selected(call(name, F)) == [LOAD_F, f"r1 = {op}_tile(r0)"]


@pytest.mark.parametrize(
    "value",
    [
        call("erf", F),
        tirx.Select(x > ZERO, F, G),
        tirx.Cast("float32", i),
        TWO + x,
        tirx.BufferLoad(tirx.decl_buffer((32, 32), "int32"), [i, j]),
        tirx.Cast("float32", tirx.BufferLoad(tirx.decl_buffer((32, 32), "int32"), [i, j])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_rest_is_refused(value):
    with pytest.raises(UnsupportedExpression, match=r"TT1007: .*\n.*supported on floating-point"):
        select(F * value if value.dtype == "float32" else value, classify)


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
    (product,) = [ins for ins in program if ins.op is ops.FPU_BINARY["mul"]]
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
        ops.FPU_BINARY["add"]
    ]


def test_slots_needed_counts_every_operand():
    assert slots_needed(A + B) == 2
    assert slots_needed(A) == 1
    assert slots_needed(A * A) == 1


# Random expressions. ------------------------------------------------------------------------------

VALUES = {"A": 0.5, "B": -1.25, "F": 2.0, "G": -0.75, "V": 1.5, "W": 0.25}
SCALAR = 3.0
BINARY = {
    tirx.Add: operator.add,
    tirx.Sub: operator.sub,
    tirx.Mul: operator.mul,
    tirx.Max: max,
    tirx.Min: min,
}
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
        case tirx.Call():
            return UNARY[value.op.name.removeprefix("tirx.")](evaluate(value.args[0]))
    return BINARY[type(value)](evaluate(value.a), evaluate(value.b))


BY_OP = {
    **{ops.FPU_BINARY[n]: f for n, f in (("add", operator.add), ("sub", operator.sub))},
    ops.FPU_BINARY["mul"]: operator.mul,
    **{ops.FPU_BINARY_ROWS[n]: f for n, f in (("add", operator.add), ("sub", operator.sub))},
    ops.FPU_BINARY_ROWS["mul"]: operator.mul,
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
    ops.BCAST_ROW: lambda v: v,
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
    return st.one_of(st.sampled_from([A, B, F, G, V, W]), constants, st.just(x))


def trees(children):
    binary = st.tuples(st.sampled_from(list(BINARY)), children, children)
    unary = st.tuples(st.sampled_from(list(UNARY)), children)
    return st.one_of(
        binary.map(lambda node: node[0](as_float(node[1]), as_float(node[2]))),
        unary.map(lambda node: call(node[0], as_float(node[1]))),
    )


def is_scalar(value):
    return isinstance(value, tirx.FloatImm | tirx.Var)


def has_constant_operation(value):
    match value:
        case tirx.Cast():
            return has_constant_operation(value.value)
        case tirx.Call():
            return any(has_constant_operation(arg) for arg in value.args)
        case tirx.BufferLoad() | tirx.FloatImm() | tirx.Var():
            return False
    if is_scalar(value.a) and is_scalar(value.b):
        return True
    return has_constant_operation(value.a) or has_constant_operation(value.b)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.recursive(leaves(), trees, max_leaves=12))
def test_random_expressions_are_computed_on_slots(value):
    if has_constant_operation(value):
        with pytest.raises(UnsupportedExpression):
            select(value, classify)
        return
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
