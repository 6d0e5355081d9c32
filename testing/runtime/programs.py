"""A few programs that the tests of this folder share."""

import tilelang.language as T

from tilelang_tt import pipeline
from tilelang_tt.codegen import artifact
from tilelang_tt.options import Options


def add(dtype="bfloat16"):
    @T.prim_func
    def add(
        A: T.Tensor((64, 64), dtype), B: T.Tensor((64, 64), dtype), C: T.Tensor((64, 64), dtype)
    ):
        with T.Kernel(2, threads=128) as bx:
            for i, j in T.Parallel(32, 64):
                C[bx * 32 + i, j] = A[bx * 32 + i, j] + B[bx * 32 + i, j]

    return add


def gemm():
    @T.prim_func
    def gemm(
        A: T.Tensor((64, 64), "bfloat16"),
        B: T.Tensor((64, 64), "bfloat16"),
        C: T.Tensor((64, 64), "bfloat16"),
    ):
        with T.Kernel(2, threads=128) as bx:
            A_s = T.alloc_shared((64, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            C_l = T.alloc_fragment((64, 32), "float32")
            T.clear(C_l)
            for k in T.Pipelined(2, num_stages=3):
                T.copy(A[0, k * 32], A_s)
                T.copy(B[k * 32, bx * 32], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[0, bx * 32])

    return gemm


def scaled():
    m = T.dynamic("m")

    @T.prim_func
    def scaled(A: T.Tensor((m, 32), "float32"), alpha: T.float32, C: T.Tensor((m, 32), "float32")):
        with T.Kernel(T.ceildiv(m, 32), threads=128) as bx:
            for i, j in T.Parallel(32, 32):
                C[bx * 32 + i, j] = A[bx * 32 + i, j] * alpha

    return scaled


def unused():
    """C = A; a tensor, its dynamic extent and a scalar serve nothing."""
    m = T.dynamic("m")

    @T.prim_func
    def unused(
        A: T.Tensor((32, 32), "float32"),
        B: T.Tensor((m, 32), "float32"),
        alpha: T.float32,
        C: T.Tensor((32, 32), "float32"),
    ):
        with T.Kernel(1, threads=128):
            T.copy(A, C)

    return unused


def square():
    m = T.dynamic("m")

    @T.prim_func
    def square(A: T.Tensor((m, m), "float32"), C: T.Tensor((m, m), "float32")):
        with T.Kernel(T.ceildiv(m, 32), T.ceildiv(m, 32), threads=128) as (bx, by):
            for i, j in T.Parallel(32, 32):
                C[by * 32 + i, bx * 32 + j] = A[by * 32 + i, bx * 32 + j] * 2.0

    return square


def inner():
    k = T.dynamic("k")

    @T.prim_func
    def inner(
        A: T.Tensor((32, k), "bfloat16"),
        B: T.Tensor((k, 32), "bfloat16"),
        C: T.Tensor((32, 32), "float32"),
    ):
        with T.Kernel(1, threads=128) as bx:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            B_s = T.alloc_shared((32, 32), "bfloat16")
            C_l = T.alloc_fragment((32, 32), "float32")
            T.clear(C_l)
            for step in T.serial(T.ceildiv(k, 32)):
                T.copy(A[bx * 32, step * 32], A_s)
                T.copy(B[step * 32, bx * 32], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[bx * 32, 0])

    return inner


def compiled(function, **options):
    chosen = Options(**options)
    name = str(function.attrs["global_symbol"])
    return artifact.build(pipeline.lower(function, chosen), name, chosen)
