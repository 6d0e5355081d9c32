"""y = softmax(x) along rows, a block holding whole rows.

Everything is computed in float32. The chip's float32 exponential is right to 2**-10, and so is the
sum of a row: together that is 2**-9 of the value. Rounding the result costs at most half of
`torch.finfo(dtype).eps`, twice.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def softmax(M, N, block_M, dtype, accum_dtype="float32"):
    scale = 1.44269504  # log2(e)

    @T.prim_func
    def softmax_rows(
        X: T.Tensor((M, N), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, N), dtype)
            X_local = T.alloc_fragment((block_M, N), accum_dtype)
            row_max = T.alloc_fragment((block_M,), accum_dtype)
            row_sum = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(X[bx * block_M, 0], X_shared)
            T.copy(X_shared, X_local)
            T.reduce_max(X_local, row_max, dim=1)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = T.exp2((X_local[i, j] - row_max[i]) * scale)
            T.reduce_sum(X_local, row_sum, dim=1)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = X_local[i, j] / row_sum[i]
            T.copy(X_local, Y[bx * block_M, 0])

    return softmax_rows


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = softmax(x)")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=250)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (3 * torch.randn(args.m, args.n)).to(dtype)
    program = softmax(args.m, args.n, args.block_m, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x)
    expected = torch.softmax(x.double(), dim=1)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-9
    size = f"softmax {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
