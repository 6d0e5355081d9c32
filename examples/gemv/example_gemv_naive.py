"""c = A @ b by loops over the elements: each entry of c adds up the products of one row of A.

The products are made and summed in float32: 2**-18 of the sum of their sizes is allowed. Rounding
the result costs at most half of `torch.finfo(dtype).eps`, twice.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def gemv(M, K, block_M, block_K, dtype, accum_dtype="float32"):
    @T.prim_func
    def gemv_naive(
        A: T.Tensor((M, K), dtype),
        b: T.Tensor((K,), dtype),
        c: T.Tensor((M,), dtype),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            b_shared = T.alloc_shared((block_K,), dtype)
            c_local = T.alloc_fragment((block_M,), accum_dtype)

            T.clear(c_local)
            for ko in T.serial(T.ceildiv(K, block_K)):
                T.copy(A[bx * block_M, ko * block_K], A_shared)
                T.copy(b[ko * block_K], b_shared)
                for i in T.Parallel(block_M):
                    for k in T.serial(block_K):
                        c_local[i] += T.cast(A_shared[i, k], accum_dtype) * T.cast(
                            b_shared[k], accum_dtype
                        )
            T.copy(c_local, c[bx * block_M])

    return gemv_naive


def main(argv=None):
    parser = argparse.ArgumentParser(description="c = A @ b, element by element")
    parser.add_argument("--n", type=int, default=200, help="rows of A")
    parser.add_argument("--k", type=int, default=300)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.n, args.k).to(dtype), torch.randn(args.k).to(dtype)
    program = gemv(args.n, args.k, args.block_n, args.block_k, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b)
    expected = a.double() @ b.double()

    error = ((result - expected).abs() / (a.double().abs() @ b.double().abs())).max().item()
    limit = torch.finfo(dtype).eps + 2**-18
    size = f"gemv {args.n}x{args.k}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
