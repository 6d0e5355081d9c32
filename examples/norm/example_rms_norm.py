"""y = x / sqrt(mean(x ** 2) + eps) * weight along rows, a block holding whole rows.

Rows are summed up in float32, so all but the last of the roundings are those of the vector unit's
float32; the result is rounded to the dtype once, and perhaps once more on the way out: each costs
at most half of `torch.finfo(dtype).eps` of the value. For the float32 sums 2**-18 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def rms_norm(M, N, block_M, eps, dtype, accum_dtype="float32"):
    @T.prim_func
    def norm(
        X: T.Tensor((M, N), dtype),
        weight: T.Tensor((N,), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, N), dtype)
            weight_shared = T.alloc_shared((N,), dtype)
            X_local = T.alloc_fragment((block_M, N), accum_dtype)
            squares = T.alloc_fragment((block_M, N), accum_dtype)
            scale = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(X[bx * block_M, 0], X_shared)
            T.copy(weight, weight_shared)
            T.copy(X_shared, X_local)
            for i, j in T.Parallel(block_M, N):
                squares[i, j] = X_local[i, j] * X_local[i, j]
            T.reduce_sum(squares, scale, dim=1)
            for i in T.Parallel(block_M):
                scale[i] = T.rsqrt(scale[i] / N + eps)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = X_local[i, j] * scale[i] * weight_shared[j]
            T.copy(X_local, Y[bx * block_M, 0])

    return norm


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = x / sqrt(mean(x ** 2) + eps) * weight")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x, weight = torch.randn(args.m, args.n).to(dtype), torch.randn(args.n).to(dtype)
    program = rms_norm(args.m, args.n, args.block_m, args.eps, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x, weight)
    exact = x.double()
    expected = exact * (exact.square().mean(1, keepdim=True) + args.eps).rsqrt() * weight.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-18
    size = f"rms_norm {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
