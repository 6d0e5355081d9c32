"""D = A * B + C, element by element on the tensors themselves: no on-chip buffer is named.

The compiler brings in the blocks the loop touches. The product and the sum are rounded, and perhaps
the result once more on the way out: each rounding costs at most half of `torch.finfo(dtype).eps` of
a value, and the product may be larger than the sum.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_multiply_add(M, N, block_M, block_N, dtype):
    @T.prim_func
    def multiply_add(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
        D: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=256) as (bx, by):
            for i, j in T.Parallel(block_M, block_N):
                y = by * block_M + i
                x = bx * block_N + j
                D[y, x] = A[y, x] * B[y, x] + C[y, x]

    return multiply_add


def main(argv=None):
    parser = argparse.ArgumentParser(description="D = A * B + C")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--block-m", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b, c = (torch.randn(args.m, args.n).to(dtype) for _ in range(3))
    program = elementwise_multiply_add(args.m, args.n, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b, c)
    expected = a.double() * b.double() + c.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * torch.finfo(dtype).eps  # four roundings, one of a larger value
    size = f"multiply-add {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
