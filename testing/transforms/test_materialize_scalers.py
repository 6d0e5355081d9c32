"""MaterializeScalers: every reduction has a tile of ones to multiply by."""

import functools

import pytest
from helpers import check, check_unchanged, fragment, reduce, shared
from helpers import scripted as _scripted

from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.materialize_scalers import MaterializeScalers

scripted = functools.partial(_scripted, attributes={FP32_DEST: True})


def test_the_ones_are_made_before_the_loop_over_blocks():
    @T.prim_func(private=True)
    def before(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64, 1), "float32", scope="local.fragment")
            for _ in range(n):
                reduce(S, m, "sum", 1)

    @T.prim_func(private=True)
    def expected(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64, 1), "float32", scope="local.fragment")
            S_one = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for i in T.parallel(32):
                for j in T.parallel(32):
                    S_one[i, j] = T.bfloat16(1)
            for _ in range(n):
                reduce(S, m, "sum", 1, scaler=S_one)

    check(MaterializeScalers(), before, expected)


BUFFERS = {
    "S": shared(64, 64),
    "P": shared(64, 64),
    "H": shared(64, 64, dtype="float16"),
    "V": fragment(64, 1),
    "W": fragment(64, 1, dtype="float16"),
}
ONES = "for i in T.parallel(32):\n    for j in T.parallel(32): {}[i, j] = T.{}(1)\n"


def test_one_tile_serves_all_reductions_of_a_dtype():
    before = "reduce(S, V, 'max', 1)\nif n == 0: reduce(P, V, 'sum', 0)"
    after = (
        ONES.format("S_one", "bfloat16") + "reduce(S, V, 'max', 1, scaler=S_one)\n"
        "if n == 0: reduce(P, V, 'sum', 0, scaler=S_one)"
    )
    check(
        MaterializeScalers(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(after, scalars=["n"], **BUFFERS, S_one=shared(32, 32)),
    )


def test_each_dtype_has_a_tile_of_its_own():
    before = "reduce(S, V, 'sum', 1); reduce(H, W, 'sum', 1)"
    after = (
        ONES.format("S_one", "bfloat16")
        + ONES.format("H_one", "float16")
        + "reduce(S, V, 'sum', 1, scaler=S_one); reduce(H, W, 'sum', 1, scaler=H_one)"
    )
    check(
        MaterializeScalers(),
        scripted(before, **BUFFERS),
        scripted(after, **BUFFERS, S_one=shared(32, 32), H_one=shared(32, 32, dtype="float16")),
    )


def test_the_name_of_the_ones_is_free():
    after = ONES.format("S_one_1", "bfloat16") + "reduce(S, V, 'sum', 1, scaler=S_one_1)"
    taken = {"S_one": shared(64, 64)}
    check(
        MaterializeScalers(),
        scripted("reduce(S, V, 'sum', 1)", **BUFFERS, **taken),
        scripted(after, **BUFFERS, **taken, S_one_1=shared(32, 32)),
    )


def test_other_statements_are_untouched():
    body = "copy(S, P); gemm(S, P, P, clear=True); reduce(S, V, 'sum', 1, scaler=P)"
    check_unchanged(MaterializeScalers(), scripted(body, **BUFFERS))


@pytest.mark.parametrize("is_wide", [True, False])
def test_the_vector_unit_reduces_float32_where_its_registers_hold_it(is_wide):
    func = _scripted(
        "reduce(F, V, 'sum', 1)",
        attributes={FP32_DEST: is_wide},
        **BUFFERS,
        F=shared(64, 64, dtype="float32"),
    )
    if is_wide:
        check_unchanged(MaterializeScalers(), func)
    else:
        assert "F_one" in MaterializeScalers().rewrite(func).script()
