"""Matrix products on the mock against torch."""

from __future__ import annotations

import itertools

import pytest
import torch

import tilelang_tt
from testing.kernels import accuracy, programs
from testing.kernels.programs import TORCH, compiled
from tilelang_tt.diagnostics import SumOutsideRegisters, UnfitSubblock

DTYPES = tuple(TORCH)
LAYOUTS = {"nn": (False, False), "nt": (False, True), "tn": (True, False), "tt": (True, True)}
SIZE, BLOCK = (192, 160, 128), (64, 32, 64)


def operands(size, dtype="bfloat16", batch=()):
    m, n, k = size
    return torch.randn(*batch, m, k).to(TORCH[dtype]), torch.randn(*batch, k, n).to(TORCH[dtype])


def product(a, b, block_k, *, acc="float32", fidelity="HiFi4"):
    return accuracy.product(a, b, block_k=block_k, accumulator=TORCH[acc], fidelity=fidelity)


def run(size, block, dtype="bfloat16", out="float32", acc="float32", ta=False, tb=False, **options):
    """Check one plain product; returns its largest relative error."""
    a, b = operands(size, dtype)
    fidelity = dict(options.get("options", ())).get("fidelity", "HiFi4")
    stored = (a.T.contiguous() if ta else a, b.T.contiguous() if tb else b)
    kernel = compiled(programs.gemm, size, block, dtype, out, acc, ta, tb, **options)
    return accuracy.check(kernel(*stored), product(a, b, block[2], acc=acc, fidelity=fidelity))


def is_sampled(layout, dtype, acc, out):
    """All layouts of bfloat16, all dtypes and accumulators of one layout each."""
    if acc == "float32":
        return out == dtype and (layout == "nt" or dtype == "bfloat16")
    return out == dtype and layout == "tn"


SWEEP = [
    pytest.param(
        layout,
        dtype,
        acc,
        out,
        id="-".join((layout, dtype, acc, out)),
        marks=[] if is_sampled(layout, dtype, acc, out) else pytest.mark.long,
    )
    for layout, dtype in itertools.product(LAYOUTS, DTYPES)
    for acc, out in itertools.product(sorted({"float32", dtype}), repeat=2)
]


@pytest.mark.parametrize("layout, dtype, acc, out", SWEEP)
def test_a_product_is_computed(layout, dtype, acc, out):
    ta, tb = LAYOUTS[layout]
    run(SIZE, BLOCK, dtype, out, acc, ta, tb)


BLOCKS = [
    (32, 32, 32),
    (32, 128, 64),
    (128, 32, 32),
    (96, 64, 128),
    (64, 160, 32),
    (128, 128, 128),
    (32, 32, 128),
    (256, 64, 32),
]


@pytest.mark.parametrize("acc", ["float32", "bfloat16"])
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_may_have_any_shape(block, acc):
    size = (block[0] * 2, block[1], block[2] * 2)
    run(size, block, out=acc, acc=acc)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block", [(96, 32, 64), (32, 96, 128)], ids=str)
def test_transposed_blocks_may_have_any_shape(block, layout):
    ta, tb = LAYOUTS[layout]
    run((block[0], block[1] * 2, block[2] * 2), block, ta=ta, tb=tb, out="bfloat16")


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("accumulate", ["dst", "l1"])
@pytest.mark.parametrize("acc, block", [("bfloat16", (64, 128, 32)), ("float32", (64, 64, 32))])
def test_a_sum_may_stay_in_the_registers_or_in_l1(acc, block, accumulate, arch):
    options = (("arch", arch), ("accumulate", accumulate))
    size = (block[0] * 2, block[1] * 3, 416)
    run(size, block, out="bfloat16", acc=acc, options=options)


@pytest.mark.parametrize("subblock", ["1x1", "2x2", "1x4", "4x1"])
@pytest.mark.parametrize("acc", ["float32", "bfloat16"])
def test_a_subblock_may_be_chosen(subblock, acc):
    run((256, 256, 192), (128, 128, 64), acc=acc, options=(("subblock", subblock), ("cut", False)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [(32, 32, 32), (64, 64, 32)])
def test_what_follows_the_product_is_made_in_the_registers(block, dtype):
    size = (128, 64, 416)
    a, b = operands(size, dtype)
    bias = (8 * torch.randn(size[1])).to(TORCH[dtype])
    kernel = compiled(
        programs.gemm_bias_relu, size, block, dtype, dtype, options=(("accumulate", "dst"),)
    )
    rows = accuracy.exact(bias.expand(size[0], -1), torch.float32)
    accuracy.check(kernel(a, b, bias), accuracy.max(product(a, b, block[2]) + rows, 0.0))


def test_a_sum_that_cannot_stay_in_the_registers_names_its_line():
    options = (("accumulate", "dst"),)
    with pytest.raises(SumOutsideRegisters, match=r"'C_l'.*(?s:.*)programs\.py:\d+"):
        compiled(programs.gemm, (256, 256, 64), (128, 128, 32), options=options)


def test_a_subblock_that_does_not_fit_names_its_line():
    with pytest.raises(UnfitSubblock, match=r"3x1.*does not divide(?s:.*)programs\.py:\d+"):
        compiled(
            programs.gemm,
            (256, 256, 64),
            (128, 128, 32),
            options=(("subblock", "3x1"), ("cut", False)),
        )


# M, N, K and the number of blocks on an 8x8 grid: one, fewer than cores, as many, more, many more.
SIZES = {
    "one_block": (64, 32, 128),
    "one_block_one_step": (64, 32, 64),
    "fewer_than_cores": (192, 96, 64),
    "as_many_as_cores": (512, 256, 64),
    "more_than_cores": (448, 320, 64),
    "high_and_narrow": (1280, 32, 128),
    "low_and_wide": (64, 1280, 128),
    "deep": (64, 32, 2048),
}


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("name", SIZES)
def test_blocks_are_spread_over_the_cores(name, arch):
    run(SIZES[name], BLOCK, out="bfloat16", target=f"tenstorrent/{arch}")


@pytest.mark.parametrize("stages", [None, 0, 1, 2, 4])
def test_the_loop_over_k_may_be_serial_or_pipelined(stages):
    run(SIZE, BLOCK, stages=stages)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("fidelity", accuracy.FIDELITY_LOSS)
def test_a_lower_fidelity_costs_what_it_may(fidelity, dtype):
    options = (("fidelity", fidelity),)
    run(SIZE, BLOCK, dtype, options=options)


def test_a_lower_fidelity_is_less_exact():
    errors = [
        run(SIZE, BLOCK, options=(("fidelity", fidelity),)) for fidelity in accuracy.FIDELITY_LOSS
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 4 * errors[1] > 16 * errors[2]


def test_registers_of_16_bits_round_more_than_those_of_32():
    a, b = operands(SIZE)
    exact = a.double() @ b.double()
    errors = {}
    for wide in (True, False):
        kernel = compiled(
            programs.gemm,
            SIZE,
            BLOCK,
            out="bfloat16",
            acc="bfloat16",
            options=(("fp32_acc", wide),),
        )
        result = kernel(a, b)
        accuracy.check(result, product(a, b, BLOCK[2], acc="bfloat16"))
        errors[wide] = (result - exact).square().mean()
    assert errors[True] < errors[False]


@pytest.mark.parametrize("form", ["fill", "assignment", "first step", "one", "tensor"])
def test_an_accumulator_starts_from_what_the_program_says(form):
    size, block = (64, 96, 128), (32, 32, 64)
    a, b = operands(size)
    d = torch.randn(64, 96).bfloat16()
    expected = product(a, b, block[2])
    start = {"one": torch.ones(64, 96), "tensor": d}.get(form, torch.zeros(64, 96))
    kernel = compiled(programs.gemm_start, form, size, block)
    accuracy.check(kernel(a, b, d), accuracy.exact(start, torch.float32) + expected)


@pytest.mark.parametrize("out", ["float32", "bfloat16"])
def test_a_product_may_have_no_loop_over_k(out):
    a, b = operands(SIZE)
    kernel = compiled(programs.gemm_whole_k, SIZE, (64, 32), out=out)
    accuracy.check(kernel(a, b), product(a, b, 128))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_bias_and_a_relu_follow_the_product(dtype):
    a, b = operands(SIZE, dtype)
    bias = (8 * torch.randn(SIZE[1])).to(TORCH[dtype])
    kernel = compiled(programs.gemm_bias_relu, SIZE, BLOCK, dtype, dtype)
    rows = accuracy.exact(bias.expand(SIZE[0], -1), torch.float32)
    accuracy.check(kernel(a, b, bias), accuracy.max(product(a, b, 64) + rows, 0.0))


def test_a_batch_of_products_has_a_grid_of_rank_three():
    size = (96, 64, 128)
    a, b = operands(size, batch=(5,))
    accuracy.check(compiled(programs.gemm_batched, 5, size, (32, 32, 64))(a, b), product(a, b, 64))


def test_a_block_may_compute_one_product_after_the_other():
    a, b = operands(SIZE)
    kernel = compiled(programs.gemm_row_of_blocks, SIZE, BLOCK)
    accuracy.check(kernel(a, b), product(a, b, 64))


def test_a_product_and_what_is_made_of_it_are_both_stored_and_so_is_an_operand():
    size = (128, 96, 128)
    a, b = operands(size)
    kernel = compiled(programs.gemm_two_outputs, size, (32, 96, 64), out_idx=(-3, -2, -1))
    raw, relu, copied = kernel(a, b)
    expected = product(a, b, 64)
    accuracy.check(raw, expected)
    accuracy.check(relu, accuracy.max(expected, 0.0))
    assert torch.equal(copied, a)


def test_two_products_of_one_operand_are_combined():
    size = (64, 96, 128)
    a, b = operands(size)
    d = torch.randn(128, 96).bfloat16()
    clipped = a.clamp(max=1.0)
    gate, value = product(clipped, b, 32), product(clipped, d, 32)
    actual = compiled(programs.gemm_gated, size, (32, 32, 32))(a, b, d)
    accuracy.check(actual, accuracy.sigmoid(gate) * value)


def test_a_product_is_an_operand_of_the_next_one():
    a, b = operands((64, 96, 96))
    d = torch.randn(96, 96).bfloat16()
    first = product(a, b, 96).stored("bfloat16")
    actual = compiled(programs.gemm_chain, (64, 96))(a, b, d)
    accuracy.check(actual, product(first, d, 96))


def test_scalars_scale_a_product_and_limit_its_depth():
    a, b = operands(SIZE)
    d = torch.randn(SIZE[:2]).bfloat16()
    kernel = compiled(programs.gemm_scaled, SIZE, (64, 32, 32))
    for steps, alpha, beta in [(4, 0.5, -2.0), (2, 1.0, 0.0), (1, -3.0, 1.0), (0, 1.0, 1.0)]:
        depth = 32 * steps
        part = product(a[:, :depth], b[:depth], 32)
        expected = part * alpha + accuracy.exact(d, torch.float32) * beta
        accuracy.check(kernel(a, b, d, steps, alpha, beta), expected)


def test_one_kernel_serves_all_shapes_of_its_dynamic_extents():
    kernel = compiled(programs.gemm_dynamic, (32, 64, 64))
    for size in [(32, 64, 64), (96, 64, 256), (320, 448, 64), (32, 640, 192)]:
        a, b = operands(size)
        accuracy.check(kernel(a, b), product(a, b, 64))


@pytest.mark.parametrize(
    "dtype, layout", [("bfloat16", "nn"), ("bfloat16", "nt"), ("float16", "nn")]
)
def test_a_large_product_is_as_exact_as_its_dtypes(dtype, layout):
    """1024 x 1024 x 1024 in a float32 accumulator, against torch's float32 product."""
    size, block = (1024, 1024, 1024), (128, 128, 64)
    ta, tb = LAYOUTS[layout]
    a, b = operands(size, dtype)
    kernel = compiled(programs.gemm, size, block, dtype, dtype, "float32", ta, tb)
    actual = kernel(a, b.T.contiguous() if tb else b)
    expected = a.float() @ b.float()
    accuracy.check(actual, product(a, b, block[2]))
    error = (actual.float() - expected).abs().max() / expected.abs().max()
    assert error <= accuracy.unit(TORCH[dtype]) * (1 + 2.0**-8)


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize(
    "size, block, grid",
    [
        ((320, 192, 128), (64, 64, 64), (2, 2)),
        ((300, 170, 100), (64, 64, 64), (2, 2)),
        ((70, 330, 96), (32, 64, 32), (3, 1)),
        ((160, 416, 64), (128, 128, 64), (4, 3)),
    ],
)
def test_blocks_of_another_size_are_right(size, block, grid, arch):
    options = (("arch", arch), ("cut", True), ("grid", grid))
    run(size, block, options=options)
    kernel = compiled(
        programs.gemm, size, block, "bfloat16", "float32", "float32", False, False, options=options
    )
    m, n, _ = (-(-extent // own) for extent, own in zip(size, block, strict=True))
    assert tilelang_tt.artifact(kernel).plan.blocks != (n, m)


def test_blocks_of_another_size_leave_alone_what_the_grid_left_out():
    """Five rows of blocks, of seven that the tensor has."""
    options = (("cut", True), ("grid", (3, 2)))
    kernel = compiled(programs.gemm_in_part, 5, (448, 192, 128), 64, options=options, out_idx=())
    assert tilelang_tt.artifact(kernel).plan.blocks != (3, 5)
    a, b = (torch.randint(-4, 5, shape).bfloat16() for shape in ((448, 128), (128, 192)))
    c = torch.full((448, 192), -1.0)
    kernel(a, b, c)
    assert torch.equal(c[:320], a[:320].float() @ b.float())
    assert torch.equal(c[320:], torch.full((128, 192), -1.0))
