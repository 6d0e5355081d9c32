"""A program compiles to the same sources and computes the same bytes, every time and everywhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tilelang
import torch

import tilelang_tt
from testing.kernels import programs
from testing.kernels.programs import compiled
from tilelang_tt.runtime import binding, mock_run

SIZE, BLOCK = (448, 320, 128), (64, 32, 64)
GRIDS = [(1, 1), (3, 2), (8, 7), (8, 8)]


def bytes_of(tensor):
    return tensor.contiguous().view(torch.uint8)


def same_bytes(a, b):
    return torch.equal(bytes_of(a), bytes_of(b))


def add(m, a, b):
    return a + b * 0.1


@pytest.fixture
def operands():
    return torch.randn(448, 128).bfloat16(), torch.randn(128, 320).bfloat16()


@pytest.mark.parametrize("acc", ["float32", "bfloat16"])
def test_a_product_does_not_depend_on_the_grid_of_cores(operands, acc):
    results = [
        compiled(programs.gemm, SIZE, BLOCK, out="bfloat16", acc=acc, options=(("grid", grid),))(
            *operands
        )
        for grid in GRIDS
    ]
    assert all(same_bytes(result, results[0]) for result in results[1:])
    assert results[0].abs().sum() > 0


def test_an_element_wise_result_does_not_depend_on_the_grid_of_cores():
    a, b = (torch.randn(320, 256).bfloat16() for _ in range(2))
    results = [
        compiled(
            programs.in_place, add, (320, 256), (32, 32), "bfloat16", options=(("grid", grid),)
        )(a, b)
        for grid in [*GRIDS, (8, 3)]
    ]
    assert all(same_bytes(result, results[0]) for result in results[1:])


def test_a_product_does_not_depend_on_the_architecture(operands):
    wormhole, blackhole = (
        compiled(programs.gemm, SIZE, BLOCK, target=f"tenstorrent/{arch}")(*operands)
        for arch in ("wormhole_b0", "blackhole")
    )
    assert same_bytes(wormhole, blackhole)


def test_the_same_inputs_give_the_same_bytes(operands):
    kernel = compiled(programs.gemm, SIZE, BLOCK)
    first = kernel(*operands)
    kernel(operands[0] * 3, operands[1])  # leaves nothing behind
    assert same_bytes(kernel(*operands), first)


def test_inputs_are_not_changed(operands):
    before = [operand.clone() for operand in operands]
    compiled(programs.gemm, SIZE, BLOCK)(*operands)
    assert all(same_bytes(*pair) for pair in zip(operands, before, strict=True))


def test_a_program_compiles_to_the_same_sources_every_time():
    def sources():
        program = programs.gemm_bias_relu((64, 64, 64), (32, 32, 32))
        return tilelang.compile(program, target="tenstorrent", out_idx=[-1]).get_kernel_source()

    assert sources() == sources()


@pytest.mark.parametrize("multicast", [False, True])
def test_the_same_kernels_serve_every_grid_of_cores(operands, multicast):
    kernel = compiled(programs.gemm, SIZE, BLOCK, options=(("multicast", multicast),))
    made = tilelang_tt.artifact(kernel)
    results = []
    for grid in GRIDS:
        moved = dataclasses.replace(made, plan=dataclasses.replace(made.plan, grid=grid))
        arguments = [*(tensor.view(torch.uint16).numpy() for tensor in operands)]
        out = np.zeros((SIZE[0], SIZE[1]), np.float32)
        bound = binding.bind(moved.plan, binding.checked(moved.plan, [*arguments, out]))
        mock_run.run(moved, bound)
        results.append(out.tobytes())
    assert len(set(results)) == 1
