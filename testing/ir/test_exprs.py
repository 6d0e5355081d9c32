"""Equality of expressions by what they name."""

import pytest
from tvm import tirx

from tilelang_tt.ir.exprs import same, same_all

i, j = tirx.Var("i", "int32"), tirx.Var("j", "int32")
twin = tirx.Var("i", "int32")
x = tirx.Var("x", "float32")
A, B = (tirx.decl_buffer((4, 4), "float32", name) for name in "AB")


def build(var=i, buffer=A, number=1, dtype="float32"):
    """The same expression anew."""
    loaded = tirx.BufferLoad(buffer, [var, j])
    return tirx.Cast("float16", tirx.exp(loaded) + tirx.const(number, dtype))


BINARY = [
    tirx.Add, tirx.Sub, tirx.Mul, tirx.Div, tirx.Mod, tirx.FloorDiv, tirx.FloorMod, tirx.Min,
    tirx.Max, tirx.EQ, tirx.NE, tirx.LT, tirx.LE, tirx.GT, tirx.GE,
]  # fmt: skip


@pytest.mark.parametrize("kind", BINARY)
def test_binary_expressions(kind):
    assert same(kind(i, j), kind(i, j))
    assert not same(kind(i, j), kind(j, i))
    assert not same(kind(i, j), kind(i, i))


def test_logical_expressions():
    left, right = i < j, i > j
    for kind in (tirx.And, tirx.Or):
        assert same(kind(left, right), kind(i < j, i > j))
        assert not same(kind(left, right), kind(right, left))


def test_equal_trees():
    assert same(build(), build())
    assert same(i, i)
    assert same(tirx.const(1.5, "float32"), tirx.const(1.5, "float32"))
    assert same(tirx.const(3, "int32"), tirx.const(3, "int32"))


@pytest.mark.parametrize(
    "other",
    [
        build(var=j),
        build(var=twin),
        build(buffer=B),
        build(number=2),
        tirx.Cast("float32", build().value),
        build().value,
        tirx.Cast("float16", tirx.sqrt(tirx.BufferLoad(A, [i, j])) + tirx.const(1, "float32")),
        tirx.Cast("float16", tirx.exp(tirx.BufferLoad(A, [i, j])) - tirx.const(1, "float32")),
    ],
)
def test_different_trees(other):
    assert not same(build(), other)
    assert not same(other, build())


@pytest.mark.parametrize(
    "left, right",
    [
        (i, twin),
        (tirx.const(1, "int32"), tirx.const(1, "int64")),
        (tirx.const(1, "int32"), tirx.const(2, "int32")),
        (tirx.const(1.0, "float32"), tirx.const(1.0, "float16")),
        (tirx.Select(i < j, i, j), tirx.Select(i < j, i, j)),
    ],
)
def test_what_is_not_certainly_equal_is_not_same(left, right):
    assert not same(left, right)


def test_lists():
    assert same_all([i, j + 1], [i, j + 1])
    assert not same_all([i, j], [j, i])
    assert not same_all([i], [i, j])
    assert not same_all([i, j], [i])
    assert same_all([], [])
