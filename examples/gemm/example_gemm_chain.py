"""E = (A @ B) @ D in one kernel: the first product stays on the chip, an operand of the second.

Sums are kept in float32; the first product is rounded to the dtype before it is multiplied, the
second on the way out. Those roundings add up like noise, so `2 * torch.finfo(dtype).eps` of the
largest value is allowed. The matrix unit cuts float32 operands to ten fraction bits, so for them
4 * 2**-10 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def matmul_chain(M, K, L, N, blocks, dtype, accum_dtype="float32"):
    block_M, block_L, block_N, block_K = blocks

    @T.prim_func
    def gemm_chain(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, L), dtype),
        D: T.Tensor((L, N), dtype),
        E: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_L), dtype)
            D_shared = T.alloc_shared((block_L, block_N), dtype)
            AB_local = T.alloc_fragment((block_M, block_L), accum_dtype)
            AB_cast = T.alloc_fragment((block_M, block_L), dtype)
            E_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(E_local)
            for lo in T.Pipelined(T.ceildiv(L, block_L), num_stages=1):
                T.clear(AB_local)
                for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                    T.copy(A[by * block_M, ko * block_K], A_shared)
                    T.copy(B[ko * block_K, lo * block_L], B_shared)
                    T.gemm(A_shared, B_shared, AB_local)
                T.copy(AB_local, AB_cast)
                T.copy(D[lo * block_L, bx * block_N], D_shared)
                T.gemm(AB_cast, D_shared, E_local)
            T.copy(E_local, E[by * block_M, bx * block_N])

    return gemm_chain


def main(argv=None):
    parser = argparse.ArgumentParser(description="E = (A @ B) @ D")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--k", type=int, default=128)
    parser.add_argument("--l", type=int, default=192, help="columns of A @ B")
    parser.add_argument("--n", type=int, default=96)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--block-l", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=96)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.l).to(dtype)
    d = torch.randn(args.l, args.n).to(dtype)
    blocks = (args.block_m, args.block_l, args.block_n, args.block_k)
    program = matmul_chain(args.m, args.k, args.l, args.n, blocks, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b, d)
    expected = a.double() @ b.double() @ d.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 4 * 2**-10 if dtype == torch.float32 else 2 * torch.finfo(dtype).eps
    size = f"gemm chain {args.m}x{args.k}x{args.l}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
