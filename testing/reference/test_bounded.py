"""The bound covers what a device may do, and little more."""

from __future__ import annotations

import numpy as np
import pytest

from testing.reference import bounded, dtypes
from testing.reference.bounded import Bounded, constant, exact
from testing.reference.functions import CALLS

VALUES = np.random.default_rng(0).uniform(0.1, 4.0, 1000)


def known(dtype: str) -> Bounded:
    return exact(dtypes.rounded(VALUES, dtype), dtype)


def uncertain(values: list[float], error: float, dtype: str = "float32") -> Bounded:
    return Bounded(np.array(values), np.full(len(values), error), dtype)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_a_chain_of_rounded_operations_stays_within_its_bound(dtype):
    a = known(dtype)
    bound = ((a * 3.0 + a) / (a + 1.0) - 0.5).stored(dtype)
    each = lambda x: dtypes.rounded(x, dtype)  # noqa: E731
    x = a.value
    rounded = each(each(each(each(x * 3.0) + x) / each(x + 1.0)) - 0.5)
    agreement = bounded.compare(rounded, bound)
    assert not agreement.wrong
    assert not agreement.unknown
    assert (bound.error < 16 * dtypes.unit(dtype) * (1 + abs(bound.value))).all()


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "erf"])
def test_a_function_spreads_the_error_of_its_argument(name):
    function = CALLS[f"tirx.{name}"]
    middle = Bounded(VALUES, np.full(VALUES.shape, 0.01), "float32")
    bound = function(middle)
    for shift in (-0.01, 0.01):
        moved = function(exact(VALUES + shift, "float32"))
        assert (np.abs(moved.value - bound.value) <= bound.error).all()
    assert (bound.error < 1).all()


def test_a_constant_that_its_dtype_has_not_is_rounded():
    assert constant(0.5, "bfloat16").is_exact
    tenth = constant(0.1, "bfloat16")
    assert tenth.value == dtypes.rounded(np.array(0.1), "bfloat16")
    assert abs(tenth.value - 0.1) <= tenth.error


def test_a_store_covers_a_device_that_rounds_and_one_that_does_not():
    a = exact(VALUES, "float32") * 1.1
    stored = a.stored("bfloat16")
    assert (np.abs(a.value - stored.value) <= stored.error).all()
    assert (stored.error < 2.1 * 2.0**-8 * a.magnitude).all()


def test_a_copy_of_a_known_number_stays_known():
    assert known("bfloat16").stored("float32").stored("bfloat16").is_exact


def test_a_comparison_is_uncertain_only_near_equality():
    found = uncertain([1.0, 1.05, 2.0], 0.125).compared(constant(1.1, "float64"), np.less)
    assert found.value.tolist() == [True, True, False]
    assert found.error.tolist() == [1.0, 1.0, 0.0]


def test_what_an_uncertain_truth_chooses_may_be_either():
    truth = Bounded(np.array([True, True]), np.array([1.0, 0.0]), "bool")
    found = bounded.select(truth, constant(5.0, "float32"), constant(2.0, "float32"))
    assert found.value.tolist() == [5.0, 5.0]
    assert found.error.tolist() == [3.0, 0.0]


def test_truth_values_combine_with_their_uncertainty():
    values = Bounded(np.array([True, True, False, False]), np.array([1.0, 0, 1, 0]), "bool")
    never, always = exact(np.array(False), "bool"), exact(np.array(True), "bool")
    assert bounded.both(values, never).error.tolist() == [0, 0, 0, 0]
    assert bounded.both(values, always).error.tolist() == [1, 0, 1, 0]
    assert bounded.either(values, always).error.tolist() == [0, 0, 0, 0]
    assert bounded.either(values, never).error.tolist() == [1, 0, 1, 0]


def test_a_cut_to_an_integer_is_uncertain_only_near_a_whole_number():
    found = uncertain([1.5, 1.95, 2.05, -0.5], 0.1).stored("int32")
    assert found.value.tolist() == [1, 1, 2, 0]
    assert found.error.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("value, dtype", [(300.0, "int8"), (-1.0, "uint8"), (np.inf, "int32")])
def test_a_number_that_an_integer_cannot_hold_is_unknown(value, dtype):
    assert np.isinf(exact(np.array([value]), "float32").stored(dtype).error).all()


def test_an_overflow_is_unknown():
    assert np.isinf((exact(np.array([60000.0]), "float16") * 2.0).error).all()
    assert not (exact(np.array([60000.0]), "bfloat16") * 2.0).error > 1e4


def test_a_divisor_that_may_be_zero_makes_the_quotient_unknown():
    found = constant(1.0, "float32") / uncertain([0.05, 1.0], 0.1)
    assert np.isinf(found.error).tolist() == [True, False]


def test_infinities_take_part():
    infinity = exact(np.array([-np.inf]), "float32")
    assert CALLS["tirx.exp"](infinity - 3.0).value == 0
    assert (infinity - 3.0).error == 0
    assert bounded.maximum(infinity, constant(2.0, "float32")).value == 2
    for product in (infinity * 0.1, infinity * uncertain([0.2], 0.1), infinity / 0.3):
        assert product.value == -np.inf
        assert product.error == 0
    assert np.isinf((infinity * uncertain([0.2], 0.3)).error)
    assert np.isinf((infinity / uncertain([0.2], 0.3)).error)
    agreement = bounded.compare(np.array([-np.inf]), infinity + 1.0)
    assert (agreement.wrong, agreement.unknown) == (0, 0)
    assert bounded.compare(np.array([-3e38]), infinity + 1.0).wrong


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_product_of_matrices_stays_within_its_bound(dtype):
    a = known(dtype).value[:960].reshape(30, 32)
    b = known(dtype).value[:640].reshape(32, 20)
    uncertain_a = Bounded(a, np.full(a.shape, 0.01), dtype)
    bound = bounded.product(uncertain_a, exact(b, dtype), accumulator="float32", roundings=0)
    assert not bounded.compare((a + 0.01) @ b, bound).wrong
    assert bounded.compare((a + 0.03) @ b, bound).wrong


def test_a_wrong_element_is_named():
    agreement = bounded.compare(np.array([1.0, 2.5, np.nan]), uncertain([1.0, 2.0, 3.0], 0.1))
    assert agreement.wrong == 2
    assert agreement.worst == (2,)
    assert "2 of 3 elements are wrong; at (2,): nan" in agreement.text


def test_an_unknown_element_is_neither_right_nor_wrong():
    agreement = bounded.compare(np.array([9.0, np.nan]), uncertain([1.0, 2.0], np.inf))
    assert (agreement.wrong, agreement.unknown, agreement.size) == (0, 2, 2)
