"""B = max(slope * A, A) in place in on-chip memory; the slope is given at launch, 0 is the ReLU.

Only the product is rounded, and perhaps the result once more on the way out: each rounding costs at
most half of `torch.finfo(dtype).eps` of the value. The plain ReLU is exact.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_relu(M, N, block_M, block_N, dtype):
    @T.prim_func
    def relu(
        A: T.Tensor((M, N), dtype),
        slope: T.float32,
        B: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M)) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                A_shared[i, j] = T.max(A_shared[i, j] * slope, A_shared[i, j])
            T.copy(A_shared, B[by * block_M, bx * block_N])

    return relu


def main(argv=None):
    parser = argparse.ArgumentParser(description="B = max(slope * A, A)")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--block-m", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--slope", type=float, default=0.0, help="for negative values, below 1")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a = torch.randn(args.m, args.n).to(dtype)
    program = elementwise_relu(args.m, args.n, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, args.slope)
    expected = torch.maximum(a.double() * args.slope, a.double())

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps if args.slope else 0.0
    size = f"relu {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
