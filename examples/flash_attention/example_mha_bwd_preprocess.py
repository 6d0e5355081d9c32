"""delta = rowsum(O * dO) for each head: what the backward pass of flash attention starts with.

The products are made and summed in float32, so 2**-18 of the sum of their sizes is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def bwd_preprocess(batch, heads, seq, dim, block_M, dtype, accum_dtype="float32"):
    @T.prim_func
    def flash_bwd_preprocess(
        O: T.Tensor((batch, seq, heads, dim), dtype),
        dO: T.Tensor((batch, seq, heads, dim), dtype),
        delta: T.Tensor((batch, heads, seq), accum_dtype),
    ):
        with T.Kernel(heads, T.ceildiv(seq, block_M), batch, threads=128) as (bx, by, bz):
            O_shared = T.alloc_shared((block_M, dim), dtype)
            dO_shared = T.alloc_shared((block_M, dim), dtype)
            products = T.alloc_fragment((block_M, dim), accum_dtype)
            delta_local = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(O[bz, by * block_M : (by + 1) * block_M, bx, :], O_shared)
            T.copy(dO[bz, by * block_M : (by + 1) * block_M, bx, :], dO_shared)
            for i, j in T.Parallel(block_M, dim):
                products[i, j] = T.cast(O_shared[i, j], accum_dtype) * dO_shared[i, j]
            T.reduce_sum(products, delta_local, dim=1)
            T.copy(delta_local, delta[bz, bx, by * block_M : (by + 1) * block_M])

    return flash_bwd_preprocess


def main(argv=None):
    parser = argparse.ArgumentParser(description="delta = rowsum(O * dO)")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--n", type=int, default=100, help="length of the sequence")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--block-m", type=int, default=32)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    shape = (args.batch, args.n, args.heads, args.dim)
    o, do = (torch.randn(shape).to(dtype) for _ in range(2))
    sizes = (args.batch, args.heads, args.n, args.dim, args.block_m)
    program = bwd_preprocess(*sizes, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(o, do)
    products = (o.double() * do.double()).transpose(1, 2)

    error = ((result - products.sum(-1)).abs() / products.abs().sum(-1)).max().item()
    limit = 2**-18
    size = f"rowsum(o * do) {args.batch}x{args.n}x{args.heads}x{args.dim}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
