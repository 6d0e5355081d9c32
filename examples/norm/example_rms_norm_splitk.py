"""y = x / sqrt(mean(x ** 2) + eps) * weight for rows longer than a block.

A first loop over the parts of the rows adds up their squares, a second one scales the parts. The
sums are kept in float32; the precision is that of `example_rms_norm.py`.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def rms_norm_splitk(M, N, block_M, block_N, eps, dtype, accum_dtype="float32"):
    @T.prim_func
    def norm(
        X: T.Tensor((M, N), dtype),
        weight: T.Tensor((N,), dtype),
        Y: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, block_N), dtype)
            weight_shared = T.alloc_shared((block_N,), dtype)
            squares = T.alloc_fragment((block_M, block_N), accum_dtype)
            Y_local = T.alloc_fragment((block_M, block_N), accum_dtype)
            total = T.alloc_fragment((block_M,), accum_dtype)

            T.clear(total)
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                for i, j in T.Parallel(block_M, block_N):
                    squares[i, j] = X_shared[i, j] * X_shared[i, j]
                T.reduce_sum(squares, total, dim=1, clear=False)
            for i in T.Parallel(block_M):
                total[i] = T.rsqrt(total[i] / N + eps)
            for k in T.Pipelined(T.ceildiv(N, block_N), num_stages=2):
                T.copy(X[bx * block_M, k * block_N], X_shared)
                T.copy(weight[k * block_N], weight_shared)
                for i, j in T.Parallel(block_M, block_N):
                    Y_local[i, j] = X_shared[i, j] * total[i] * weight_shared[j]
                T.copy(Y_local, Y[bx * block_M, k * block_N])

    return norm


def main(argv=None):
    parser = argparse.ArgumentParser(description="y = x / sqrt(mean(x ** 2) + eps) * weight")
    parser.add_argument("--m", type=int, default=128)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--block-n", type=int, default=128)
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x, weight = torch.randn(args.m, args.n).to(dtype), torch.randn(args.n).to(dtype)
    program = rms_norm_splitk(args.m, args.n, args.block_m, args.block_n, args.eps, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(x, weight)
    exact = x.double()
    expected = exact * (exact.square().mean(1, keepdim=True) + args.eps).rsqrt() * weight.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps + 2**-18
    size = f"rms_norm {args.m}x{args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
