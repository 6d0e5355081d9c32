"""MaterializeRowBroadcasts: 16-bit rows reach 32-bit registers through the matrix unit."""

import pytest
from helpers import check, check_unchanged, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.materialize_row_broadcasts import MaterializeRowBroadcasts


def test_a_row_is_added_to_a_tile_of_zeros():
    @T.prim_func(private=True)
    def before(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            C = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            v = T.sblock_alloc_buffer((64,), "bfloat16", scope="shared.dyn")
            o = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
            for _ in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        o[i, j] = T.max(C[i, j], T.Cast("float32", v[j]))

    @T.prim_func(private=True)
    def expected(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            C = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            v = T.sblock_alloc_buffer((64,), "bfloat16", scope="shared.dyn")
            o = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
            zero = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for i in T.parallel(32):
                for j in T.parallel(32):
                    zero[i, j] = T.bfloat16(0)
            for _ in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        o[i, j] = T.max(C[i, j], T.Cast("float32", zero[i % 32, j % 32] + v[j]))

    check(MaterializeRowBroadcasts(), before, expected)


BUFFERS = {
    "S": shared(64, 64),
    "F": shared(64, 64, dtype="float32"),
    "O": shared(64, 64),
    "V": shared(64),
    "W": shared(64),
    "U": shared(64, dtype="float32"),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): "
ZERO = "for i in T.parallel(32):\n    for j in T.parallel(32): V_zero[i, j] = T.bfloat16(0)\n"


def function(body, is_fp32=True, **more):
    return scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **BUFFERS, **more)


def test_one_tile_of_zeros_serves_all_rows_of_a_dtype():
    before = f"{NEST}O[i, j] = S[i, j] / V[j]\n{NEST}O[i, j] = W[j] / S[i, j]"
    row = "V_zero[i % 32, j % 32] + {}[j]"
    after = (
        f"{ZERO}{NEST}O[i, j] = S[i, j] / ({row.format('V')})\n"
        f"{NEST}O[i, j] = ({row.format('W')}) / S[i, j]"
    )
    check(MaterializeRowBroadcasts(), function(before), function(after, V_zero=shared(32, 32)))


def test_the_name_of_the_zeros_is_free():
    body = f"{NEST}O[i, j] = S[i, j] / V[j]"
    after = f"{ZERO}{NEST}O[i, j] = S[i, j] / (V_zero[i % 32, j % 32] + V[j])"
    taken = {"V_zero": shared(32, 32)}
    check(
        MaterializeRowBroadcasts(),
        function(body, **taken),
        function(after.replace("V_zero", "V_zero_1"), **taken, V_zero_1=shared(32, 32)),
    )


UNTOUCHED = {
    "a row that the matrix unit adds itself": "O[i, j] = S[i, j] + V[j]",
    "a row of 32 bits": "F[i, j] = F[i, j] / U[j]",
    "no row": "O[i, j] = S[i, j] / S[i, j]",
}


@pytest.mark.parametrize("store", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(store):
    check_unchanged(MaterializeRowBroadcasts(), function(NEST + store))


def test_16_bit_registers_need_nothing():
    body = f"{NEST}O[i, j] = S[i, j] / V[j]"
    check_unchanged(MaterializeRowBroadcasts(), function(body, is_fp32=False))


def test_vectors_among_themselves_are_no_rows():
    body = "for i in T.parallel(64): V[i] = V[i] / W[i]"
    check_unchanged(MaterializeRowBroadcasts(), function(body))
