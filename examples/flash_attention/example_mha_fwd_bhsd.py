"""O = softmax(Q K^T / sqrt(dim)) V for each head: flash attention, tensors laid out as batch,
heads, sequence, dim.

Scores and their statistics stay on the chip, in float32; weights are rounded to the dtype before
they multiply V. A block of queries meets the keys block by block: the maximum so far scales what
was added up before. Sequences need not be multiples of the blocks, and queries may be fewer than
keys: they are then the last ones, as in decoding with a cache.

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


def flash_attention(batch, heads, seq_q, seq_kv, dim, is_causal, block_M, block_N, dtype):
    scale = (1.0 / dim) ** 0.5 * 1.44269504  # log2(e)
    accum_dtype = "float32"
    past = seq_kv - seq_q

    @T.prim_func
    def mha_fwd(
        Q: T.Tensor((batch, heads, seq_q, dim), dtype),
        K: T.Tensor((batch, heads, seq_kv, dim), dtype),
        V: T.Tensor((batch, heads, seq_kv, dim), dtype),
        Output: T.Tensor((batch, heads, seq_q, dim), dtype),
    ):
        with T.Kernel(T.ceildiv(seq_q, block_M), heads, batch, threads=128) as (bx, by, bz):
            Q_shared = T.alloc_shared((block_M, dim), dtype)
            K_shared = T.alloc_shared((block_N, dim), dtype)
            V_shared = T.alloc_shared((block_N, dim), dtype)
            O_shared = T.alloc_shared((block_M, dim), dtype)
            scores = T.alloc_fragment((block_M, block_N), accum_dtype)
            weights = T.alloc_fragment((block_M, block_N), dtype)
            O_local = T.alloc_fragment((block_M, dim), accum_dtype)
            row_max = T.alloc_fragment((block_M,), accum_dtype)
            old_max = T.alloc_fragment((block_M,), accum_dtype)
            rescale = T.alloc_fragment((block_M,), accum_dtype)
            part_sum = T.alloc_fragment((block_M,), accum_dtype)
            row_sum = T.alloc_fragment((block_M,), accum_dtype)

            T.copy(Q[bz, by, bx * block_M : (bx + 1) * block_M, :], Q_shared)
            T.clear(O_local)
            T.clear(row_sum)
            T.fill(row_max, -T.infinity(accum_dtype))
            steps = (
                T.min(T.ceildiv(seq_kv, block_N), T.ceildiv(past + (bx + 1) * block_M, block_N))
                if is_causal
                else T.ceildiv(seq_kv, block_N)
            )
            for k in T.Pipelined(steps, num_stages=2):
                T.copy(K[bz, by, k * block_N : (k + 1) * block_N, :], K_shared)
                for i, j in T.Parallel(block_M, block_N):
                    if is_causal:
                        scores[i, j] = T.if_then_else(
                            past + bx * block_M + i >= k * block_N + j,
                            0,
                            -T.infinity(accum_dtype),
                        )
                    else:
                        scores[i, j] = T.if_then_else(
                            k * block_N + j < seq_kv, 0, -T.infinity(accum_dtype)
                        )
                T.gemm(Q_shared, K_shared, scores, transpose_B=True)

                T.copy(row_max, old_max)
                T.reduce_max(scores, row_max, dim=1, clear=False)
                for i in T.Parallel(block_M):
                    rescale[i] = T.exp2((old_max[i] - row_max[i]) * scale)
                for i, j in T.Parallel(block_M, block_N):
                    scores[i, j] = T.exp2((scores[i, j] - row_max[i]) * scale)
                T.reduce_sum(scores, part_sum, dim=1)
                for i in T.Parallel(block_M):
                    row_sum[i] = row_sum[i] * rescale[i] + part_sum[i]
                for i, j in T.Parallel(block_M, dim):
                    O_local[i, j] *= rescale[i]

                T.copy(V[bz, by, k * block_N : (k + 1) * block_N, :], V_shared)
                T.copy(scores, weights)
                T.gemm(weights, V_shared, O_local)
            for i, j in T.Parallel(block_M, dim):
                O_local[i, j] /= row_sum[i]
            T.copy(O_local, O_shared)
            T.copy(O_shared, Output[bz, by, bx * block_M : (bx + 1) * block_M, :])

    return mha_fwd


def reference(q, k, v, is_causal):
    q, k, v = (tensor.double() for tensor in (q, k, v))
    scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
    if is_causal:
        keys = torch.arange(k.shape[2])
        last = torch.arange(q.shape[2])[:, None] + k.shape[2] - q.shape[2]
        scores = scores.masked_fill(keys > last, -torch.inf)
    return torch.softmax(scores, dim=-1) @ v


def main(argv=None):
    parser = argparse.ArgumentParser(description="O = softmax(Q K^T / sqrt(dim)) V")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--n", type=int, default=100, help="queries")
    parser.add_argument("--n-kv", type=int, default=160, help="keys, at least as many")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--block-m", type=int, default=64, help="queries in a block")
    parser.add_argument("--block-n", type=int, default=64, help="keys in a block")
    parser.add_argument("--is-causal", action="store_true")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    q = torch.randn(args.batch, args.heads, args.n, args.dim).to(dtype)
    k, v = (torch.randn(args.batch, args.heads, args.n_kv, args.dim).to(dtype) for _ in range(2))
    sizes = (args.batch, args.heads, args.n, args.n_kv, args.dim)
    program = flash_attention(*sizes, args.is_causal, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(q, k, v)
    expected = reference(q, k, v, args.is_causal)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * torch.finfo(dtype).eps + 2**-8
    kind = "causal mha" if args.is_causal else "mha"
    size = f"{kind} {args.batch}x{args.heads}x{args.n}x{args.n_kv}x{args.dim}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
