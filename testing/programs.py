"""Front-end programs that several tests compile."""

import tilelang.language as tl


def add(dtype="float32", rows=64, columns=64):
    @tl.prim_func
    def add_kernel(
        A: tl.Tensor((rows, columns), dtype),
        B: tl.Tensor((rows, columns), dtype),
        C: tl.Tensor((rows, columns), dtype),
    ):
        with tl.Kernel(rows // 64, columns // 64) as (bx, by):
            A_s = tl.alloc_shared((64, 64), dtype)
            B_s = tl.alloc_shared((64, 64), dtype)
            C_l = tl.alloc_fragment((64, 64), dtype)
            tl.copy(A[bx * 64, by * 64], A_s)
            tl.copy(B[bx * 64, by * 64], B_s)
            for i, j in tl.Parallel(64, 64):
                C_l[i, j] = A_s[i, j] + B_s[i, j]
            tl.copy(C_l, C[bx * 64, by * 64])

    return add_kernel


def gemm(transpose_a=False, transpose_b=False, size=64):
    a_shape = (size, size)

    @tl.prim_func
    def gemm_kernel(
        A: tl.Tensor(a_shape, "bfloat16"),
        B: tl.Tensor(a_shape, "bfloat16"),
        C: tl.Tensor(a_shape, "bfloat16"),
    ):
        with tl.Kernel(size // 64, size // 64) as (bx, by):
            A_s = tl.alloc_shared((32, 64) if transpose_a else (64, 32), "bfloat16")
            B_s = tl.alloc_shared((64, 32) if transpose_b else (32, 64), "bfloat16")
            C_l = tl.alloc_fragment((64, 64), "float32")
            tl.clear(C_l)
            for k in tl.Pipelined(size // 32, num_stages=2):
                if transpose_a:
                    tl.copy(A[k * 32, by * 64], A_s)
                else:
                    tl.copy(A[by * 64, k * 32], A_s)
                if transpose_b:
                    tl.copy(B[bx * 64, k * 32], B_s)
                else:
                    tl.copy(B[k * 32, bx * 64], B_s)
                tl.gemm(A_s, B_s, C_l, transpose_A=transpose_a, transpose_B=transpose_b)
            tl.copy(C_l, C[by * 64, bx * 64])

    return gemm_kernel


def batched():
    @tl.prim_func
    def batched_kernel(
        A: tl.Tensor((3, 64, 64), "bfloat16"),
        B: tl.Tensor((64,), "bfloat16"),
        C: tl.Tensor((3, 64, 64), "bfloat16"),
    ):
        with tl.Kernel(3, 2) as (bz, by):
            A_s = tl.alloc_shared((32, 64), "bfloat16")
            B_s = tl.alloc_shared((64,), "bfloat16")
            tl.copy(A[bz, by * 32, 0], A_s)
            tl.copy(B, B_s)
            for i, j in tl.Parallel(32, 64):
                A_s[i, j] = A_s[i, j] * B_s[j]
            tl.copy(A_s, C[bz, by * 32, 0])

    return batched_kernel


def dynamic():
    rows = tl.dynamic("rows")

    @tl.prim_func
    def dynamic_kernel(A: tl.Tensor((rows, 64), "float32"), C: tl.Tensor((rows, 64), "float32")):
        with tl.Kernel(tl.ceildiv(rows, 32)) as bx:
            A_s = tl.alloc_shared((32, 64), "float32")
            tl.copy(A[bx * 32, 0], A_s)
            for i, j in tl.Parallel(32, 64):
                A_s[i, j] = tl.exp(A_s[i, j])
            tl.copy(A_s, C[bx * 32, 0])

    return dynamic_kernel


def scaled():
    @tl.prim_func
    def scaled_kernel(
        A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32"), alpha: tl.float32
    ):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):
                A_s[i, j] = A_s[i, j] * alpha
            tl.copy(A_s, C)

    return scaled_kernel


def vector():
    @tl.prim_func
    def vector_kernel(A: tl.Tensor((256,), "float32"), C: tl.Tensor((256,), "float32")):
        with tl.Kernel(4) as bx:
            A_s = tl.alloc_shared((64,), "float32")
            tl.copy(A[bx * 64], A_s)
            for i in tl.Parallel(64):
                A_s[i] = A_s[i] + 1
            tl.copy(A_s, C[bx * 64])

    return vector_kernel


PROGRAMS = {
    "add": add,
    "add of many blocks": lambda: add("bfloat16", 128, 192),
    "gemm": gemm,
    "gemm, A transposed": lambda: gemm(transpose_a=True),
    "gemm, B transposed": lambda: gemm(transpose_b=True),
    "gemm, both transposed": lambda: gemm(True, True, 128),
    "batched": batched,
    "dynamic": dynamic,
    "scalar parameter": scaled,
    "vector": vector,
}
