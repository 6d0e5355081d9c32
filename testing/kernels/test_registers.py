"""Blocks and chains of every size fit into the destination registers, and the plan says how."""

import itertools

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, built, check, numbers
from tilelang_tt import device
from tilelang_tt.summary import summary


def chained(rows, columns, length, dtype, computed_in):
    """C = `length` operations on A and B, one after the other, in blocks of rows x columns."""
    M, N = 32 * rows, 32 * columns

    def chain(value, a, b):
        steps = itertools.cycle(
            [
                lambda x: x + b,
                lambda x: T.max(x, a),
                lambda x: x * T.Cast(computed_in, 0.5),
                lambda x: T.abs(x),
                lambda x: T.min(x * b, a + b),
                lambda x: a - x,
            ]
        )
        for step in itertools.islice(steps, length):
            value = step(value)
        return value

    @T.prim_func
    def main(
        A: T.Tensor((M, 2 * N), dtype), B: T.Tensor((M, 2 * N), dtype),
        C: T.Tensor((M, 2 * N), dtype),
    ):  # fmt: skip
        with T.Kernel(2, threads=128) as b:
            A_s = T.alloc_shared((M, N), dtype)
            B_s = T.alloc_shared((M, N), dtype)
            C_s = T.alloc_shared((M, N), dtype)
            T.copy(A[0, b * N], A_s)
            T.copy(B[0, b * N], B_s)
            for i, j in T.Parallel(M, N):
                C_s[i, j] = chain(
                    T.Cast(computed_in, A_s[i, j]),
                    T.Cast(computed_in, A_s[i, j]),
                    T.Cast(computed_in, B_s[i, j]),
                )
            T.copy(C_s, C[0, b * N])

    return main


def wide(depth, dtype):
    """C = a sum of sums of exponentials, `depth` deep: one value more is needed at each level."""

    def level(number, a):
        if number == 0:
            return T.exp(a * T.float32(0.125 * len(scales)))
        scales.append(number)
        return level(number - 1, a) + level(number - 1, a)

    scales = []

    @T.prim_func
    def main(A: T.Tensor((32, 64), dtype), C: T.Tensor((32, 64), dtype)):
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((32, 64), dtype)
            T.copy(A, A_s)
            for i, j in T.Parallel(32, 64):
                A_s[i, j] = level(depth, A_s[i, j])
            T.copy(A_s, C)

    return main


def uses_of(made):
    """The plan's account of the registers, after what holds for every plan."""
    capacity = device.load(made.plan.arch).dst_tiles(made.plan.fp32_dest_acc)
    for use in made.plan.dst:
        assert use.live <= use.slots
        assert use.slots * use.tiles <= capacity
    return made.plan.dst


BLOCKS = [(1, 1), (1, 2), (3, 1), (2, 2), (4, 3), (5, 7), (1, 8), (8, 8)]
LENGTHS = [1, 2, 3, 5, 8, 13, 21, 40]


@pytest.mark.parametrize(
    "block, length, dtype, arch",
    [
        (block, length, ("float32", "bfloat16")[at % 2], ARCHS[at // 2 % 2])
        for at, (block, length) in enumerate(zip(BLOCKS, LENGTHS, strict=True))
    ],
)
def test_chains_are_right_in_blocks_of_any_size(block, length, dtype, arch):
    case = (*block, length, dtype, dtype)
    check(chained, *case, arch=arch, sharp=0.95)
    _, made = built(chained, *case, arch=arch)
    uses = uses_of(made)
    if dtype == "float32":  # products of bfloat16 are the matrix unit's, each in a slot of its own
        assert all(use.live == use.slots for use in uses)
    assert not made.plan.spilled


@pytest.mark.parametrize("length", [1, 6, 12, 25, 40])
def test_a_long_chain_needs_no_more_registers_than_a_short_one(length):
    _, made = built(chained, 2, 2, length, "float32", "float32")
    (use,) = uses_of(made)
    assert use.slots == use.live <= 4
    assert not made.plan.spilled


def test_what_needs_too_many_registers_is_spilled_and_named():
    check(wide, 6, "float32")
    _, made = built(wide, 6, "float32")
    uses_of(made)
    assert made.plan.spilled
    assert f"spilled to L1: {', '.join(made.plan.spilled)}" in summary(made.plan)


def test_the_report_says_how_the_registers_are_used():
    _, made = built(chained, 2, 2, 2, "float32", "float32")
    text = summary(made.plan)
    assert "destination registers: 4 tiles of 32-bit values at a time (half sync)" in text
    assert "spilled to L1: nothing" in text
    (use,) = made.plan.dst
    row = next(line for line in text.splitlines() if line.split()[:1] == [use.result])
    taken = f"{use.slots} (all: {use.slots * use.tiles} of 4)"
    assert row.split()[1:3] == [str(use.tiles), str(use.live)]
    assert taken in row
    assert use.source in row


def cancelling(computed_in):
    """C = A * 1.5 - B * 1.4 + A * B, from bfloat16 to bfloat16."""

    @T.prim_func
    def main(
        A: T.Tensor((64, 64), "bfloat16"), B: T.Tensor((64, 64), "bfloat16"),
        C: T.Tensor((64, 64), "bfloat16"),
    ):  # fmt: skip
        with T.Kernel(1, threads=128) as _:
            A_s = T.alloc_shared((64, 64), "bfloat16")
            B_s = T.alloc_shared((64, 64), "bfloat16")
            T.copy(A, A_s)
            T.copy(B, B_s)
            for i, j in T.Parallel(64, 64):
                a = T.Cast(computed_in, A_s[i, j])
                b = T.Cast(computed_in, B_s[i, j])
                A_s[i, j] = a * T.Cast(computed_in, 1.5) - b * T.Cast(computed_in, 1.4) + a * b
            T.copy(A_s, C)

    return main


def test_what_a_program_computes_in_float32_is_rounded_once():
    a, b = numbers((64, 64), "bfloat16"), numbers((64, 64), "bfloat16", seed=1)
    (c,) = check(cancelling, "float32", inputs=[a, b, np.zeros_like(a)]).values()
    x, y = a.astype(np.float32), b.astype(np.float32)
    exact = x * np.float32(1.5) - y * np.float32(1.4) + x * y
    assert (np.abs(c.astype(np.float32) - exact) <= 2.0**-8 * np.abs(exact) + 1e-6).all()


def test_what_a_program_computes_in_bfloat16_needs_no_wide_registers():
    _, made = built(cancelling, "bfloat16")
    assert not made.plan.fp32_dest_acc
