"""y = (x - mean) / sqrt(variance + eps) * weight + bias along rows, a block holding whole rows.

The mean is subtracted before the variance is taken, so nothing cancels. Sums are made in float32:
2**-18 of the largest value is allowed for them. Rounding the result costs at most half of
`torch.finfo(dtype).eps`, twice.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def layer_norm(M, N, block_M, eps, dtype, accum_dtype="float32"):
    @T.prim_func
    def norm(
        X: T.Tensor((M, N), dtype),
        weight: T.Tensor((N,), dtype),
        bias: T.Tensor((N,), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, N), dtype)
            weight_shared = T.alloc_shared((N,), dtype)
            bias_shared = T.alloc_shared((N,), dtype)
            X_local = T.alloc_fragment((block_M, N), accum_dtype)
            squares = T.alloc_fragment((block_M, N), accum_dtype)
            mean = T.alloc_fragment((block_M,), accum_dtype)
            scale = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(X[bx * block_M, 0], X_shared)
            T.copy(weight, weight_shared)
            T.copy(bias, bias_shared)
            T.copy(X_shared, X_local)
            T.reduce_sum(X_local, mean, dim=1)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = X_local[i, j] - mean[i] / N
            for i, j in T.Parallel(block_M, N):
                squares[i, j] = X_local[i, j] * X_local[i, j]
            T.reduce_sum(squares, scale, dim=1)
            for i in T.Parallel(block_M):
                scale[i] = T.rsqrt(scale[i] / N + eps)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = X_local[i, j] * scale[i] * weight_shared[j] + bias_shared[j]
            T.copy(X_local, Y[bx * block_M, 0])

    return norm


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = (x - mean) / deviation * weight + bias")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (torch.randn(args.m, args.n) + 1).to(dtype)
    weight, bias = (torch.randn(args.n).to(dtype) for _ in range(2))
    program = layer_norm(args.m, args.n, args.block_m, args.eps, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x, weight, bias)
    expected = torch.nn.functional.layer_norm(
        x.double(), (args.n,), weight.double(), bias.double(), args.eps
    )

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-18
    size = f"layer_norm {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
