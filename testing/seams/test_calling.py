"""How a kernel is made and called: jit, outputs, scalars, dynamic shapes, wrong arguments."""

from __future__ import annotations

import pytest
import tilelang
import tilelang.language as T
import torch

from testing.kernels import programs
from testing.kernels.programs import compiled, plus

# Outputs. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("out_idx", [[-1], -1, [2]], ids=str)
def test_an_output_is_allocated(program, operands, out_idx):
    result = tilelang.compile(program, target="tenstorrent", out_idx=out_idx)(*operands)
    assert torch.equal(result, sum(operands))


def test_an_output_may_be_passed_in(program, operands):
    kernel = tilelang.compile(program, target="tenstorrent")
    out = torch.full((64, 96), 7.0, dtype=torch.bfloat16)
    kernel(*operands, out)
    assert torch.equal(out, sum(operands))


def test_several_outputs_come_as_a_list(operands):
    kernel = compiled(
        programs.sum_difference_and_copy, (64, 96), (32, 32), "bfloat16", out_idx=(2, 3, -1)
    )
    a, b = operands
    results = kernel(a, b)
    assert isinstance(results, list)
    assert [torch.equal(*pair) for pair in zip(results, (a + b, a - b, a), strict=True)] == [
        True
    ] * 3


# jit. ---------------------------------------------------------------------------------------------


@tilelang.jit(target="tenstorrent", out_idx=[-1])
def lazy(M, N, block):
    @T.prim_func
    def double(A: T.Tensor((M, N), "bfloat16"), B: T.Tensor((M, N), "bfloat16")):
        with T.Kernel(N // block, M // block) as (bx, by):
            for i, j in T.Parallel(block, block):
                B[by * block + i, bx * block + j] = A[by * block + i, bx * block + j] * 2.0

    return double


@tilelang.jit(target="tenstorrent")
def eager(A, B, block: int = 32):
    M, N = T.const("M, N")
    A: T.Tensor((M, N), "bfloat16")
    B: T.Tensor((M, N), "bfloat16")
    C = T.empty((M, N), "bfloat16")
    D = T.empty((M, N), "float32")
    with T.Kernel(N // block, M // block) as (bx, by):
        for i, j in T.Parallel(block, block):
            y = by * block + i
            x = bx * block + j
            C[y, x] = A[y, x] + B[y, x]
            D[y, x] = A[y, x] * B[y, x]
    return C, D


def test_lazy_jit_compiles_for_each_set_of_arguments(operands):
    (a, _) = operands
    assert torch.equal(lazy(64, 96, 32)(a), 2 * a)
    assert torch.equal(lazy(32, 64, 32)(a[:32, :64].contiguous()), 2 * a[:32, :64])
    assert lazy(64, 96, 32) is lazy(64, 96, 32)


def test_eager_jit_takes_shapes_from_tensors_and_allocates_what_it_returns(operands):
    for rows in (64, 32):
        a, b = (operand[:rows] for operand in operands)
        plus_, product = eager(a, b)
        torch.testing.assert_close(plus_, a + b, rtol=2**-7, atol=0)
        assert torch.equal(product, a.float() * b.float())


def test_eager_jit_compiles_without_tensors(operands):
    kernel = eager.compile(M=64, N=96, block=32)
    assert torch.equal(kernel(*operands)[1], operands[0].float() * operands[1].float())


def test_several_programs_compile_at_the_same_time(operands):
    blocks = [(32, 32), (64, 32), (32, 96), (64, 96)]
    made = [programs.in_place(plus, (64, 96), block, "bfloat16") for block in blocks]
    kernels = tilelang.par_compile(made, target="tenstorrent", out_idx=[-1], num_workers=4)
    assert len({kernel.get_kernel_source() for kernel in kernels}) == len(blocks)
    assert all(torch.equal(kernel(*operands), sum(operands)) for kernel in kernels)


# Scalars and dynamic shapes. ----------------------------------------------------------------------


def test_an_integer_serves_as_a_float_parameter(operands):
    kernel = compiled(programs.scalars, (64, 96), (32, 32), "bfloat16")
    assert torch.equal(kernel(operands[0], 2, 1), kernel(operands[0], 2.0, 1.0))


def scaled(steps, alpha=1.0):
    kernel = compiled(programs.gemm_scaled, (32, 32, 64), (32, 32, 32))
    a, b, d = (torch.ones(shape).bfloat16() for shape in [(32, 64), (64, 32), (32, 32)])
    return kernel(a, b, d, steps, alpha, 0.0)


@pytest.mark.parametrize("steps, expected", [(1, 32), (2, 64), (3, 64)])
def test_an_integer_parameter_says_how_many_blocks_are_read(steps, expected):
    """Beyond the end of a tensor there are zeros."""
    assert torch.equal(scaled(steps), torch.full((32, 32), float(expected)))


@pytest.mark.parametrize(
    "steps, alpha, text", [(1.5, 1.0, "expected integer"), (1, "x", "expected float")]
)
def test_a_scalar_of_another_type_is_refused(steps, alpha, text):
    with pytest.raises(RuntimeError, match=text):
        scaled(steps, alpha)


def dynamic(m, k, n):
    kernel = compiled(programs.gemm_dynamic, (32, 64, 64))
    return kernel(torch.ones(m, k).bfloat16(), torch.ones(k, n).bfloat16())


def test_one_kernel_serves_several_shapes():
    for m, k, n in [(32, 64, 64), (320, 128, 192), (64, 192, 64)]:
        assert torch.equal(dynamic(m, k, n), torch.full((m, n), float(k)))


@pytest.mark.parametrize("m, k, n", [(40, 64, 64), (32, 96, 64), (32, 64, 1), (33, 70, 95)])
def test_blocks_need_not_divide_a_shape(m, k, n):
    assert torch.equal(dynamic(m, k, n), torch.full((m, n), float(k)))


def test_a_dynamic_extent_may_be_zero():
    assert dynamic(0, 64, 64).shape == (0, 64)


# Wrong arguments. ---------------------------------------------------------------------------------


def strided(tensor):
    return tensor.T.contiguous().T


WRONG = {
    "dtype": (
        lambda a, b: (a.float(), b),
        RuntimeError,
        "input A dtype mismatch, expected bfloat16",
    ),
    "shape": (lambda a, b: (a, b[:32]), RuntimeError, r"input B shape\[0\] violates"),
    "rank": (lambda a, b: (a[0], b), RuntimeError, "input A ndim mismatch, expected 2"),
    "layout": (lambda a, b: (a, strided(b)), RuntimeError, r"input B strides\[1\] violates"),
    "slice": (
        lambda a, b: (torch.cat([a, a], 1)[:, :96], b),
        RuntimeError,
        r"input A strides\[0\]",
    ),
    "number": (lambda a, b: (1.0, b), RuntimeError, "input A expected pointer or tensor"),
    "None": (lambda a, b: (a, None), RuntimeError, "B is expected to have non-NULL pointer"),
    "too few": (lambda a, b: (a,), ValueError, "expected 2 inputs, but 1 are provided"),
    "too many": (lambda a, b: (a, b, a), ValueError, "expected 2 inputs, but 3 are provided"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named(kernel, operands, case):
    arguments, error, text = WRONG[case]
    with pytest.raises(error, match=text):
        kernel(*arguments(*operands))


def test_a_kernel_works_on_after_a_wrong_call(kernel, operands):
    with pytest.raises(RuntimeError):
        kernel(operands[0].float(), operands[1])
    assert torch.equal(kernel(*operands), sum(operands))


# What else a kernel offers. -----------------------------------------------------------------------


def test_the_profiler_runs_and_measures_on_the_wall_clock(kernel):
    profiler = kernel.get_profiler()
    profiler.run_once()
    assert profiler.do_bench(backend="wall", warmup=1, rep=1) > 0


def test_pass_configs_of_other_backends_are_accepted(program, operands):
    kernel = tilelang.compile(
        program, target="tenstorrent", out_idx=[-1], pass_configs={"tl.disable_tma_lower": True}
    )
    assert torch.equal(kernel(*operands), sum(operands))
