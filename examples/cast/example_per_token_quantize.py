"""Per-token quantisation to int8 and back: each row with a factor of its own.

A row is scaled so that the largest size in it becomes 127, and rounded to whole numbers. What comes
back is at most half a step from what went in, where a step is the factor of the row; float32
arithmetic on the way adds a few `eps` of the largest level, and the rounding to the dtype at the
end half of `torch.finfo(dtype).eps` of the value.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

LEVELS = 127


def quantize(M, N, block_M, dtype):
    @T.prim_func
    def quantize_rows(
        X: T.Tensor((M, N), dtype),
        Q: T.Tensor((M, N), "int8"),
        scale: T.Tensor((M,), "float32"),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            X_shared = T.alloc_shared((block_M, N), dtype)
            Q_local = T.alloc_fragment((block_M, N), "int8")
            largest = T.alloc_fragment((block_M,), "float32")
            scale_local = T.alloc_fragment((block_M,), "float32")

            T.copy(X[bx * block_M, 0], X_shared)
            T.reduce_absmax(X_shared, largest, dim=1)
            for i in T.Parallel(block_M):
                scale_local[i] = T.max(largest[i], 1e-4) / LEVELS
            for i, j in T.Parallel(block_M, N):
                level = T.round(T.cast(X_shared[i, j], "float32") / scale_local[i])
                Q_local[i, j] = T.cast(T.clamp(level, -LEVELS, LEVELS), "int8")
            T.copy(Q_local, Q[bx * block_M, 0])
            T.copy(scale_local, scale[bx * block_M])

    return quantize_rows


def dequantize(M, N, block_M, dtype):
    @T.prim_func
    def dequantize_rows(
        Q: T.Tensor((M, N), "int8"),
        scale: T.Tensor((M,), "float32"),
        X: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            Q_shared = T.alloc_shared((block_M, N), "int8")
            scale_shared = T.alloc_shared((block_M,), "float32")
            X_local = T.alloc_fragment((block_M, N), dtype)

            T.copy(Q[bx * block_M, 0], Q_shared)
            T.copy(scale[bx * block_M], scale_shared)
            for i, j in T.Parallel(block_M, N):
                X_local[i, j] = T.cast(Q_shared[i, j], "float32") * scale_shared[i]
            T.copy(X_local, X[bx * block_M, 0])

    return dequantize_rows


def main(argv=None):
    parser = argparse.ArgumentParser(description="rows as int8 with a factor each, and back")
    parser.add_argument("--m", type=int, default=100, help="tokens")
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    x = (torch.randn(args.m, args.n) * torch.rand(args.m, 1) * 5).to(dtype)
    sizes = (args.m, args.n, args.block_m, args.dtype)
    target = f"tenstorrent/{args.arch}"
    q, scale = tilelang.compile(quantize(*sizes), target=target, out_idx=[-2, -1])(x)
    back = tilelang.compile(dequantize(*sizes), target=target, out_idx=[-1])(q, scale)

    exact = x.double()
    step = exact.abs().amax(1, keepdim=True) / LEVELS
    errors = {
        "levels": (q.double() - exact / step).abs().max().item(),
        "back": ((back.double() - exact).abs() / step).max().item(),
    }
    limit = 0.5 + LEVELS * (4 * torch.finfo(torch.float32).eps + torch.finfo(dtype).eps / 2)
    shown = ", ".join(f"of {name} {error:.1e}" for name, error in errors.items())
    size = f"per-token quantize {args.m}x{args.n} {args.dtype}"
    print(f"{size}: largest errors {shown} steps, {limit:.1e} allowed")
    return 0 if max(errors.values()) <= limit and q.abs().amax(1).eq(LEVELS).all() else 1


if __name__ == "__main__":
    sys.exit(main())
