"""Element-wise kernels on the mock against torch."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import torch

from testing.kernels import accuracy, programs
from testing.kernels.programs import TORCH, compiled

DTYPES = tuple(TORCH)
SHAPE = (64, 96)


def operands(shape=SHAPE, dtype="bfloat16", count=2):
    """Random operands; the later ones are positive and not small, to divide by."""
    first = torch.randn(shape).to(TORCH[dtype])
    return first, *((torch.rand(shape) + 0.5).to(TORCH[dtype]) for _ in range(count - 1))


def reference(f, inputs, dtype):
    """`f` on exact inputs, on registers as wide as `dtype`."""
    return f(accuracy, *(accuracy.exact(tensor, TORCH[dtype]) for tensor in inputs))


def run(factory, f, inputs, *args, dtype="bfloat16", **kwargs):
    """Check the two-operand kernel that computes `f`."""
    actual = compiled(factory, f, *args, dtype, **kwargs)(*inputs)
    return accuracy.check(actual, reference(f, inputs, dtype))


def add(m, a, b):
    return a + b


def sub(m, a, b):
    return a - b


EXPRESSIONS = {
    "sum": add,
    "difference": sub,
    "product": lambda m, a, b: a * b,
    "quotient": lambda m, a, b: a / b,
    "maximum": lambda m, a, b: m.max(a, b),
    "minimum": lambda m, a, b: m.min(a, b),
    "square": lambda m, a, b: a * a,
    "zero": lambda m, a, b: a - a,
    "operand": lambda m, a, b: a,
    "relu": lambda m, a, b: m.max(a + b, 0.0),
    "relu_with_zero_first": lambda m, a, b: m.max(0.0, a) - b,
    "clip": lambda m, a, b: m.min(m.max(a, -0.5), 0.25) * b,
    "plus_constant": lambda m, a, b: a + 1.5,
    "constant_minus": lambda m, a, b: 1.0 - a * b,
    "constant_times": lambda m, a, b: 0.1 * a + b * 3.0,
    "over_constant": lambda m, a, b: a / 3.0,
    "constant_over": lambda m, a, b: 1.0 / b,
    "negative": lambda m, a, b: -a + b,
    "exp": lambda m, a, b: m.exp(a) * b,
    "exp2": lambda m, a, b: m.exp2(a),
    "log": lambda m, a, b: m.log(b),
    "sqrt": lambda m, a, b: m.sqrt(b) + a,
    "rsqrt": lambda m, a, b: m.rsqrt(b),
    "tanh": lambda m, a, b: m.tanh(a),
    "sigmoid": lambda m, a, b: m.sigmoid(a) * b,
    "abs": lambda m, a, b: m.abs(a) - b,
    "silu": lambda m, a, b: a / (1.0 + m.exp(-a)),
    "gelu": lambda m, a, b: 0.5 * a * (1.0 + m.tanh(0.8 * (a + 0.045 * a * a * a))),
    "sum_of_products": lambda m, a, b: a * a + a * b + b * b,
    "product_after_products": lambda m, a, b: a * a + b * b - a * b,
    "common_subexpression": lambda m, a, b: (a + b) * (a + b) - (a + b),
    "wide": lambda m, a, b: (a + b) * (a - b) + (a * b) * (b + 1.0),
}


def sampled(rows, dtypes=DTYPES):
    """Every row with every dtype; by default every row once, the dtypes in turn."""
    return [
        pytest.param(row, dtype, marks=[] if index % len(dtypes) == at else pytest.mark.long)
        for (index, row), (at, dtype) in itertools.product(enumerate(rows), enumerate(dtypes))
    ]


@pytest.mark.parametrize("name, dtype", sampled(EXPRESSIONS))
def test_an_expression_is_computed(name, dtype):
    run(programs.parallel, EXPRESSIONS[name], operands(dtype=dtype), SHAPE, (32, 96), dtype=dtype)


@pytest.mark.parametrize("name", ["product_after_products", "sum_of_products"])
def test_a_product_does_not_add_to_what_its_register_held_before(name):
    run(programs.on_tensors, EXPRESSIONS[name], operands(), SHAPE, (32, 32))


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize(
    "exponent, shape, block",
    [
        *[(power, SHAPE, (32, 96)) for power in (0, 9, 65)],
        *[(power, (32, 32), (32, 32)) for power in (-1, -9.0, -65)],
        *[(power, (70, 50), (64, 64)) for power in (64, -0.5, 1.5)],
    ],
)
def test_powers_are_those_of_torch_on_both_sides_of_zero(exponent, shape, block, arch):
    a, b = torch.randn(shape), torch.ones(shape)
    a[0, :2] = torch.tensor([0.0, -1.0])
    kernel = compiled(
        programs.parallel, power(exponent), shape, block, "float32", target=f"tenstorrent/{arch}"
    )
    rtol = 4 * max(abs(exponent), 8) * accuracy.unit(torch.float32)
    torch.testing.assert_close(
        kernel(a, b), torch.pow(a, exponent), rtol=rtol, atol=1e-30, equal_nan=True
    )


@functools.cache
def power(exponent):
    return lambda m, a, b: m.pow(a, exponent)


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("shape, block", [((32, 32), (32, 32)), (SHAPE, (64, 32))])
def test_powers_may_have_exponents_of_their_own(shape, block, arch):
    a, b = torch.randn(shape), torch.randint(-4, 5, shape).float()
    b[: shape[0] // 2] += 0.5
    kernel = compiled(
        programs.parallel, two_powers, shape, block, "float32", target=f"tenstorrent/{arch}"
    )
    expected = torch.pow(a, b) + torch.pow(torch.full(shape, -2.0), b)
    torch.testing.assert_close(kernel(a, b), expected, rtol=1e-5, atol=0, equal_nan=True)
    assert expected[: shape[0] // 2].isnan().any()


def two_powers(m, a, b):
    return m.pow(a, b) + m.pow(-2.0, b)


SPELLINGS = (
    programs.parallel,
    programs.sequential,
    programs.sequential_on_tensors,
    programs.on_tensors,
    programs.in_place,
    programs.pipelined,
    programs.flat_grid,
    programs.one_block,
)


@pytest.mark.parametrize("spelling, dtype", sampled(SPELLINGS))
def test_all_spellings_of_a_program_compute_the_same(spelling, dtype):
    run(spelling, sub, operands(dtype=dtype), SHAPE, (32, 32), dtype=dtype)


@pytest.mark.parametrize("spelling", [programs.rank_one, programs.rank_one_on_tensors])
@pytest.mark.parametrize("length, block", [(32, 32), (1024, 128), (3200, 64)])
def test_tensors_of_one_dimension_are_worked_on(spelling, length, block):
    run(spelling, add, operands((length,)), length, block)


def test_tensors_of_three_dimensions_are_worked_on():
    shape = (3, 64, 96)
    run(programs.rank_three, add, operands(shape), shape, (32, 96))


# One tile; one block; fewer blocks than cores; exactly the cores; more, unevenly; many.
BLOCKS = {
    "one_tile": ((32, 32), (32, 32)),
    "one_block": ((96, 64), (96, 64)),
    "fewer_than_cores": ((96, 320), (32, 64)),
    "as_many_as_cores": ((256, 512), (32, 64)),
    "more_than_cores": ((288, 320), (32, 32)),
    "much_higher_than_wide": ((1600, 64), (32, 64)),
    "much_wider_than_high": ((64, 1600), (64, 32)),
    "blocks_of_many_tiles": ((256, 256), (128, 128)),
}


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_are_spread_over_the_cores(name, arch):
    shape, block = BLOCKS[name]
    run(programs.in_place, add, operands(shape), shape, block, target=f"tenstorrent/{arch}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_product_plus_a_third_operand_is_computed(dtype):
    a, b, d = operands(dtype=dtype, count=3)
    actual = compiled(programs.three_operands, SHAPE, (64, 32), dtype)(a, b, d)
    accuracy.check(actual, reference(lambda m, a, b, d: a * b + d, (a, b, d), dtype))


@pytest.mark.parametrize("name", ["sum", "difference", "product", "quotient", "maximum"])
def test_a_row_is_used_for_all_rows(name):
    f = EXPRESSIONS[name]
    a, row = operands()[0], operands((SHAPE[1],))[0].abs() + 0.5
    actual = compiled(programs.row_operand, f, SHAPE, (64, 32), "bfloat16")(a, row)
    accuracy.check(actual, reference(f, (a, row.expand(SHAPE)), "bfloat16"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scalar_parameters_are_passed_at_launch(dtype):
    (a,) = operands(dtype=dtype, count=1)
    kernel = compiled(programs.scalars, SHAPE, (32, 32), dtype)
    for scale, shift in [(2.5, -1.0), (0.3, 1e-3), (-1.0, 0.0)]:
        expected = reference(lambda m, a, p=scale, q=shift: a * p + q, (a,), dtype)
        accuracy.check(kernel(a, scale, shift), expected)


def test_the_result_of_narrow_operands_may_be_float32():
    a, b = operands()
    f = EXPRESSIONS["product"]
    kernel = compiled(programs.parallel, f, SHAPE, (32, 32), "bfloat16", out="float32")
    assert torch.equal(kernel(a, b), a.float() * b.float()), "16 bits by 16 bits are exact"


def test_the_result_of_float32_operands_may_be_narrow():
    a, b = operands(dtype="float32")
    kernel = compiled(programs.parallel, add, SHAPE, (32, 32), "float32", out="bfloat16")
    accuracy.check(kernel(a, b), reference(add, (a, b), "float32"))


def test_a_program_without_inputs_fills_its_output():
    result = compiled(programs.filled, 1.5, SHAPE, (32, 96), "bfloat16")()
    assert torch.equal(result, torch.full(SHAPE, 1.5, dtype=torch.bfloat16))


def test_several_outputs_come_back_in_order_and_one_may_be_an_operand():
    a, b = operands()
    kernel = compiled(
        programs.sum_difference_and_copy, SHAPE, (32, 32), "bfloat16", out_idx=(-3, -2, -1)
    )
    plus, minus, copied = kernel(a, b)
    accuracy.check(plus, reference(add, (a, b), "bfloat16"))
    accuracy.check(minus, reference(sub, (a, b), "bfloat16"))
    assert torch.equal(copied, a)


def test_a_buffer_that_is_overwritten_keeps_what_was_read_before():
    (a,) = operands(count=1)
    actual = compiled(programs.buffers_used_twice, SHAPE, (32, 32), "bfloat16")(a)
    accuracy.check(actual, reference(lambda m, a: (a * 2.0) * (a * 2.0 + a), (a,), "bfloat16"))


def test_blocks_may_take_different_branches():
    (a,) = operands(count=1)
    actual = compiled(programs.halves_by_block, SHAPE, (32, 32), "bfloat16")(a)
    assert torch.equal(actual, torch.cat([a[:32], 2 * a[32:]]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities_and_signed_zeros_pass_through(dtype):
    a = torch.tensor([float("inf"), float("-inf"), 0.0, -0.0] * 8, dtype=TORCH[dtype])
    a = a.repeat(32, 1).contiguous()
    f = EXPRESSIONS["operand"]
    actual = compiled(programs.parallel, f, (32, 32), (32, 32), dtype)(a, a)
    assert torch.equal(actual, a)
    assert torch.equal(actual.signbit(), a.signbit())


INTEGERS = {
    "floor_division": (lambda m, a, b: a // b, lambda a, b: np.floor_divide(a, b)),
    "remainder": (lambda m, a, b: a % b, lambda a, b: np.mod(a, b)),
    "by_constants": (lambda m, a, b: a // 8 + a % 7, lambda a, b: a // 8 + a % 7),
    "division": (lambda m, a, b: m.truncdiv(a, b), lambda a, b: truncated(a, b)),
    "rest": (lambda m, a, b: m.truncmod(a, b), lambda a, b: a - truncated(a, b) * b),
    "shifts": (lambda m, a, b: (a << 3) ^ (a >> 2), lambda a, b: (a << 3) ^ (a >> 2)),
}


def truncated(a, b):
    return np.trunc(a.astype(np.float64) / b).astype(np.int32)


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("name", INTEGERS)
def test_operations_on_integers(name, arch):
    f, expected = INTEGERS[name]
    rng = np.random.default_rng(0)
    a = rng.integers(-(2**27), 2**27, SHAPE).astype(np.int32)
    b = rng.integers(1, 1000, SHAPE).astype(np.int32) * rng.choice([-1, 1], SHAPE).astype(np.int32)
    kernel = compiled(programs.parallel, f, SHAPE, (64, 32), "int32", target=f"tenstorrent/{arch}")
    got = kernel(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_array_equal(got, expected(a, b))
