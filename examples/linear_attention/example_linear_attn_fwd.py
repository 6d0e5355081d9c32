"""O = tril(Q K^T) V for each head, chunk by chunk: causal linear attention.

A chunk attends to itself through its masked scores, and to all chunks before it through the sum of
their K^T V, a dim x dim state that stays on the chip. Sums are kept in float32; scores and state
are rounded to the dtype before they multiply, and so is the result. Those roundings add up like
noise, so `2 * torch.finfo(dtype).eps` of the largest value is allowed. The matrix unit cuts float32
operands to ten fraction bits, so for them 4 * 2**-10 is allowed.
"""

# pyright: reportInvalidTypeForm=false

import argparse
import sys

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target "tenstorrent"


def linear_attention(batch, heads, seq, dim, chunk, dtype, accum_dtype="float32"):
    @T.prim_func
    def linear_attn_fwd(
        Q: T.Tensor((batch, seq, heads, dim), dtype),
        K: T.Tensor((batch, seq, heads, dim), dtype),
        V: T.Tensor((batch, seq, heads, dim), dtype),
        Output: T.Tensor((batch, seq, heads, dim), dtype),
    ):
        with T.Kernel(heads, batch, threads=128) as (by, bz):
            Q_shared = T.alloc_shared((chunk, dim), dtype)
            K_shared = T.alloc_shared((chunk, dim), dtype)
            V_shared = T.alloc_shared((chunk, dim), dtype)
            scores = T.alloc_fragment((chunk, chunk), accum_dtype)
            scores_cast = T.alloc_fragment((chunk, chunk), dtype)
            state = T.alloc_fragment((dim, dim), accum_dtype)
            state_cast = T.alloc_fragment((dim, dim), dtype)
            O_local = T.alloc_fragment((chunk, dim), accum_dtype)

            T.clear(state)
            for c in T.Pipelined(T.ceildiv(seq, chunk), num_stages=1):
                T.copy(Q[bz, c * chunk : (c + 1) * chunk, by, :], Q_shared)
                T.copy(K[bz, c * chunk : (c + 1) * chunk, by, :], K_shared)
                T.copy(V[bz, c * chunk : (c + 1) * chunk, by, :], V_shared)
                T.gemm(Q_shared, K_shared, scores, transpose_B=True, clear_accum=True)
                for i, j in T.Parallel(chunk, chunk):
                    scores_cast[i, j] = T.if_then_else(i >= j, scores[i, j], 0)
                T.copy(state, state_cast)
                T.gemm(scores_cast, V_shared, O_local, clear_accum=True)
                T.gemm(Q_shared, state_cast, O_local)
                T.gemm(K_shared, V_shared, state, transpose_A=True)
                T.copy(O_local, Output[bz, c * chunk : (c + 1) * chunk, by, :])

    return linear_attn_fwd


def main(argv=None):
    parser = argparse.ArgumentParser(description="O = tril(Q K^T) V, chunk by chunk")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--n", type=int, default=200, help="length of the sequence")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--block", type=int, default=64, help="length of a chunk")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--arch", default="wormhole_b0", choices=["wormhole_b0", "blackhole"])
    args = parser.parse_args(argv)

    dtype = getattr(torch, args.dtype)
    torch.manual_seed(0)
    shape = (args.batch, args.n, args.heads, args.dim)
    q, k, v = (torch.randn(shape).to(dtype) for _ in range(3))
    program = linear_attention(args.batch, args.heads, args.n, args.dim, args.block, args.dtype)
    kernel = tilelang.compile(program, target=f"tenstorrent/{args.arch}", out_idx=[-1])
    result = kernel(q, k, v)
    scores = torch.einsum("bihd,bjhd->bhij", q.double(), k.double()).tril()
    expected = torch.einsum("bhij,bjhd->bihd", scores, v.double())

    error = ((result - expected).abs().max() / expected.abs().max()).item()
    limit = 4 * 2**-10 if dtype == torch.float32 else 2 * torch.finfo(dtype).eps
    size = f"linear attention {args.batch}x{args.n}x{args.heads}x{args.dim}"
    print(f"{size} {args.dtype}: largest error {error:.1e}, {limit:.1e} allowed")
    return 0 if error <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
