"""C = gelu((A * scale) @ B + bias) + R: work on an operand before the product, and on the result.

Sums are kept in float32, so the errors are those of rounding the scaled operand and the result:
twice `torch.finfo(dtype).eps` of the largest value is allowed. The matrix unit cuts float32
operands to ten fraction bits, so for them 2 * 2**-10 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def feed_forward(M, N, K, block_M, block_N, block_K, dtype, accum_dtype="float32"):
    @T.prim_func
    def gemm_gelu_residual(
        A: T.Tensor((M, K), dtype),
        scale: T.Tensor((K,), dtype),
        B: T.Tensor((K, N), dtype),
        bias: T.Tensor((N,), dtype),
        R: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            scale_shared = T.alloc_shared((block_K,), dtype)
            A_scaled = T.alloc_fragment((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            bias_shared = T.alloc_shared((block_N,), dtype)
            R_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[by * block_M, ko * block_K], A_shared)
                T.copy(scale[ko * block_K], scale_shared)
                T.copy(B[ko * block_K, bx * block_N], B_shared)
                for i, k in T.Parallel(block_M, block_K):
                    A_scaled[i, k] = A_shared[i, k] * scale_shared[k]
                T.gemm(A_scaled, B_shared, C_local)
            T.copy(bias[bx * block_N], bias_shared)
            T.copy(R[by * block_M, bx * block_N], R_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = C_local[i, j] + bias_shared[j]
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = 0.5 * C_local[i, j] * (1.0 + T.erf(C_local[i, j] * 0.5**0.5))
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] += R_shared[i, j]
            T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm_gelu_residual


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = gelu((A * scale) @ B + bias) + R")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=128)
    parser.add_argument("--k", type=int, default=192)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    blocks = (args.block_m, args.block_n, args.block_k)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    scale, bias = torch.randn(args.k).to(dtype), (4 * torch.randn(args.n)).to(dtype)
    residual = (4 * torch.randn(args.m, args.n)).to(dtype)
    program = feed_forward(args.m, args.n, args.k, *blocks, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, scale, b, bias, residual)
    product = (a.double() * scale.double()) @ b.double()
    expected = torch.nn.functional.gelu(product + bias.double()) + residual.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * max(torch.finfo(dtype).eps, 2**-10)
    size = f"gelu gemm {args.m}x{args.n}x{args.k}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
