"""Flash attention forward as users write it: online softmax over blocks of keys."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels.agreement import ARCHS, check, numbers

LOG2_E = 1.44269504


def flash(  # noqa: PLR0915  one program
    layout, heads, groups, lengths, dim, causal, blocks, dtype, stages
):
    """O = softmax(Q K^T / sqrt(dim)) V for each head; `groups` heads share their keys and values.

    Causal queries see the keys up to their own place.
    """
    (seq_q, seq_kv), (bM, bN) = lengths, blocks
    scale, acc = LOG2_E / dim**0.5, "float32"

    def shape(sequence, count):
        return (1, sequence, count, dim) if layout == "bshd" else (1, count, sequence, dim)

    def at(first, size, head):
        places = (slice(first, first + size), head)
        return (0, *(places if layout == "bshd" else places[::-1]), slice(0, dim))

    @T.prim_func
    def main(
        Q: T.Tensor(shape(seq_q, heads), dtype),
        K: T.Tensor(shape(seq_kv, heads // groups), dtype),
        V: T.Tensor(shape(seq_kv, heads // groups), dtype),
        O: T.Tensor(shape(seq_q, heads), dtype),
    ):
        with T.Kernel(T.ceildiv(seq_q, bM), heads, threads=128) as (bx, by):
            Q_s = T.alloc_shared([bM, dim], dtype)
            K_s = T.alloc_shared([bN, dim], dtype)
            V_s = T.alloc_shared([bN, dim], dtype)
            S = T.alloc_fragment([bM, bN], acc)
            P = T.alloc_fragment([bM, bN], dtype)
            out = T.alloc_fragment([bM, dim], acc)
            top = T.alloc_fragment([bM], acc)
            old = T.alloc_fragment([bM], acc)
            fade = T.alloc_fragment([bM], acc)
            part = T.alloc_fragment([bM], acc)
            total = T.alloc_fragment([bM], acc)
            T.copy(Q[at(bx * bM, bM, by)], Q_s)
            T.fill(out, 0)
            T.fill(total, 0)
            T.fill(top, -T.infinity(acc))
            steps = (
                T.min(T.ceildiv(seq_kv, bN), T.ceildiv((bx + 1) * bM, bN))
                if causal
                else T.ceildiv(seq_kv, bN)
            )
            for k in T.Pipelined(steps, num_stages=stages):
                T.copy(K[at(k * bN, bN, by // groups)], K_s)
                for i, j in T.Parallel(bM, bN):
                    S[i, j] = T.if_then_else(
                        (bx * bM + i >= k * bN + j) if causal else (k * bN + j < seq_kv),
                        0,
                        -T.infinity(acc),
                    )
                T.gemm(Q_s, K_s, S, transpose_B=True)
                T.copy(top, old)
                T.fill(top, -T.infinity(acc))
                T.reduce_max(S, top, dim=1, clear=False)
                for i in T.Parallel(bM):
                    top[i] = T.max(top[i], old[i])
                for i in T.Parallel(bM):
                    fade[i] = T.exp2(old[i] * scale - top[i] * scale)
                for i, j in T.Parallel(bM, bN):
                    S[i, j] = T.exp2(S[i, j] * scale - top[i] * scale)
                T.reduce_sum(S, part, dim=1)
                for i in T.Parallel(bM):
                    total[i] = total[i] * fade[i] + part[i]
                T.copy(S, P)
                for i, j in T.Parallel(bM, dim):
                    out[i, j] *= fade[i]
                T.copy(V[at(k * bN, bN, by // groups)], V_s)
                T.gemm(P, V_s, out)
            for i, j in T.Parallel(bM, dim):
                out[i, j] /= total[i]
            T.copy(out, O[at(bx * bM, bM, by)])

    return main


def attention(q, k, v, causal, groups):
    """The same in float64, for (heads, sequence, width)."""
    k, v = (np.repeat(x, groups, axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5
    if causal:
        rows, columns = np.indices(scores.shape[1:])
        scores = np.where(rows >= columns, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


CASES = {
    "one block": ("bshd", 1, 1, (32, 32), 32, False, (32, 32), "bfloat16", 1, ARCHS[0]),
    "many blocks": ("bshd", 2, 1, (64, 96), 64, False, (32, 32), "bfloat16", 2, ARCHS[1]),
    "heads first": ("bhsd", 2, 1, (64, 64), 32, False, (64, 32), "bfloat16", 2, ARCHS[0]),
    "causal": ("bshd", 1, 1, (96, 96), 32, True, (32, 32), "bfloat16", 2, ARCHS[1]),
    "causal, other blocks": ("bhsd", 1, 1, (64, 64), 64, True, (64, 32), "float16", 1, ARCHS[0]),
    "groups of heads": ("bshd", 4, 2, (32, 64), 32, False, (32, 64), "bfloat16", 1, ARCHS[0]),
    "float32": ("bhsd", 1, 1, (32, 64), 32, True, (32, 32), "float32", 1, ARCHS[1]),
    "ragged lengths": ("bshd", 1, 1, (40, 70), 32, False, (32, 32), "bfloat16", 1, ARCHS[1]),
    "a width of three tiles": (
        "bhsd",
        1,
        1,
        (32, 64),
        96,
        False,
        (32, 32),
        "bfloat16",
        2,
        ARCHS[0],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_flash_attention(case):
    *arguments, arch = case
    layout, heads, groups, (seq_q, seq_kv), dim, causal, _, dtype, _ = arguments

    def tensor(sequence, count, seed):
        shape = (1, sequence, count, dim) if layout == "bshd" else (1, count, sequence, dim)
        return numbers(shape, dtype, seed=seed)

    def by_head(x):
        x = x[0].astype(np.float64)
        return x.swapaxes(0, 1) if layout == "bshd" else x

    q = tensor(seq_q, heads, 0)
    k, v = (tensor(seq_kv, heads // groups, seed) for seed in (1, 2))
    inputs = [q, k, v, np.zeros_like(q)]
    # The reference cannot bound what minus infinity goes through; the numbers below can.
    sharp = 0.0 if causal or seq_kv % 32 else 0.9
    (o,) = check(flash, *arguments, inputs=inputs, arch=arch, sharp=sharp).values()
    expected = attention(*map(by_head, (q, k, v)), causal, groups)
    # Weights are rounded to the dtype, and so is the result; both are at most 2 in size.
    unit = float(np.finfo(np.float32).eps if dtype == "float32" else 2.0**-8)
    tolerance = 4 * max(unit, 2.0**-10) * np.abs(v.astype(np.float64)).max()
    assert np.abs(by_head(o) - expected).max() <= tolerance
