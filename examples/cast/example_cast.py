"""B = A in another dtype: each of float32, bfloat16, float16, int32, int8 and uint8 to each.

A value is rounded to the nearest of a narrower float dtype, or to one next to it, so the error is
at most `torch.finfo(to).eps` of the value itself; an integer is what is left of a number without
its fraction. Where the new dtype has all values the conversion is exact. The values are those that
float16 has in full precision, and where one of the two has 8 bits, those that fit into them.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

DTYPES = ["bfloat16", "float16", "float32", "int32", "int8", "uint8"]


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


def numbers(shape, dtype, to):
    """Random numbers of `dtype`, none of them 0, that are in the range of `to`."""
    a = 100 * torch.randn(shape)
    for byte in {dtype, to} & {"int8", "uint8"}:
        info = torch.iinfo(getattr(torch, byte))
        a = a.clamp(info.min, info.max)
    a = a.to(getattr(torch, dtype))
    return torch.where(a.abs() < 2**-10, 1, a)


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
    errors, limits = {}, {}
    for to in args.to:
        a = numbers((args.m, args.n), args.dtype, to)
        program = cast(args.m, args.n, args.block_m, args.block_n, args.dtype, to)
        kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
        result = kernel(a)
        expected = a.double().trunc() if "int" in to else a.double()
        is_exact = torch.equal(expected.to(getattr(torch, to)).double(), expected)
        errors[to] = ((result.double() - expected) / a.double()).abs().max().item()
        limits[to] = 0.0 if is_exact else torch.finfo(getattr(torch, to)).eps

    shown = ", ".join(f"to {to} {error:.1e}" for to, error in errors.items())
    size = f"{args.m}x{args.n} {args.dtype}"
    print(f"cast {size}: largest errors {shown}, {max(limits.values()):.1e} allowed")
    return 0 if all(error <= limits[to] for to, error in errors.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
