"""C = A where |A| > |B|, else clip(B): comparisons, conditions and choices between values.

Values are chosen and bounded, never rounded: the result is exact.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_select(M, N, block_M, block_N, low, high, dtype):
    @T.prim_func
    def select(
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
                if T.abs(A_shared[i, j]) > T.abs(B_shared[i, j]):
                    C_local[i, j] = A_shared[i, j]
                else:
                    C_local[i, j] = T.clamp(B_shared[i, j], low, high)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return select


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A where |A| > |B|, else clip(B)")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--low", type=float, default=-0.5)
    parser.add_argument("--high", type=float, default=0.75)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = (torch.randn(args.m, args.n).to(dtype) for _ in range(2))
    low, high = torch.tensor([args.low, args.high]).to(dtype).tolist()
    program = elementwise_select(args.m, args.n, args.block_m, args.block_n, low, high, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b)
    expected = torch.where(a.abs() > b.abs(), a, b.clamp(low, high))

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 0.0
    size = f"select {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
