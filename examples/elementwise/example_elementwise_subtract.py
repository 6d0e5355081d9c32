"""C = A - B on tensors of one dimension, by the lazy `@tilelang.jit`.

A vector is stored as rows of 32x32 tiles. The difference is rounded once, and perhaps once more on
the way out: each rounding costs at most half of `torch.finfo(dtype).eps` of the value.
"""

# pyright: reportInvalidTypeForm=false, reportCallIssue=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def elementwise_subtract(target):
    @tilelang.jit(target=target, out_idx=[-1])
    def build(N, block, dtype):
        @T.prim_func
        def subtract(
            A: T.Tensor((N,), dtype),
            B: T.Tensor((N,), dtype),
            C: T.Tensor((N,), dtype),
        ):
            with T.Kernel(T.ceildiv(N, block)) as bx:
                A_shared = T.alloc_shared((block,), dtype)
                B_shared = T.alloc_shared((block,), dtype)
                C_local = T.alloc_fragment((block,), dtype)

                T.copy(A[bx * block], A_shared)
                T.copy(B[bx * block], B_shared)
                for i in T.Parallel(block):
                    C_local[i] = A_shared[i] - B_shared[i]
                T.copy(C_local, C[bx * block])

        return subtract

    return build


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A - B")
    parser.add_argument("--n", type=int, default=8192)
    parser.add_argument("--block", type=int, default=256, help="a multiple of 32")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = (torch.randn(args.n).to(dtype) for _ in range(2))
    kernel = elementwise_subtract(f"tenstorrent/{args.arch}")(args.n, args.block, args.dtype)
    result = kernel(a, b)
    expected = a.double() - b.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = torch.finfo(dtype).eps  # two roundings
    size = f"subtract {args.n}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
