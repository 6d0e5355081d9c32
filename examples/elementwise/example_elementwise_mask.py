"""B = A inside a band below the diagonal, a fill value elsewhere: a mask made of indices.

The mask is that of causal attention with a sliding window. Nothing is computed from the values, so
the result is exact. The sizes need not be multiples of anything.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_mask(M, N, block_M, block_N, window, fill, dtype):
    @T.prim_func
    def mask(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                row = by * block_M + i
                column = bx * block_N + j
                A_shared[i, j] = T.if_then_else(
                    T.And(column <= row, row - column < window), A_shared[i, j], fill
                )
            T.copy(A_shared, B[by * block_M, bx * block_N])

    return mask


def main(argv=None):
    parser = argparse.ArgumentParser(description="B = A in a band below the diagonal")
    parser.add_argument("--m", type=int, default=200)
    parser.add_argument("--n", type=int, default=150)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--window", type=int, default=50, help="columns kept in a row")
    parser.add_argument("--fill", type=float, default=-1.0)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a = torch.randn(args.m, args.n).to(dtype)
    (fill,) = torch.tensor([args.fill]).to(dtype).tolist()
    program = elementwise_mask(
        args.m, args.n, args.block_m, args.block_n, args.window, fill, args.dtype
    )
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a)
    distance = torch.arange(args.m)[:, None] - torch.arange(args.n)
    expected = torch.where((distance >= 0) & (distance < args.window), a, fill)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 0.0
    size = f"mask {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
