"""Rows in groups, each group times a matrix of its own: C[group] = A[group] @ B[g].

How many rows a group has, and where it begins, stands in tensors: one compiled kernel serves every
division of the rows. A group is of whole tiles, 32 rows; its last block may reach into the rows of
the next group, which it leaves alone.

The sum is kept in float32; rounding the result to the output costs at most half of
`torch.finfo(dtype).eps`.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

TILE = 32


def grouped_gemm(M, N, K, groups, block_M, block_N, block_K, dtype, accum_dtype="float32"):
    most_blocks = M // block_M + groups  # each group may end with a block that is not full

    @T.prim_func
    def grouped_kernel(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((groups, K, N), dtype),
        sizes: T.Tensor((groups,), "int32"),
        offsets: T.Tensor((groups,), "int32"),
        first_blocks: T.Tensor((groups,), "int32"),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(most_blocks, T.ceildiv(N, block_N), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)
            group = T.alloc_var("int32")

            group = 0
            for g in range(groups):
                group = T.if_then_else(bx >= first_blocks[g], g, group)
            T.assume(sizes[group] % TILE == 0)
            T.assume(offsets[group] % TILE == 0)
            inside = (bx - first_blocks[group]) * block_M
            first_row = offsets[group] + inside
            rows = sizes[group] - inside

            if rows > 0:
                T.clear(C_local)
                for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                    T.copy(A[first_row, k * block_K], A_shared)
                    T.copy(B[group, k * block_K, by * block_N], B_shared)
                    T.gemm(A_shared, B_shared, C_local)
                for i, j in T.Parallel(block_M, block_N):
                    if i < rows:
                        C[first_row + i, by * block_N + j] = C_local[i, j]

    return grouped_kernel


def before(counts):
    """The sums of the counts before each."""
    return torch.cumsum(counts, 0, dtype=torch.int32) - counts


def main(argv=None):
    parser = argparse.ArgumentParser(description="C[group] = A[group] @ B[g]")
    parser.add_argument("--sizes", default="64,160,0,32,128", help="rows of the groups")
    parser.add_argument("--n", type=int, default=128)
    parser.add_argument("--k", type=int, default=128)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    sizes = torch.tensor([int(size) for size in args.sizes.split(",")], dtype=torch.int32)
    count, groups = int(sizes.sum()), len(sizes)
    offsets, first_blocks = before(sizes), before((sizes + args.block_m - 1) // args.block_m)
    torch.manual_seed(0)
    a, b = torch.randn(count, args.k).to(dtype), torch.randn(groups, args.k, args.n).to(dtype)
    blocks = args.block_m, args.block_n, args.block_k
    program = grouped_gemm(count, args.n, args.k, groups, *blocks, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b, sizes, offsets, first_blocks).double()
    pairs = list(zip(a.double().split(sizes.tolist()), b.double(), strict=True))
    expected = torch.cat([rows @ each for rows, each in pairs])
    size = torch.cat([rows.abs() @ each.abs() for rows, each in pairs])

    error = ((result - expected).abs() / size).max().item()
    # The matrix unit reads float32 with 10 bits of fraction; the results are rounded once.
    limit = 2 * 2**-10 if args.dtype == "float32" else torch.finfo(dtype).eps
    what = f"grouped gemm of {args.sizes} rows, {args.n}x{args.k}"
    print(f"{what} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
