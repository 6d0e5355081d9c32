"""TileLang programs that add to tensors from several blocks, as a user writes them."""

import tilelang.language as T


def gemm_splitk(size, block, splits, form, dtype="bfloat16", out="float32"):
    """C += A B, the inner dimension split among blocks of the grid."""
    (M, N, K), (bM, bN, bK) = size, block
    share = K // splits

    @T.prim_func
    def main(A: T.Tensor((M, K), dtype), B: T.Tensor((K, N), dtype), C: T.Tensor((M, N), out)):
        with T.Kernel(T.ceildiv(N, bN), T.ceildiv(M, bM), splits, threads=128) as (bx, by, bz):
            A_s = T.alloc_shared((bM, bK), dtype)
            B_s = T.alloc_shared((bK, bN), dtype)
            C_s = T.alloc_shared((bM, bN), out)
            C_l = T.alloc_fragment((bM, bN), "float32")
            T.clear(C_l)
            for ko in T.Pipelined(share // bK, num_stages=2):
                T.copy(A[by * bM, bz * share + ko * bK], A_s)
                T.copy(B[bz * share + ko * bK, bx * bN], B_s)
                T.gemm(A_s, B_s, C_l)
            if form == "tile":
                T.copy(C_l, C_s)
                T.atomic_add(C[by * bM, bx * bN], C_s)
            else:
                for i, j in T.Parallel(bM, bN):
                    T.atomic_add(C[by * bM + i, bx * bN + j], C_l[i, j])

    return main


def pairwise(batch, length, heads, width, block):
    """Q[i] += X[i] + Y[j] for every block j, in a loop over i; P[j] = the sum of all X[i]."""
    shape = (batch, length, heads, width)

    @T.prim_func
    def main(
        X: T.Tensor(shape, "bfloat16"),
        Y: T.Tensor(shape, "bfloat16"),
        Q: T.Tensor(shape, "float32"),
        P: T.Tensor(shape, "float32"),
    ):
        with T.Kernel(T.ceildiv(length, block), heads, batch, threads=128) as (bx, by, bz):
            X_s = T.alloc_shared((block, width), "bfloat16")
            Y_s = T.alloc_shared((block, width), "bfloat16")
            total = T.alloc_fragment((block, width), "float32")
            T.copy(Y[bz, bx * block : (bx + 1) * block, by, :], Y_s)
            T.clear(total)
            for k in T.Pipelined(T.ceildiv(length, block), num_stages=2):
                T.copy(X[bz, k * block : (k + 1) * block, by, :], X_s)
                for i, j in T.Parallel(block, width):
                    T.atomic_add(Q[bz, k * block + i, by, j], X_s[i, j] + Y_s[i, j])
                for i, j in T.Parallel(block, width):
                    total[i, j] += X_s[i, j]
            T.copy(total, P[bz, bx * block : (bx + 1) * block, by, :])

    return main


def columns(M, N, bM, bN):
    """G += the sums of the columns of X * Y, H += those of X."""

    @T.prim_func
    def main(
        X: T.Tensor((M, N), "float32"),
        Y: T.Tensor((M, N), "float32"),
        G: T.Tensor((N,), "float32"),
        H: T.Tensor((N,), "float32"),
    ):
        with T.Kernel(T.ceildiv(M, bM), T.ceildiv(N, bN), threads=128) as (by, bx):
            X_s = T.alloc_shared((bM, bN), "float32")
            Y_s = T.alloc_shared((bM, bN), "float32")
            sums = T.alloc_fragment((bN,), "float32")
            T.copy(X[by * bM, bx * bN], X_s)
            T.copy(Y[by * bM, bx * bN], Y_s)
            for i, j in T.Parallel(bM, bN):
                T.atomic_add(G[bx * bN + j], X_s[i, j] * Y_s[i, j])
            T.reduce_sum(X_s, sums, dim=0)
            T.atomic_add(H[bx * bN : (bx + 1) * bN], sums)

    return main


def overlapping(blocks):
    """Every block adds to two parts of C that overlap, and to one that some share."""

    @T.prim_func
    def main(X: T.Tensor((blocks, 64, 64), "float32"), C: T.Tensor((128, 64), "float32")):
        with T.Kernel(blocks) as bx:
            X_s = T.alloc_shared((64, 64), "float32")
            T.copy(X[bx, 0, 0], X_s)
            T.atomic_add(C[0:64, 0:64], X_s)
            T.atomic_add(C[32:96, 0:64], X_s)
            T.atomic_add(C[bx // 2 * 32 : bx // 2 * 32 + 32, 0:64], 1.0)

    return main


def grouped(batch, heads, groups, length, width):
    """K[h] += X[q] for every head q of a group h, Q[i] += X[i] + Y[j] for all j: the gradients of
    keys and queries where heads share keys."""
    shape, shared = (batch, length, heads, width), (batch, length, heads // groups, width)

    @T.prim_func
    def main(
        X: T.Tensor(shape, "float32"),
        Y: T.Tensor(shared, "float32"),
        Q: T.Tensor(shape, "float32"),
        K: T.Tensor(shared, "float32"),
    ):
        with T.Kernel(heads, length // 32, batch, threads=128) as (bx, by, bz):
            X_s = T.alloc_shared((32, width), "float32")
            Y_s = T.alloc_shared((32, width), "float32")
            k_l = T.alloc_fragment((32, width), "float32")
            T.copy(Y[bz, by * 32 : by * 32 + 32, bx // groups, :], Y_s)
            T.copy(Y_s, k_l)
            for k in T.Pipelined(length // 32, num_stages=2):
                T.copy(X[bz, k * 32 : k * 32 + 32, bx, :], X_s)
                for i, j in T.Parallel(32, width):
                    T.atomic_add(Q[bz, k * 32 + i, bx, j], X_s[i, j] + Y_s[i, j])
                for i, j in T.Parallel(32, width):
                    k_l[i, j] += X_s[i, j]
            T.atomic_add(K[bz, by * 32 : by * 32 + 32, bx // groups, :], k_l)

    return main


def heads_of_one(batch, heads, length, width):
    """Q[h] += X + Y[j] for all heads h and blocks j: every head loads the same X."""

    @T.prim_func
    def main(
        X: T.Tensor((batch, length, width), "float32"),
        Y: T.Tensor((batch, length, width), "float32"),
        Q: T.Tensor((batch, heads, length, width), "float32"),
    ):
        with T.Kernel(length // 32, heads, batch, threads=128) as (bx, by, bz):
            X_s = T.alloc_shared((32, width), "float32")
            Y_s = T.alloc_shared((32, width), "float32")
            T.use_swizzle(10)
            T.copy(Y[bz, bx * 32, 0], Y_s)
            for k in T.Pipelined(length // 32, num_stages=2):
                T.copy(X[bz, k * 32, 0], X_s)
                for i, j in T.Parallel(32, width):
                    T.atomic_add(Q[bz, by, k * 32 + i, j], X_s[i, j] + Y_s[i, j])

    return main


def zeroed(block, splits, dtype="float32"):
    """C = the sum of the splits of A, of any shape: one kernel clears, the next one adds."""
    m, n = T.dynamic("m, n")

    @T.prim_func
    def main(A: T.Tensor((splits, m, n), dtype), C: T.Tensor((m, n), dtype)):
        with T.Kernel(T.ceildiv(n, block), T.ceildiv(m, block)) as (bx, by):
            C_s = T.alloc_shared((block, block), dtype)
            T.clear(C_s)
            T.copy(C_s, C[by * block, bx * block])
        with T.Kernel(T.ceildiv(n, block), T.ceildiv(m, block), splits) as (bx, by, bz):
            A_s = T.alloc_shared((block, block), dtype)
            T.copy(A[bz, by * block, bx * block], A_s)
            T.atomic_add(C[by * block, bx * block], A_s)

    return main
