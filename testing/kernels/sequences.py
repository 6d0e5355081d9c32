"""TileLang programs of several T.Kernel, as a user writes them."""

import tilelang.language as T


def split_sum(parts, block, dtype="float32"):
    """C = the sum of all blocks of rows of A, scaled: partial sums in a workspace, then their sum.

    Each of the `parts` programs of the first T.Kernel adds up every `parts`-th block.
    """
    rows, columns = block
    steps = T.dynamic("steps")

    @T.prim_func
    def main(
        A: T.Tensor((steps, parts, rows, columns), dtype),
        scale: T.float32,
        C: T.Tensor((rows, columns), dtype),
    ):
        W = T.alloc_global((parts, rows, columns), "float32")
        with T.Kernel(parts, threads=128) as bx:
            A_l = T.alloc_fragment((rows, columns), dtype)
            total = T.alloc_fragment((rows, columns), "float32")
            T.clear(total)
            for step in T.serial(steps):
                T.copy(A[step, bx, 0, 0], A_l)
                for i, j in T.Parallel(rows, columns):
                    total[i, j] += A_l[i, j]
            T.copy(total, W[bx, 0, 0])
        with T.Kernel(1, threads=128):
            W_l = T.alloc_fragment((rows, columns), "float32")
            total = T.alloc_fragment((rows, columns), "float32")
            T.clear(total)
            for part in T.serial(parts):
                T.copy(W[part, 0, 0], W_l)
                for i, j in T.Parallel(rows, columns):
                    total[i, j] += W_l[i, j]
            for i, j in T.Parallel(rows, columns):
                total[i, j] = total[i, j] * scale
            T.copy(total, C)

    return main


def gemm_splitk(shape, block, splits, dtype="bfloat16"):
    """C = A @ B: partial products of the splits in a further output, then their sum."""
    (M, N, K), (bM, bN, bK) = shape, block
    share = K // splits

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        partial: T.Tensor((splits, M, N), "float32"),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(N // bN, M // bM, splits, threads=128) as (bx, by, bz):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for k in T.Pipelined(share // bK, num_stages=2):
                T.copy(A[by * bM, bz * share + k * bK], A_s)
                T.copy(B[bz * share + k * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, partial[bz, by * bM, bx * bN])
        with T.Kernel(N // bN, M // bM, threads=128) as (bx, by):
            part = T.alloc_fragment((bM, bN), "float32")
            total = T.alloc_fragment((bM, bN), "float32")
            T.clear(total)
            for k in T.serial(splits):
                T.copy(partial[k, by * bM, bx * bN], part)
                for i, j in T.Parallel(bM, bN):
                    total[i, j] += part[i, j]
            T.copy(total, C[by * bM, bx * bN])

    return main


def in_place_between(block):
    """B = 2 * A + 1, then A = B + 3: a region may write what an earlier one reads."""

    @T.prim_func
    def main(A: T.Tensor((64, 64), "float32"), B: T.Tensor((64, 64), "float32")):
        with T.Kernel(64 // block, threads=128) as bx:
            for i, j in T.Parallel(block, 64):
                B[bx * block + i, j] = A[bx * block + i, j] * 2.0 + 1.0
        with T.Kernel(64 // block, threads=128) as bx:
            for i, j in T.Parallel(block, 64):
                A[bx * block + i, j] = B[bx * block + i, j] + 3.0

    return main


def heads(batch, rows, count, width):
    """B = 2 * A by blocks of a head's rows, then C = B + 1 by blocks of a row's heads: each
    T.Kernel tiles B in axes of its own."""
    shape = (batch, rows, count, width)

    @T.prim_func
    def main(A: T.Tensor(shape, "float32"), C: T.Tensor(shape, "float32")):
        B = T.alloc_global(shape, "float32")
        with T.Kernel(count, batch, threads=128) as (h, b):
            tile = T.alloc_fragment((rows, width), "float32")
            T.copy(A[b, 0:rows, h, 0:width], tile)
            for i, j in T.Parallel(rows, width):
                tile[i, j] = tile[i, j] * 2.0
            T.copy(tile, B[b, 0:rows, h, 0:width])
        with T.Kernel(rows, batch, threads=128) as (r, b):
            tile = T.alloc_fragment((count, width), "float32")
            T.copy(B[b, r, 0:count, 0:width], tile)
            for i, j in T.Parallel(count, width):
                tile[i, j] = tile[i, j] + 1.0
            T.copy(tile, C[b, r, 0:count, 0:width])

    return main


def rows_then_all():
    """B = A, which may be empty, in a workspace; C = 1."""
    rows = T.dynamic("rows")

    @T.prim_func
    def main(A: T.Tensor((rows, 32), "float32"), C: T.Tensor((32, 32), "float32")):
        B = T.alloc_global((rows, 32), "float32")
        with T.Kernel(T.ceildiv(rows, 32)) as bx:
            for i, j in T.Parallel(32, 32):
                B[bx * 32 + i, j] = A[bx * 32 + i, j]
        with T.Kernel(1):
            for i, j in T.Parallel(32, 32):
                C[i, j] = 1.0

    return main


def one_with_a_workspace():
    """C = 2 * A, and A in memory that nothing reads."""

    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), C: T.Tensor((32, 32), "float32")):
        W = T.alloc_global((32, 32), "float32")
        with T.Kernel(1):
            for i, j in T.Parallel(32, 32):
                W[i, j] = A[i, j]
                C[i, j] = A[i, j] * 2.0

    return main
