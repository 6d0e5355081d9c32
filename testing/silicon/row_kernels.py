"""Silicon programs that reduce, multiply more than once, or choose: the smallest that do it."""

import tilelang.language as T


def reduce(shape, block, kind, axis, dtype):
    """B = the sums ("sum") or the maxima ("max") of A along `axis`, of which a block has all."""
    (M, N), kept = shape, shape[1 - axis]
    extents = (M, block) if axis == 0 else (block, N)

    @T.prim_func
    def reduce(A: T.Tensor((M, N), dtype), B: T.Tensor((kept,), dtype)):
        with T.Kernel(T.ceildiv(kept, block), threads=128) as bx:
            A_local = T.alloc_fragment(extents, dtype)
            B_local = T.alloc_fragment((block,), dtype)
            if axis == 0:
                T.copy(A[0, bx * block], A_local)
            else:
                T.copy(A[bx * block, 0], A_local)
            if kind == "sum":
                T.reduce_sum(A_local, B_local, dim=axis)
            else:
                T.reduce_max(A_local, B_local, dim=axis)
            T.copy(B_local, B[bx * block])

    return reduce


def running_sums(shape, axis, dtype):
    """B = the running sums of A along `axis`."""

    @T.prim_func
    def running_sums(A: T.Tensor(shape, dtype), B: T.Tensor(shape, dtype)):
        with T.Kernel(1, threads=128):
            A_shared = T.alloc_shared(shape, dtype)
            T.copy(A, A_shared)
            T.cumsum(A_shared, dim=axis)
            T.copy(A_shared, B)

    return running_sums


def add_row_sums_to_columns(size, dtype):
    """B[i, j] = A[i, j] + sum of row j of A: a vector computed along rows, used along columns."""

    @T.prim_func
    def add_row_sums(A: T.Tensor((size, size), dtype), B: T.Tensor((size, size), dtype)):
        with T.Kernel(1, threads=128):
            A_local = T.alloc_fragment((size, size), dtype)
            sums = T.alloc_fragment((size,), dtype)
            T.copy(A, A_local)
            T.reduce_sum(A_local, sums, dim=1)
            for i, j in T.Parallel(size, size):
                A_local[i, j] = A_local[i, j] + sums[j]
            T.copy(A_local, B)

    return add_row_sums


def causal_row_max(size, block, dtype):
    """B[i] = max of A[i, j] over j <= i; the rest of the row is hidden by minus infinity."""

    @T.prim_func
    def causal_row_max(A: T.Tensor((size, size), dtype), B: T.Tensor((size,), dtype)):
        with T.Kernel(T.ceildiv(size, block), threads=128) as bx:
            A_local = T.alloc_fragment((block, size), dtype)
            B_local = T.alloc_fragment((block,), dtype)
            T.copy(A[bx * block, 0], A_local)
            for i, j in T.Parallel(block, size):
                A_local[i, j] = T.if_then_else(
                    j <= bx * block + i, A_local[i, j], -T.infinity(dtype)
                )
            T.reduce_max(A_local, B_local, dim=1)
            T.copy(B_local, B[bx * block])

    return causal_row_max


def gemv(size, block, dtype):
    """y = A @ x as a loop over elements, summed in float32."""
    (N, K), (block_N, block_K) = size, block

    @T.prim_func
    def gemv(A: T.Tensor((N, K), dtype), x: T.Tensor((K,), dtype), y: T.Tensor((N,), "float32")):
        with T.Kernel(T.ceildiv(N, block_N), threads=128) as bx:
            A_shared = T.alloc_shared((block_N, block_K), dtype)
            x_shared = T.alloc_shared((block_K,), dtype)
            y_local = T.alloc_fragment((block_N,), "float32")
            T.clear(y_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[bx * block_N, k * block_K], A_shared)
                T.copy(x[k * block_K], x_shared)
                for i in T.Parallel(block_N):
                    for j in T.serial(block_K):
                        y_local[i] += A_shared[i, j].astype("float32") * x_shared[j].astype(
                            "float32"
                        )
            T.copy(y_local, y[bx * block_N])

    return gemv


def chained_gemms(size, block_M, dtype):
    """D = (A @ B) @ C; the first product is rounded to `dtype` between the two."""
    M, K, L, N = size

    @T.prim_func
    def chained_gemms(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, L), dtype),
        C: T.Tensor((L, N), dtype),
        D: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            A_shared = T.alloc_shared((block_M, K), dtype)
            B_shared = T.alloc_shared((K, L), dtype)
            C_shared = T.alloc_shared((L, N), dtype)
            first = T.alloc_fragment((block_M, L), "float32")
            rounded = T.alloc_fragment((block_M, L), dtype)
            second = T.alloc_fragment((block_M, N), "float32")
            T.copy(A[bx * block_M, 0], A_shared)
            T.copy(B, B_shared)
            T.copy(C, C_shared)
            T.clear(first)
            T.clear(second)
            T.gemm(A_shared, B_shared, first)
            T.copy(first, rounded)
            T.gemm(rounded, C_shared, second)
            T.copy(second, D[bx * block_M, 0])

    return chained_gemms


def integers(shape, block_M):
    """C = (3A + B) mod 256 where A > B, else A / 2, rounded down, less max(B, 7)."""
    M, N = shape

    @T.prim_func
    def integers(
        A: T.Tensor((M, N), "int32"), B: T.Tensor((M, N), "int32"), C: T.Tensor((M, N), "int32")
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            A_shared = T.alloc_shared((block_M, N), "int32")
            B_shared = T.alloc_shared((block_M, N), "int32")
            C_local = T.alloc_fragment((block_M, N), "int32")
            T.copy(A[bx * block_M, 0], A_shared)
            T.copy(B[bx * block_M, 0], B_shared)
            for i, j in T.Parallel(block_M, N):
                C_local[i, j] = T.if_then_else(
                    A_shared[i, j] > B_shared[i, j],
                    (A_shared[i, j] * 3 + B_shared[i, j]) & 255,
                    (A_shared[i, j] >> 1) - T.max(B_shared[i, j], 7),
                )
            T.copy(C_local, C[bx * block_M, 0])

    return integers


def add_integers(shape, block_M):
    """C = A + B in int32."""
    M, N = shape

    @T.prim_func
    def add_integers(
        A: T.Tensor((M, N), "int32"), B: T.Tensor((M, N), "int32"), C: T.Tensor((M, N), "int32")
    ):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            A_shared = T.alloc_shared((block_M, N), "int32")
            B_shared = T.alloc_shared((block_M, N), "int32")
            T.copy(A[bx * block_M, 0], A_shared)
            T.copy(B[bx * block_M, 0], B_shared)
            for i, j in T.Parallel(block_M, N):
                A_shared[i, j] = A_shared[i, j] + B_shared[i, j]
            T.copy(A_shared, C[bx * block_M, 0])

    return add_integers


def cast(shape, block_M, dtype, out_dtype):
    """B = A in another dtype."""
    M, N = shape

    @T.prim_func
    def cast(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), out_dtype)):
        with T.Kernel(T.ceildiv(M, block_M), threads=128) as bx:
            A_shared = T.alloc_shared((block_M, N), dtype)
            B_local = T.alloc_fragment((block_M, N), out_dtype)
            T.copy(A[bx * block_M, 0], A_shared)
            T.copy(A_shared, B_local)
            T.copy(B_local, B[bx * block_M, 0])

    return cast


def plus_index(shape, block, dtype):
    """B[i, j] = A[i, j] + 2i + j."""
    (M, N), (block_M, block_N) = shape, block

    @T.prim_func
    def plus_index(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_local)
            for i, j in T.Parallel(block_M, block_N):
                row = by * block_M + i
                column = bx * block_N + j
                A_local[i, j] = A_local[i, j] + T.cast(2 * row + column, dtype)
            T.copy(A_local, B[by * block_M, bx * block_N])

    return plus_index
