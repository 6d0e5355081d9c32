"""C = A * B on tensors whose sizes no block divides: the last blocks are cut off at the edges.

Nothing in the program says so: a copy brings what there is of a block, and stores only that. The
product is rounded once, and perhaps once more on the way out: each rounding costs at most half of
`torch.finfo(dtype).eps` of the value.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_ragged(M, N, block_M, block_N, dtype):
    @T.prim_func
    def multiply(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            B_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            T.copy(B[by * block_M, bx * block_N], B_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = A_shared[i, j] * B_shared[i, j]
            T.copy(C_local, C[by * block_M, bx * block_N])

    return multiply


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A * B, sizes that no block divides")
    parser.add_argument("--m", type=int, default=203)
    parser.add_argument("--n", type=int, default=301)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=96)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = (torch.randn(args.m, args.n).to(dtype) for _ in range(2))
    program = elementwise_ragged(args.m, args.n, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b)
    expected = a.double() * b.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps  # two roundings
    size = f"multiply {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
