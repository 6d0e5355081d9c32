"""The two programs that are timed."""

# pyright: reportInvalidTypeForm=false

from collections.abc import Callable

import tilelang.language as T
import torch
from tvm import tirx


def add(size: int = 1024, block: int = 64, dtype: str = "bfloat16") -> tirx.PrimFunc:
    """C = A + B of square matrices."""

    @T.prim_func
    def add(
        A: T.Tensor((size, size), dtype),
        B: T.Tensor((size, size), dtype),
        C: T.Tensor((size, size), dtype),
    ):
        with T.Kernel(T.ceildiv(size, block), T.ceildiv(size, block), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block, block), dtype)
            B_shared = T.alloc_shared((block, block), dtype)
            C_local = T.alloc_fragment((block, block), dtype)
            T.copy(A[by * block, bx * block], A_shared)
            T.copy(B[by * block, bx * block], B_shared)
            for i, j in T.Parallel(block, block):
                C_local[i, j] = A_shared[i, j] + B_shared[i, j]
            T.copy(C_local, C[by * block, bx * block])

    return add


def gemm(
    size: int = 1024, block: int = 128, block_K: int = 64, dtype: str = "bfloat16"
) -> tirx.PrimFunc:
    """C = A @ B of square matrices, accumulated in float32."""

    @T.prim_func
    def gemm(
        A: T.Tensor((size, size), dtype),
        B: T.Tensor((size, size), dtype),
        C: T.Tensor((size, size), dtype),
    ):
        with T.Kernel(T.ceildiv(size, block), T.ceildiv(size, block), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block), dtype)
            C_local = T.alloc_fragment((block, block), "float32")
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(size, block_K), num_stages=3):
                T.copy(A[by * block, k * block_K], A_shared)
                T.copy(B[k * block_K, bx * block], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block, bx * block])

    return gemm


PROGRAMS: dict[str, Callable[[], tirx.PrimFunc]] = {"add": add, "gemm": gemm}


def arguments(size: int = 1024) -> list[torch.Tensor]:
    """Two square matrices of random numbers."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, size, generator=generator).bfloat16() for _ in range(2)]
