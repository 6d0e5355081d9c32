"""C = A @ B with each operand stored as it is or transposed: the cases nn, nt, tn and tt.

Sums are kept in float32, so the largest error is that of rounding the result, half of
`torch.finfo(dtype).eps`; twice that is allowed. The matrix unit cuts float32 operands to ten
fraction bits, so for them 2 * 2**-10 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

CASES = ["nn", "nt", "tn", "tt"]


def matmul(M, N, K, blocks, transpose_A, transpose_B, dtype):
    block_M, block_N, block_K = blocks
    A_shape = (K, M) if transpose_A else (M, K)
    B_shape = (N, K) if transpose_B else (K, N)
    A_block = (block_K, block_M) if transpose_A else (block_M, block_K)
    B_block = (block_N, block_K) if transpose_B else (block_K, block_N)

    @T.prim_func
    def gemm_transposed(
        A: T.Tensor(A_shape, dtype),
        B: T.Tensor(B_shape, dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared(A_block, dtype)
            B_shared = T.alloc_shared(B_block, dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")

            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                if transpose_A:
                    T.copy(A[ko * block_K, by * block_M], A_shared)
                else:
                    T.copy(A[by * block_M, ko * block_K], A_shared)
                if transpose_B:
                    T.copy(B[bx * block_N, ko * block_K], B_shared)
                else:
                    T.copy(B[ko * block_K, bx * block_N], B_shared)
                T.gemm(
                    A_shared, B_shared, C_local, transpose_A=transpose_A, transpose_B=transpose_B
                )
            T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm_transposed


def largest_error(case, a, b, blocks, args):
    """The largest error of one case, relative to the largest value of the result."""
    in_a, in_b = (letter == "t" for letter in case)
    program = matmul(args.m, args.n, args.k, blocks, in_a, in_b, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a.T.contiguous() if in_a else a, b.T.contiguous() if in_b else b)
    expected = a.double() @ b.double()
    return ((result - expected).abs().max() / expected.abs().max()).item()


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A @ B, operands stored as they are or not")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=192)
    parser.add_argument("--k", type=int, default=128)
    parser.add_argument("--block-m", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-k", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--cases", nargs="+", default=CASES, choices=CASES)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    blocks = (args.block_m, args.block_n, args.block_k)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    errors = {case: largest_error(case, a, b, blocks, args) for case in args.cases}
    limit = 2 * 2**-10 if dtype == torch.float32 else torch.finfo(dtype).eps
    shown = ", ".join(f"{case} {error:.1e}" for case, error in errors.items())
    size = f"{args.m}x{args.n}x{args.k} {args.dtype}"
    print(f"gemm {size}: largest errors {shown}, {limit:.1e} allowed")
    return 0 if all(error <= limit for error in errors.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
