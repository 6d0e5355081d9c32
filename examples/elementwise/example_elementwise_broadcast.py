"""C = A * row + column: a vector for all rows, a vector for all columns, a number for all elements.

The product and the sums are rounded, and perhaps the result once more on the way out: each
rounding costs at most `torch.finfo(dtype).eps` of a value, and the product may be larger than the
sum.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_broadcast(M, N, block_M, block_N, dtype):
    @T.prim_func
    def broadcast(
        A: T.Tensor((M, N), dtype),
        row: T.Tensor((N,), dtype),
        column: T.Tensor((M,), dtype),
        shift: T.float32,
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            row_shared = T.alloc_shared((block_N,), dtype)
            column_shared = T.alloc_shared((block_M,), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            T.copy(row[bx * block_N], row_shared)
            T.copy(column[by * block_M], column_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = A_shared[i, j] * row_shared[j] + column_shared[i] + shift
            T.copy(C_local, C[by * block_M, bx * block_N])

    return broadcast


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A * row + column + shift")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--shift", type=float, default=0.5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a = torch.randn(args.m, args.n).to(dtype)
    row, column = torch.randn(args.n).to(dtype), torch.randn(args.m).to(dtype)
    program = elementwise_broadcast(args.m, args.n, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, row, column, args.shift)
    expected = a.double() * row.double() + column.double()[:, None] + args.shift

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 4 * torch.finfo(dtype).eps  # four roundings, two of a larger value
    size = f"broadcast {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
