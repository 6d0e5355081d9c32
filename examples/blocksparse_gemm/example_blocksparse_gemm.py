"""C = A @ B without the blocks of products that a mask leaves out: they are neither loaded nor
computed.

The sum is kept in float32; rounding the result to the output costs at most half of
`torch.finfo(dtype).eps`. A block of which the mask leaves nothing is zeros.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def blocksparse_matmul(M, N, K, block_M, block_N, block_K, dtype, accum_dtype="float32"):
    mask_shape = (T.ceildiv(M, block_M), T.ceildiv(N, block_N), T.ceildiv(K, block_K))

    @T.prim_func
    def blocksparse_kernel(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        BlockMask: T.Tensor(mask_shape, "bool"),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                if BlockMask[by, bx, k]:
                    T.copy(A[by * block_M, k * block_K], A_shared)
                    T.copy(B[k * block_K, bx * block_N], B_shared)
                    T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return blocksparse_kernel


def reference(a, b, mask, block_M, block_N, block_K):
    """The sum of the products that the mask keeps, and the sum of their sizes."""
    a, b = a.double(), b.double()
    total, size = (torch.zeros(a.shape[0], b.shape[1]).double() for _ in range(2))
    for k in range(mask.shape[2]):
        inner = slice(k * block_K, (k + 1) * block_K)
        kept = mask[:, :, k].repeat_interleave(block_M, 0).repeat_interleave(block_N, 1)
        kept = kept[: a.shape[0], : b.shape[1]]
        total += kept * (a[:, inner] @ b[inner])
        size += kept * (a[:, inner].abs() @ b[inner].abs())
    return total, size


def main(argv=None):
    parser = argparse.ArgumentParser(description="C = A @ B under a mask of blocks")
    parser.add_argument("--m", type=int, default=256)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--k", type=int, default=256)
    parser.add_argument("--block-m", type=int, default=64)
    parser.add_argument("--block-n", type=int, default=64)
    parser.add_argument("--block-k", type=int, default=32)
    parser.add_argument("--sparsity", type=float, default=0.5)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    blocks, sizes = (args.block_m, args.block_n, args.block_k), (args.m, args.n, args.k)
    torch.manual_seed(0)
    a, b = torch.randn(args.m, args.k).to(dtype), torch.randn(args.k, args.n).to(dtype)
    counts = [-(-size // block) for size, block in zip(sizes, blocks, strict=True)]
    mask = torch.rand(counts) >= args.sparsity
    program = blocksparse_matmul(args.m, args.n, args.k, *blocks, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(a, b, mask).double()
    expected, size = reference(a, b, mask, *blocks)

    error = ((result - expected).abs() / size.clamp(min=1e-30)).max().item()
    # The matrix unit reads float32 with 10 bits of fraction; the results are rounded once.
    limit = 2 * 2**-10 if args.dtype == "float32" else torch.finfo(dtype).eps
    what = f"block-sparse gemm {args.m}x{args.n}x{args.k}, {int(mask.sum())} of {mask.numel()}"
    print(f"{what} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
