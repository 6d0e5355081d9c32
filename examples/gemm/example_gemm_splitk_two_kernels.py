"""C = A @ B, with the sum over K shared out: two T.Kernel, one after the other.

Few blocks of C leave most cores idle. So the first T.Kernel computes the products of `splits` parts
of K at the same time, each into a workspace of its own, and the second adds them up. Sums are kept
in float32; the precision is that of `example_gemm.py`.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def matmul_splitk(
    M, N, K, block_M, block_N, block_K, splits, dtype, accum_dtype="float32", num_stages=2
):
    K_split = K // splits

    @T.prim_func
    def gemm_splitk(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        partial = T.alloc_global((splits, M, N), accum_dtype)

        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), splits, threads=128) as (
            bx,
            by,
            bz,
        ):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(K_split, block_K), num_stages=num_stages):
                T.copy(A[by * block_M, bz * K_split + ko * block_K], A_shared)
                T.copy(B[bz * K_split + ko * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, partial[bz, by * block_M, bx * block_N])

        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            part = T.alloc_fragment((block_M, block_N), accum_dtype)
            total = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(total)
            for split in T.serial(splits):
                T.copy(partial[split, by * block_M, bx * block_N], part)
                for i, j in T.Parallel(block_M, block_N):
                    total[i, j] += part[i, j]
            T.copy(total, C[by * block_M, bx * block_N])

    return gemm_splitk


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A @ B, in parts of K that are then added up")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=128)
    parser.add_argument("--k", type=int, default=512)
    parser.add_argument("--splits", type=int, default=4, help="parts of K")
    parser.add_argument("--block-m", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--block-k", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)
    if args.k % (args.splits * args.block_k):
        parser.error("--k must be a multiple of --splits times --block-k")

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    blocks = (args.block_m, args.block_n, args.block_k)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    program = matmul_splitk(args.m, args.n, args.k, *blocks, args.splits, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b)
    expected = a.double() @ b.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * 2**-10 if dtype == torch.float32 else torch.finfo(dtype).eps
    size = f"gemm_splitk {args.m}x{args.n}x{args.k} in {args.splits} parts"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
