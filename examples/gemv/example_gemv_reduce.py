"""c = A @ b, or b @ A where A is stored transposed: products of whole blocks, then T.reduce_sum
along the rows or along the columns.

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


def gemv_rows(N, K, block_N, block_K, dtype, accum_dtype="float32"):
    @T.prim_func
    def gemv(
        A: T.Tensor((N, K), dtype),
        b: T.Tensor((K,), dtype),
        c: T.Tensor((N,), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), threads=128) as bx:
            A_shared = T.alloc_shared((block_N, block_K), dtype)
            b_shared = T.alloc_shared((block_K,), dtype)
            products = T.alloc_fragment((block_N, block_K), accum_dtype)
            c_local = T.alloc_fragment((block_N,), accum_dtype)

            T.clear(c_local)
            for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[bx * block_N, ko * block_K], A_shared)
                T.copy(b[ko * block_K], b_shared)
                for i, k in T.Parallel(block_N, block_K):
                    products[i, k] = A_shared[i, k] * b_shared[k]
                T.reduce_sum(products, c_local, dim=1, clear=False)
            T.copy(c_local, c[bx * block_N])

    return gemv


def gemv_columns(N, K, block_N, block_K, dtype, accum_dtype="float32"):
    @T.prim_func
    def gemv(
        A: T.Tensor((K, N), dtype),
        b: T.Tensor((K,), dtype),
        c: T.Tensor((N,), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), threads=128) as bx:
            A_shared = T.alloc_shared((block_K, block_N), dtype)
            b_shared = T.alloc_shared((block_K,), dtype)
            products = T.alloc_fragment((block_K, block_N), accum_dtype)
            c_local = T.alloc_fragment((block_N,), accum_dtype)

            T.clear(c_local)
            for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[ko * block_K, bx * block_N], A_shared)
                T.copy(b[ko * block_K], b_shared)
                for k, j in T.Parallel(block_K, block_N):
                    products[k, j] = b_shared[k] * A_shared[k, j]
                T.reduce_sum(products, c_local, dim=0, clear=False)
            T.copy(c_local, c[bx * block_N])

    return gemv


def main(argv=None):
    parser = argparse.ArgumentParser(description="c = A @ b, A stored as it is or transposed")
    parser.add_argument("--n", type=int, default=200, help="entries of c")
    parser.add_argument("--k", type=int, default=300)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.n, args.k).to(dtype), torch.randn(args.k).to(dtype)
    expected = a.double() @ b.double()
    sizes = a.double().abs() @ b.double().abs()
    errors = {}
    for name, factory, stored in (("n", gemv_rows, a), ("t", gemv_columns, a.T.contiguous())):
        program = factory(args.n, args.k, args.block_n, args.block_k, args.dtype)
        kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
        errors[name] = ((kernel(stored, b) - expected).abs() / sizes).max().item()

    limit = torch.finfo(dtype).eps + 2**-18
    shown = ", ".join(f"{name} {error:.1e}" for name, error in errors.items())
    size = f"{args.n}x{args.k} {args.dtype}"
    print(f"gemv {size}: largest errors {shown}, {limit:.1e} allowed")
    return 0 if all(error <= limit for error in errors.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
