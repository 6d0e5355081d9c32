"""C = layer_norm(X) @ W in one kernel: a block normalises its rows once and multiplies them by the
columns of W block by block.

Statistics and sums are kept in float32; the normalised rows are rounded to the dtype before they
are multiplied, and the result on the way out. The matrix unit cuts float32 operands to ten
fraction bits. Together that is at most `torch.finfo(dtype).eps + 2 * 2**-10` of the largest value.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def layer_norm_gemm(M, N, K, block_M, block_N, eps, dtype, accum_dtype="float32"):
    @T.prim_func
    def norm_gemm(
        X: T.Tensor((M, K), dtype),
        W: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, K), dtype)
            W_shared = T.alloc_shared((K, block_N), dtype)
            X_local = T.alloc_fragment((block_M, K), accum_dtype)
            X_normal = T.alloc_fragment((block_M, K), dtype)
            squares = T.alloc_fragment((block_M, K), accum_dtype)
            mean = T.alloc_fragment((block_M,), accum_dtype)
            scale = T.alloc_fragment((block_M,), accum_dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.copy(X[bx * block_M, 0], X_shared)
            T.copy(X_shared, X_local)
            T.reduce_sum(X_local, mean, dim=1)
            for i, j in T.Parallel(block_M, K):
                X_local[i, j] -= mean[i] / K
            for i, j in T.Parallel(block_M, K):
                squares[i, j] = X_local[i, j] * X_local[i, j]
            T.reduce_sum(squares, scale, dim=1)
            for i in T.Parallel(block_M):
                scale[i] = T.rsqrt(scale[i] / K + eps)
            for i, j in T.Parallel(block_M, K):
                X_normal[i, j] = X_local[i, j] * scale[i]
            for bn in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(W[0, bn * block_N], W_shared)
                T.gemm(X_normal, W_shared, C_local, clear_accum=True)
                T.copy(C_local, C[bx * block_M, bn * block_N])

    return norm_gemm


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = layer_norm(X) @ W")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=160)
    parser.add_argument("--k", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (torch.randn(args.m, args.k) + 1).to(dtype)
    w = torch.randn(args.k, args.n).to(dtype)
    sizes = (args.m, args.n, args.k, args.block_m, args.block_n)
    program = layer_norm_gemm(*sizes, args.eps, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x, w)
    expected = torch.nn.functional.layer_norm(x.double(), (args.k,), eps=args.eps) @ w.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2 * 2**-10
    size = f"layer_norm gemm {args.m}x{args.n}x{args.k}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
