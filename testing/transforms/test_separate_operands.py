"""SeparateOperands: the matrix unit's own copy of a float32 value that is read in full."""

import pytest
from helpers import check, check_unchanged, fragment, scripted, tensor

from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.transforms.separate_operands import SeparateOperands

BUFFERS = {
    "A": tensor(32, 32, dtype="float32"),
    "S": fragment(32, 32, dtype="float32"),
    "P": fragment(32, 32, dtype="float32"),
    "N": fragment(32, 32),
    "C": fragment(32, 32, dtype="float32"),
}


def nest(dst, value):
    return f"for i in T.parallel(32):\n    for j in T.parallel(32): {dst}[i, j] = {value}\n"


def program(body, *, fp32=True, **more):
    return scripted(body, attributes={FP32_DEST: fp32}, **BUFFERS, **more)


GEMM = "gemm({0}, {0}, C, clear=True)\n"
USE = nest("P", "T.exp(S[i, j])")


def test_a_product_gets_a_copy():
    before = program(GEMM.format("S") + USE)
    after = nest("S_mm", "S[i, j]") + GEMM.format("S_mm") + USE
    check(
        SeparateOperands(), before, program(after, S_mm=fragment(32, 32, dtype="float32")),
        idempotent=False,
    )  # fmt: skip


def test_a_reduction_reads_in_full():
    reduction = "reduce(S, V, 'max', 1)\n"
    vector = fragment(32, 1, dtype="float32")
    before = program(reduction + GEMM.format("S"), V=vector)
    after = reduction + nest("S_mm", "S[i, j]") + GEMM.format("S_mm")
    copy = fragment(32, 32, dtype="float32")
    check(SeparateOperands(), before, program(after, V=vector, S_mm=copy), idempotent=False)


UNTOUCHED = {
    "a value that only the vector unit reads": "reduce(S, V, 'max', 1)\n" + USE,
    "a narrow value that is reduced": "reduce(N, V, 'sum', 1)\n" + GEMM.format("N"),
    "a value that only the matrix unit reads": GEMM.format("S"),
    "a value that is only rounded to a narrower dtype": GEMM.format("S")
    + nest("N", 'T.Cast("bfloat16", S[i, j])'),
    "a narrow value": GEMM.format("N") + nest("P", 'T.Cast("float32", N[i, j])'),
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(SeparateOperands(), program(body, V=fragment(32, 1, dtype="float32")))


def test_narrow_registers_hold_no_more_anyway():
    check_unchanged(SeparateOperands(), program(GEMM.format("S") + USE, fp32=False))


def test_a_narrowing_that_computes_reads_in_full():
    body = GEMM.format("S") + nest("N", 'T.Cast("bfloat16", S[i, j] * S[i, j])')
    after = SeparateOperands().rewrite(program(body))
    assert "S_mm" in after.script()
