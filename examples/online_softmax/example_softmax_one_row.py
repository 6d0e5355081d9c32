"""y = softmax(x) of one row that all cores share, kept as 32 lines of the tensor.

The program is one block of three loops: the maximum, the sum, the quotients. Each loop is shared
among the cores, which reduce what they found and tell each other the result. Everything is computed
in float32. The chip's float32 exponential is right to 2**-10, and so is the sum: together that is
2**-9 of the value. Rounding the result costs at most half of `torch.finfo(dtype).eps`, twice.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

LINES = 32


def softmax(N, block_N, dtype, accum_dtype="float32"):
    scale = 1.44269504  # log2(e)
    length = N // LINES

    @T.prim_func
    def softmax_one_row(
        X: T.Tensor((LINES, length), dtype),
        Y: T.Tensor((LINES, length), dtype),
    ):
        with T.Kernel(1, threads=128):
            X_shared = T.alloc_shared((LINES, block_N), dtype)
            X_local = T.alloc_fragment((LINES, block_N), accum_dtype)
            line_max = T.alloc_fragment((LINES,), accum_dtype)
            line_sum = T.alloc_fragment((LINES,), accum_dtype)
            row_max = T.alloc_fragment((1,), accum_dtype)
            row_sum = T.alloc_fragment((1,), accum_dtype)

            T.fill(line_max, -T.infinity(accum_dtype))
            for k in T.Pipelined(length // block_N, num_stages=2):
                T.copy(X[0, k * block_N], X_shared)
                T.copy(X_shared, X_local)
                T.reduce_max(X_local, line_max, dim=1, clear=False)
            T.reduce_max(line_max, row_max, dim=0)

            T.clear(line_sum)
            for k in T.Pipelined(length // block_N, num_stages=2):
                T.copy(X[0, k * block_N], X_shared)
                T.copy(X_shared, X_local)
                for i, j in T.Parallel(LINES, block_N):
                    X_local[i, j] = T.exp2((X_local[i, j] - row_max[0]) * scale)
                T.reduce_sum(X_local, line_sum, dim=1, clear=False)
            T.reduce_sum(line_sum, row_sum, dim=0)

            for k in T.Pipelined(length // block_N, num_stages=2):
                T.copy(X[0, k * block_N], X_shared)
                T.copy(X_shared, X_local)
                for i, j in T.Parallel(LINES, block_N):
                    X_local[i, j] = T.exp2((X_local[i, j] - row_max[0]) * scale) / row_sum[0]
                T.copy(X_local, Y[0, k * block_N])

    return softmax_one_row


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = softmax(x) of one row over all cores")
    parser.add_argument("--n", type=int, default=65536, help="elements; up to 1048576 and more")
    parser.add_argument("--block-n", type=int, default=128, help="must divide n / 32")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (3 * torch.randn(args.n)).to(dtype)
    program = softmax(args.n, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x.view(LINES, -1)).view(-1)
    expected = torch.softmax(x.double(), dim=0)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-9
    size = f"softmax of {args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
