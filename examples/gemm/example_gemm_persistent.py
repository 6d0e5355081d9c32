"""C = A @ B by a program that deals out its blocks itself: `T.Persistent` gives the blocks of the
result to `--programs` instances in turns, several columns of blocks at a time.

Sums are kept in float32, so the error is that of rounding the result: `torch.finfo(dtype).eps` of
the largest value is allowed. The matrix unit cuts float32 operands to ten fraction bits, so for
them 2**-10 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def matmul(M, N, K, block_M, block_N, block_K, programs, dtype, accum_dtype="float32"):
    blocks = [T.ceildiv(M, block_M), T.ceildiv(N, block_N)]

    @T.prim_func
    def gemm(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(programs, threads=128) as program:
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            for by, bx in T.Persistent(blocks, programs, program):
                T.clear(C_local)
                for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                    T.copy(A[by * block_M, ko * block_K], A_shared)
                    T.copy(B[ko * block_K, bx * block_N], B_shared)
                    T.gemm(A_shared, B_shared, C_local)
                T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A @ B, blocks dealt out by the program")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=320)
    parser.add_argument("--k", type=int, default=128)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--programs", type=int, default=6)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    blocks = (args.block_m, args.block_n, args.block_k)
    program = matmul(args.m, args.n, args.k, *blocks, args.programs, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    expected = a.double() @ b.double()

    error = ((kernel(a, b) - expected).abs().max() / expected.abs().max()).item()
    limit = max(torch.finfo(dtype).eps, 2**-10)
    size = f"persistent gemm {args.m}x{args.n}x{args.k}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
