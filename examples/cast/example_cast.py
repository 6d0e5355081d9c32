"""B = A in another dtype: each of float32, bfloat16, float16 and int32 to each of the others.

A value is rounded to the nearest of a narrower float dtype, or to one next to it, so the error is
at most `torch.finfo(to).eps` of the value itself; an integer is what is left of a number without
its fraction. Where the new dtype has all values the conversion is exact. The values are those that
float16 has in full precision.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

DTYPES = ["bfloat16", "float16", "float32", "int32"]


def cast(M, N, block_M, block_N, dtype, to):
    @T.prim_func
    def convert(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), to),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            B_local = T.alloc_fragment((block_M, block_N), to)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                B_local[i, j] = T.cast(A_shared[i, j], to)
            T.copy(B_local, B[by * block_M, bx * block_N])

    return convert


def main(argv=None):
    parser = argparse.ArgumentParser(description="B = A in another dtype")
    parser.add_argument("--m", type=int, default=100)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--to", nargs="+", default=DTYPES, choices=DTYPES)
    parser.add_argument("--dtype", default="bfloat16", choices=DTYPES)
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    a = (100 * torch.randn(args.m, args.n)).to(getattr(torch, args.dtype))
    a = torch.where(a.abs() < 2**-10, 1, a)
    errors, limits = {}, {}
    for to in args.to:
        program = cast(args.m, args.n, args.block_m, args.block_n, args.dtype, to)
        kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
        result = kernel(a)
        expected = a.double().trunc() if to == "int32" else a.double()
        is_exact = torch.equal(expected.to(getattr(torch, to)).double(), expected)
        errors[to] = ((result.double() - expected) / a.double()).abs().max().item()
        limits[to] = 0.0 if is_exact else torch.finfo(getattr(torch, to)).eps

    shown = ", ".join(f"to {to} {error:.1e}" for to, error in errors.items())
    size = f"{args.m}x{args.n} {args.dtype}"
    print(f"cast {size}: largest errors {shown}, {max(limits.values()):.1e} allowed")
    return 0 if all(error <= limits[to] for to, error in errors.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
