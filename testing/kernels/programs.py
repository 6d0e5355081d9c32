"""TileLang programs that the tests of kernels compile, as a user writes them.

`f` in a factory's parameters is the expression of an element-wise program, a function of TileLang's
language and the operands, `f(T, a, b)`.
"""

import functools
import re

import tilelang
import tilelang.language as T
import torch

import tilelang_tt  # noqa: F401  registers the target

TORCH = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


@functools.cache
def compiled(factory, *args, target="tenstorrent", options=(), out_idx=(-1,), **kwargs):
    """The compiled program `factory(*args, **kwargs)`, once in a test session.

    `options` are pairs of the target dictionary, which is used where there are any.
    """
    chosen = {"kind": "tenstorrent", **dict(options)} if options else target
    return tilelang.compile(factory(*args, **kwargs), target=chosen, out_idx=list(out_idx))


def plus(m, a, b):
    """The expression to use where any will do."""
    return a + b


def sources_of(kernel):
    """The parts of what a compiled kernel shows as its source, by file name."""
    parts = re.split(r"#if 0  // ==== (\S+) ====\n", kernel.get_kernel_source())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# Element-wise, two operands. ----------------------------------------------------------------------


def parallel(f, shape, block, dtype, out=None):
    """Through shared memory and a fragment."""
    (M, N), (bM, bN), out = shape, block, out or dtype

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), out)):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), threads=128) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), out)
            C_s = T.alloc_shared((bM, bN), out)
            T.copy(A[by * bM, bx * bN], A_s)
            T.copy(B[by * bM, bx * bN], B_s)
            for i, j in T.Parallel(bM, bN):
                C_l[i, j] = f(T, A_s[i, j], B_s[i, j])
            T.copy(C_l, C_s)
            T.copy(C_s, C[by * bM, bx * bN])

    return main


def sequential(f, shape, block, dtype):
    """Two serial loops over the elements."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), threads=128) as (bx, by):
            A_l = T.alloc_fragment((bM, bN), dtype)
            B_l = T.alloc_fragment((bM, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_l)
            T.copy(B[by * bM, bx * bN], B_l)
            for i in T.serial(bM):
                for j in T.serial(bN):
                    C_l[i, j] = f(T, A_l[i, j], B_l[i, j])
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def sequential_on_tensors(f, shape, block, dtype):
    """Python's range, no on-chip buffer."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            for i in range(bM):
                for j in range(bN):
                    C[by * bM + i, bx * bN + j] = f(
                        T, A[by * bM + i, bx * bN + j], B[by * bM + i, bx * bN + j]
                    )

    return main


def on_tensors(f, shape, block, dtype):
    """T.Parallel on the tensors themselves, through names for the indices."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            for i, j in T.Parallel(bM, bN):
                row = by * bM + i
                column = bx * bN + j
                C[row, column] = f(T, A[row, column], B[row, column])

    return main


def in_place(f, shape, block, dtype):
    """The result replaces an operand on the chip; copies of slices."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM, threads=256) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[by * bM : (by + 1) * bM, bx * bN : (bx + 1) * bN], A_s)
            T.copy(B[by * bM : (by + 1) * bM, bx * bN : (bx + 1) * bN], B_s)
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = f(T, A_s[i, j], B_s[i, j])
            T.copy(A_s, C[by * bM : (by + 1) * bM, bx * bN : (bx + 1) * bN])

    return main


def pipelined(f, shape, block, dtype):
    """A grid of rank 1; each block walks along its rows."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(M // bM) as by:
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), dtype)
            for bx in T.Pipelined(N // bN, num_stages=2):
                T.copy(A[by * bM, bx * bN], A_s)
                T.copy(B[by * bM, bx * bN], B_s)
                for i, j in T.Parallel(bM, bN):
                    C_l[i, j] = f(T, A_s[i, j], B_s[i, j])
                T.copy(C_l, C[by * bM, bx * bN])

    return main


def flat_grid(f, shape, block, dtype):
    """A grid of rank 1 that is taken apart by division."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(M, bM) * T.ceildiv(N, bN)) as block_id:
            by = block_id // T.ceildiv(N, bN)
            bx = block_id % T.ceildiv(N, bN)
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            T.copy(B[by * bM, bx * bN], B_s)
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = f(T, A_s[i, j], B_s[i, j])
            T.copy(A_s, C[by * bM, bx * bN])

    return main


def one_block(f, shape, block, dtype):
    """The whole tensors at once; `block` is not used."""
    M, N = shape

    @T.macro
    def apply(A_s, B_s, C_s):
        for i, j in T.Parallel(M, N):
            C_s[i, j] = f(T, A_s[i, j], B_s[i, j])

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((M, N), dtype)
            B_s = T.alloc_shared((M, N), dtype)
            C_s = T.alloc_shared((M, N), dtype)
            T.copy(A, A_s)
            T.copy(B, B_s)
            apply(A_s, B_s, C_s)
            T.copy(C_s, C)

    return main


# Element-wise, other forms. -----------------------------------------------------------------------


def rank_one(f, length, block, dtype):
    @T.prim_func
    def main(
        A: T.Tensor((length,), dtype), B: T.Tensor((length,), dtype), C: T.Tensor((length,), dtype)
    ):
        with T.Kernel(T.ceildiv(length, block)) as bx:
            A_s = T.alloc_shared((block,), dtype)
            B_s = T.alloc_shared((block,), dtype)
            C_l = T.alloc_fragment((block,), dtype)
            T.copy(A[bx * block], A_s)
            T.copy(B[bx * block], B_s)
            for i in T.Parallel(block):
                C_l[i] = f(T, A_s[i], B_s[i])
            T.copy(C_l, C[bx * block])

    return main


def rank_one_on_tensors(f, length, block, dtype):
    @T.prim_func
    def main(
        A: T.Tensor((length,), dtype), B: T.Tensor((length,), dtype), C: T.Tensor((length,), dtype)
    ):
        with T.Kernel(length // block) as bx:
            for i in T.serial(block):
                C[bx * block + i] = f(T, A[bx * block + i], B[bx * block + i])

    return main


def rank_three(f, shape, block, dtype):
    (L, M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(
        A: T.Tensor((L, M, N), dtype),
        B: T.Tensor((L, M, N), dtype),
        C: T.Tensor((L, M, N), dtype),
    ):
        with T.Kernel(N // bN, M // bM, L) as (bx, by, bz):
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[bz, by * bM, bx * bN], A_s)
            T.copy(B[bz, by * bM, bx * bN], B_s)
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = f(T, A_s[i, j], B_s[i, j])
            T.copy(A_s, C[bz, by * bM, bx * bN])

    return main


def three_operands(shape, block, dtype):
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        D: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            for i, j in T.Parallel(bM, bN):
                row = by * bM + i
                column = bx * bN + j
                C[row, column] = A[row, column] * B[row, column] + D[row, column]

    return main


def row_operand(f, shape, block, dtype):
    """The second operand is one row, the same for all rows of the result."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), bias: T.Tensor((N,), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            bias_s = T.alloc_shared((bN,), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            T.copy(bias[bx * bN], bias_s)
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = f(T, A_s[i, j], bias_s[j])
            T.copy(A_s, C[by * bM, bx * bN])

    return main


def scalars(shape, block, dtype):
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype), scale: T.float32, shift: T.float32, C: T.Tensor((M, N), dtype)
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = A_s[i, j] * scale + shift
            T.copy(A_s, C[by * bM, bx * bN])

    return main


def filled(value, shape, block, dtype):
    """A program without an input."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            C_l = T.alloc_fragment((bM, bN), dtype)
            T.fill(C_l, value)
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def sum_difference_and_copy(shape, block, dtype):
    """Three outputs; the last is an operand of the others."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        P: T.Tensor((M, N), dtype),
        Q: T.Tensor((M, N), dtype),
        R: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            P_l = T.alloc_fragment((bM, bN), dtype)
            Q_l = T.alloc_fragment((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            T.copy(B[by * bM, bx * bN], B_s)
            for i, j in T.Parallel(bM, bN):
                P_l[i, j] = A_s[i, j] + B_s[i, j]
                Q_l[i, j] = A_s[i, j] - B_s[i, j]
            T.copy(P_l, P[by * bM, bx * bN])
            T.copy(Q_l, Q[by * bM, bx * bN])
            T.copy(A_s, R[by * bM, bx * bN])

    return main


def buffers_used_twice(shape, block, dtype):
    """Each statement overwrites what the one before it reads: C = (2 A) * (2 A + A)."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            B_s = T.alloc_shared((bM, bN), dtype)
            T.copy(A[by * bM, bx * bN], A_s)
            for i, j in T.Parallel(bM, bN):
                B_s[i, j] = A_s[i, j] * 2.0
            for i, j in T.Parallel(bM, bN):
                A_s[i, j] = B_s[i, j] + A_s[i, j]
            for i, j in T.Parallel(bM, bN):
                B_s[i, j] = B_s[i, j] * A_s[i, j]
            T.copy(B_s, C[by * bM, bx * bN])

    return main


def halves_by_block(shape, block, dtype):
    """A branch on the block: the first row of blocks is copied, the others are doubled."""
    (M, N), (bM, bN) = shape, block

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bN), dtype)
            if by == 0:
                T.copy(A[by * bM, bx * bN], A_s)
                T.copy(A_s, C[by * bM, bx * bN])
            else:
                T.copy(A[by * bM, bx * bN], A_s)
                for i, j in T.Parallel(bM, bN):
                    A_s[i, j] = A_s[i, j] * 2.0
                T.copy(A_s, C[by * bM, bx * bN])

    return main


# Matrix products. ---------------------------------------------------------------------------------


def gemm(size, block, dtype="bfloat16", out="float32", acc="float32", ta=False, tb=False, stages=2):
    """C = A B, each operand stored as it is or transposed; a serial loop where `stages` is None."""
    (M, N, K), (bM, bN, bK) = size, block
    steps = functools.partial(T.Pipelined, num_stages=stages) if stages is not None else T.serial

    @T.prim_func
    def main(
        A: T.Tensor((K, M) if ta else (M, K), dtype),
        B: T.Tensor((N, K) if tb else (K, N), dtype),
        C: T.Tensor((M, N), out),
    ):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), threads=128) as (bx, by):
            A_s = T.alloc_shared((bK, bM) if ta else (bM, bK), dtype)
            B_s = T.alloc_shared((bN, bK) if tb else (bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), acc)
            T.use_swizzle(panel_size=10)
            T.clear(C_l)
            for k in steps(T.ceildiv(K, bK)):
                if ta:
                    T.copy(A[k * bK, by * bM], A_s)
                else:
                    T.copy(A[by * bM, k * bK], A_s)
                if tb:
                    T.copy(B[bx * bN, k * bK], B_s)
                else:
                    T.copy(B[k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l, transpose_A=ta, transpose_B=tb)
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def starting(form):
    """What a program does to its accumulator C_l before the product; D_block is a part of D."""

    @T.macro
    def zero(C_l, D_block):
        T.fill(C_l, 0)

    @T.macro
    def one(C_l, D_block):
        T.fill(C_l, 1.0)

    @T.macro
    def assignment(C_l, D_block):
        for i, j in T.Parallel(*C_l.shape):
            C_l[i, j] = 0

    @T.macro
    def tensor(C_l, D_block):
        T.copy(D_block, C_l)

    @T.macro
    def first_step(C_l, D_block):
        pass

    return {
        "fill": zero,
        "one": one,
        "assignment": assignment,
        "tensor": tensor,
        "first step": first_step,
    }[form]


def gemm_start(form, size, block, dtype="bfloat16"):
    """The ways to say what the accumulator starts from; "first step" clears it in the product."""
    (M, N, K), (bM, bN, bK) = size, block
    start = starting(form)

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        D: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            start(C_l, D[by * bM, bx * bN])
            for k in T.Pipelined(K // bK, num_stages=2):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                if form == "first step":
                    T.gemm(A_s, B_s, C_l, clear_accum=(k == 0))
                else:
                    T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def gemm_whole_k(size, block, dtype="bfloat16", out="float32"):
    """No loop over K; clear_accum=True; the result leaves through shared memory."""
    (M, N, K), (bM, bN) = size, block

    @T.prim_func
    def main(A: T.Tensor((M, K), dtype), B: T.Tensor((K, N), dtype), C: T.Tensor((M, N), out)):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, K), dtype)
            B_s = T.alloc_shared((K, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            C_s = T.alloc_shared((bM, bN), out)
            T.copy(A[by * bM, 0], A_s)
            T.copy(B[0, bx * bN], B_s)
            T.gemm(A_s, B_s, C_l, clear_accum=True)
            T.copy(C_l, C_s)
            T.copy(C_s, C[by * bM, bx * bN])

    return main


def gemm_bias_relu(size, block, dtype="bfloat16", out="bfloat16"):
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        bias: T.Tensor((N,), dtype),
        C: T.Tensor((M, N), out),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            bias_s = T.alloc_shared((bN,), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            T.copy(bias[bx * bN], bias_s)
            for k in T.Pipelined(K // bK, num_stages=3):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            for i, j in T.Parallel(bM, bN):
                C_l[i, j] = T.max(C_l[i, j] + bias_s[j], 0)
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def gemm_batched(batch, size, block, dtype="bfloat16"):
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((batch, M, K), dtype),
        B: T.Tensor((batch, K, N), dtype),
        C: T.Tensor((batch, M, N), "float32"),
    ):
        with T.Kernel(N // bN, M // bM, batch) as (bx, by, bz):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for k in T.Pipelined(K // bK, num_stages=2):
                T.copy(A[bz, by * bM, k * bK], A_s)
                T.copy(B[bz, k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[bz, by * bM, bx * bN])

    return main


def gemm_row_of_blocks(size, block, dtype="bfloat16"):
    """A grid of rank 1: each block computes a whole row of blocks, one after the other."""
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype), B: T.Tensor((K, N), dtype), C: T.Tensor((M, N), "float32")
    ):
        with T.Kernel(M // bM) as by:
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            for bx in T.serial(N // bN):
                T.clear(C_l)
                for k in T.Pipelined(K // bK, num_stages=2):
                    T.copy(A[by * bM, k * bK], A_s)
                    T.copy(B[k * bK, bx * bN], B_s)
                    T.gemm(A_s, B_s, C_l)
                T.copy(C_l, C[by * bM, bx * bN])

    return main


def gemm_two_outputs(size, block, dtype="bfloat16"):
    """The product as it is in float32, and its positive part; an operand is stored as well."""
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        raw: T.Tensor((M, N), "float32"),
        relu: T.Tensor((M, N), dtype),
        copied: T.Tensor((M, K), dtype),
    ):
        with T.Kernel(M // bM) as by:
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for k in T.Pipelined(K // bK, num_stages=2):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, 0], B_s)
                T.gemm(A_s, B_s, C_l)
                T.copy(A_s, copied[by * bM, k * bK])
            T.copy(C_l, raw[by * bM, 0])
            for i, j in T.Parallel(bM, bN):
                C_l[i, j] = T.max(C_l[i, j], 0)
            T.copy(C_l, relu[by * bM, 0])

    return main


def gemm_gated(size, block, dtype="bfloat16"):
    """Two products of one operand: sigmoid(A B) * (A D), with the operand clipped on the way."""
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        D: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            D_s = T.alloc_shared((bK, bN), dtype)
            gate = T.alloc_fragment((bM, bN), "float32")
            value = T.alloc_fragment((bM, bN), "float32")
            T.clear(gate)
            T.clear(value)
            for k in T.Pipelined(K // bK, num_stages=2):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                T.copy(D[k * bK, bx * bN], D_s)
                for i, j in T.Parallel(bM, bK):
                    A_s[i, j] = T.min(A_s[i, j], 1.0)
                T.gemm(A_s, B_s, gate)
                T.gemm(A_s, D_s, value)
            for i, j in T.Parallel(bM, bN):
                value[i, j] = T.sigmoid(gate[i, j]) * value[i, j]
            T.copy(value, C[by * bM, bx * bN])

    return main


def gemm_chain(size, dtype="bfloat16"):
    """(A B) D, the product in between rounded to `dtype` on the chip; B and D are square."""
    (M, N), block = size, 32

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((N, N), dtype),
        D: T.Tensor((N, N), dtype),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(M // block) as by:
            A_s = T.alloc_shared((block, N), dtype)
            B_s = T.alloc_shared((N, N), dtype)
            D_s = T.alloc_shared((N, N), dtype)
            P_l = T.alloc_fragment((block, N), "float32")
            P_s = T.alloc_shared((block, N), dtype)
            C_l = T.alloc_fragment((block, N), "float32")
            T.copy(A[by * block, 0], A_s)
            T.copy(B, B_s)
            T.copy(D, D_s)
            T.clear(P_l)
            T.gemm(A_s, B_s, P_l)
            T.copy(P_l, P_s)
            T.clear(C_l)
            T.gemm(P_s, D_s, C_l)
            T.copy(C_l, C[by * block, 0])

    return main


def gemm_scaled(size, block, dtype="bfloat16"):
    """alpha A B + beta D, over the first `steps` blocks of K: float and integer parameters."""
    (M, N, K), (bM, bN, bK) = size, block

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        D: T.Tensor((M, N), dtype),
        steps: T.int32,
        alpha: T.float32,
        beta: T.float32,
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(N // bN, M // bM) as (bx, by):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            D_s = T.alloc_shared((bM, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            T.copy(D[by * bM, bx * bN], D_s)
            for k in T.serial(steps):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            for i, j in T.Parallel(bM, bN):
                C_l[i, j] = alpha * C_l[i, j] + beta * D_s[i, j]
            T.copy(C_l, C[by * bM, bx * bN])

    return main


def gemm_in_part(rows, size, block):
    """The first `rows` rows of square blocks of C = A B, of more that C has."""
    M, N, K = size

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((K, N), "bfloat16"),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(N, block), rows, threads=128) as (bx, by):
            A_s = T.alloc_shared((block, block), "bfloat16")
            B_s = T.alloc_shared((block, block), "bfloat16")
            C_l = T.alloc_fragment((block, block), "float32")
            T.clear(C_l)
            for k in T.Pipelined(T.ceildiv(K, block), num_stages=2):
                T.copy(A[by * block, k * block], A_s)
                T.copy(B[k * block, bx * block], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * block, bx * block])

    return main


def gemm_dynamic(block, dtype="bfloat16", depth=None):
    """The extents are known at launch only, but for the inner one where `depth` gives it."""
    (bM, bN, bK), (m, n) = block, T.dynamic("m, n")
    kk = T.dynamic("kk") if depth is None else depth

    @T.prim_func
    def main(
        A: T.Tensor((m, kk), dtype), B: T.Tensor((kk, n), dtype), C: T.Tensor((m, n), "float32")
    ):
        with T.Kernel(T.ceildiv(n, bN), T.ceildiv(m, bM)) as (bx, by):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for k in T.Pipelined(T.ceildiv(kk, bK), num_stages=2):
                T.copy(A[by * bM, k * bK], A_s)
                T.copy(B[k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * bM, bx * bN])

    return main
