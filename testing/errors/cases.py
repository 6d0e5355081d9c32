"""The smallest program that causes each error of the compiler.

A line that the error may name ends in a comment with its code.
"""

import tilelang.language as tl
from tvm import ir

from tilelang_tt import directives, options
from tilelang_tt.options import Options

CASES = {}
"""By code: a function that gives a program, and the options to compile it with."""


def case(code, **chosen):
    def register(make):
        CASES[code] = (make, Options(**chosen))
        return make

    return register


F32, BF16 = "float32", "bfloat16"
FOREIGN_GEMM = ir.Op.get("tl.tileop.wgmma_gemm")


@case("TT1001")
def unknown_operation():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            for k in tl.serial(4):
                if k == 2:
                    tl.loop_break()  # TT1001
            tl.copy(A_s, C)

    return kernel


@case("TT1002")
def scan():
    @tl.prim_func
    def kernel(A: tl.Tensor((2, 64, 64), F32), C: tl.Tensor((2, 64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((2, 64, 64), F32)
            tl.copy(A, A_s)
            tl.cummax(A_s, dim=1)  # TT1002
            tl.copy(A_s, C)

    return kernel


@case("TT1003")
def atomic():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            tl.atomic_max(C, A_s)  # TT1003

    return kernel


@case("TT1004")
def synchronisation():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            tl.sync_grid()  # TT1004
            tl.copy(A_s, C)

    return kernel


@case("TT1005")
def foreign_product():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), BF16), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), BF16)
            C_l = tl.alloc_fragment((64, 64), F32)
            tl.copy(A, A_s)
            tl.evaluate(tl.call_intrin("handle", FOREIGN_GEMM))  # TT1005
            tl.copy(C_l, C)

    return kernel


@case("TT1006")
def endless_loop():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32), n: tl.int32):
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), F32)
            while n > 0:  # TT1006
                tl.copy(A, C_s)
            tl.copy(C_s, C)

    return kernel


@case("TT1007")
def unknown_function():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):  # TT1007
                A_s[i, j] = tl.acos(A_s[i, j])  # TT1007
            tl.copy(A_s, C)

    return kernel


@case("TT1008")
def thread_local():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):  # TT1008
            C_l = tl.alloc_local((64, 64), F32)
            tl.clear(C_l)
            tl.copy(C_l, C)

    return kernel


@case("TT1009")
def double():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float64"), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):  # TT1009
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            tl.copy(A_s, C)

    return kernel


@case("TT1010")
def strided_access():
    @tl.prim_func
    def kernel(A: tl.Tensor((128, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), F32)
            for i, j in tl.Parallel(64, 64):  # TT1010
                C_s[i, j] = A[2 * i, j]  # TT1010
            tl.copy(C_s, C)

    return kernel


@case("TT1011")
def thread_index():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1, threads=64):
            tx = tl.get_thread_binding()
            C_s = tl.alloc_shared((64, 64), F32)
            for j in tl.serial(64):
                C_s[tx, j] = 1  # TT1011
            tl.copy(C_s, C)

    return kernel


@case("TT1012")
def copy_between_kernels():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        tl.copy(A, C)  # TT1012
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), F32)
            tl.clear(C_s)
            tl.copy(C_s, C)

    return kernel


@case("TT1013")
def long_scalar():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), F32), n: tl.int64):
        with tl.Kernel(1):  # TT1013
            C_s = tl.alloc_shared((64, 64), F32)
            tl.fill(C_s, n)
            tl.copy(C_s, C)

    return kernel


@case("TT1014")
def safe_value():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):  # TT1014
            A_s = tl.alloc_shared((64, 64), F32)
            tl.annotate_safe_value({A: 1.0})
            tl.copy(A, A_s)
            tl.copy(A_s, C)

    return kernel


@case("TT1015")
def extern_code():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            tl.call_extern("handle", "f", C.data)  # TT1015

    return kernel


@case("TT1016")
def data_dependent():
    @tl.prim_func
    def kernel(A: tl.Tensor((64,), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), F32)
            tl.clear(C_s)
            if A[0] > 0:  # TT1016
                tl.copy(C_s, C)

    return kernel


@case("TT2002")
def symbolic_extent():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32), n: tl.int32):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A[0:n, 0:64], A_s[0:n, 0:64])  # TT2002
            tl.copy(A_s, C)

    return kernel


@case("TT2003")
def misaligned():
    @tl.prim_func
    def kernel(A: tl.Tensor((128, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A[8, 0], A_s)  # TT2003
            tl.copy(A_s, C)

    return kernel


@case("TT2005")
def extents_differ():
    @tl.prim_func
    def kernel(A: tl.Tensor((2, 32, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A[0:2, 0:32, 0:64], A_s[0:64, 0:64])  # TT2005
            tl.copy(A_s, C)

    return kernel


@case("TT2008")
def two_tilings():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            B_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A[1, 0:64, 0:64], A_s)
            tl.copy(A[0:64, 1, 0:64], B_s)  # TT2008
            for i, j in tl.Parallel(64, 64):
                A_s[i, j] = A_s[i, j] + B_s[i, j]
            tl.copy(A_s, C)

    return kernel


@case("TT2010")
def one_row_of_a_tile():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            B_s = tl.alloc_shared((64,), F32)
            tl.copy(A, A_s)
            tl.copy(A_s, C)
            tl.copy(A[0, 0:64], B_s)
            tl.copy(B_s, C[0, 0:64])  # TT2010

    return kernel


@case("TT3001")
def unwritten_buffer():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            C_s = tl.alloc_shared((64, 64), F32)
            tl.copy(C_s, C)  # TT3001

    return kernel


@case("TT3004")
def output_read_back():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)  # TT3004
            tl.copy(A_s, A)

    return kernel


@case("TT3005")
def dependent_iterations():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):
                A_s[i, j] = A_s[j, i]  # TT3005
            tl.copy(A_s, C)

    return kernel


@case("TT3006")
def no_output():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32)):
        with tl.Kernel(1):  # TT3006
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)

    return kernel


@case("TT3007")
def sum_without_start():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        W = tl.alloc_global((64, 64), F32)
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            tl.atomic_add(W, A_s)  # TT3007
        with tl.Kernel(1):
            tl.copy(W, C)

    return kernel


@case("TT4001")
def many_buffers():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), BF16), C: tl.Tensor((64, 64), BF16)):
        with tl.Kernel(1):  # TT4001
            for n in [0, 1] * 10:  # a list is unrolled
                A_s = tl.alloc_shared((32, 32), BF16)
                C_s = tl.alloc_shared((32, 32), BF16)
                tl.copy(A[n * 32, 0], A_s)
                tl.transpose(A_s, C_s)
                tl.copy(C_s, C[n * 32, 0])

    return kernel


@case("TT4002")
def large_buffer():
    @tl.prim_func
    def kernel(A: tl.Tensor((1024, 1024), F32), C: tl.Tensor((1024, 1024), F32)):
        with tl.Kernel(1):  # TT4002
            A_s = tl.alloc_shared((1024, 1024), F32)
            tl.copy(A, A_s)
            tl.copy(A_s, C)

    return kernel


@case("TT4004", fp32_acc=False)
def mixed_formats():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float16"), C: tl.Tensor((64, 64), BF16)):
        with tl.Kernel(1):  # TT4004
            A_s = tl.alloc_shared((64, 64), "float16")
            tl.copy(A, A_s)
            tl.copy(A_s, C)

    return kernel


@case("TT4005", depths=(("top", 1),))
def updated_in_one_block():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 256), BF16), C: tl.Tensor((64, 64), BF16)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), BF16)
            top = tl.alloc_fragment((64, 64), BF16)
            tl.clear(top)
            for k in tl.serial(4):
                tl.copy(A[0, k * 64], A_s)
                for i, j in tl.Parallel(64, 64):
                    top[i, j] = tl.max(top[i, j], A_s[i, j])  # TT4005
            tl.copy(top, C)

    return kernel


@case("TT1017")
def asked_twice():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), BF16), C: tl.Tensor((64, 64), BF16)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), BF16)
            directives.depth(A_s, 2)
            directives.depth(A_s, 3)  # TT1017
            tl.copy(A, A_s)
            tl.copy(A_s, C)

    return kernel


@case("TT4006")
def split_of_what_does_not_add_up():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 256), BF16), C: tl.Tensor((64, 64), BF16)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), BF16)
            last = tl.alloc_fragment((64, 64), BF16)
            tl.clear(last)
            for k in tl.serial(4):
                directives.split(k, 2)  # TT4006
                tl.copy(A[0, k * 64], A_s)
                for i, j in tl.Parallel(64, 64):
                    last[i, j] = last[i, j] * 0.5 + A_s[i, j]
            tl.copy(last, C)

    return kernel


def product_in_four_subblocks():
    @tl.prim_func
    def kernel(A: tl.Tensor((128, 256), BF16), C: tl.Tensor((128, 128), BF16)):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((128, 64), BF16)
            B_s = tl.alloc_shared((64, 128), BF16)
            C_l = tl.alloc_fragment((128, 128), BF16)
            tl.clear(C_l)
            tl.fill(B_s, 1.0)
            for k in tl.serial(4):  # TT4009
                tl.copy(A[0, k * 64], A_s)
                tl.gemm(A_s, B_s, C_l)  # TT4008
            tl.copy(C_l, C)

    return kernel


@case("TT4008", subblock=(3, 1), cut=False, split=False)
def cut_in_three():
    return product_in_four_subblocks()


@case("TT4009", accumulate="dst", cut=False, split=False)
def a_sum_too_large():
    return product_in_four_subblocks()


OPTIONS = {
    "TT5001": {"grids": "8x8"},
    "TT5002": {"arch": "grayskull"},
    "TT5003": {"grid": "9x8"},
}
"""Target options that are wrong, by code."""


def parse_options(code):
    return options.parse(OPTIONS[code])
