"""Whole programs with circular buffers of the least safe depth, and of one less."""

import dataclasses

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import built, check, numbers, run
from testing.kernels.test_attention import flash
from testing.kernels.test_state import online_softmax
from tilelang_tt import device
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.mock import DeadlockError

GRID = (2, 2)


def product(size, block, stages):
    """C = A @ B."""
    M, N, K = size
    bM, bN, bK = block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((K, N), "bfloat16"),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), threads=128) as (bx, by):
            A_s = T.alloc_shared((bM, bK), "bfloat16")
            B_s = T.alloc_shared((bK, bN), "bfloat16")
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for k in T.Pipelined(T.ceildiv(K, bK), num_stages=stages):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def two_consumers(blocks):
    """A value that two statements read, of which one hands another on."""
    N = blocks * 64

    @T.prim_func
    def main(
        A: T.Tensor((64, N), "bfloat16"),
        C: T.Tensor((64, N), "bfloat16"),
        D: T.Tensor((64, N), "bfloat16"),
    ):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((64, 64), "bfloat16")
            E = T.alloc_fragment((64, 64), "bfloat16")
            F = T.alloc_fragment((64, 64), "bfloat16")
            for k in T.serial(blocks):
                T.copy(A[0, k * 64], S)
                for i, j in T.Parallel(64, 64):
                    E[i, j] = T.exp(S[i, j])
                for i, j in T.Parallel(64, 64):
                    F[i, j] = E[i, j] * S[i, j]
                T.copy(E, C[0, k * 64])
                T.copy(F, D[0, k * 64])

    return main


def carried(blocks):
    """The largest elements of many blocks."""

    @T.prim_func
    def main(A: T.Tensor((64, blocks * 128), "float32"), C: T.Tensor((64, 128), "float32")):
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((64, 128), "float32")
            top = T.alloc_fragment((64, 128), "float32")
            T.fill(top, -T.infinity("float32"))
            for k in T.serial(blocks):
                T.copy(A[0, k * 128], S)
                for i, j in T.Parallel(64, 128):
                    top[i, j] = T.max(top[i, j], S[i, j])
            T.copy(top, C)

    return main


def carried_in_some_iterations(blocks):
    """As many blocks as the number of the core tells, every other one."""

    @T.prim_func
    def main(A: T.Tensor((256, blocks * 64), "float32"), C: T.Tensor((256, 64), "float32")):
        with T.Kernel(2, threads=128) as b:
            S = T.alloc_shared((128, 64), "float32")
            top = T.alloc_fragment((128, 64), "float32")
            T.fill(top, -3)
            for k in T.serial(blocks - b):
                if k % 2 == b:
                    T.copy(A[b * 128, k * 64], S)
                    for i, j in T.Parallel(128, 64):
                        top[i, j] = T.max(top[i, j], S[i, j])
            T.copy(top, C[b * 128, 0])

    return main


HEADS, SEQUENCE, WIDTH = 2, 192, 64
ATTENTION = ("bshd", HEADS, 1, (SEQUENCE, SEQUENCE), WIDTH, True, (96, 96), "bfloat16", 2)
PROGRAMS = {
    "gemm": (product, (128, 192, 256), (64, 96, 64), 3),
    "elementwise": (two_consumers, 3),
    "softmax": (online_softmax, "float32", 3),
    "carried": (carried, 3),
    "some": (carried_in_some_iterations, 4),
    "attention": (flash, *ATTENTION),
}


def arguments_of(made):
    return [
        numbers(tuple(map(int, tensor.shape)), tensor.dtype, seed=seed)
        for seed, tensor in enumerate(made.plan.tensors)
    ]


def made_with(name, **options):
    return built(*PROGRAMS[name], grid=GRID, **options)[1]


def least_depths(made):
    return tuple((cb.name, cb.least_depth) for cb in made.plan.circular_buffers)


@pytest.mark.parametrize("name, multicast", [*((name, False) for name in PROGRAMS), ("gemm", True)])
def test_a_program_runs_with_the_least_depths(name, multicast):
    """And computes what it does with the depths that the compiler chooses, to the last bit."""
    usual = made_with(name, multicast=multicast)
    least = made_with(name, multicast=multicast, depths=least_depths(usual))
    assert [cb.depth for cb in least.plan.circular_buffers] == [
        cb.least_depth for cb in usual.plan.circular_buffers
    ]
    expected, actual = (run(made, arguments_of(made)) for made in (usual, least))
    for tensor, values in expected.items():
        np.testing.assert_array_equal(actual[tensor], values)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "attention"])
def test_with_the_least_depths_it_computes_the_right_thing(name):
    check(*PROGRAMS[name], grid=GRID, depths=least_depths(made_with(name)))


def updated(made):
    """Buffers that need two blocks, and do not fit into the destination registers at once."""
    tiles = device.load(made.plan.arch).dst_tiles(made.plan.fp32_dest_acc)
    return [
        cb.name
        for cb in made.plan.circular_buffers
        if cb.least_depth > 1 and cb.block_pages > tiles
    ]


@pytest.mark.parametrize(
    "name, buffers", [("carried", ["top"]), ("some", ["top"]), ("attention", ["out"])]
)
def test_one_block_less_deadlocks(name, buffers):
    made = made_with(name)
    assert updated(made) == buffers
    for buffer in buffers:
        shallow = tuple(
            dataclasses.replace(cb, depth=cb.least_depth - 1) if cb.name == buffer else cb
            for cb in made.plan.circular_buffers
        )
        plan = dataclasses.replace(made.plan, circular_buffers=shallow)
        with pytest.raises(DeadlockError):
            run(Artifact(plan, made.sources), arguments_of(made))


@pytest.mark.parametrize(
    "name, updates",
    [
        ("gemm", set()),
        ("elementwise", set()),
        ("softmax", {"top", "total"}),
        ("carried", {"top"}),
        ("attention", {"out", "total"}),
    ],
)
def test_only_updates_need_two_blocks(name, updates):
    assert {buffer for buffer, depth in least_depths(made_with(name)) if depth == 2} == updates
