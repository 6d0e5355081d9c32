"""B = f(A) for functions of one value, one kernel for each.

A function is computed in float32 and rounded to the dtype, a chain of functions after each of its
steps: up to `torch.finfo(dtype).eps` of the largest value each time, because the vector unit cuts
what it writes to 16 bits. The chip's float32 exp, tanh, sigmoid and erf are no better than 2**-10
of the largest value.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

# Each: in TileLang, in torch, how often a value is rounded.
FUNCTIONS = {
    "exp": (T.exp, torch.exp, 2),
    "exp2": (T.exp2, torch.exp2, 2),
    "log": (lambda x: T.log(T.abs(x) + 1.0), lambda x: torch.log(x.abs() + 1), 4),
    "log2": (lambda x: T.log2(T.abs(x) + 1.0), lambda x: torch.log2(x.abs() + 1), 5),
    "sqrt": (lambda x: T.sqrt(T.abs(x)), lambda x: x.abs().sqrt(), 3),
    "rsqrt": (lambda x: T.rsqrt(x * x + 1.0), lambda x: (x * x + 1).rsqrt(), 4),
    "tanh": (T.tanh, torch.tanh, 2),
    "sigmoid": (T.sigmoid, torch.sigmoid, 2),
    "erf": (T.erf, torch.erf, 2),
    "abs": (T.abs, torch.abs, 0),
    "floor": (T.floor, torch.floor, 0),
    "ceil": (T.ceil, torch.ceil, 0),
    "round": (T.round, lambda x: x.sign() * (x.abs() + 0.5).floor(), 0),
    "square": (lambda x: T.pow(x, 2.0), torch.square, 2),
    "silu": (lambda x: x * T.sigmoid(x), torch.nn.functional.silu, 3),
    "gelu": (lambda x: 0.5 * x * (1.0 + T.erf(x * 0.5**0.5)), torch.nn.functional.gelu, 6),
}


def elementwise_unary(function, M, N, block_M, block_N, dtype):
    @T.prim_func
    def unary(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            B_local = T.alloc_fragment((block_M, block_N), dtype)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                B_local[i, j] = function(A_shared[i, j])
            T.copy(B_local, B[by * block_M, bx * block_N])

    return unary


def main(argv=None):
    parser = argparse.ArgumentParser(description="B = f(A)")
    parser.add_argument("--m", type=int, default=64)
    parser.add_argument("--n", type=int, default=128)
    parser.add_argument("--block-m", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--functions", nargs="+", default=["exp", "gelu"], choices=FUNCTIONS)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a = torch.randn(args.m, args.n).to(dtype)
    errors, limits = {}, {}
    for name in args.functions:
        function, reference, roundings = FUNCTIONS[name]
        program = elementwise_unary(
            function, args.m, args.n, args.block_m, args.block_n, args.dtype
        )
        kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
        result = kernel(a)
        expected = reference(a.double())
        errors[name] = ((result - expected).abs().max() / expected.abs().max()).item()
        limits[name] = roundings * max(torch.finfo(dtype).eps, 2**-10)

    shown = ", ".join(f"{name} {error:.1e} ({limits[name]:.1e})" for name, error in errors.items())
    size = f"{args.m}x{args.n} {args.dtype}"
    print(f"unary {size}: largest errors {shown}, {max(limits.values()):.1e} allowed")
    return 0 if all(error <= limits[name] for name, error in errors.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
