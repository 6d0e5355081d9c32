"""C += A @ B, the inner dimension split among blocks that add their parts to C.

Blocks that add to one part of C run on one core, one after the other, or on the cores of a team
that add up along a tree: always in the same order on the same cores. Sums are kept in float32;
2**-16 is allowed. The matrix unit cuts float32 operands to ten fraction bits, so for them it is
2 * 2**-10.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def matmul(M, N, K, block_M, block_N, block_K, splits, dtype, accum_dtype="float32"):
    share = K // splits

    @T.prim_func
    def gemm_splitk(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), accum_dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), splits, threads=128) as (
            bx,
            by,
            bz,
        ):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_shared = T.alloc_shared((block_M, block_N), accum_dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(share, block_K), num_stages=2):
                T.copy(A[by * block_M, bz * share + ko * block_K], A_shared)
                T.copy(B[bz * share + ko * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C_shared)
            T.atomic_add(C[by * block_M, bx * block_N], C_shared)

    return gemm_splitk


def main(argv=None):
    parser = argparse.ArgumentParser(description="C += A @ B, split along K")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=128)
    parser.add_argument("--k", type=int, default=1024)
    parser.add_argument("--splits", type=int, default=4, help="K must be a multiple of splits")
    parser.add_argument("--block-m", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-k", type=int, default=64, help="must divide K / splits")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    blocks = (args.block_m, args.block_n, args.block_k)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    program = matmul(args.m, args.n, args.k, *blocks, args.splits, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}")
    result = torch.zeros(args.m, args.n)
    kernel(a, b, result)
    expected = a.double() @ b.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * 2**-10 if dtype == torch.float32 else 2**-16
    size = f"gemm {args.m}x{args.n}x{args.k} in {args.splits} parts"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
