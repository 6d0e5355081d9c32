"""A program that cannot be compiled is refused at the line its author wrote."""

from __future__ import annotations

import pytest
import tilelang
import tilelang.language as T

from testing.helpers import line_marked
from tilelang_tt import diagnostics as errors

BF16 = "bfloat16"


def atomic():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16), C: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2) as (bx, by):
            A_s = T.alloc_shared((32, 32), BF16)
            T.copy(A[by * 32, bx * 32], A_s)
            T.atomic_max(C[by * 32, bx * 32], A_s)  # atomic

    return main


def scan():
    @T.prim_func
    def main(A: T.Tensor((2, 32, 64), BF16), C: T.Tensor((2, 32, 64), BF16)):
        with T.Kernel(1):
            A_s = T.alloc_shared((2, 32, 64), BF16)
            T.copy(A, A_s)
            T.cummax(A_s, dim=1)  # scan
            T.copy(A_s, C)

    return main


def sum_of_four_dimensions():
    shape = (2, 3, 32, 64)

    @T.prim_func
    def main(A: T.Tensor(shape, "float32"), C: T.Tensor(shape[:3], "float32")):
        with T.Kernel(1) as _:
            A_l = T.alloc_fragment(shape, "float32")
            sums = T.alloc_fragment(shape[:3], "float32")
            T.copy(A, A_l)
            T.reduce_sum(A_l, sums, dim=3)
            T.copy(sums, C)

    return main


def expression():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16), C: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2) as (bx, by):
            for i, j in T.Parallel(32, 32):
                C[by * 32 + i, bx * 32 + j] = T.acos(A[by * 32 + i, bx * 32 + j])  # expression

    return main


def part_of_a_tile():
    @T.prim_func
    def main(A: T.Tensor((64, 96), BF16), C: T.Tensor((64, 96), BF16)):
        with T.Kernel(2) as by:
            A_s = T.alloc_shared((32, 48), BF16)
            T.copy(A[by * 32, 0], A_s)
            T.copy(A_s, C[by * 32, 0])  # part_of_a_tile

    return main


def misaligned():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16), C: T.Tensor((32, 32), BF16)):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 32), BF16)
            T.copy(A[16, 0], A_s)  # misaligned
            T.copy(A_s, C)

    return main


def never_written():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16), C: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2) as (bx, by):
            A_s = T.alloc_shared((32, 32), BF16)
            T.copy(A_s, C[by * 32, bx * 32])  # never_written

    return main


def no_output():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2) as (bx, by):  # no_output
            A_s = T.alloc_shared((32, 32), BF16)
            T.copy(A[by * 32, bx * 32], A_s)

    return main


def too_much_memory():
    @T.prim_func
    def main(A: T.Tensor((1024, 1024), "float32"), C: T.Tensor((1024, 1024), "float32")):
        with T.Kernel(1) as _:  # too_much_memory
            A_s = T.alloc_shared((1024, 1024), "float32")
            T.copy(A, A_s)
            for i, j in T.Parallel(1024, 1024):
                A_s[i, j] = A_s[i, j] * 2.0
            T.copy(A_s, C)

    return main


def dtype():
    @T.prim_func
    def main(A: T.Tensor((64, 64), "int16"), C: T.Tensor((64, 64), "int16")):
        with T.Kernel(2, 2) as (bx, by):  # dtype
            A_s = T.alloc_shared((32, 32), "int16")
            T.copy(A[by * 32, bx * 32], A_s)
            T.copy(A_s, C[by * 32, bx * 32])

    return main


def in_place_on_a_tensor():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2) as (bx, by):
            A_s = T.alloc_shared((32, 32), BF16)
            T.copy(A[by * 32, bx * 32], A_s)  # in_place_on_a_tensor
            T.copy(A_s, A[by * 32, bx * 32])

    return main


def thread_index():
    @T.prim_func
    def main(A: T.Tensor((64, 64), BF16), C: T.Tensor((64, 64), BF16)):
        with T.Kernel(2, 2, threads=32) as (bx, by):
            tx = T.get_thread_binding(0)
            for i in T.serial(32):
                C[by * 32 + i, bx * 32 + tx] = A[by * 32 + i, bx * 32 + tx]  # thread_index

    return main


REFUSED = {
    atomic: (errors.UnsupportedAtomic, "T.atomicmax"),
    scan: (errors.UnsupportedReduction, "T.cummax"),
    expression: (errors.UnsupportedExpression, "T.acos"),
    part_of_a_tile: (errors.PartialTileWrite, "a part of a tile of 'C'"),
    misaligned: (errors.MisalignedRegion, "starts at 16"),
    never_written: (errors.ReadBeforeWrite, "'A_s'"),
    no_output: (errors.UnwrittenOutput, "writes no tensor"),
    too_much_memory: (errors.L1Overflow, "bytes of the"),
    dtype: (errors.UnsupportedDtype, "int16"),
    in_place_on_a_tensor: (errors.OutputReadBack, "'A' is both read and written"),
    thread_index: (errors.ThreadIndexUsed, "thread index"),
}


@pytest.mark.parametrize("program", REFUSED, ids=lambda program: program.__name__)
def test_a_refusal_has_a_code_a_reason_and_the_users_line(program):
    error, text = REFUSED[program]
    with pytest.raises(error) as caught:
        tilelang.compile(program(), target="tenstorrent")
    message = str(caught.value)
    line = line_marked(__file__, f"# {program.__name__}")
    assert message.startswith(f"{error.code}: ")
    assert text in message
    assert f"--> {__file__}:{line}:" in message
    shown = message.splitlines()[-2]
    assert f"# {program.__name__}" in shown, "the source line itself is shown"
    assert isinstance(caught.value, errors.CompileError)


def test_a_reduction_of_several_dimensions_of_blocks_is_refused():
    """Its line is not the user's: T.reduce_sum is a macro, and TileLang keeps the macro's lines."""
    with pytest.raises(errors.UnsupportedReduction, match=r"TT1002: T\.reduce_sum over several"):
        tilelang.compile(sum_of_four_dimensions(), target="tenstorrent")


def test_a_refused_program_does_not_keep_others_from_compiling(kernel, operands):
    with pytest.raises(errors.UnsupportedAtomic):
        tilelang.compile(atomic(), target="tenstorrent")
    assert kernel(*operands).shape == (64, 96)
