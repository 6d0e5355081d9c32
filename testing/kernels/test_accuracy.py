"""The bounds of `accuracy.py` are tight enough to see a wrong result."""

from __future__ import annotations

import math

import pytest
import torch

from testing.kernels import accuracy

DTYPES = (torch.bfloat16, torch.float16, torch.float32)


@pytest.fixture
def operands() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(64, 128, generator=generator) for _ in range(2))
    return a, b.T.contiguous()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_rounded_sum_is_accepted_and_the_next_number_but_one_is_not(operands, dtype):
    a, b = operands[0].to(dtype), operands[1].T.to(dtype)
    expected = accuracy.exact(a, dtype) + accuracy.exact(b, dtype)
    result = a + b
    accuracy.check(result, expected)
    result[5, 7] *= 1 + 6 * accuracy.unit(dtype)
    with pytest.raises(AssertionError, match=r"1 of 8192 elements are wrong; at \(5, 7\)"):
        accuracy.check(result, expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("accumulator", ["float32", "same"])
def test_a_product_without_its_last_tile_is_rejected(operands, dtype, accumulator):
    a, b = (operand.to(dtype) for operand in operands)
    registers = dtype if accumulator == "same" else torch.float32
    expected = accuracy.product(a, b, block_k=64, accumulator=registers)
    accuracy.check((a.float() @ b.float()).to(dtype), expected)
    with pytest.raises(AssertionError, match="elements are wrong"):
        accuracy.check((a[:, :96].float() @ b[:96].float()).to(dtype), expected)


def test_a_product_with_two_columns_exchanged_is_rejected_even_at_the_lowest_fidelity(operands):
    a, b = (operand.bfloat16() for operand in operands)
    expected = accuracy.product(a, b, block_k=64, fidelity="LoFi")
    order = [1, 0, *range(2, 64)]
    with pytest.raises(AssertionError, match="elements are wrong"):
        accuracy.check((a.float() @ b.float())[:, order], expected)


def test_a_value_that_is_not_a_number_is_rejected(operands):
    a = operands[0]
    result = a.clone()
    result[0, 1] = math.nan
    with pytest.raises(AssertionError, match=r"at \(0, 1\): nan"):
        accuracy.check(result, accuracy.exact(a, torch.float32))


def test_an_error_grows_with_each_operation(operands):
    a = accuracy.exact(operands[0], torch.bfloat16)
    once, twice = a + 1.0, (a + 1.0) * 3.0
    assert (twice.error > 3 * once.error).all()


def test_a_result_of_another_shape_is_rejected(operands):
    a = operands[0]
    with pytest.raises(AssertionError):
        accuracy.check(a[:32], accuracy.exact(a, torch.float32))
