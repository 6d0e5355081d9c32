"""c = A @ b with the sums cut in parts that different cores add up: one kernel makes the partial
sums, another adds them.

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


def partial_sums(N, K, parts, block_N, block_K, dtype, accum_dtype="float32"):
    steps = K // (parts * block_K)

    @T.prim_func
    def gemv_partial(
        A: T.Tensor((N, K), dtype),
        b: T.Tensor((K,), dtype),
        C: T.Tensor((parts, N), accum_dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), parts, threads=128) as (bx, part):
            A_shared = T.alloc_shared((block_N, block_K), dtype)
            b_shared = T.alloc_shared((block_K,), dtype)
            products = T.alloc_fragment((block_N, block_K), accum_dtype)
            c_local = T.alloc_fragment((block_N,), accum_dtype)

            T.clear(c_local)
            for step in T.Pipelined(steps, num_stages=2):
                T.copy(A[bx * block_N, (part * steps + step) * block_K], A_shared)
                T.copy(b[(part * steps + step) * block_K], b_shared)
                for i, k in T.Parallel(block_N, block_K):
                    products[i, k] = A_shared[i, k] * b_shared[k]
                T.reduce_sum(products, c_local, dim=1, clear=False)
            T.copy(c_local, C[part, bx * block_N])

    return gemv_partial


def sum_of_parts(N, parts, block_N, dtype, accum_dtype="float32"):
    @T.prim_func
    def gemv_sum(
        C: T.Tensor((parts, N), accum_dtype),
        c: T.Tensor((N,), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), threads=128) as bx:
            C_shared = T.alloc_shared((parts, block_N), accum_dtype)
            c_local = T.alloc_fragment((block_N,), accum_dtype)

            T.copy(C[0, bx * block_N], C_shared)
            T.reduce_sum(C_shared, c_local, dim=0)
            T.copy(c_local, c[bx * block_N])

    return gemv_sum


def main(argv=None):
    parser = argparse.ArgumentParser(description="c = A @ b, the sums in parts")
    parser.add_argument("--n", type=int, default=200, help="rows of A")
    parser.add_argument("--k", type=int, default=512, help="a multiple of parts * block-k")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    a, b = torch.randn(args.n, args.k).to(dtype), torch.randn(args.k).to(dtype)
    target = f"tenstorrent/{args.arch}"
    program = partial_sums(args.n, args.k, args.parts, args.block_n, args.block_k, args.dtype)
    first = tilelang.compile(program, target=target, out_idx=[-1])
    program = sum_of_parts(args.n, args.parts, args.block_n, args.dtype)
    second = tilelang.compile(program, target=target, out_idx=[-1])
    result = second(first(a, b))
    expected = a.double() @ b.double()

    error = ((result - expected).abs() / (a.double().abs() @ b.double().abs())).max().item()
    limit = torch.finfo(dtype).eps + 2**-18
    size = f"gemv {args.n}x{args.k} in {args.parts} parts"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
