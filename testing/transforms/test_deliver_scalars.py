"""deliver_scalars: who reads the numbers that steer the program, and who is told of them."""

import pytest
import tilelang.language as tl
from helpers import OPTIONS, until
from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import COMPUTE, READER, WRITER
from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.deliver_scalars import deliver_scalars
from tilelang_tt.transforms.split_kernels import split_kernels


def delivered(kernel):
    return deliver_scalars(split_kernels(until(kernel, "split", OPTIONS)))


def calls(func, op):
    return [call for call in tree.collect(func.body, tirx.Call) if call.op.same_as(op.op)]


def steered(place="load", dtype="int32"):
    """A number of `dtype` steers the load, the arithmetic or the store."""

    @tl.prim_func
    def kernel(
        A: tl.Tensor((256, 64), "float32"),
        N: tl.Tensor((3, 40, 50), dtype),
        C: tl.Tensor((256, 64), "float32"),
    ):
        with tl.Kernel(2) as b:
            S = tl.alloc_shared((32, 64), "float32")
            R = tl.alloc_shared((32, 64), "float32")
            tl.copy(A[tl.Cast("int32", N[2, b + 17, 33]) * 32 if place == "load" else 0, 0], S)
            for i, j in tl.Parallel(32, 64):
                R[i, j] = S[i, j] + 1
            for _ in tl.serial(tl.Cast("int32", N[2, b + 17, 33]) if place == "compute" else 1):
                for i, j in tl.Parallel(32, 64):
                    R[i, j] = R[i, j] * R[i, j]
            tl.copy(R, C[tl.Cast("int32", N[2, b + 17, 33]) * 32 if place == "store" else 0, 0])

    return kernel


@pytest.mark.parametrize(
    "place, readers, is_given",
    [("load", {READER}, False), ("store", {WRITER}, False), ("compute", {READER}, True)],
)
def test_a_kernel_reads_what_it_needs(place, readers, is_given):
    kernels = delivered(steered(place))
    assert {role for role in attrs.ENGINES if calls(kernels[role], ops.READ_SCALAR)} == readers
    assert bool(calls(kernels[READER], ops.GIVE_SCALAR)) == is_given
    assert bool(calls(kernels[COMPUTE], ops.TAKE_SCALAR)) == is_given
    names = [buffer.name for buffer in Frame.of(kernels[COMPUTE]).buffers]
    wanted = [*(["scalars"] if is_given else []), *(f"{role}_scalars" for role in sorted(readers))]
    assert names[-len(wanted) :] == wanted


@pytest.mark.parametrize(
    "dtype, word", [("int32", "int32_t"), ("int8", "int8_t"), ("uint8", "uint8_t")]
)
def test_where_an_element_lies(dtype, word):
    """Of tensor (3, 40, 50), in 2 x 2 tiles: (2, 17 + b, 33) is in tile (0, 1) of the third."""
    kernels = delivered(steered("load", dtype))
    (call,) = calls(kernels[READER], ops.READ_SCALAR)
    numbers = [var for var in tree.collect(call, tirx.Var) if var.dtype == "int32"]
    block = dict.fromkeys(numbers, tirx.const(0, "int32"))
    page, element = (
        int(arith.Analyzer().simplify(substitute(ops.READ_SCALAR.operand(call, name), block)))
        for name in ("page", "element")
    )
    assert page == 2 * 4 + 1
    assert element == 2 * 256 + 1 * 16 + 1  # row 17, column 1
    assert ops.READ_SCALAR.operand(call, "word").value == word


def test_pages_are_held_from_the_beginning_to_the_end():
    reader = delivered(steered())[READER]
    protocol = [ops.definition(stmt) for stmt in tree.statements(Frame.of(reader).body)]
    assert protocol[0] is ops.CB_RESERVE_BACK
    assert protocol[-3:] == [ops.CB_PUSH_BACK, ops.CB_WAIT_FRONT, ops.CB_POP_FRONT]


def searched():
    @tl.prim_func
    def kernel(
        A: tl.Tensor((256, 64), "float32"),
        N: tl.Tensor((8,), "int32"),
        C: tl.Tensor((256, 64), "float32"),
    ):
        with tl.Kernel(2) as b:
            S = tl.alloc_shared((32, 64), "float32")
            found = tl.alloc_var("int32", init=0)
            row = tl.alloc_var("int32", init=0)
            for i in range(8):
                found = tl.if_then_else(N[i] < b, i, found)
            row = N[b]
            for k in tl.serial(found):
                tl.copy(A[row * 32, 0], S)
                for i, j in tl.Parallel(32, 64):
                    S[i, j] = S[i, j] + 1
                tl.copy(S, C[(b + k) * 32, 0])

    return kernel


def test_the_compute_engine_computes_no_numbers():
    compute = delivered(searched())[COMPUTE]
    assert not tree.collect(compute.body, (tirx.BufferStore, tirx.BufferLoad))
    assert len(tree.collect(compute.body, tirx.Bind)) == 1
    assert len(calls(compute, ops.TAKE_SCALAR)) == 1


def test_a_kernel_drops_what_it_does_not_need():
    kernels = delivered(searched())
    stored = {
        role: {store.buffer.name for store in tree.collect(kernels[role].body, tirx.BufferStore)}
        for role in (READER, WRITER)
    }
    assert stored == {READER: {"found", "row"}, WRITER: {"found"}}


def test_a_program_without_numbers_is_left_alone():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(2) as b:
            S = tl.alloc_shared((32, 64), "float32")
            tl.copy(A[b * 32, 0], S)
            tl.copy(S, C[b * 32, 0])

    kernels = split_kernels(until(kernel, "split", OPTIONS))
    assert deliver_scalars(kernels).same_as(kernels)
