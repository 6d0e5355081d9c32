"""C = A @ B with the schedule chosen by hand; `--cycles` prints what each choice costs.

The compiler chooses how blocks are cut, which cores share loads and loops, and how deep buffers
are. `tilelang_tt.directives` overrules it, one buffer or loop at a time.

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

import tilelang_tt
from tilelang_tt import directives as tt


def matmul(M, N, K, block, dtype, *, cut=None, depth=None, multicast=None, parts=None):
    """`cut` are the parts of a block along bx and by, `depth` the blocks of A_shared, `parts` the
    cores that share the loop; None leaves each to the compiler."""
    block_M, block_N, block_K = block

    @T.prim_func
    def gemm(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")

            if cut is not None:
                tt.cut(bx, cut[0])
                tt.cut(by, cut[1])
            if depth is not None:
                tt.depth(A_shared, depth)
            if multicast is not None:
                tt.multicast(A_shared, multicast)
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                if parts is not None:
                    tt.split(k, parts)
                T.copy(A[by * block_M, k * block_K], A_shared)
                T.copy(B[k * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm


SCHEDULES = {
    "the compiler's": {},
    "blocks as they are": {"cut": (1, 1)},
    "blocks in 2 x 2, A 4 deep": {"cut": (2, 2), "depth": 4},
    "the same, A not shared": {"cut": (2, 2), "multicast": False},
    "4 cores for each block": {"parts": 4},
    "blocks in 2 x 1, 2 cores each": {"cut": (2, 1), "parts": 2},
}


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A @ B, scheduled by hand")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--k", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=64, help="a multiple of 64")
    parser.add_argument("--block-n", type=int, default=64, help="a multiple of 64")
    parser.add_argument("--block-k", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--cycles", action="store_true", help="print the mock's cycles of each")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    expected = a.double() @ b.double()
    worst = 0.0
    for name, schedule in SCHEDULES.items():
        blocks = (args.block_m, args.block_n, args.block_k)
        program = matmul(args.m, args.n, args.k, blocks, args.dtype, **schedule)
        kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}")
        result = torch.zeros(args.m, args.n).to(dtype)
        if args.cycles:
            print(f"{name:30} {tilelang_tt.profile(kernel, a, b, result).cycles:8.0f} cycles")
        else:
            kernel(a, b, result)
        worst = max(worst, ((result - expected).abs().max() / expected.abs().max()).item())

    limit = 2 * 2**-10 if dtype == torch.float32 else torch.finfo(dtype).eps
    size = f"gemm {args.m}x{args.n}x{args.k}"
    print(f"{size} {args.dtype}: largest error {worst:.1e}, {limit:.1e} allowed")
    return 0 if worst <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
