"""Flash attention with a sink and a sliding window: each head has one more score, which takes
weight from the keys but has no value; a query sees only the last keys before it.

Scores and their statistics stay on the chip, in float32; weights are rounded to the dtype before
they multiply V. The sink joins the sum of the weights after the last block of keys.

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


def attention_sink(batch, heads, seq, dim, window, block_M, block_N, dtype):
    log2_e = 1.44269504
    scale = (1.0 / dim) ** 0.5 * log2_e
    accum_dtype = "float32"

    @T.prim_func
    def mha_sink_fwd(
        Q: T.Tensor((batch, heads, seq, dim), dtype),
        K: T.Tensor((batch, heads, seq, dim), dtype),
        V: T.Tensor((batch, heads, seq, dim), dtype),
        sinks: T.Tensor((heads,), "float32"),
        Output: T.Tensor((batch, heads, seq, dim), dtype),
    ):
        with T.Kernel(T.ceildiv(seq, block_M), heads, batch, threads=128) as (bx, by, bz):
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
            T.fill(row_max, -1e30)
            first = T.max(bx * block_M - window + 1, 0) // block_N
            last = T.min(T.ceildiv(seq, block_N), T.ceildiv((bx + 1) * block_M, block_N))
            for step in T.Pipelined(last - first, num_stages=2):
                start = (first + step) * block_N
                T.copy(K[bz, by, start : start + block_N, :], K_shared)
                for i, j in T.Parallel(block_M, block_N):
                    query = bx * block_M + i
                    scores[i, j] = T.if_then_else(
                        T.And(start + j <= query, start + j > query - window),
                        0,
                        -1e30,
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

                T.copy(V[bz, by, start : start + block_N, :], V_shared)
                T.copy(scores, weights)
                T.gemm(weights, V_shared, O_local)
            for i in T.Parallel(block_M):
                row_sum[i] += T.exp2(sinks[by] * log2_e - row_max[i] * scale)
            for i, j in T.Parallel(block_M, dim):
                O_local[i, j] /= row_sum[i]
            T.copy(O_local, O_shared)
            T.copy(O_shared, Output[bz, by, bx * block_M : (bx + 1) * block_M, :])

    return mha_sink_fwd


def reference(q, k, v, sinks, window):
    q, k, v, sinks = (tensor.double() for tensor in (q, k, v, sinks))
    scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
    distance = torch.arange(q.shape[2])[:, None] - torch.arange(k.shape[2])
    scores = scores.masked_fill((distance < 0) | (distance >= window), -torch.inf)
    sinks = sinks[:, None, None].expand(*scores.shape[:-1], 1)
    weights = torch.softmax(torch.cat([scores, sinks], dim=-1), dim=-1)
    return weights[..., :-1] @ v


def main(argv=None):
    parser = argparse.ArgumentParser(description="attention with a sink")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--n", type=int, default=160, help="length of the sequence")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--block-m", type=int, default=64, help="queries in a block")
    parser.add_argument("--block-n", type=int, default=64, help="keys in a block")
    parser.add_argument("--window", type=int, default=50, help="keys that a query sees")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    shape = (args.batch, args.heads, args.n, args.dim)
    q, k, v = (torch.randn(shape).to(dtype) for _ in range(3))
    sinks = 2 * torch.randn(args.heads)
    program = attention_sink(*shape, args.window, args.block_m, args.block_n, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(q, k, v, sinks)
    expected = reference(q, k, v, sinks, args.window)

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 2 * torch.finfo(dtype).eps + 2**-8
    size = f"attention with sink {args.batch}x{args.heads}x{args.n}x{args.dim}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
