"""ExpandMath: functions that the vector unit lacks, written by those it has."""

import math

import pytest
from helpers import check, check_unchanged, fragment, scripted, tensor
from tvm import tirx
from tvm.ir import Op

from tilelang_tt.ir import tree
from tilelang_tt.transforms.expand_math import ExpandMath

BUFFERS = {"A": tensor(32, 32), "S": fragment(32, 32, dtype="float32")}
NEST = "for i, j in T.grid(32, 32): S[i, j] = {}"


def program(value):
    return scripted(NEST.format(value), **BUFFERS)


REWRITTEN = {
    "a square": ("T.pow(S[i, j], T.float32(2))", "S[i, j] * S[i, j]"),
    "a cube": ("T.pow(S[i, j], T.float32(3))", "S[i, j] * S[i, j] * S[i, j]"),
    "a sixth power": ("T.pow(S[i, j], T.float32(6))",
                      "S[i, j] * S[i, j] * S[i, j] * (S[i, j] * S[i, j] * S[i, j])"),
    "a first power": ("T.pow(S[i, j], T.float32(1))", "S[i, j]"),
    "a power of zero": ("T.pow(S[i, j], T.float32(0))", "T.float32(1)"),
    "a reciprocal": ("T.pow(S[i, j], T.float32(-1))", "T.float32(1) / S[i, j]"),
    "a negative power": ("T.pow(S[i, j], T.float32(-2))", "T.float32(1) / (S[i, j] * S[i, j])"),
    "a root": ("T.pow(S[i, j], T.float32(0.5))", "T.sqrt(S[i, j])"),
    "an inverse root": ("T.pow(S[i, j], T.float32(-0.5))", "T.rsqrt(S[i, j])"),
    "a fraction": ("T.pow(S[i, j], T.float32(1.5))", "T.exp(T.float32(1.5) * T.log(S[i, j]))"),
    "a rounding": (
        "T.round(S[i, j])",
        "T.if_then_else(S[i, j] >= T.float32(0), T.floor(S[i, j] + T.float32(0.5)),"
        " T.ceil(S[i, j] - T.float32(0.5)))",
    ),
    "a tangent": ("T.tan(S[i, j])", "T.sin(S[i, j]) / T.cos(S[i, j])"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten(value, expected):
    check(ExpandMath(), program(value), program(expected))


@pytest.mark.parametrize(
    "value",
    [
        "T.exp(S[i, j])",
        "S[i, j] * T.float32(2)",
        "S[i, j] - S[i, j]",
        "T.pow(S[i, j], S[i, j])",
        "T.pow(S[i, j], T.float32(65))",
        "T.pow(S[i, j], T.float32(-65))",
    ],
)
def test_untouched(value):
    check_unchanged(ExpandMath(), program(value))


def expanded(name, *literals):
    """What becomes of TileLang's function `name` of an element and these literals."""
    func = program("S[i, j]")
    (store,) = tree.collect(func.body, tirx.BufferStore)
    call = tirx.Call("float32", Op.get(name), [store.value, *literals])
    func = func.with_body(tirx.BufferStore(store.buffer, call, store.indices))
    return ExpandMath().rewrite(func).body.value


@pytest.mark.parametrize("exponent", [1, 2, 13, 64])
def test_a_power_is_a_product_of_as_many_factors(exponent):
    factors = [expanded("tl.pow_of_int", tirx.const(exponent, "int32"))]
    while any(isinstance(factor, tirx.Mul) for factor in factors):
        factors = [
            side
            for factor in factors
            for side in ([factor.a, factor.b] if isinstance(factor, tirx.Mul) else [factor])
        ]
    assert len(factors) == exponent
    assert all(isinstance(factor, tirx.BufferLoad) for factor in factors)


def test_a_power_of_many_factors_is_left_to_the_vector_unit():
    value = expanded("tl.pow_of_int", tirx.const(65, "int32"))
    assert value.op.name == "tirx.pow"
    assert isinstance(value.args[1], tirx.FloatImm)
    assert value.args[1].value == 65


def test_a_clamp():
    value = expanded("tl.clamp", *(tirx.const(bound, "float32") for bound in (-1, 2)))
    assert isinstance(value, tirx.Min)
    assert isinstance(value.a, tirx.Max)
    assert [value.a.b.value, value.b.value] == [-1, 2]


def test_a_logarithm_to_base_ten():
    after = ExpandMath().rewrite(program("T.log10(S[i, j])"))
    (factor,) = tree.collect(after.body, tirx.FloatImm)
    assert factor.value == pytest.approx(1 / math.log(10))


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_an_infinity_and_its_negation_are_literals(factor):
    after = ExpandMath().rewrite(program(f'T.infinity("float32") * T.float32({factor})'))
    (store,) = tree.collect(after.body, tirx.BufferStore)
    assert isinstance(store.value, tirx.FloatImm)
    assert store.value.value == math.inf * factor
