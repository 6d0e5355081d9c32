"""y = softmax(x) for rows longer than a block.

A first loop over the parts of the rows keeps the running maximum and the sum of exponentials, which
is scaled down whenever the maximum grows; a second loop writes the parts. In float32, with the
precision of `example_softmax.py`.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def online_softmax(M, N, block_M, block_N, dtype, accum_dtype="float32"):
    scale = 1.44269504  # log2(e)

    @T.prim_func
    def softmax_rows(
        X: T.Tensor((M, N), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, block_N), dtype)
            X_local = T.alloc_fragment((block_M, block_N), accum_dtype)
            row_max = T.alloc_fragment((block_M,), accum_dtype)
            old_max = T.alloc_fragment((block_M,), accum_dtype)
            row_sum = T.alloc_fragment((block_M,), accum_dtype)
            part_sum = T.alloc_fragment((block_M,), accum_dtype)

            T.fill(row_max, -T.infinity(accum_dtype))
            T.clear(row_sum)
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = T.if_then_else(
                        k * block_N + j < N, X_shared[i, j], -T.infinity(accum_dtype)
                    )
                T.copy(row_max, old_max)
                T.reduce_max(X_local, row_max, dim=1, clear=False)
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = T.exp2((X_local[i, j] - row_max[i]) * scale)
                T.reduce_sum(X_local, part_sum, dim=1)
                for i in T.Parallel(block_M):
                    row_sum[i] = (
                        row_sum[i] * T.exp2((old_max[i] - row_max[i]) * scale) + part_sum[i]
                    )
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                for i, j in T.Parallel(block_M, block_N):
                    X_local[i, j] = T.exp2((X_shared[i, j] - row_max[i]) * scale) / row_sum[i]
                T.copy(X_local, Y[bx * block_M, k * block_N])

    return softmax_rows


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = softmax(x), rows longer than a block")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=128)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (3 * torch.randn(args.m, args.n)).to(dtype)
    program = online_softmax(args.m, args.n, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x)
    expected = torch.softmax(x.double(), dim=1)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-9
    size = f"online softmax {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
