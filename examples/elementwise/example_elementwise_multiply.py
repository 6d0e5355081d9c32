"""C = A * B, written as two sequential loops over the elements of a block.

A Tensix core has no threads to spread the elements over; the loops become operations on whole
tiles, as T.Parallel does. The product is rounded once, and perhaps once more on the way out: each
rounding costs at most half of `torch.finfo(dtype).eps` of the value.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_multiply(M, N, block_M, block_N, dtype):
    @T.prim_func
    def multiply(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M)) as (bx, by):
            A_local = T.alloc_fragment((block_M, block_N), dtype)
            B_local = T.alloc_fragment((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)

            T.copy(A[by * block_M, bx * block_N], A_local)
            T.copy(B[by * block_M, bx * block_N], B_local)
            for i in T.serial(block_M):
                for j in T.serial(block_N):
                    C_local[i, j] = A_local[i, j] * B_local[i, j]
            T.copy(C_local, C[by * block_M, bx * block_N])

    return multiply


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A * B")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--block-m", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = (torch.randn(args.m, args.n).to(dtype) for _ in range(2))
    program = elementwise_multiply(args.m, args.n, args.block_m, args.block_n, args.dtype)
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
