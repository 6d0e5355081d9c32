"""y = (x - mean) / sqrt(variance + eps) * weight + bias for rows longer than a block.

One pass over the parts of the rows adds up values and squares, another normalises. The variance is
mean(x ** 2) - mean(x) ** 2, which loses what cancels: with a mean as large as the deviation, three
bits of the float32 sums, for which 2**-15 is allowed. Rounding the result costs at most half of
`torch.finfo(dtype).eps`, twice.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def layer_norm_splitk(M, N, block_M, block_N, eps, dtype, accum_dtype="float32"):
    @T.prim_func
    def norm(
        X: T.Tensor((M, N), dtype),
        weight: T.Tensor((N,), dtype),
        bias: T.Tensor((N,), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, block_N), dtype)
            weight_shared = T.alloc_shared((block_N,), dtype)
            bias_shared = T.alloc_shared((block_N,), dtype)
            X_local = T.alloc_fragment((block_M, block_N), accum_dtype)
            total = T.alloc_fragment((block_M,), accum_dtype)
            total_squares = T.alloc_fragment((block_M,), accum_dtype)
            mean = T.alloc_fragment((block_M,), accum_dtype)
            scale = T.alloc_fragment((block_M,), accum_dtype)

            T.clear(total)
            T.clear(total_squares)
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                T.copy(X_shared, X_local)
                T.reduce_sum(X_local, total, dim=1, clear=False)
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = X_local[i, j] * X_local[i, j]
                T.reduce_sum(X_local, total_squares, dim=1, clear=False)
            for i in T.Parallel(block_M):
                mean[i] = total[i] / N
                scale[i] = T.rsqrt(total_squares[i] / N - mean[i] * mean[i] + eps)
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                T.copy(weight[k * block_N], weight_shared)
                T.copy(bias[k * block_N], bias_shared)
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = (X_shared[i, j] - mean[i]) * scale[i]
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = X_local[i, j] * weight_shared[j] + bias_shared[j]
                T.copy(X_local, Y[bx * block_M, k * block_N])

    return norm


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = (x - mean) / deviation * weight + bias")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=128)
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (torch.randn(args.m, args.n) + 1).to(dtype)
    weight, bias = (torch.randn(args.n).to(dtype) for _ in range(2))
    program = layer_norm_splitk(args.m, args.n, args.block_m, args.block_n, args.eps, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x, weight, bias)
    expected = torch.nn.functional.layer_norm(
        x.double(), (args.n,), weight.double(), bias.double(), args.eps
    )

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-15
    size = f"layer_norm {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
