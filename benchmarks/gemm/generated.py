"""The same problem as a plain TileLang GEMM, compiled for the target "tenstorrent"."""

# pyright: reportInvalidTypeForm=false

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import tilelang
import tilelang.language as T
import torch
from tvm import tirx

import tilelang_tt
from benchmarks.gemm.problem import ARCHS, Outcome, Problem
from tilelang_tt import device
from tilelang_tt.diagnostics import CompileError

_MOST = 512  # elements of a side of a block
_BLOCK_K = 32  # the compiler makes steps longer


VARIANTS: dict[str, dict[str, object]] = {
    "multicast": {"multicast": False},
    "double buffering": {"depths": {"A_shared": 1, "B_shared": 1}},
    "subblocks": {"subblock": "1x1"},
}
"""Options of the target that do without a technique."""


@dataclass(frozen=True)
class Blocks:
    """What a TileLang user chooses: elements of a block, and the type it is added up in."""

    m: int
    n: int
    k: int
    accumulator: str = "bfloat16"

    @property
    def name(self) -> str:
        return f"{self.m}x{self.n}x{self.k}"


PLAIN = Blocks(128, 128, 64, "float32")
"""What one writes without a thought of the chip."""


def gemm(m: int, n: int, k: int, blocks: Blocks) -> tirx.PrimFunc:
    """C = A @ B in bfloat16."""
    bm, bn, bk, dtype = blocks.m, blocks.n, blocks.k, "bfloat16"

    @T.prim_func
    def gemm(
        A: T.Tensor((m, k), dtype),
        B: T.Tensor((k, n), dtype),
        C: T.Tensor((m, n), dtype),
    ):
        with T.Kernel(T.ceildiv(n, bn), T.ceildiv(m, bm), threads=128) as (bx, by):
            A_shared = T.alloc_shared((bm, bk), dtype)
            B_shared = T.alloc_shared((bk, bn), dtype)
            C_local = T.alloc_fragment((bm, bn), blocks.accumulator)
            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(k, bk), num_stages=2):
                T.copy(A[by * bm, ko * bk], A_shared)
                T.copy(B[ko * bk, bx * bn], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * bm, bx * bn])

    return gemm


def sensible(problem: Problem) -> Iterator[Blocks]:
    """Blocks to try in turn: an equal share for each core, cut in halves while it is too large."""
    m, n = problem.m // problem.grid[1], problem.n // problem.grid[0]
    while m > _MOST:
        m = _half(m)
    while n > _MOST:
        n = _half(n)
    while True:
        yield Blocks(m, n, _BLOCK_K)
        if (smaller := _half(max(m, n))) == max(m, n):
            return
        m, n = (smaller, n) if m >= n else (m, smaller)


def _half(size: int) -> int:
    """The next size of whole tiles below that divides the size; itself where there is none."""
    tiles = size // 32
    return 32 * next((t for t in range(tiles // 2, 0, -1) if tiles % t == 0), tiles)


def compile_with(
    problem: Problem, blocks: Blocks, options: Mapping[str, object] | None = None
) -> tilelang.JITKernel:
    """The compiled kernel, with more options of the target.

    Raises:
        CompileError: the compiler refuses it, for example for want of L1.
    """
    columns, rows = problem.grid
    target = {
        "kind": "tenstorrent",
        "arch": ARCHS[problem.arch],
        "grid": f"{columns}x{rows}",
        "fidelity": problem.fidelity,
        "execution": "mock",
        **(options or {}),
    }
    function = gemm(problem.m, problem.n, problem.k, blocks)
    return tilelang.compile(function, out_idx=[], target=target)


def run(
    problem: Problem,
    blocks: Blocks | None = None,
    options: Mapping[str, object] | None = None,
) -> tuple[Outcome, Blocks] | None:
    """One run on zeros, with all tensors in DRAM; None for a dtype that TileLang does not have.

    Without `blocks`, the first `sensible` ones that compile.

    Raises:
        CompileError: no blocks compile.
    """
    if problem.dtype != "bf16":
        return None
    with _grid(problem):
        refusal: CompileError | None = None
        for chosen in sensible(problem) if blocks is None else (blocks,):
            try:
                kernel = compile_with(problem, chosen, options)
            except CompileError as error:
                refusal = error
                continue
            shapes = ((problem.m, problem.k), (problem.k, problem.n), (problem.m, problem.n))
            tensors = [torch.zeros(shape, dtype=torch.bfloat16) for shape in shapes]
            return Outcome.of(problem, tilelang_tt.profile(kernel, *tensors)), chosen
        assert refusal is not None
        raise refusal


@contextmanager
def _grid(problem: Problem) -> Iterator[None]:
    """Cores beyond those that today's firmware shows: the figures of Blackhole are of 13x10."""
    load = device.load

    @functools.cache
    def larger(arch: str) -> device.Device:
        loaded = load(arch)
        return replace(loaded, grid=problem.grid) if arch == ARCHS[problem.arch] else loaded

    device.load = larger
    try:
        yield
    finally:
        device.load = load
