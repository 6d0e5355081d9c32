"""The main job in one call: a GEMM in plain TileLang, compiled, run, checked, its sources saved."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tilelang
import tilelang.language as T
import torch
from tvm import tirx

from tilelang_tt import api, device, formats, mock
from tilelang_tt.runtime import launch


@dataclass(frozen=True)
class Outcome:
    """What the demo measured. `error` is the largest error relative to the largest value."""

    error: float
    tolerance: float
    files: list[Path]

    @property
    def is_right(self) -> bool:
        return self.error <= self.tolerance


def matmul(m: int, n: int, k: int, block: tuple[int, int, int]) -> tirx.PrimFunc:
    """`C = A @ B` in bfloat16 with float32 accumulation, as any TileLang user writes it."""
    block_m, block_n, block_k = block

    @T.prim_func
    def gemm(  # noqa: ANN202  the decorator takes the body for the whole function
        A: T.Tensor((m, k), "bfloat16"),  # pyright: ignore[reportInvalidTypeForm]
        B: T.Tensor((k, n), "bfloat16"),  # pyright: ignore[reportInvalidTypeForm]
        C: T.Tensor((m, n), "bfloat16"),  # pyright: ignore[reportInvalidTypeForm]
    ):
        with T.Kernel(T.ceildiv(n, block_n), T.ceildiv(m, block_m), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_m, block_k), "bfloat16")
            B_shared = T.alloc_shared((block_k, block_n), "bfloat16")
            C_local = T.alloc_fragment((block_m, block_n), "float32")
            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(k, block_k), num_stages=2):
                T.copy(A[by * block_m, ko * block_k], A_shared)
                T.copy(B[ko * block_k, bx * block_n], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block_m, bx * block_n])

    return gemm


def run(size: int, arch: str, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Compile and run a GEMM of `size`^3, write its sources to `folder`, and report by `say`."""
    block = (128, 128, 64)
    say(f"tracing and compiling a {size}x{size}x{size} bfloat16 GEMM for {arch} ...")
    started = time.perf_counter()
    kernel = tilelang.compile(
        matmul(size, size, size, block), target=f"tenstorrent/{arch}", out_idx=[-1]
    )
    say(f"  {time.perf_counter() - started:.2f} s")
    torch.manual_seed(0)
    a, b = (torch.randn(size, size).bfloat16() for _ in range(2))
    say("building the kernels and running them ...")
    started = time.perf_counter()
    with launch.recorded() as reports:
        got = kernel(a, b).float()
    say(f"  {time.perf_counter() - started:.2f} s")
    for report in reports.values():  # none where it ran on a device
        shares = mock.roofline(report, device.load(arch))
        say(f"predicted: {report.cycles:.0f} cycles, {report.microseconds:.1f} us,")
        say(f"  {shares.flops:.1%} of the arithmetic and {shares.dram:.1%} of the DRAM peak")
    expected = a.float() @ b.float()
    error = ((got - expected).abs().max() / expected.abs().max()).item()
    files = api.save(kernel, folder)
    say(api.report(kernel))
    # The products of bfloat16 values are exact and float32 sums nearly so; packing rounds once.
    return Outcome(error, 2 * formats.BY_DTYPE["bfloat16"].epsilon, files)
