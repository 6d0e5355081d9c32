"""Per-token scaling: each row divided by the largest size in it, and the factors that undo it.

What a quantisation to a small range starts with. Rows are scaled to [-1, 1] times `--range`. The
largest size of a row is exact; the quotient is made in float32 and rounded to the dtype, and
perhaps once more on the way out: each costs at most half of `torch.finfo(dtype).eps`, for float32
twice that.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def per_token_scale(M, N, block_M, limit, dtype, accum_dtype="float32"):
    @T.prim_func
    def scale_rows(
        X: T.Tensor((M, N), dtype),
        Y: T.Tensor((M, N), dtype),
        scale: T.Tensor((M,), accum_dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, N), dtype)
            Y_local = T.alloc_fragment((block_M, N), dtype)
            largest = T.alloc_fragment((block_M,), accum_dtype)
            scale_local = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(X[bx * block_M, 0], X_shared)
            T.reduce_absmax(X_shared, largest, dim=1)
            for i in T.Parallel(block_M):
                scale_local[i] = T.max(largest[i], 1e-4) / limit
            for i, j in T.Parallel(block_M, N):
                Y_local[i, j] = T.min(T.max(X_shared[i, j] / scale_local[i], -limit), limit)
            T.copy(Y_local, Y[bx * block_M, 0])
            T.copy(scale_local, scale[bx * block_M])

    return scale_rows


def main(argv=None):
    parser = argparse.ArgumentParser(description="rows divided by their largest size")
    parser.add_argument("--m", type=int, default=100, help="tokens")
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--range", type=float, default=127.0)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (torch.randn(args.m, args.n) * torch.rand(args.m, 1) * 5).to(dtype)
    program = per_token_scale(args.m, args.n, args.block_m, args.range, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-2, -1])
    result, scale = kernel(x)
    expected_scale = x.double().abs().amax(1) / args.range
    expected = x.double() / expected_scale[:, None]

    error = max(
        ((result - expected).abs().max() / args.range).item(),
        ((scale - expected_scale) / expected_scale).abs().max().item(),
    )
    limit = 2 * torch.finfo(dtype).eps
    size = f"per-token scale {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
