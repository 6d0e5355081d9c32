"""The TileLang kernels of the silicon programs, in the forms a user writes."""

import tilelang.language as T


def add(shape, block, dtype):
    """C = A + B."""
    (M, N), (block_M, block_N) = shape, block

    @T.prim_func
    def elementwise_add(
        A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            B_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            T.copy(B[by * block_M, bx * block_N], B_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = A_shared[i, j] + B_shared[i, j]
            T.copy(C_local, C[by * block_M, bx * block_N])

    return elementwise_add


def multiply_add(shape, block, dtype):
    """D = A * B + C."""
    (M, N), (block_M, block_N) = shape, block

    @T.prim_func
    def multiply_add(
        A: T.Tensor((M, N), dtype),
        B: T.Tensor((M, N), dtype),
        C: T.Tensor((M, N), dtype),
        D: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            B_shared = T.alloc_shared((block_M, block_N), dtype)
            C_shared = T.alloc_shared((block_M, block_N), dtype)
            D_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            T.copy(B[by * block_M, bx * block_N], B_shared)
            T.copy(C[by * block_M, bx * block_N], C_shared)
            for i, j in T.Parallel(block_M, block_N):
                D_local[i, j] = A_shared[i, j] * B_shared[i, j] + C_shared[i, j]
            T.copy(D_local, D[by * block_M, bx * block_N])

    return multiply_add


def relu(shape, block, dtype):
    """C = max(A, 0)."""
    (M, N), (block_M, block_N) = shape, block

    @T.prim_func
    def relu(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = T.max(A_shared[i, j], 0)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return relu


def scale(shape, block, dtype):
    """C = A * factor, the factor given at each call."""
    (M, N), (block_M, block_N) = shape, block

    @T.prim_func
    def scale(A: T.Tensor((M, N), dtype), factor: T.float32, C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = A_shared[i, j] * factor
            T.copy(C_local, C[by * block_M, bx * block_N])

    return scale


def gemm(size, block, dtype, out_dtype, accum_dtype, transpose_A=False, transpose_B=False):
    """C = A @ B; a transposed operand is stored with its extents swapped."""
    (M, N, K), (block_M, block_N, block_K) = size, block
    A_shape, A_block = ((K, M), (block_K, block_M)) if transpose_A else ((M, K), (block_M, block_K))
    B_shape, B_block = ((N, K), (block_N, block_K)) if transpose_B else ((K, N), (block_K, block_N))

    @T.prim_func
    def gemm(
        A: T.Tensor(A_shape, dtype), B: T.Tensor(B_shape, dtype), C: T.Tensor((M, N), out_dtype)
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared(A_block, dtype)
            B_shared = T.alloc_shared(B_block, dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=3):
                if transpose_A:
                    T.copy(A[k * block_K, by * block_M], A_shared)
                else:
                    T.copy(A[by * block_M, k * block_K], A_shared)
                if transpose_B:
                    T.copy(B[bx * block_N, k * block_K], B_shared)
                else:
                    T.copy(B[k * block_K, bx * block_N], B_shared)
                T.gemm(
                    A_shared,
                    B_shared,
                    C_local,
                    transpose_A=transpose_A,
                    transpose_B=transpose_B,
                )
            T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm


def causal_gemm(size, block, dtype):
    """C = A @ B without the blocks of A above the diagonal: later rows of blocks take longer."""
    (M, N), (block_M, block_N) = size, block

    @T.prim_func
    def causal_gemm(
        A: T.Tensor((M, M), dtype), B: T.Tensor((M, N), dtype), C: T.Tensor((M, N), "float32")
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_M), dtype)
            B_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_local)
            for k in T.Pipelined(by + 1, num_stages=2):
                T.copy(A[by * block_M, k * block_M], A_shared)
                T.copy(B[k * block_M, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return causal_gemm


def gemm_bias_relu(size, block, dtype, bias_dtype, out_dtype):
    """C = max(A @ B + bias, 0), accumulated in float32."""
    (M, N, K), (block_M, block_N, block_K) = size, block

    @T.prim_func
    def gemm_bias_relu(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        bias: T.Tensor((N,), bias_dtype),
        C: T.Tensor((M, N), out_dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            bias_shared = T.alloc_shared((block_N,), bias_dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_local)
            T.copy(bias[bx * block_N], bias_shared)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[by * block_M, k * block_K], A_shared)
                T.copy(B[k * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = T.max(C_local[i, j] + bias_shared[j], 0)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return gemm_bias_relu


def batched_gemm(batch, size, block, dtype, out_dtype):
    """C[b] = A[b] @ B[b], accumulated in float32."""
    (M, N, K), (block_M, block_N, block_K) = size, block

    @T.prim_func
    def batched_gemm(
        A: T.Tensor((batch, M, K), dtype),
        B: T.Tensor((batch, K, N), dtype),
        C: T.Tensor((batch, M, N), out_dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), batch, threads=128) as (
            bx,
            by,
            bz,
        ):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[bz, by * block_M, k * block_K], A_shared)
                T.copy(B[bz, k * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[bz, by * block_M, bx * block_N])

    return batched_gemm


def double_rows(columns, block, dtype):
    """C = 2 * A, for any number of rows."""
    rows = T.dynamic("rows")
    block_M, block_N = block

    @T.prim_func
    def double_rows(A: T.Tensor((rows, columns), dtype), C: T.Tensor((rows, columns), dtype)):
        with T.Kernel(T.ceildiv(columns, block_N), T.ceildiv(rows, block_M), threads=128) as (
            bx,
            by,
        ):
            A_shared = T.alloc_shared((block_M, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), dtype)
            T.copy(A[by * block_M, bx * block_N], A_shared)
            for i, j in T.Parallel(block_M, block_N):
                C_local[i, j] = A_shared[i, j] * 2
            T.copy(C_local, C[by * block_M, bx * block_N])

    return double_rows


def blocksparse_gemm(size, block, dtype, mask_dtype, out_dtype="float32"):
    """C = A @ B without the blocks of products that a mask leaves out."""
    (M, N, K), (block_M, block_N, block_K) = size, block

    @T.prim_func
    def kernel(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        Mask: T.Tensor((M // block_M, N // block_N, K // block_K), mask_dtype),
        C: T.Tensor((M, N), out_dtype),
    ):
        with T.Kernel(N // block_N, M // block_M, threads=128) as (bx, by):
            A_s = T.alloc_shared((block_M, block_K), dtype)
            B_s = T.alloc_shared((block_K, block_N), dtype)
            C_l = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_l)
            for k in T.Pipelined(K // block_K, num_stages=2):
                if Mask[by, bx, k]:
                    T.copy(A[by * block_M, k * block_K], A_s)
                    T.copy(B[k * block_K, bx * block_N], B_s)
                    T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * block_M, bx * block_N])

    return kernel


def chosen_rows(count, most, width, dtype):
    """Sums of blocks of rows that a table names, as many as another one says."""

    @T.prim_func
    def kernel(
        A: T.Tensor((256, width), dtype),
        Count: T.Tensor((count,), "int32"),
        Rows: T.Tensor((count, most), "int32"),
        C: T.Tensor((count * 32, width), "float32"),
    ):
        with T.Kernel(count, threads=128) as b:
            A_s = T.alloc_shared((32, width), dtype)
            S = T.alloc_fragment((32, width), "float32")
            T.clear(S)
            for i in T.Pipelined(Count[b], num_stages=2):
                T.copy(A[Rows[b, i] * 32, 0], A_s)
                for r, c in T.Parallel(32, width):
                    S[r, c] += A_s[r, c]
            T.copy(S, C[b * 32, 0])

    return kernel
