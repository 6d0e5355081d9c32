"""One query of each head attends to all keys: the decoding step of grouped-query attention.

The query heads that share keys are the rows of a block. The keys are cut in splits that different
cores work on; a second kernel joins their results by their log-sum-exps. Scores and statistics are
in float32; weights are rounded to the dtype before they multiply V.

The largest errors are those of the rounded weights and of the result; the matrix unit cuts float32
operands to ten fraction bits. `2 * torch.finfo(dtype).eps + 2**-8` of the largest value is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"

MASKED = -(2.0**100)
"""A score without weight. It is a number, so that a split without keys has a maximum, and a power
of two, so that the matrix unit, which takes the maximum, reads it exactly."""


def decode_splits(batch, heads_kv, groups, seq_kv, dim, splits, block_N, dtype):
    """Attention to each split of the keys, and the logarithm (to base 2) of its weights' sum."""
    scale = (1.0 / dim) ** 0.5 * 1.44269504  # log2(e)
    accum_dtype = "float32"
    steps = T.ceildiv(T.ceildiv(seq_kv, block_N), splits)

    @T.prim_func
    def gqa_decode(
        Q: T.Tensor((batch, heads_kv, groups, dim), dtype),
        K: T.Tensor((batch, heads_kv, seq_kv, dim), dtype),
        V: T.Tensor((batch, heads_kv, seq_kv, dim), dtype),
        O_parts: T.Tensor((splits, batch, heads_kv, groups, dim), accum_dtype),
        lse_parts: T.Tensor((splits, batch, heads_kv, groups), accum_dtype),
    ):
        with T.Kernel(splits, heads_kv, batch, threads=128) as (bs, by, bz):
            Q_shared = T.alloc_shared((groups, dim), dtype)
            K_shared = T.alloc_shared((block_N, dim), dtype)
            V_shared = T.alloc_shared((block_N, dim), dtype)
            scores = T.alloc_fragment((groups, block_N), accum_dtype)
            weights = T.alloc_fragment((groups, block_N), dtype)
            O_local = T.alloc_fragment((groups, dim), accum_dtype)
            row_max = T.alloc_fragment((groups,), accum_dtype)
            old_max = T.alloc_fragment((groups,), accum_dtype)
            rescale = T.alloc_fragment((groups,), accum_dtype)
            part_sum = T.alloc_fragment((groups,), accum_dtype)
            row_sum = T.alloc_fragment((groups,), accum_dtype)

            T.copy(Q[bz, by, :, :], Q_shared)
            T.clear(O_local)
            T.clear(row_sum)
            T.fill(row_max, MASKED)
            for step in T.Pipelined(steps, num_stages=2):
                start = (bs * steps + step) * block_N
                T.copy(K[bz, by, start : start + block_N, :], K_shared)
                for i, j in T.Parallel(groups, block_N):
                    scores[i, j] = T.if_then_else(start + j < seq_kv, 0, MASKED)
                T.gemm(Q_shared, K_shared, scores, transpose_B=True)
                T.copy(row_max, old_max)
                T.reduce_max(scores, row_max, dim=1, clear=False)
                for i in T.Parallel(groups):
                    rescale[i] = T.exp2((old_max[i] - row_max[i]) * scale)
                for i, j in T.Parallel(groups, block_N):
                    scores[i, j] = T.exp2((scores[i, j] - row_max[i]) * scale)
                T.reduce_sum(scores, part_sum, dim=1)
                for i in T.Parallel(groups):
                    row_sum[i] = row_sum[i] * rescale[i] + part_sum[i]
                for i, j in T.Parallel(groups, dim):
                    O_local[i, j] *= rescale[i]
                T.copy(V[bz, by, start : start + block_N, :], V_shared)
                T.copy(scores, weights)
                T.gemm(weights, V_shared, O_local)
            for i, j in T.Parallel(groups, dim):
                O_local[i, j] /= row_sum[i]
            for i in T.Parallel(groups):
                row_sum[i] = T.log2(row_sum[i]) + row_max[i] * scale
            T.copy(O_local, O_parts[bs, bz, by, :, :])
            T.copy(row_sum, lse_parts[bs, bz, by, :])

    return gqa_decode


def join_splits(batch, heads_kv, groups, dim, splits, dtype):
    """The mean of the parts, each weighted by the sum of its weights."""
    accum_dtype = "float32"

    @T.prim_func
    def gqa_join(
        O_parts: T.Tensor((splits, batch, heads_kv, groups, dim), accum_dtype),
        lse_parts: T.Tensor((splits, batch, heads_kv, groups), accum_dtype),
        Output: T.Tensor((batch, heads_kv, groups, dim), dtype),
    ):
        with T.Kernel(heads_kv, batch, threads=128) as (by, bz):
            part = T.alloc_fragment((groups, dim), accum_dtype)
            lse = T.alloc_fragment((groups,), accum_dtype)
            lse_max = T.alloc_fragment((groups,), accum_dtype)
            total = T.alloc_fragment((groups,), accum_dtype)
            O_local = T.alloc_fragment((groups, dim), accum_dtype)

            T.fill(lse_max, -T.infinity(accum_dtype))
            for s in T.serial(splits):
                T.copy(lse_parts[s, bz, by, :], lse)
                for i in T.Parallel(groups):
                    lse_max[i] = T.max(lse_max[i], lse[i])
            T.clear(total)
            T.clear(O_local)
            for s in T.serial(splits):
                T.copy(lse_parts[s, bz, by, :], lse)
                T.copy(O_parts[s, bz, by, :, :], part)
                for i in T.Parallel(groups):
                    lse[i] = T.exp2(lse[i] - lse_max[i])
                for i in T.Parallel(groups):
                    total[i] += lse[i]
                for i, j in T.Parallel(groups, dim):
                    O_local[i, j] += part[i, j] * lse[i]
            for i, j in T.Parallel(groups, dim):
                O_local[i, j] /= total[i]
            T.copy(O_local, Output[bz, by, :, :])

    return gqa_join


def main(argv=None):
    parser = argparse.ArgumentParser(description="one query of each head attends to all keys")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--heads-kv", type=int, default=2, help="heads of keys and values")
    parser.add_argument("--groups", type=int, default=4, help="query heads that share keys")
    parser.add_argument("--n", type=int, default=300, help="keys")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--splits", type=int, default=4, help="may be more than there are blocks")
    parser.add_argument("--block-n", type=int, default=64, help="keys in a block")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    heads = (args.batch, args.heads_kv)
    q = torch.randn(*heads, args.groups, args.dim).to(dtype)
    k, v = (torch.randn(*heads, args.n, args.dim).to(dtype) for _ in range(2))
    target = f"tenstorrent/{args.arch}"
    sizes = (*heads, args.groups, args.n, args.dim, args.splits, args.block_n)
    splits = tilelang.compile(decode_splits(*sizes, args.dtype), target=target, out_idx=[-2, -1])
    program = join_splits(*heads, args.groups, args.dim, args.splits, args.dtype)
    join = tilelang.compile(program, target=target, out_idx=[-1])
    result = join(*splits(q, k, v))
    scores = q.double() @ k.double().transpose(2, 3) / args.dim**0.5
    expected = torch.softmax(scores, dim=-1) @ v.double()

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * torch.finfo(dtype).eps + 2**-8
    size = f"gqa decode {args.batch}x{args.heads_kv}x{args.groups}x{args.n}x{args.dim}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
