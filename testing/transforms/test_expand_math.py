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
    "a first power": ("T.pow(S[i, j], T.float32(1))", "S[i, j]"),
    "a root": ("T.pow(S[i, j], T.float32(0.5))", "T.sqrt(S[i, j])"),
    "an inverse root": ("T.pow(S[i, j], T.float32(-0.5))", "T.rsqrt(S[i, j])"),
    "another power": ("T.pow(S[i, j], T.float32(1.5))",
                      "T.exp(T.float32(1.5) * T.log(S[i, j]))"),
    "a high power": ("T.pow(S[i, j], T.float32(9))", "T.exp(T.float32(9) * T.log(S[i, j]))"),
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


@pytest.mark.parametrize("value", ["T.exp(S[i, j])", "S[i, j] * T.float32(2)", "S[i, j] - S[i, j]"])
def test_untouched(value):
    check_unchanged(ExpandMath(), program(value))


def test_a_clamp():
    (bare,) = tree.collect(program("S[i, j]").body, tirx.BufferLoad)
    bounds = [tirx.const(bound, "float32") for bound in (-1, 2)]
    clamp = tirx.Call("float32", Op.get("tl.clamp"), [bare, *bounds])
    func = program("S[i, j]")
    (store,) = tree.collect(func.body, tirx.BufferStore)
    func = func.with_body(tirx.BufferStore(store.buffer, clamp, store.indices))
    value = ExpandMath().rewrite(func).body.value
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
