"""Every expression means what numpy says."""

import math

import numpy as np
import pytest
import tilelang.language as T

from testing.reference.errors import UnknownConstruct
from testing.reference.programs import COLUMNS, ROWS, array, element_wise, result

I, J = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")

FLOATS = {
    "sum": (lambda t, a, b, i, j: a + b, lambda a, b: a + b),
    "difference": (lambda t, a, b, i, j: a - b, lambda a, b: a - b),
    "product": (lambda t, a, b, i, j: a * b, lambda a, b: a * b),
    "quotient": (lambda t, a, b, i, j: a / b, lambda a, b: a / b),
    "maximum": (lambda t, a, b, i, j: t.max(a, b), np.maximum),
    "minimum": (lambda t, a, b, i, j: t.min(a, b), np.minimum),
    "negative": (lambda t, a, b, i, j: -a, lambda a, b: -a),
    "exp": (lambda t, a, b, i, j: t.exp(a), lambda a, b: np.exp(a)),
    "exp2": (lambda t, a, b, i, j: t.exp2(a), lambda a, b: np.exp2(a)),
    "log": (lambda t, a, b, i, j: t.log(b), lambda a, b: np.log(b)),
    "log2": (lambda t, a, b, i, j: t.log2(b), lambda a, b: np.log2(b)),
    "log1p": (lambda t, a, b, i, j: t.log1p(b), lambda a, b: np.log1p(b)),
    "sqrt": (lambda t, a, b, i, j: t.sqrt(b), lambda a, b: np.sqrt(b)),
    "rsqrt": (lambda t, a, b, i, j: t.rsqrt(b), lambda a, b: 1 / np.sqrt(b)),
    "sigmoid": (lambda t, a, b, i, j: t.sigmoid(a), lambda a, b: 1 / (1 + np.exp(-a))),
    "tanh": (lambda t, a, b, i, j: t.tanh(a), lambda a, b: np.tanh(a)),
    "erf": (lambda t, a, b, i, j: t.erf(a), lambda a, b: np.vectorize(math.erf)(a)),
    "sine": (lambda t, a, b, i, j: t.sin(a), lambda a, b: np.sin(a)),
    "cosine": (lambda t, a, b, i, j: t.cos(a), lambda a, b: np.cos(a)),
    "floor": (lambda t, a, b, i, j: t.floor(a), lambda a, b: np.floor(a)),
    "ceil": (lambda t, a, b, i, j: t.ceil(a), lambda a, b: np.ceil(a)),
    "trunc": (lambda t, a, b, i, j: t.trunc(a), lambda a, b: np.trunc(a)),
    "nearest": (lambda t, a, b, i, j: t.nearbyint(a), lambda a, b: np.rint(a)),
    "absolute": (lambda t, a, b, i, j: t.abs(a), lambda a, b: np.abs(a)),
    "power": (lambda t, a, b, i, j: t.pow(b, a), lambda a, b: np.power(b, a)),
    "clamp": (lambda t, a, b, i, j: t.clamp(a, -1.0, 2.0), lambda a, b: np.clip(a, -1, 2)),
    "choice": (
        lambda t, a, b, i, j: t.if_then_else(a > b, a, b * 2.0),
        lambda a, b: np.where(a > b, a, b * 2),
    ),
    "select": (
        lambda t, a, b, i, j: t.Select(a <= b, a, b),
        lambda a, b: np.where(a <= b, a, b),
    ),
    "both": (
        lambda t, a, b, i, j: t.if_then_else(t.And(a < 1.0, b >= 1.0), a, b),
        lambda a, b: np.where((a < 1) & (b >= 1), a, b),
    ),
    "either": (
        lambda t, a, b, i, j: t.if_then_else(t.Or(a < 1.0, b != 1.0), a, b),
        lambda a, b: np.where((a < 1) | (b != 1), a, b),
    ),
    "not": (
        lambda t, a, b, i, j: t.if_then_else(t.Not(a == a), a, b),
        lambda a, b: b,
    ),
    "causal mask": (
        lambda t, a, b, i, j: t.if_then_else(i >= j, a, -t.infinity("float32")),
        lambda a, b: np.where(I >= J, a, -np.inf),
    ),
    "infinity": (lambda t, a, b, i, j: t.exp(-t.infinity("float32")) + a, lambda a, b: a),
    "index": (lambda t, a, b, i, j: t.Cast("float32", i * 3 + j) * a, lambda a, b: (I * 3 + J) * a),
    "remainder of an index": (
        lambda t, a, b, i, j: t.Cast("float32", (j + 5) % 7 + i // 4),
        lambda a, b: (J + 5.0) % 7 + I // 4,
    ),
}


@pytest.mark.parametrize("name", FLOATS)
def test_a_float_expression_is_what_numpy_says(name):
    ours, theirs = FLOATS[name]
    a, b = array(), array(low=0.5, high=3.0, seed=1)
    found = result(element_wise(ours), a, b)
    expected = theirs(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(found.value, expected)


def c_division(a, b):
    return np.trunc(a / b).astype(np.int32)


INTEGERS = {
    "sum": (lambda t, a, b: a + b, np.add),
    "product": (lambda t, a, b: a * b, np.multiply),
    "floor division": (lambda t, a, b: a // b, np.floor_divide),
    "floor remainder": (lambda t, a, b: a % b, np.mod),
    "division": (lambda t, a, b: t.truncdiv(a, b), c_division),
    "remainder": (lambda t, a, b: t.truncmod(a, b), lambda a, b: a - c_division(a, b) * b),
    "and": (lambda t, a, b: a & b, np.bitwise_and),
    "or": (lambda t, a, b: a | b, np.bitwise_or),
    "exclusive or": (lambda t, a, b: a ^ b, np.bitwise_xor),
    "complement": (lambda t, a, b: ~a, lambda a, b: ~a),
    "left shift": (lambda t, a, b: a << 3, lambda a, b: a << 3),
    "right shift": (lambda t, a, b: a >> b, np.right_shift),
    "maximum": (lambda t, a, b: t.max(a, b), np.maximum),
    "choice": (
        lambda t, a, b: t.if_then_else(a < b, a, b - a),
        lambda a, b: np.where(a < b, a, b - a),
    ),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_an_integer_expression_is_what_numpy_says(name):
    ours, theirs = INTEGERS[name]
    a = array("int32", low=-(2**31), high=2**31 - 1)
    b = array("int32", low=1, high=9, seed=1)
    found = result(element_wise(lambda t, a, b, i, j: ours(t, a, b), "int32"), a, b)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found.value, theirs(a, b))
    assert found.is_exact


@pytest.mark.parametrize(
    "src, dst",
    [
        ("float32", "bfloat16"),
        ("float32", "float16"),
        ("float32", "int32"),
        ("bfloat16", "float32"),
        ("int32", "float32"),
        ("int32", "bfloat16"),
        ("int32", "int8"),
        ("float16", "int8"),
    ],
)
def test_a_store_converts(src, dst):
    a = array(src, low=-100, high=100)
    found = result(element_wise(lambda t, a, b, i, j: a, src, out=dst), a, a)
    expected = a.astype(array(dst).dtype)
    np.testing.assert_array_equal(found.value, expected.astype(found.value.dtype))


def test_bits_are_seen_as_another_dtype():
    a = array()
    found = result(element_wise(lambda t, a, b, i, j: t.reinterpret(a, "int32"), out="int32"), a, a)
    np.testing.assert_array_equal(found.value, a.view(np.int32))


def test_what_is_not_chosen_may_lie_outside_of_a_tensor():
    @T.prim_func
    def main(A: T.Tensor((ROWS,), "float32"), C: T.Tensor((ROWS,), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((ROWS,), "float32")
            T.copy(A, A_s)
            for i in T.Parallel(ROWS):
                C[i] = T.if_then_else(i > 0, A_s[i - 1], 7.0)

    a = array(shape=(ROWS,))
    np.testing.assert_array_equal(result(main, a).value, np.r_[7.0, a[:-1]])


def test_a_function_that_is_not_known_is_refused():
    func = element_wise(lambda t, a, b, i, j: t.cosh(a))
    with pytest.raises(UnknownConstruct, match=r"cosh[\s\S]*-->"):
        result(func, array(), array())
